"""Which devices this machine has to compute on, and whether one can be used. Imports torch only when it is asked."""

from __future__ import annotations

import ctypes
from importlib.util import find_spec

from .errors import UsageError


def usable(name: str) -> str:
    """Return the torch device of a name; `auto` is a GPU where torch can use one, else the CPU.

    Raises `UsageError`, which names what there is, for a device that torch cannot compute on here.
    """
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=name).item()  # computed: a tensor alone can also be made on `meta`
    except (RuntimeError, AssertionError, ImportError) as error:
        why = str(error).partition("\n")[0]
        here = ["cpu", *_named(gpus()), *(["mps"] if torch.backends.mps.is_available() else [])]
        raise UsageError(f"torch cannot use the device ({why:.80})", name, f"there is {', '.join(here)}") from None
    return name


def gpus() -> int:
    """Return how many GPUs models can use: as torch counts them, or the driver where torch is not installed."""
    if not find_spec("torch"):
        return _of_driver()
    import torch

    return torch.cuda.device_count()


def there() -> list[str]:
    """Return the devices that workers of this machine can be given: `cpu`, `cuda:0`, …

    The driver is asked too: a model that is a program in another environment has a torch of its own.
    """
    return ["cpu", *_named(max(gpus(), _of_driver()))]


def _named(count: int) -> list[str]:
    return [f"cuda:{number}" for number in range(count)]


def driver_gpus() -> list[str]:
    """Return name and memory of every GPU that NVIDIA's driver shows this process."""
    found = []
    for number in range(_of_driver()):
        driver, name, memory = ctypes.CDLL("libcuda.so.1"), ctypes.create_string_buffer(100), ctypes.c_size_t()
        failed = driver.cuDeviceGetName(name, len(name), number) or driver.cuDeviceTotalMem_v2(
            ctypes.byref(memory), number
        )
        found.append("unknown" if failed else f"{name.value.decode(errors='replace')}, {memory.value / 2**30:.0f} GiB")
    return found


def _of_driver() -> int:
    """Return how many GPUs NVIDIA's driver shows this process."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int()
    failed = driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count))
    return 0 if failed else count.value
