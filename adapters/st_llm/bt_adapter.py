"""EVA-CLIP-g with a branch over time beside its last layers (BT-Adapter, arXiv 2309.15785), as ST-LLM has it.

After each of the last layers the branch takes what the layer gave, adds its own state, and looks along time at each
patch, then at all patches of each frame. Tower and branch are averaged at the end. Names are the authors', without
`BTAdapter_`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from transformers import InstructBlipVisionConfig

from ecva_bench.checkpoints.filling import fill
from ecva_bench.checkpoints.tensors import Tensors, renamed, under
from ecva_bench.errors import AdapterError

from ..parts.layouts.sizes import check_widths, numbers, shape_of
from ..parts.media.images import Resize
from ..parts.placement import Placement
from ..parts.towers.eva import HEAD, EvaTower, eva_config_of, eva_tensors
from ..parts.towers.vit import Attention, Mlp

PREFIX = "BTAdapter_"

_State = tuple[torch.Tensor, torch.Tensor]  # class token [width], patches [patches, T, width]


class _Temporal(nn.Module):
    """Attention along time at each patch."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1, self.attn = nn.LayerNorm(width, 1e-6), Attention(width, heads)
        self.temporal_fc = nn.Linear(width, width)

    def forward(self, patches: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = patches + self.temporal_fc(self.attn(self.norm1(patches)))
        return out


class _Spatial(nn.Module):
    """Attention among each frame's patches and the one class token, which takes the mean of all frames."""

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width, 1e-5), nn.LayerNorm(width, 1e-5)
        self.attn, self.mlp = Attention(width, heads), Mlp(width, hidden)

    def forward(self, token: torch.Tensor, patches: torch.Tensor) -> _State:
        tokens = token.expand(patches.shape[1], 1, -1)
        attended = self.attn(self.norm1(torch.cat([tokens, patches.transpose(0, 1)], dim=1)))
        token = token + attended[:, 0].mean(dim=0)
        patches = patches + attended[:, 1:].transpose(0, 1)
        return token + self.mlp(self.norm2(token)), patches + self.mlp(self.norm2(patches))


class Branch(nn.Module):
    """The branch of `depth` layers, for at most `positions` frames."""

    def __init__(self, width: int, heads: int, hidden: int, depth: int = 3, positions: int = 64) -> None:
        super().__init__()
        self.cls = nn.Parameter(torch.zeros(1, 1, width))
        self.S = nn.ModuleList(_Spatial(width, heads, hidden) for _ in range(depth))
        self.T = nn.ModuleList(_Temporal(width, heads) for _ in range(depth))
        self.position = nn.Embedding(positions, width)

    def forward(self, hidden: Sequence[torch.Tensor], places: torch.Tensor) -> torch.Tensor:
        """Return [T, 1 + patches, width] from what the tower's last layers gave, each [T, 1 + patches, width].

        `places` is the tower's table of positions [1, 1 + patches, width], with which the branch begins.
        """
        frames = len(hidden[0])
        token, patches = _taken(hidden[0])
        token = (token + self.cls[0, 0] + places[0, 0]) / 2
        patches = patches + places[0, 1:, None] + self.position.weight[:frames]
        for number, (temporal, spatial) in enumerate(zip(self.T, self.S, strict=True)):
            if number:
                more = _taken(hidden[number])
                token, patches = token + more[0], patches + more[1]
            token, patches = spatial(token, temporal(patches))
        return torch.cat([token.expand(frames, 1, -1), patches.transpose(0, 1)], dim=1)


def _taken(hidden: torch.Tensor) -> _State:
    """Return the frames' mean class token, and the patches along time, of [T, 1 + patches, width]."""
    return hidden[:, 0].mean(dim=0), hidden[:, 1:].transpose(0, 1)


class BranchedTower(EvaTower):
    """All frames of a video at once to tokens, of tower and branch together."""

    def __init__(self, config: InstructBlipVisionConfig, branch: Branch, resize: Resize) -> None:
        super().__init__(config, resize, norm=True)
        self.branch = branch

    def forward(self, pixels: NDArray[np.uint8]) -> torch.Tensor:
        """Return [T, 1 + patches, width] for frames uint8 [T, H, W, 3], RGB; `AdapterError` where they are too many."""
        most = self.branch.position.num_embeddings
        if len(pixels) > most:
            raise AdapterError(f"too many frames for BT-Adapter: {len(pixels)}", remedy=f"show at most {most}")
        return self.tokens(self.prepared(pixels))

    def tokens(self, values: torch.Tensor) -> torch.Tensor:
        """Return [T, 1 + patches, width] for the prepared frames of one video."""
        hidden = self.model.embeddings(values)
        seen = []
        for layer in self.model.encoder.layers:
            hidden = layer(hidden)
            seen.append(hidden)
        beside = self.branch(seen[-len(self.branch.S) :], self.model.embeddings.position_embedding)
        normed: torch.Tensor = self.model.post_layernorm((hidden + beside) / 2)
        return normed


def load_branched(
    tensors: Tensors, where: object, placement: Placement, resize: Resize, *, head: int = HEAD
) -> BranchedTower:
    """Return a tower and its branch filled with tensors under LAVIS's names and, for the branch, `BTAdapter_`."""
    own = eva_tensors(renamed(tensors, lambda name: None if name.startswith(PREFIX) else name), norm=True)
    beside = under(tensors, PREFIX)
    config = eva_config_of(own, where, head)
    positions, width = shape_of(beside, "position.weight", where)
    check_widths({"BTAdapter_position, columns": (width, config.hidden_size)}, "BT-Adapter", where)
    hidden = shape_of(beside, "S.0.mlp.fc1.weight", where)[0]
    depth = len(numbers(beside, "S."))
    tower = placement.make(
        lambda: BranchedTower(config, Branch(width, width // head, hidden, depth, positions), resize)
    )
    fill(tower.model, own, where)
    fill(tower.branch, beside, where)
    return tower
