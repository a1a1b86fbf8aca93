"""Blocks of a vision transformer in the manner of BEiT: norm first, biases for queries and values and none for keys.

Under the names of the authors' checkpoints.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import gelu, linear, scaled_dot_product_attention


class Attention(nn.Module):
    """Self-attention; `heads` divide the channels."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.q_bias, self.v_bias = nn.Parameter(torch.zeros(width)), nn.Parameter(torch.zeros(width))
        self.proj = nn.Linear(width, width)
        self._heads = heads

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return [n, tokens, width] for [n, tokens, width]."""
        bias = torch.cat([self.q_bias, torch.zeros_like(self.q_bias), self.v_bias])
        mixed = linear(x, self.qkv.weight, bias).view(*x.shape[:2], 3, self._heads, -1)
        query, key, value = mixed.permute(2, 0, 3, 1, 4)
        attended = scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
        out: torch.Tensor = self.proj(attended)
        return out


class Mlp(nn.Module):
    """Two layers with GELU between."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return [..., width] for [..., width]."""
        out: torch.Tensor = self.fc2(gelu(self.fc1(x)))
        return out


class Block(nn.Module):
    """Attention and perceptron, each normed before and added to what it was given."""

    def __init__(self, width: int, heads: int, hidden: int, eps: float) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width, eps), nn.LayerNorm(width, eps)
        self.attn, self.mlp = Attention(width, heads), Mlp(width, hidden)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return [n, tokens, width] for [n, tokens, width]."""
        x = x + self.attn(self.norm1(x))
        out: torch.Tensor = x + self.mlp(self.norm2(x))
        return out
