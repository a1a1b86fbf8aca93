"""Compiles a kernel with g++ and runs it in this process. Knows how arguments are passed, not what is computed."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import pytest
from torch import Tensor

from ecva_bench.adapters.anomshield.cuda.compiler import KERNELS
from ecva_bench.adapters.anomshield.cuda.loader import Argument, Extent, Long

HOST = Path(__file__).parent / "host.h"
FLAGS = ("-std=c++17", "-O1", "-shared", "-fPIC", "-fno-strict-aliasing", "-U_FORTIFY_SOURCE", "-Wno-unknown-pragmas")
WRAPPER = """
#include "{host}"
#include "{source}"
extern "C" const char* emulated_signature() {{ return emulator::signature({kernel}); }}
extern "C" const char* emulated_run(const unsigned* grid, const unsigned* block, unsigned seed, void** values) {{
    return emulator::run<{kernel}>(grid, block, seed, values);
}}
"""


class KernelError(Exception):
    """What would hang or corrupt memory on a GPU: a barrier missed by some threads, an argument of the wrong type."""


def require_compiler() -> None:
    """Skip the calling test where there is no g++."""
    if shutil.which("g++") is None:
        pytest.skip("the kernels are emulated by compiling them with g++, which is not installed")


class EmulatedLauncher:
    """A `Launcher` for CPU tensors. `seed` decides in which order blocks, warps and lanes run.

    `folder` is where sources are looked for: a test may give it a copy with something broken in it.
    """

    def __init__(self, seed: int = 0, folder: Path = KERNELS) -> None:
        self.seed, self.folder = seed, folder

    def launch(
        self,
        source: str,
        kernel: str,
        grid: Extent,
        block: Extent,
        arguments: Sequence[Argument],
        *,
        options: Mapping[str, int | str],
    ) -> None:
        """Run `kernel` to its end; `KernelError` where threads part at a barrier, or arguments do not fit."""
        library = _library(self.folder, source, kernel, tuple(sorted(options.items())))
        _check(kernel, library.emulated_signature().decode().split(), arguments)
        values = [_value(argument) for argument in arguments]
        places = (ctypes.c_void_p * len(values))(*(ctypes.addressof(value) for value in values))
        problem = library.emulated_run((ctypes.c_uint * 3)(*grid), (ctypes.c_uint * 3)(*block), self.seed, places)
        if problem:
            raise KernelError(f"{kernel}: {problem.decode()}")


def _value(argument: Argument) -> ctypes.c_void_p | ctypes.c_longlong | ctypes.c_int | ctypes.c_float:
    if argument is None or isinstance(argument, Tensor):
        return ctypes.c_void_p(None if argument is None else argument.data_ptr())
    if isinstance(argument, Long):
        return ctypes.c_longlong(argument)
    return ctypes.c_int(argument) if isinstance(argument, int) else ctypes.c_float(argument)


def _check(kernel: str, wanted: list[str], arguments: Sequence[Argument]) -> None:
    """Compare what is passed with the kernel's own signature: p4 a pointer to 4 bytes, i8 long long, f4 float."""
    if len(wanted) != len(arguments):
        raise KernelError(f"{kernel} takes {len(wanted)} arguments, not {len(arguments)}")
    for place, (kind, argument) in enumerate(zip(wanted, arguments, strict=True)):
        if isinstance(argument, Tensor):
            if argument.device.type != "cpu":
                raise KernelError(f"{kernel}: argument {place} lies on {argument.device}")
            given = f"p{argument.element_size()}"
        elif argument is None:
            given = kind if kind.startswith("p") else "p"
        elif isinstance(argument, float):
            given = "f4"
        else:
            given = "i8" if isinstance(argument, Long) else "i4"
        if given != kind:
            raise KernelError(f"{kernel}: argument {place} is {given}, the kernel takes {kind}")


@cache
def _library(folder: Path, source: str, kernel: str, options: tuple[tuple[str, int | str], ...]) -> ctypes.CDLL:
    """Compile once per content: what is in the temporary folder from an earlier run is taken as it is."""
    parts = [HOST.read_bytes(), *(path.read_bytes() for path in sorted(folder.glob("*.cuh"))), *map(str.encode, FLAGS)]
    parts += [(folder / source).read_bytes(), repr((kernel, options)).encode(), os.uname().machine.encode()]
    name = hashlib.sha256(b"\0".join(parts)).hexdigest()[:24]
    cache_folder = Path(tempfile.gettempdir()) / f"ecva-bench-emulator-{os.getuid()}"
    cache_folder.mkdir(mode=0o700, exist_ok=True)
    library = cache_folder / f"{name}.so"
    if not library.exists():
        _compile(folder, WRAPPER.format(host=HOST, source=folder / source, kernel=kernel), options, library)
    loaded = ctypes.CDLL(str(library))
    loaded.emulated_signature.restype = loaded.emulated_run.restype = ctypes.c_char_p
    return loaded


def _compile(folder: Path, text: str, options: tuple[tuple[str, int | str], ...], library: Path) -> None:
    with tempfile.TemporaryDirectory(dir=library.parent) as scratch:
        made = Path(scratch) / "made.so"
        macros = [f"-D{name}={value}" for name, value in options]
        command = ["g++", *FLAGS, *macros, f"-I{folder}", "-x", "c++", "-", "-o", str(made)]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        if done.returncode:
            raise KernelError(f"g++ does not take the kernel:\n{done.stderr}")
        made.replace(library)
