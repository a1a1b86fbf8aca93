"""VideoLLaMA 2's spatial-temporal convolution connector (arXiv 2406.07476, Sec. 3.2), under its checkpoint's names.

A stage of four RegNet blocks per frame, a 3-D convolution that halves time, height and width, another stage, and a
two-layer perceptron. What the checkpoint calls `bn` is a layer norm over channels.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import layer_norm, silu

BLOCKS = 4
_EPS = 1e-5


class _Norm(nn.Module):
    """Layer norm over the channels of [n, channels, h, w]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return layer_norm(x.movedim(1, -1), self.weight.shape, self.weight, self.bias, _EPS).movedim(-1, 1)


class _ConvNorm(nn.Module):
    def __init__(self, channels: int, width: int, kernel: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, width, kernel, padding=kernel // 2, groups=groups, bias=False)
        self.bn = _Norm(width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.bn(self.conv(x))
        return out


class _SqueezeExcite(nn.Module):
    def __init__(self, width: int, reduced: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Conv2d(width, reduced, 1), nn.Conv2d(reduced, width, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        gate: torch.Tensor = self.fc2(silu(self.fc1(x.mean((2, 3), keepdim=True))))
        return x * gate.sigmoid()


class _Block(nn.Module):
    """A RegNet block whose 3x3 convolution is depthwise; the squeeze is a quarter of its input's channels."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.conv1 = _ConvNorm(channels, width)
        self.conv2 = _ConvNorm(width, width, kernel=3, groups=width)
        self.se = _SqueezeExcite(width, round(channels * 0.25))
        self.conv3 = _ConvNorm(width, width)
        self.downsample = _ConvNorm(channels, width) if channels != width else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = silu(self.conv2(silu(self.conv1(x))))
        out: torch.Tensor = silu(self.conv3(self.se(y)) + self.downsample(x))
        return out


class _Stage(nn.Module):
    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        for number in range(1, BLOCKS + 1):
            self.add_module(f"b{number}", _Block(channels if number == 1 else width, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for block in self.children():
            x = block(x)
        return x


class Stc(nn.Module):
    """Patch features of a video's frames to visual tokens.

    `padding` is that of the 3-D convolution: 1 in VideoLLaMA 2, 0 in 2.1 (`STCConnectorV35`). With it, T frames of
    s x s patches give (T//2 + 1) * (s//2 + 1)**2 tokens, without it (T//2) * (s//2)**2.
    """

    def __init__(self, channels: int, width: int, *, padding: int = 1) -> None:
        super().__init__()
        self.s1 = _Stage(channels, width)
        self.sampler = nn.Sequential(nn.Conv3d(width, width, 2, stride=2, padding=padding), nn.SiLU())
        self.s2 = _Stage(width, width)
        self.readout = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, width))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return [tokens, width] for features [T, side * side, channels], both in order time, row, column."""
        side = round(features.shape[1] ** 0.5)
        maps = self.s1(features.movedim(-1, 1).reshape(len(features), -1, side, side))
        sampled = self.sampler(maps.movedim(0, 1)[None])[0]
        merged = self.s2(sampled.movedim(1, 0))
        tokens: torch.Tensor = self.readout(merged.movedim(1, -1).flatten(0, 2))
        return tokens
