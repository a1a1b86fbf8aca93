"""The connector's operations on our own CUDA kernels, compiled on the user's machine at first use.

    compiler   a source and its options -> machine code, kept on disk (NVRTC; needs no GPU)
    loader     a kernel, a grid, arguments -> a launch on torch's stream (the CUDA driver)
    elements   how a kernel sees a tensor
    scan, rows tensors -> buffers, grids and launches; registered with torch: autograd, torch.compile
    kernels/   the CUDA C++ sources

Importing this package imports torch and nothing of CUDA.
"""

from __future__ import annotations

import logging
from functools import cache

import torch
from torch import Tensor

from ecva_bench.errors import AdapterError

from .. import reference
from ..operations import Operations
from . import rows, scan
from .loader import current_launcher

OPERATIONS = Operations(name="cuda", convolve=rows.convolve, scan=scan.scan, pool=rows.pool)


def operations() -> Operations:
    """Return our kernels as a backend; whether they can run on a device is `unusable`'s to say."""
    return OPERATIONS


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator] # torch.compile: asked once, not traced
def unusable(device: torch.device) -> str | None:
    """Return why the kernels cannot run on a device, or None where they can.

    On a GPU they are tried once, forward, on a few tokens, and held against the reference: a missing compiler, an
    architecture it does not know, a driver that is too old all show here, before a model relies on them.
    """
    try:
        current_launcher(device)
        return _trial(device.index) if device.type == "cuda" else None
    except AdapterError as error:
        return str(error)


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def log_fallback(reason: str) -> None:
    """Log that torch computes in the kernels' place, and why; once for each reason."""
    _log_once(reason)


@cache
def _log_once(reason: str) -> None:
    logging.getLogger(__name__).warning("the connector runs in plain torch, not on our CUDA kernels: %s", reason)


@cache
def _trial(index: int | None) -> str | None:
    device = torch.device("cuda", torch.cuda.current_device() if index is None else index)
    error = trial(device)
    return None if error < 0.01 else f"a trial run on {torch.cuda.get_device_name(device)} is off by {error:.1%}"


def trial(device: torch.device) -> float:
    """Return the largest relative error of the three operations on 16 tokens in float16: below 0.001 if all is well.

    `AdapterError` where a kernel cannot be compiled, loaded or started on the device.
    """
    random = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> Tensor:
        return torch.randn(shape, generator=random, device="cpu").half()

    def half(tensor: Tensor) -> Tensor:
        return tensor.to(device)

    def full(tensor: Tensor) -> Tensor:
        return tensor.to(device, torch.float32)

    u, dt, xs, z = draw(2, 1, 16, 32), draw(2, 1, 16, 32), draw(1, 16, 32), draw(1, 16, 32)
    A, B, C, D = -draw(2, 32, 16).exp(), draw(2, 1, 16, 16), draw(2, 1, 16, 16), draw(2, 32)
    weight, bias, x, m, norm = draw(2, 32, 4), draw(2, 32), draw(1, 16, 32), draw(1, 16, 32), draw(32)
    found = (
        OPERATIONS.convolve(half(xs), full(weight), full(bias)),
        OPERATIONS.scan(half(u), half(dt), full(A), half(B), half(C), full(D), full(bias), half(z)),
        OPERATIONS.pool(half(x), half(m), full(norm), 1e-5, 1),
    )
    true = (
        reference.convolve(xs.double(), weight.double(), bias.double()),
        reference.scan(*(tensor.double() for tensor in (u, dt, A, B, C, D, bias, z))),
        reference.pool(x.double(), m.double(), norm.double(), 1e-5, 1),
    )
    errors = [(ours.cpu() - theirs).norm() / theirs.norm() for ours, theirs in zip(found, true, strict=True)]
    return float(torch.stack(errors).max())
