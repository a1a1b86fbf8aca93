"""LLaMA-VID's two kinds of tokens a frame (arXiv 2311.17043, Sec. 3.2).

A context token: what of the frame a Q-Former attends to that reads the question beside it. Content tokens: the patches,
or means of them. Knows features; knows no tower and no tokenizer.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import nn

from ecva_bench.checkpoints.filling import fill, parted
from ecva_bench.checkpoints.tensors import Tensors
from ecva_bench.errors import CheckpointError

from ..parts.connectors.mlp import mlp2x
from ..parts.connectors.qformer import HEAD, QFormer, load_qformer
from ..parts.layouts.sizes import load_linear, shape_of, tensor_of
from ..parts.placement import Placement

FRAMES = 64  # seen at the same time

ENCODER, QUERY, NORM, PROJECTOR = "vlm_att_encoder.", "vlm_att_query", "vlm_att_ln.", "mm_projector."
LAYERS = ("vlm_att_projector", "vlm_att_key_projector", "vlm_att_val_projector")


class ContextTokens(nn.Module):
    """Frames' tokens and a question to a context token and content tokens for each frame.

    `query`, `key` and `value` are the layers of the attention whose queries are the Q-Former's; `grid` is the side of
    the square of content tokens, 1 for one, None for all patches.
    """

    def __init__(
        self,
        qformer: QFormer,
        norm: nn.LayerNorm,
        query: nn.Linear,
        key: nn.Linear,
        value: nn.Linear,
        projector: nn.Sequential,
        grid: int | None,
    ) -> None:
        super().__init__()
        self.qformer, self.norm, self.projector = qformer, norm, projector
        self.query, self.key, self.value = query, key, value
        self._grid = grid

    def forward(self, features: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        """Return [T (1 + content), hidden], each frame's context token first, for features [T, tokens, width].

        `ids` is the question, int64 [1, length]. Of an odd number of tokens the first is a class token, which the
        Q-Former alone sees.
        """
        return torch.cat(list(self._frames(features, ids))).flatten(0, 1)

    def _frames(self, features: torch.Tensor, ids: torch.Tensor) -> Iterator[torch.Tensor]:
        count = self.qformer.queries.shape[1]
        for start in range(0, len(features), FRAMES):
            tokens = features[start : start + FRAMES]
            patches = tokens[:, tokens.shape[1] % 2 :]
            queries = self.query(self.qformer(self.norm(tokens), ids)[:, :count])
            scores = queries @ self.key(patches).transpose(1, 2) / patches.shape[-1] ** 0.5
            context = (scores.softmax(dim=-1) @ patches).mean(dim=1, keepdim=True)
            yield torch.cat([self.value(context), self.projector(self._content(patches))], dim=1)

    def _content(self, patches: torch.Tensor) -> torch.Tensor:
        """Return [n, content, width] for patches [n, side², width] in order row, column."""
        if self._grid is None:
            return patches
        if self._grid == 1:
            return patches.mean(dim=1, keepdim=True)
        side = math.isqrt(patches.shape[1])
        pooled = nn.functional.avg_pool2d(patches.mT.reshape(len(patches), -1, side, side), side // self._grid)
        return pooled.flatten(2).mT


def load_context(
    tensors: Tensors, compress: str | None, where: object, placement: Placement, *, head: int = HEAD
) -> ContextTokens:
    """Return a connector filled with tensors under the authors' names, without the `model.` before them.

    `compress` is theirs for content tokens: `mean`, `grid:2` or another side, or None. Raises `CheckpointError` where
    it is none of these, or a name is missing or unexpected.
    """
    own = (ENCODER, QUERY, NORM, *(f"{name}." for name in LAYERS), PROJECTOR)
    parts = parted(tensors, own, "LLaMA-VID's connector", where)
    hidden, width = shape_of(tensors, f"{PROJECTOR}0.weight", where)
    norm = placement.make(lambda: nn.LayerNorm(width))
    projector = placement.make(lambda: mlp2x(width, hidden))
    fill(norm, parts[NORM], f"{where} ({NORM[:-1]})")
    fill(projector, parts[PROJECTOR], f"{where} ({PROJECTOR[:-1]})")
    query, key, value = (load_linear(tensors, name, where, placement) for name in LAYERS)
    qformer = load_qformer(parts[ENCODER], tensor_of(tensors, QUERY, where), where, placement, head=head)
    return ContextTokens(qformer, norm, query, key, value, projector, _grid(compress, where))


def _grid(compress: object, where: object) -> int | None:
    if compress is None:
        return None
    compress = str(compress)
    side = compress.rpartition("grid:")[2]
    if "grid" in compress and side.isdecimal() and int(side) > 1:
        return int(side)
    if "mean" in compress and "grid" not in compress:
        return 1
    raise CheckpointError(f"content tokens of another kind ({compress})", str(where), "name a checkpoint of LLaMA-VID")
