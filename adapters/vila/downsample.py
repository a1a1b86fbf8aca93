"""VILA 1.5's projector (`mlp_downsample`): four neighbouring patches become one token. Under its checkpoint's names."""

from __future__ import annotations

import math

import torch
from torch import nn


class _Quarter(nn.Module):
    """Two by two neighbours to one token."""

    def forward(self, patches: torch.Tensor) -> torch.Tensor:
        """Return [n, (side / 2)², 4 width] for patches [n, side², width] in order row, column.

        An odd side gets a row of zeros below and a column of them on the right. Tokens come in order column, row, as
        the authors' transposition leaves them; a token's channels in order row, column of its four patches.
        """
        n, count, width = patches.shape
        side = math.isqrt(count)
        grid = nn.functional.pad(patches.view(n, side, side, width), (0, 0, 0, side % 2, 0, side % 2))
        half = grid.shape[1] // 2
        blocks = grid.view(n, half, 2, half, 2, width).permute(0, 3, 1, 2, 4, 5)
        return blocks.reshape(n, half * half, 4 * width)


class MlpDownsample(nn.Module):
    """A quarter of the patches, through a norm and two layers: [n, side², width] -> [n, ceil(side / 2)², hidden]."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            _Quarter(), nn.LayerNorm(4 * width), nn.Linear(4 * width, hidden), nn.GELU(), nn.Linear(hidden, hidden)
        )

    def forward(self, patches: torch.Tensor) -> torch.Tensor:
        """Return the tokens of each frame."""
        tokens: torch.Tensor = self.layers(patches)
        return tokens
