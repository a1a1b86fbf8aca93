"""The connector's operations on the public functions of mamba-ssm and causal-conv1d: a third opinion, asked by name.

Knows those two signatures and turns our token-major layout into theirs, channel-major. The calls are the original's:
each direction convolved, scanned and gated by itself, the backward one on flipped tensors, flipped back before the sum.
The original kept channel-major throughout, so its time is not this module's: the turning costs extra.

Never through `bimamba_type`: only one commit of a fork ever took it, and that no longer builds.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.util import find_spec

import torch
from torch import Tensor

from ecva_bench.errors import AdapterError

from .operations import Operations
from .reference import pool

INSTALL = "MAMBA_KEEP_CUDA_BUILD=TRUE pip install mamba-ssm causal-conv1d --no-build-isolation"
_EXTENSIONS = ("selective_scan_cuda", "causal_conv1d_cuda")


def operations() -> Operations:
    """Return the backend; `AdapterError` where one of the two compiled extensions is not installed."""
    absent = [name for name in _EXTENSIONS if find_spec(name) is None]
    if absent:
        raise AdapterError(
            "the backend 'mamba_ssm' needs compiled extensions that are not installed",
            ", ".join(absent),
            f"run `{INSTALL}` (it needs a CUDA toolchain), or give --model-arg backend=torch",
        )
    return built_from(
        import_module("mamba_ssm.ops.selective_scan_interface").selective_scan_fn,
        import_module("causal_conv1d").causal_conv1d_fn,
    )


def built_from(selective_scan_fn: Callable[..., Tensor], causal_conv1d_fn: Callable[..., Tensor]) -> Operations:
    """Return the operations made of these two public functions, or of others with their signatures."""
    return Operations(
        name="mamba_ssm",
        convolve=partial(_convolve, causal_conv1d_fn),
        scan=partial(_scan, selective_scan_fn),
        pool=pool,
    )


def _convolve(causal_conv1d_fn: Callable[..., Tensor], xs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    def direction(x: Tensor, side: int) -> Tensor:
        channel_major = x.transpose(1, 2).contiguous()
        return causal_conv1d_fn(channel_major, weight[side], bias[side], activation="silu").transpose(1, 2)

    return torch.stack((direction(xs, 0), direction(xs.flip(1), 1).flip(1)))


def _scan(
    selective_scan_fn: Callable[..., Tensor],
    u: Tensor,
    dt: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor,
    dt_bias: Tensor,
    z: Tensor,
) -> Tensor:
    def direction(side: int, *tensors: Tensor) -> Tensor:
        u, dt, B, C, z = (t.transpose(1, 2).contiguous() for t in tensors)
        y = selective_scan_fn(u, dt, A[side], B, C, D[side], z=z, delta_bias=dt_bias[side], delta_softplus=True)
        return y.transpose(1, 2)

    forward = direction(0, u[0], dt[0], B[0], C[0], z)
    backward = direction(1, *(t.flip(1) for t in (u[1], dt[1], B[1], C[1], z)))
    return (forward + backward.flip(1)).contiguous()
