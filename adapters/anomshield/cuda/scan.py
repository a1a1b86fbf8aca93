"""The selective scan on our kernels: what is allocated, how the grid is cut, and what torch is told about it.

Registers `ecva_bench::scan` and `ecva_bench::scan_backward` with torch.library (shapes for fake tensors, the gradient),
so that autograd and torch.compile take them for operators of their own. The mathematics stands in `kernels/scan.cu` and
`kernels/scan_backward.cu`, the contract in `..operations`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ecva_bench.errors import AdapterError

from .elements import macros
from .loader import Argument, Long, current_launcher

STATES = 16


@dataclass(frozen=True)
class ScanLayout:
    """How the forward kernel divides its work: channels per block, tokens per tile, states per lane.

    Results differ by rounding at most. A block has channels * 16 / states_per_lane threads and no more than the 48 KiB
    of shared memory that every device gives: a tile of 64 fits only with 16 channels and 4 states per lane.
    """

    channels: int = 32
    tile: int = 32
    states_per_lane: int = 4

    def grid(self, samples: int, channels: int) -> tuple[int, int, int]:
        """Return the blocks: of channels, samples, directions."""
        return -(-channels // self.channels), samples, 2

    def block(self) -> tuple[int, int, int]:
        """Return a block's threads."""
        return self.channels * STATES // self.states_per_lane, 1, 1

    def macros(self) -> dict[str, int | str]:
        """Return the macros that tell the kernel."""
        return {"CHANNELS": self.channels, "TILE": self.tile, "STATES_PER_LANE": self.states_per_lane}


# What is saved for the gradient is cut into this layout's tiles, and the backward kernel is written for it.
TRAINING = ScanLayout()


_TENSORS = "Tensor u, Tensor dt, Tensor A, Tensor B, Tensor C, Tensor D, Tensor dt_bias, Tensor z"


class ScanInputs(NamedTuple):
    """What a scan takes, in the order of `Operations.scan`."""

    u: Tensor
    dt: Tensor
    A: Tensor
    B: Tensor
    C: Tensor
    D: Tensor
    dt_bias: Tensor
    z: Tensor


def scan(u: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor, dt_bias: Tensor, z: Tensor) -> Tensor:
    """Return the gated sum of both directions' scans, [samples, tokens, channels] in u.dtype; see `Operations.scan`."""
    inputs = ScanInputs(u, dt, A, B, C, D, dt_bias, z)
    wanted = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in inputs)
    out: Tensor = _scan(*inputs, wanted)[0]
    return out


def forward(inputs: ScanInputs, *, save: bool, layout: ScanLayout = TRAINING) -> tuple[Tensor, Tensor, Tensor]:
    """Run the forward kernel: (y, ungated sum [B, L, di] in u.dtype, states [2, B, tiles, di, 16] float32).

    The latter two, which the gradient needs, are empty where `save` is false. The states are those with which each
    direction enters each tile. `AdapterError` for shapes and dtypes that are not the contract's.
    """
    inputs, (samples, length, channels) = _prepare(inputs)
    u = inputs.u
    scratch = u.new_empty((samples, length, channels), dtype=torch.float32)
    carry = u.new_empty((2, samples, channels, STATES), dtype=torch.float32)
    out = u.new_empty((samples, length, channels))
    summed, states = _kept(u, save, layout)
    arguments = [*_arguments(inputs), scratch, carry, out, *((summed, states) if save else (None, None))]
    launcher, options = current_launcher(u.device), _options(inputs) | layout.macros()
    for half in (0, 1):
        grid, block = layout.grid(samples, channels), layout.block()
        sizes = [samples, length, channels, half]
        launcher.launch("scan.cu", "scan", grid, block, [*arguments, *sizes], options=options)
    return out, summed, states


def backward(grad: Tensor, inputs: ScanInputs, summed: Tensor, states: Tensor) -> ScanInputs:
    """Return the gradients of the inputs from that of y [B, L, di], and what `forward` kept: bit for bit repeatable."""
    inputs, (samples, length, channels) = _prepare(inputs)
    grad, grid = grad.contiguous(), TRAINING.grid(samples, channels)
    of_u, of_dt = torch.empty_like(inputs.u), torch.empty_like(inputs.dt)
    of_z = inputs.u.new_empty((samples, length, channels))
    # Summed here over samples and blocks, in torch's fixed order: no thread adds to what another one wrote.
    of_a = states.new_empty((2, samples, channels, STATES))
    of_skip, of_bias = states.new_empty((2, samples, channels)), states.new_empty((2, samples, channels))
    of_bc = states.new_empty((2, samples, grid[0], length, 2 * STATES))
    arguments = [grad, *_arguments(inputs), summed, states, of_u, of_dt, of_a, of_bc, of_skip, of_bias, of_z]
    sizes = [samples, length, channels]
    launcher, options = current_launcher(grad.device), _options(inputs, grad) | TRAINING.macros()
    launcher.launch("scan_backward.cu", "scan_backward", grid, TRAINING.block(), [*arguments, *sizes], options=options)
    projected = of_bc.sum(2).to(inputs.B.dtype)
    # Copies: the outputs of an operator may share no memory.
    of_b, of_c = projected[..., :STATES].contiguous(), projected[..., STATES:].contiguous()
    return ScanInputs(of_u, of_dt, of_a.sum(1), of_b, of_c, of_skip.sum(1), of_bias.sum(1), of_z)


