"""The backends of the connector by name, and the choice of one; see `Operations` for what each brings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecva_bench.errors import AdapterError, UsageError

if TYPE_CHECKING:
    import torch

    from .operations import Operations

BACKENDS = ("auto", "torch", "cuda", "mamba_ssm")


def select(name: str, device: torch.device) -> Operations:
    """Return the backend `name` for tensors on `device`.

    `auto` takes our kernels where they can run, else `torch` with one log line per reason that says why. Every other
    name is taken at its word: `UsageError` if there is none of that name, `AdapterError` if it cannot run here.
    """
    if name == "mamba_ssm":
        from . import mamba_ssm

        return mamba_ssm.operations()
    if name in ("auto", "cuda"):
        from . import cuda

        reason = cuda.unusable(device)
        if reason is None:
            return cuda.operations()
        if name == "cuda":
            raise AdapterError("the connector's CUDA kernels cannot run here", reason, "give --model-arg backend=torch")
        cuda.log_fallback(reason)
    elif name != "torch":
        raise UsageError(f"no connector backend is called {name!r}", remedy=f"available: {', '.join(BACKENDS)}")
    from .reference import OPERATIONS

    return OPERATIONS
