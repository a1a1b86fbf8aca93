"""The connector of the soft-prompt ablation: AnomShield's without its Mamba block."""

from __future__ import annotations

import math

from torch import Tensor, nn


class PooledMlp(nn.Sequential):
    """Patch features [B, frames, patches, d_model] to language tokens [B, frames*patches/16, hidden].

    4x4 average pooling, then the two-layer MLP, so that frames, tokens and what follows are those of `MambaConnector`.
    The names of its weights are those of the trainers' `mlp2x_gelu`: `0` and `2`.
    """

    def __init__(self, d_model: int, hidden: int) -> None:
        super().__init__(nn.Linear(d_model, hidden), nn.GELU(), nn.Linear(hidden, hidden))

    def forward(self, features: Tensor) -> Tensor:
        """Return the language tokens, order frame, row, column; patches make a square whose side is a multiple of 4."""
        batch, _, patches, channels = features.shape
        side = math.isqrt(patches)
        squares = features.view(batch, -1, side // 4, 4, side // 4, 4, channels)
        tokens = squares.mean((3, 5)).view(batch, -1, channels)
        for layer in self:
            tokens = layer(tokens)
        return tokens