# ---- What torch is told


@torch.library.custom_op(
    "ecva_bench::scan", mutates_args=(), schema=f"({_TENSORS}, bool save) -> (Tensor, Tensor, Tensor)"
)
def _scan(*arguments: Any) -> tuple[Tensor, Tensor, Tensor]:
    *tensors, save = arguments
    return forward(ScanInputs(*tensors), save=save)


@_scan.register_fake
def _scan_shapes(*arguments: Any) -> tuple[Tensor, Tensor, Tensor]:
    u, *_, save = arguments
    return (u.new_empty(u.shape[1:]), *_kept(u, save, TRAINING))


@torch.library.custom_op(
    "ecva_bench::scan_backward",
    mutates_args=(),
    schema=f"(Tensor grad, {_TENSORS}, Tensor summed, Tensor states) -> ({', '.join(['Tensor'] * 8)})",
)
def _scan_backward(grad: Tensor, *tensors: Tensor) -> tuple[Tensor, ...]:
    *inputs, summed, states = tensors
    return tuple(backward(grad, ScanInputs(*inputs), summed, states))


@_scan_backward.register_fake
def _scan_backward_shapes(grad: Tensor, *tensors: Tensor) -> tuple[Tensor, ...]:
    *inputs, _, _ = tensors
    return tuple(tensor.new_empty(tensor.shape) for tensor in inputs)


def _remember(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor, Tensor]) -> None:
    ctx.save_for_backward(*inputs[:-1], *output[1:])


def _gradients(ctx: Any, grad: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
    """From the gradient of y alone: the other outputs are there for this function, and `scan` hands them to nobody."""
    if not ctx.saved_tensors[-1].numel():
        raise AdapterError("the scan ran without keeping what its gradient needs", "ecva_bench::scan", "call `scan`")
    return *_scan_backward(grad, *ctx.saved_tensors), None


_scan.register_autograd(_gradients, setup_context=_remember)


# ---- What the kernels are given


def _kept(u: Tensor, save: bool, layout: ScanLayout) -> tuple[Tensor, Tensor]:
    """Return room for the ungated sum and the states, or two empty tensors."""
    _, samples, length, channels = u.shape
    tiles = (length + layout.tile - 1) // layout.tile
    states = (2, samples, tiles, channels, STATES) if save else (0,)
    return u.new_empty((samples, length, channels) if save else (0,)), u.new_empty(states, dtype=torch.float32)


def _arguments(inputs: ScanInputs) -> list[Argument]:
    u, dt, A, B, C, D, dt_bias, z = inputs
    return [u, dt, A, B, C, *_strides(B), D, dt_bias, z, *_strides(z)]


def _strides(tensor: Tensor) -> list[Long]:
    return [Long(stride) for stride in tensor.stride()[:-1]]


def _options(inputs: ScanInputs, *others: Tensor) -> dict[str, int | str]:
    return macros(inputs.u, inputs.dt, inputs.B, inputs.C, inputs.z, *others)


def _prepare(inputs: ScanInputs) -> tuple[ScanInputs, tuple[int, int, int]]:
    """Return the inputs as the kernels take them, and samples, tokens, channels.

    Neighbouring channels lie together, and B and C have the same strides. `AdapterError` where a kernel would read what
    is not there.
    """
    u, dt, A, B, C, D, dt_bias, z = inputs
    if u.dim() != 4 or u.shape[0] != 2 or not u.numel():
        raise AdapterError("the scan takes u as [2, batch, tokens, channels]", f"u is {list(u.shape)}")
    _, samples, length, channels = u.shape
    tokens, projected = (2, samples, length, channels), (2, samples, length, STATES)
    parameters = (2, channels)
    shapes = (tokens, tokens, (*parameters, STATES), projected, projected, parameters, parameters, tokens[1:])
    for name, tensor, shape in zip(ScanInputs._fields, inputs, shapes, strict=True):
        dtype = torch.float32 if name in ("A", "D", "dt_bias") else u.dtype
        if tensor.shape != shape or tensor.dtype != dtype or tensor.device != u.device:
            found = f"{name} is {list(tensor.shape)} {tensor.dtype} on {tensor.device}"
            raise AdapterError("the scan's tensors do not fit", found, f"{list(shape)} {dtype} on {u.device} is wanted")
    if B.stride() != C.stride() or B.stride(-1) != 1:
        B, C = B.contiguous(), C.contiguous()
    z = z if z.stride(-1) == 1 else z.contiguous()
    u, dt, A, D, dt_bias = (tensor.contiguous() for tensor in (u, dt, A, D, dt_bias))
    return ScanInputs(u, dt, A, B, C, D, dt_bias, z), (samples, length, channels)
