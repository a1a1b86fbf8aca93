"""The connector's operations in plain torch: any device, any float type, differentiable. The other backends' measure.

Knows the formulas of `Operations` and how to walk a recurrence without keeping it; nothing of weights or kernels.

The walk is sequential in time with both directions side by side. What does not depend on the state is computed for a
chunk of tokens at once, so that a step is one operation, state = decay*state + input. Only the states between chunks
are kept, and the backward pass walks each chunk again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import isqrt
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor
from torch.autograd.function import once_differentiable

from .operations import Operations

CHUNK = 16  # tokens, and fewer where the states of so many would be larger than a CPU's cache
CACHED = 2**20  # numbers


def full_precision(dtype: torch.dtype) -> torch.dtype:
    """Return the type that sums, states and the small parameters have: float64 for float64, else float32."""
    return torch.float64 if dtype is torch.float64 else torch.float32


def convolve(xs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return u [2, B, L, di]: four shifted products for each direction, see `Operations`."""
    taps, length = weight.shape[-1], xs.shape[1]
    padded = F.pad(xs.to(full_precision(xs.dtype)), (0, 0, taps - 1, taps - 1))

    def direction(start: int, weight: Tensor, bias: Tensor) -> Tensor:
        total = bias
        for tap in range(taps):
            total = total + padded[:, start + tap : start + tap + length] * weight[:, tap]
        return F.silu(total).to(xs.dtype)

    # Forward, tap j meets the token 3-j behind; backward, the same tap meets the token 3-j ahead.
    return torch.stack((direction(0, weight[0], bias[0]), direction(taps - 1, weight[1].flip(-1), bias[1])))


