"""Host side of the convolution and the pooling: buffers, grids, gradients, and their registration with torch.

Knows how the tensors of `Operations` are handed to `convolve.cu` and `pool.cu`, and not where these run: that is the
launcher's. The weights' gradients are summed from what each block found, in a fixed order: they repeat bit for bit.
"""

from __future__ import annotations

from math import isqrt
from typing import Any

import torch
from torch import Tensor

from ecva_bench.errors import AdapterError

from . import elements
from .loader import Argument, Long, current_launcher

# Tokens that a thread of the convolution computes, warps (each with tokens of its own) in a block, and, for the
# gradients, tiles that a block walks. The kernels hold the window of a tile in registers.
_ROWS, _WARPS, _TILES = 8, 4, 4
_MOST_THREADS = 256
_FULL = torch.float32


@torch.library.custom_op(
    "ecva_bench::convolve", mutates_args=(), schema="(Tensor xs, Tensor weight, Tensor bias) -> Tensor"
)
def convolve(xs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return u [2, B, L, di] of xs [B, L, di], weight [2, di, 4] and bias [2, di]; see `Operations.convolve`.

    `AdapterError` for shapes and dtypes that are not the contract's, as everywhere here.
    """
    xs, weight, bias = _rows(xs), weight.contiguous(), bias.contiguous()
    batch, length, channels = xs.shape
    _check(xs.device, weight=(weight, (2, channels, 4), _FULL), bias=(bias, (2, channels), _FULL))
    u = xs.new_empty((2, batch, length, channels))
    options, width = _macros(4, xs, u, ROWS=_ROWS)
    arguments: list[Argument] = [xs, *_strides(xs), weight, bias, u, length, channels]
    grid = (_ceil(channels, 32 * width), _ceil(length, _ROWS * _WARPS), batch)
    launcher = current_launcher(xs.device)
    launcher.launch("convolve.cu", "convolve", grid, (32, _WARPS, 1), arguments, options=options)
    return u


@torch.library.custom_op(
    "ecva_bench::convolve_backward",
    mutates_args=(),
    schema="(Tensor gradient, Tensor xs, Tensor weight, Tensor bias) -> (Tensor, Tensor, Tensor)",
)
def convolve_backward(gradient: Tensor, xs: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of xs, weight and bias from that of u, `gradient` [2, B, L, di]."""
    xs, weight, bias, gradient = _rows(xs), weight.contiguous(), bias.contiguous(), gradient.contiguous()
    batch, length, channels = xs.shape
    _check(xs.device, weight=(weight, (2, channels, 4), _FULL), bias=(bias, (2, channels), _FULL))
    _check(xs.device, gradient=(gradient, (2, batch, length, channels), xs.dtype))
    dxs = xs.new_empty((batch, length, channels))
    options, width = _macros(2, xs, gradient, dxs, ROWS=_ROWS, TILES=_TILES)
    grid = (_ceil(channels, 32 * width), _ceil(length, _ROWS * _WARPS * _TILES), batch)
    partial = weight.new_empty((batch * grid[1], 2, channels, 5))
    arguments: list[Argument] = [xs, *_strides(xs), weight, bias, gradient, dxs, partial, length, channels]
    launcher = current_launcher(xs.device)
    launcher.launch("convolve_backward.cu", "convolve_backward", grid, (32, _WARPS, 1), arguments, options=options)
    total = partial.sum(0)
    return dxs, total[..., :4].contiguous(), total[..., 4].contiguous()


@torch.library.custom_op(
    "ecva_bench::pool", mutates_args=(), schema="(Tensor x, Tensor m, Tensor? weight, float eps, int frames) -> Tensor"
)
def pool(x: Tensor, m: Tensor, weight: Tensor | None, eps: float, frames: int) -> Tensor:
    """Return p [B, L/16, d] of x and m [B, L, d] and weight [d] or None; see `Operations.pool`."""
    x, m, weight = x.contiguous(), m.contiguous(), None if weight is None else weight.contiguous()
    batch, length, channels = x.shape
    _check(x.device, m=(m, x.shape, x.dtype))
    if weight is not None:
        _check(x.device, weight=(weight, (channels,), _FULL))
    pooled = x.new_empty((batch, length // 16, channels))
    options, width = _macros(4, x, m, pooled, NORM=int(weight is not None))
    arguments: list[Argument] = [x, m, weight, eps, pooled, _side(length, frames), channels]
    launcher, block = current_launcher(x.device), (_threads(channels, width), 1, 1)
    launcher.launch("pool.cu", "pool", (batch * length // 16, 1, 1), block, arguments, options=options)
    return pooled


@torch.library.custom_op(
    "ecva_bench::pool_backward",
    mutates_args=(),
    schema="(Tensor gradient, Tensor x, Tensor m, Tensor? weight, float eps, int frames) -> (Tensor, Tensor)",
)
def pool_backward(
    gradient: Tensor, x: Tensor, m: Tensor, weight: Tensor | None, eps: float, frames: int
) -> tuple[Tensor, Tensor]:
    """Return the gradient of x, which is m's too, and the weight's (empty where there is none)."""
    x, m, gradient = x.contiguous(), m.contiguous(), gradient.contiguous()
    weight = None if weight is None else weight.contiguous()
    batch, length, channels = x.shape
    _check(x.device, m=(m, x.shape, x.dtype), gradient=(gradient, (batch, length // 16, channels), x.dtype))
    if weight is not None:
        _check(x.device, weight=(weight, (channels,), _FULL))
    change = torch.empty_like(x)
    partial = x.new_empty((0 if weight is None else batch * length // 16, channels), dtype=torch.float32)
    options, width = _macros(4, x, m, gradient, change, NORM=int(weight is not None))
    arguments: list[Argument] = [x, m, weight, eps, gradient, change, partial, _side(length, frames), channels]
    launcher, block = current_launcher(x.device), (_threads(channels, width), 1, 1)
    launcher.launch("pool.cu", "pool_backward", (batch * length // 16, 1, 1), block, arguments, options=options)
    return change, x.new_empty(0, dtype=torch.float32) if weight is None else partial.sum(0)


def _check(device: torch.device, **wanted: tuple[Tensor, tuple[int, ...], torch.dtype]) -> None:
    """Raise `AdapterError` where a kernel would read what is not there: for each name, tensor, shape and dtype."""
    for name, (tensor, shape, dtype) in wanted.items():
        if tensor.shape != shape or tensor.dtype != dtype or tensor.device != device:
            found = f"{name} is {list(tensor.shape)} {tensor.dtype} on {tensor.device}"
            raise AdapterError("the kernel's tensors do not fit", found, f"{list(shape)} {dtype} on {device} is wanted")


def _side(length: int, frames: int) -> int:
    """Return how many tokens wide a frame is; `AdapterError` where frames are no squares of 4x4 tokens."""
    side = isqrt(length // frames)
    if side * side * frames != length or side % 4:
        raise AdapterError("pooling takes frames of 4n x 4n tokens", f"{length} tokens in {frames} frames")
    return side


def _macros(width: int, *tensors: Tensor, **macros: int) -> tuple[dict[str, int | str], int]:
    """Return a launch's macros and, of them, `VEC`: the channels that a thread takes at once, `width` if rows allow."""
    found = elements.macros(*tensors)
    width = width if found["VECTOR"] else 1
    return {**found, **macros, "VEC": width}, width


def _strides(tensor: Tensor) -> tuple[Long, Long]:
    return Long(tensor.stride(0)), Long(tensor.stride(1))


def _rows(tensor: Tensor) -> Tensor:
    """Return the tensor with its channels next to each other; where they are (a column slice), nothing is copied."""
    return tensor if tensor.stride(-1) == 1 else tensor.contiguous()


def _threads(channels: int, width: int) -> int:
    return min(_MOST_THREADS, 32 * _ceil(channels, 32 * width))


def _ceil(count: int, size: int) -> int:
    return -(-count // size)


@convolve.register_fake
def _(xs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return xs.new_empty((2, *xs.shape))


@convolve_backward.register_fake
def _(gradient: Tensor, xs: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    return xs.new_empty(xs.shape), weight.new_empty(weight.shape), bias.new_empty(bias.shape)


@pool.register_fake
def _(x: Tensor, m: Tensor, weight: Tensor | None, eps: float, frames: int) -> Tensor:
    return x.new_empty((x.shape[0], x.shape[1] // 16, x.shape[2]))


@pool_backward.register_fake
def _(gradient: Tensor, x: Tensor, m: Tensor, weight: Tensor | None, eps: float, frames: int) -> tuple[Tensor, Tensor]:
    return x.new_empty(x.shape), x.new_empty(0 if weight is None else x.shape[2], dtype=torch.float32)


def _convolve_context(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
    ctx.save_for_backward(*inputs)


def _convolve_gradient(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    xs, weight, bias = ctx.saved_tensors
    found: tuple[Tensor, Tensor, Tensor] = convolve_backward(gradient, xs, weight, bias)
    return found


def _pool_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    *tensors, ctx.eps, ctx.frames = inputs
    ctx.save_for_backward(*tensors)


def _pool_gradient(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor | None, None, None]:
    x, m, weight = ctx.saved_tensors
    change, of_weight = pool_backward(gradient, x, m, weight, ctx.eps, ctx.frames)
    return change, change, None if weight is None else of_weight, None, None


convolve.register_autograd(_convolve_gradient, setup_context=_convolve_context)
pool.register_autograd(_pool_gradient, setup_context=_pool_context)
