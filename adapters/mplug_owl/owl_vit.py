"""mPLUG-Owl's vision tower: a CLIP-like transformer, with convolutions over time where it was trained on video.

All tokens of the last layer, normed, the class token first. Module names are those of the authors' weights without
their inner folders (`owl_vit_tensors`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import scaled_dot_product_attention

from ecva_bench.checkpoints.files import reading
from ecva_bench.checkpoints.filling import fill
from ecva_bench.checkpoints.tensors import Tensors, renamed, under

from ..parts.media.images import normalised, squeezed
from ..parts.placement import Placement
from ..parts.towers.clip import LARGE

# What the authors' config.json leaves out stands at these.
SIZES: dict[str, Any] = {
    **LARGE,
    "image_size": 224,
    "patch_size": 14,
    "layer_norm_eps": 1e-6,
}
FRAMES = 32  # pictures seen at the same time


class OwlVit(nn.Module):
    """Frames to tokens. `sizes` as in the authors' `vision_config`; `temporal` for a tower trained on video."""

    def __init__(self, sizes: Mapping[str, Any], *, temporal: bool) -> None:
        super().__init__()
        sizes = {**SIZES, **sizes}
        width, eps = sizes["hidden_size"], sizes["layer_norm_eps"]
        self.side, patch = sizes["image_size"], sizes["patch_size"]
        self.temporal, self.width = temporal, width
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.patch_embed = nn.Conv2d(3, width, patch, patch, bias=False)
        self.position_embedding = nn.Parameter(torch.zeros(1, 1 + (self.side // patch) ** 2, width))
        self.pre_layernorm, self.post_layernorm = nn.LayerNorm(width, eps), nn.LayerNorm(width, eps)
        heads, hidden = sizes["num_attention_heads"], sizes["intermediate_size"]
        self.layers = nn.ModuleList(
            _Layer(width, heads, hidden, eps, temporal=temporal) for _ in range(sizes["num_hidden_layers"])
        )

    def forward(self, pixels: NDArray[np.uint8]) -> torch.Tensor:
        """Return [T, 1 + patches, width] for frames uint8 [T, H, W, 3], RGB, squeezed to a square.

        Where it is `temporal` the frames are one video, in order; else each is a picture of its own.
        """
        weight = self.patch_embed.weight
        step = len(pixels) if self.temporal else FRAMES
        parts = [normalised(squeezed(pixels[i : i + step], self.side)) for i in range(0, len(pixels), step)]
        return torch.cat([self.tokens(part.to(weight.device, weight.dtype)) for part in parts])

    def tokens(self, values: torch.Tensor) -> torch.Tensor:
        """Return [T, 1 + patches, width] for prepared frames [T, 3, side, side]."""
        patches = self.patch_embed(values).flatten(2).transpose(1, 2)
        hidden = torch.cat([self.cls_token.expand(len(values), -1, -1), patches], dim=1) + self.position_embedding
        hidden = self.pre_layernorm(hidden)
        for layer in self.layers:
            hidden = layer(hidden)
        normed: torch.Tensor = self.post_layernorm(hidden)
        return normed


class _Layer(nn.Module):
    """Convolutions over time if there are any, attention within a frame, perceptron."""

    def __init__(self, width: int, heads: int, hidden: int, eps: float, *, temporal: bool) -> None:
        super().__init__()
        self.temporal = Temporal(width) if temporal else None
        self.input_layernorm, self.post_attention_layernorm = nn.LayerNorm(width, eps), nn.LayerNorm(width, eps)
        self.query_key_value, self.dense = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.fc1, self.fc2 = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self._heads = heads

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return [T, 1 + patches, width] for the same."""
        if self.temporal and len(x) > 1:
            x = x + self.temporal(x)
        x = x + self._attended(self.input_layernorm(x))
        hidden = self.fc1(self.post_attention_layernorm(x))
        out: torch.Tensor = x + self.fc2(hidden * torch.sigmoid(1.702 * hidden))
        return out

    def _attended(self, x: torch.Tensor) -> torch.Tensor:
        """Return attention; of the joint weight's rows, those of a head lie together: queries, keys, values."""
        joint = self.query_key_value(x).view(*x.shape[:2], self._heads, 3, -1)
        query, key, value = joint.permute(3, 0, 2, 1, 4)
        out: torch.Tensor = self.dense(scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2))
        return out


class Temporal(nn.Module):
    """What a patch takes from its neighbours in time; the class token is returned as it came.

    As it is added to what was given, the class token doubles at every layer: so the authors trained it.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        half = width // 2
        self.ln = nn.LayerNorm(width, 1e-5)
        self.down_proj = nn.Conv3d(width, half, 1)
        self.conv = nn.Conv3d(half, half, (3, 1, 1), padding=(1, 0, 0), groups=half)
        self.up_proj = nn.Conv3d(half, width, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return [T, 1 + patches, width] for the same."""
        grid = self.ln(x[:, 1:]).permute(2, 0, 1)[None, ..., None]  # 1, width, T, patches, 1
        hidden = self.conv(self.down_proj(grid))
        moved = self.up_proj(hidden * torch.sigmoid(1.702 * hidden))
        return torch.cat([x[:, :1], moved[0, ..., 0].permute(1, 2, 0)], dim=1)


def load_owl_vit(
    tensors: Tensors, sizes: Mapping[str, Any], where: object, placement: Placement, *, temporal: bool
) -> OwlVit:
    """Return a tower filled with the tensors the authors call `vision_model.…`, among which others may be.

    `sizes` is the authors' `vision_config`. Raises `CheckpointError` where a name is missing or unexpected.
    """
    with reading("the vision tower's configuration", where):
        tower = placement.make(lambda: OwlVit(sizes, temporal=temporal))
    fill(tower, owl_vit_tensors(under(tensors, "vision_model.")), where)
    return tower


def owl_vit_tensors(tensors: Tensors) -> Tensors:
    """Return tensors under the names of `OwlVit` for those the authors' have after `vision_model.`."""

    def own_name(name: str) -> str:
        for folder in ("embeddings.", "encoder.", "self_attn.", "mlp."):
            name = name.replace(folder, "")
        return name

    return renamed(tensors, own_name)
