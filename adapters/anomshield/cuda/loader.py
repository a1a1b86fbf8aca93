"""Launching a kernel: the one way from Python to the device. Knows the CUDA driver and nothing of what kernels compute.

A launcher takes a source file, a kernel's name, a grid and arguments. The CUDA one compiles the source on first use,
loads it into torch's context and launches on torch's current stream, so that CUDA graphs record it. Tests install one
that runs the same sources on the CPU.
"""

from __future__ import annotations

import ctypes
import struct
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from ecva_bench.errors import AdapterError

from .compiler import KERNELS, cubin

Macros = Mapping[str, int | str]
Extent = tuple[int, int, int]
OLDEST = (7, 5)


class Long(int):
    """An integer that the kernel takes as 64 bits (`long long`); a plain int is a 32-bit `int`."""


Argument = Tensor | int | float | None
_CODES: dict[type, str] = {Long: "q", int: "i", float: "f"}  # and "P", an address, for whatever else there is
_Pointers = ctypes.c_void_p * 5


class Launcher(Protocol):
    """Runs kernels on one kind of device."""

    def launch(
        self,
        source: str,
        kernel: str,
        grid: Extent,
        block: Extent,
        arguments: Sequence[Argument],
        *,
        options: Macros,
    ) -> None:
        """Start `kernel` of the file `source` in `kernels/`, compiled with `options` as macros.

        Tensors are passed by address (None is the null pointer), `Long` as `long long`, int as `int`, float as
        `float`. Returns before the kernel has run.
        """


_installed: dict[str, Launcher] = {}


def install(device_type: str, launcher: Launcher | None) -> None:
    """Let tensors of a device type ("cpu") be served by `launcher`; None takes it away again."""
    if launcher is None:
        _installed.pop(device_type, None)
    else:
        _installed[device_type] = launcher


def current_launcher(device: torch.device) -> Launcher:
    """Return the launcher of a tensor's device; `AdapterError` where kernels cannot run on it."""
    launcher = _installed.get(device.type)
    if launcher is not None:
        return launcher
    if device.type != "cuda":
        raise AdapterError("CUDA kernels run on NVIDIA GPUs only", f"device {device}")
    return cuda_launcher(torch.cuda.current_device() if device.index is None else device.index)


@cache
def cuda_launcher(index: int, folder: Path = KERNELS) -> CudaLauncher:
    """Return the launcher of GPU `index`, made once; `AdapterError` where it is too old or there is no driver.

    `folder` is where its sources lie.
    """
    capability = torch.cuda.get_device_capability(index)
    if capability < OLDEST:
        raise AdapterError(
            f"compute capability {capability[0]}.{capability[1]} is older than {OLDEST[0]}.{OLDEST[1]}",
            torch.cuda.get_device_name(index),
        )
    name = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    try:
        driver = ctypes.CDLL(name)
    except OSError as error:
        raise AdapterError("the NVIDIA driver's library cannot be loaded", name, str(error)) from error
    architecture = f"sm_{capability[0]}{capability[1]}"
    return CudaLauncher(driver, index, architecture, lambda: torch.cuda.current_stream(index).cuda_stream, folder)


class CudaLauncher:
    """Compiles, loads and launches on one GPU through the driver's own interface (`driver`: libcuda by ctypes).

    The device's primary context, which is torch's, is made current around each call, so that any thread may launch and
    torch's idea of the current device is left alone.
    """

    def __init__(
        self, driver: Any, index: int, architecture: str, stream: Callable[[], int], folder: Path = KERNELS
    ) -> None:
        self._driver, self._index, self._stream = driver, index, stream
        self._architecture, self._folder = architecture, folder
        self._lock = threading.Lock()
        self._modules: dict[tuple[object, ...], ctypes.c_void_p] = {}
        self._functions: dict[tuple[object, ...], ctypes.c_void_p] = {}
        device, self._context = ctypes.c_int(), ctypes.c_void_p()
        self._check("cuInit", 0)
        self._check("cuDeviceGet", ctypes.byref(device), index)
        self._check("cuDevicePrimaryCtxRetain", ctypes.byref(self._context), device)

    def launch(
        self,
        source: str,
        kernel: str,
        grid: Extent,
        block: Extent,
        arguments: Sequence[Argument],
        *,
        options: Macros,
    ) -> None:
        """Launch on torch's current stream; `AdapterError` with NVRTC's or the driver's words where it cannot be."""
        key = (source, kernel, *options.items())
        packed = pack(arguments)
        start, size = ctypes.c_char_p(packed), ctypes.c_size_t(len(packed))
        # All arguments in one piece: 1 is CU_LAUNCH_PARAM_BUFFER_POINTER, 2 is _BUFFER_SIZE, 0 is _END.
        extra = _Pointers(1, ctypes.cast(start, ctypes.c_void_p), 2, ctypes.addressof(size), 0)
        self._check("cuCtxPushCurrent_v2", self._context)
        try:
            function = self._functions.get(key) or self._load(key, source, kernel, options)
            stream = ctypes.c_void_p(self._stream())
            self._check("cuLaunchKernel", function, *grid, *block, 0, stream, None, extra)
        finally:
            self._check("cuCtxPopCurrent_v2", ctypes.byref(ctypes.c_void_p()))

    def _load(self, key: tuple[object, ...], source: str, kernel: str, options: Macros) -> ctypes.c_void_p:
        function = ctypes.c_void_p()
        module = self._module(source, options)
        self._check("cuModuleGetFunction", ctypes.byref(function), module, kernel.encode())
        self._functions[key] = function
        return function

    def _module(self, source: str, options: Macros) -> ctypes.c_void_p:
        key = (source, *options.items())
        if key not in self._modules:
            code, module = cubin(source, self._architecture, options, self._folder), ctypes.c_void_p()
            with self._lock:
                if key not in self._modules:
                    self._check("cuModuleLoadData", ctypes.byref(module), code)
                    self._modules[key] = module
        return self._modules[key]

    def _check(self, function: str, *arguments: object) -> None:
        status = getattr(self._driver, function)(*arguments)
        if status:
            text = ctypes.c_char_p()
            self._driver.cuGetErrorString(status, ctypes.byref(text))
            reason = (text.value or b"unknown error").decode()
            raise AdapterError(f"the CUDA driver's {function} failed ({status})", f"GPU {self._index}", reason)


def pack(arguments: Sequence[Argument]) -> bytes:
    """Return the arguments as the kernel's parameter block: each at its natural alignment, as C lays out a struct."""
    codes = "".join([_CODES.get(type(argument), "P") for argument in arguments])
    values = [argument.data_ptr() if isinstance(argument, Tensor) else argument or 0 for argument in arguments]
    return struct.pack(f"@{codes}", *values)
