"""VideoLLaMA 2's connector once more, slowly: every convolution written as the sums it stands for."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch

State = Mapping[str, torch.Tensor]


def slow_stc(state: State, features: torch.Tensor, padding: int) -> torch.Tensor:
    """Visual tokens [tokens, width] of features [T, patches, channels], in float64."""
    weights = {name: tensor.double() for name, tensor in state.items()}
    side = math.isqrt(features.shape[1])
    frames = [_stage(weights, "s1", frame.double().reshape(side, side, -1)) for frame in features]
    merged = [_stage(weights, "s2", frame) for frame in _halved(weights, torch.stack(frames), padding)]
    tokens = torch.cat([frame.reshape(-1, frame.shape[-1]) for frame in merged])
    hidden = tokens @ weights["readout.0.weight"].T + weights["readout.0.bias"]
    hidden = hidden * 0.5 * (1 + torch.erf(hidden / math.sqrt(2)))
    return hidden @ weights["readout.2.weight"].T + weights["readout.2.bias"]


def _stage(weights: State, stage: str, x: torch.Tensor) -> torch.Tensor:
    for number in (1, 2, 3, 4):
        x = _block(weights, f"{stage}.b{number}", x)
    return x


def _block(weights: State, block: str, x: torch.Tensor) -> torch.Tensor:
    """One block on one frame [row, column, channel]."""
    y = _silu(_norm(weights, f"{block}.conv1.bn", _pointwise(weights, f"{block}.conv1.conv", x)))
    kernel, (rows, columns, _) = weights[f"{block}.conv2.conv.weight"], y.shape
    z = torch.zeros_like(y)
    for r in range(rows):
        for c in range(columns):
            for i in (-1, 0, 1):
                for j in (-1, 0, 1):
                    if 0 <= r + i < rows and 0 <= c + j < columns:
                        z[r, c] += y[r + i, c + j] * kernel[:, 0, i + 1, j + 1]
    z = _silu(_norm(weights, f"{block}.conv2.bn", z))
    gate = _pointwise(weights, f"{block}.se.fc1", z.mean((0, 1))) + weights[f"{block}.se.fc1.bias"]
    gate = _pointwise(weights, f"{block}.se.fc2", _silu(gate)) + weights[f"{block}.se.fc2.bias"]
    z = z / (1 + torch.exp(-gate))
    out = _norm(weights, f"{block}.conv3.bn", _pointwise(weights, f"{block}.conv3.conv", z))
    if f"{block}.downsample.conv.weight" in weights:
        x = _norm(weights, f"{block}.downsample.bn", _pointwise(weights, f"{block}.downsample.conv", x))
    return _silu(out + x)


def _halved(weights: State, x: torch.Tensor, padding: int) -> torch.Tensor:
    """The 3-D convolution and its activation on [time, row, column, channel]."""
    kernel, width = weights["sampler.0.weight"], x.shape[-1]
    sizes = [(size + 2 * padding) // 2 for size in x.shape[:3]]
    out = weights["sampler.0.bias"].expand(*sizes, width).clone()
    for place in torch.cartesian_prod(*(torch.arange(size) for size in sizes)).tolist():
        for offset in torch.cartesian_prod(*[torch.arange(2)] * 3).tolist():
            source = [2 * p + o - padding for p, o in zip(place, offset, strict=True)]
            if all(0 <= s < size for s, size in zip(source, x.shape[:3], strict=True)):
                out[tuple(place)] += kernel[:, :, *offset] @ x[tuple(source)]
    return _silu(out)


def _pointwise(weights: State, name: str, x: torch.Tensor) -> torch.Tensor:
    return torch.einsum("oi,...i->...o", weights[f"{name}.weight"][:, :, 0, 0], x)


def _norm(weights: State, name: str, x: torch.Tensor) -> torch.Tensor:
    centred = x - x.mean(-1, keepdim=True)
    scale = torch.sqrt((centred**2).mean(-1, keepdim=True) + 1e-5)
    return centred / scale * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def _silu(x: torch.Tensor) -> torch.Tensor:
    return x / (1 + torch.exp(-x))