def pool(x: Tensor, m: Tensor, weight: Tensor | None, eps: float, frames: int) -> Tensor:
    """Return the pooled tokens [B, L/16, d], see `Operations`."""
    total = x.to(full_precision(x.dtype)) + m
    if weight is not None:
        total = F.rms_norm(total, total.shape[-1:], weight.to(total.dtype), eps)
    batch, length, channels = x.shape
    side = isqrt(length // frames)
    blocks = total.view(batch, frames, side // 4, 4, side // 4, 4, channels)
    return blocks.mean((3, 5)).reshape(batch, length // 16, channels).to(x.dtype)


@torch.compiler.disable  # type: ignore[untyped-decorator] # else it is cut into small graphs, more with every chunk
def scan(u: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor, dt_bias: Tensor, z: Tensor) -> Tensor:
    """Return y [B, L, di]: the scan of both directions, their sum, the gate; see `Operations`."""
    y: Tensor = _Walk.apply(u, dt, B, C, A, D, dt_bias)  # type: ignore[no-untyped-call]
    return ((y[0] + y[1]) * F.silu(z.to(y.dtype))).to(u.dtype)


class _Walk(torch.autograd.Function):
    """Both directions' y [2, B, L, di] in full precision, ungated. Keeps the states between chunks, nothing else."""

    @staticmethod
    def forward(ctx: Any, u: Tensor, dt: Tensor, B: Tensor, C: Tensor, A: Tensor, D: Tensor, dt_bias: Tensor) -> Tensor:
        state = u.new_zeros((2, u.shape[1], *A.shape[1:]), dtype=full_precision(u.dtype))
        y = torch.empty_like(u, dtype=state.dtype)
        states = []
        with _one_thread(u.device):
            for place in _places(u.shape[2], state):
                states.append(state)
                inputs = [state, *(_take(t, place) for t in (u, dt, B, C)), A, D, dt_bias]
                part, state = _walk_chunk(*inputs)
                _put(y, place, part)
        ctx.save_for_backward(u, dt, B, C, A, D, dt_bias, *states)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, ...]:
        u, dt, B, C, A, D, dt_bias, *states = ctx.saved_tensors
        by_token = [torch.empty(t.shape, dtype=t.dtype, device=t.device) for t in (u, dt, B, C)]
        summed = [torch.zeros_like(t) for t in (A, D, dt_bias)]
        grad_state = torch.zeros_like(states[0])
        with _one_thread(grad.device):
            for state, place in reversed([*zip(states, _places(grad.shape[2], states[0]), strict=True)]):
                grads = (_take(grad, place), grad_state)
                inputs = [state, *(_take(t, place) for t in (u, dt, B, C)), A, D, dt_bias]
                parts, totals, grad_state = _walk_back(grads, *inputs)
                for whole, part in zip(by_token, parts, strict=True):
                    _put(whole, place, part)
                for total, part in zip(summed, totals, strict=True):
                    total += part
        return (*by_token, *summed)


def _walk_chunk(
    state: Tensor, u: Tensor, dt: Tensor, B: Tensor, C: Tensor, A: Tensor, D: Tensor, dt_bias: Tensor
) -> tuple[Tensor, Tensor]:
    """Walk a chunk of T tokens from `state` [2, B, di, N]; return y [T, 2, B, di] and the state after it.

    u, dt [T, 2, B, di] and B, C [T, 2, B, N] in the order walked; the rest as in `Operations`.
    """
    u, dt, B, C = (t.to(state.dtype) for t in (u, dt, B, C))
    _, _, states = _states(state, u, dt, B, A, dt_bias)
    y = (states @ C[..., None]).squeeze(-1)
    return torch.addcmul(y, u, D[:, None]), states[-1].clone()


def _states(
    state: Tensor, u: Tensor, dt: Tensor, B: Tensor, A: Tensor, dt_bias: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return a chunk's steps [T, 2, B, di], and its decays and the states after each token [T, 2, B, di, N]."""
    step = F.softplus(dt + dt_bias[:, None])
    decay = torch.exp(step[..., None] * A[:, None])
    states = (step * u)[..., None] * B[..., None, :]  # what each token brings, to which the state before it is added
    for now, factor in zip(states.unbind(), decay.unbind(), strict=True):
        state = now.addcmul_(factor, state)
    return step, decay, states


def _walk_back(
    given: tuple[Tensor, Tensor],
    state: Tensor,
    u: Tensor,
    dt: Tensor,
    B: Tensor,
    C: Tensor,
    A: Tensor,
    D: Tensor,
    dt_bias: Tensor,
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...], Tensor]:
    """Walk a chunk again and back, from the gradients of its y and of the state after it.

    Return the gradients of u, dt, B, C by token, of A, D, dt_bias summed over the chunk, and of the state before it.
    With g_t that of the state after token t: g_t = grad_t C_t + decay_(t+1) g_(t+1), where grad_t is that of y_t.
    """
    grad, grad_state = given
    u, dt, B, C = (t.to(state.dtype) for t in (u, dt, B, C))
    step, decay, states = _states(state, u, dt, B, A, dt_bias)
    grads = grad[..., None] * C[..., None, :]
    grads[-1] += grad_state
    for t in range(len(grads) - 2, -1, -1):
        grads[t].addcmul_(decay[t + 1], grads[t + 1])
    of_driven = (grads @ B[..., None]).squeeze(-1)
    grad_B = ((step * u)[..., None, :] @ grads).squeeze(-2)
    grad_C = (grad[..., None, :] @ states).squeeze(-2)
    before = grads[0] * decay[0]
    of_exponent = grads.mul_(decay)  # that of step*A, in place: the states and decays of a chunk are large
    of_exponent[1:].mul_(states[:-1])
    of_exponent[0].mul_(state)
    of_step = torch.linalg.vecdot(of_exponent, A[:, None]) + of_driven * u
    grad_dt = of_step * torch.sigmoid(dt + dt_bias[:, None])
    grad_A = of_exponent.mul_(step[..., None]).sum((0, 2))
    by_token = (torch.addcmul(of_driven * step, grad, D[:, None]), grad_dt, grad_B, grad_C)
    return by_token, (grad_A, (grad * u).sum((0, 2)), grad_dt.sum((0, 2))), before


def _places(length: int, state: Tensor) -> Iterator[tuple[slice, slice]]:
    """Yield the tokens that the forward and the backward direction walk at the same time, chunk by chunk."""
    chunk = min(CHUNK, max(2, CACHED // state.numel())) if state.device.type == "cpu" else CHUNK
    for start in range(0, length, chunk):
        stop = min(start + chunk, length)
        yield slice(start, stop), slice(length - stop, length - start)


def _take(tensor: Tensor, place: tuple[slice, slice]) -> Tensor:
    """Return the tokens at `place` of [2, B, L, ...] as [T, 2, B, ...] in the order walked."""
    return torch.stack((tensor[0][:, place[0]], tensor[1][:, place[1]].flip(1))).permute(2, 0, 1, 3).contiguous()


def _put(tensor: Tensor, place: tuple[slice, slice], part: Tensor) -> None:
    """Write `part` [T, 2, B, ...] where `_take` read it."""
    forward, backward = part.movedim(0, 2)
    tensor[0][:, place[0]] = forward
    tensor[1][:, place[1]] = backward.flip(1)


@contextmanager
def _one_thread(device: torch.device) -> Iterator[None]:
    """Walk under one thread on a CPU: a step is so short that waking a second one takes longer than its work."""
    threads = torch.get_num_threads()
    if device.type == "cpu":
        torch.set_num_threads(1)
    try:
        yield
    finally:
        if device.type == "cpu":
            torch.set_num_threads(threads)


OPERATIONS = Operations(name="torch", convolve=convolve, scan=scan, pool=pool)
