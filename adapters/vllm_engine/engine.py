"""vLLM itself: how it is started, on GPUs or without one, and what it says where it does not start.

Written for vLLM 0.32, whose processes it starts as vLLM would. vLLM is imported when an engine is started.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from ecva_bench.checkpoints.files import CODE_REMEDY
from ecva_bench.errors import AdapterError
from ecva_bench.torchvision import ensure_torchvision

INSTALL = (
    "run pip install vllm in an environment of its own, with ecva-bench beside it, or serve it: ecva-bench serve-hint"
)
MEMORY = 0.9  # the share of a GPU's memory that may be used
CACHE = 1 << 30  # bytes for keys and values where there is no GPU
CHILDREN = str(Path(__file__).with_name("children"))  # what they read when they start


def start(name: str, memory: float | None, **settings: Any) -> Any:
    """Return vLLM's `LLM` with a model, by the engine's own settings; `memory` is the share of a GPU it may use.

    Raises `AdapterError`, of the model's `name`, where vLLM is not there or does not start.
    """
    shimmed = ensure_torchvision() == "shimmed"
    try:
        import vllm
        from vllm.platforms import current_platform
    except ImportError as error:
        raise AdapterError(f"vLLM is not installed ({error})", name, INSTALL) from error
    without_gpu = _without_gpu(memory) if current_platform.is_cpu() else {}
    try:
        with _torchvision_in_children() if shimmed else nullcontext():
            return vllm.LLM(gpu_memory_utilization=memory or MEMORY, **settings, **without_gpu)
    except (RuntimeError, ValueError) as error:  # with which it refuses a model, and ends where its engine does
        why = " ".join(str(error).split())
        remedy = "see what vLLM says above; ecva-bench --verbose shows all of it"
        if "trust_remote_code" in why:
            why, remedy = "the model needs code that lies beside the weights", CODE_REMEDY
        raise AdapterError(f"vLLM did not start ({why})", name, remedy) from error


def _without_gpu(memory: float | None) -> dict[str, Any]:
    """Return the settings of an engine without a GPU.

    To compile, and to try the largest video that the model could be shown, takes minutes there. A GPU's share of memory
    would be one of all the machine's.
    """
    room = {} if memory else {"kv_cache_memory_bytes": CACHE}
    return {"enforce_eager": True, "skip_mm_profiling": True, **room}


@contextmanager
def _torchvision_in_children() -> Iterator[None]:
    """Have torchvision imported as `ensure_torchvision` does it also in processes that are started meanwhile."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (CHILDREN, before)))
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before
