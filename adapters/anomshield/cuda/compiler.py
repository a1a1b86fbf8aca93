"""CUDA C++ to machine code by NVRTC, kept on disk. Knows no device and no driver, so it works where there is no GPU.

NVRTC is the compiler library that torch's CUDA wheels bring with them: no nvcc, no headers, no build step. A cubin is
found again by everything that determines it: source, what it includes, options, architecture, NVRTC's version.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import hashlib
import logging
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from ecva_bench.cache import keep_private, private_folder
from ecva_bench.errors import AdapterError

KERNELS = Path(__file__).parent / "kernels"
_DIGEST = hashlib.sha256().digest_size
_INSTALL = "install a CUDA build of torch, which brings it, or `pip install nvidia-cuda-nvrtc`"
_log = logging.getLogger(__name__)


def cubin(source: str, architecture: str, options: Mapping[str, int | str], folder: Path = KERNELS) -> bytes:
    """Return the machine code of `folder/source` for `architecture` ("sm_90"), from the cache where it is there.

    `options` become macros (`{"TILE": 32}` is `-DTILE=32`). `AdapterError` with NVRTC's log where it does not compile,
    and where there is no NVRTC or it does not know the architecture; `CacheError` where others may write to the cache.
    """
    nvrtc = compiler()
    text = (folder / source).read_bytes()
    headers = {path.name: path.read_bytes() for path in sorted(folder.glob("*.cuh"))}
    flags = [f"--gpu-architecture={architecture}", "--std=c++17", *(f"-D{k}={v}" for k, v in sorted(options.items()))]
    identity = repr((nvrtc.version, flags, text, headers)).encode()
    name = f"{Path(source).stem}-{architecture}-{hashlib.sha256(identity).hexdigest()[:32]}"
    code = _read(name, identity)
    if code is None:
        code = nvrtc.compile(source, text, headers, flags)
        _write(name, identity, code)
    return code


class Nvrtc:
    """One loaded libnvrtc. `version` is (major, minor), `path` says which file it is."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._library = ctypes.CDLL(path)
        self._library.nvrtcGetErrorString.restype = ctypes.c_char_p
        major, minor = ctypes.c_int(), ctypes.c_int()
        self._check("nvrtcVersion", ctypes.byref(major), ctypes.byref(minor))
        self.version = (major.value, minor.value)

    def compile(self, name: str, text: bytes, headers: Mapping[str, bytes], flags: list[str]) -> bytes:
        """Return the cubin of a source; `AdapterError` with the compiler's log where it does not compile."""
        program = ctypes.c_void_p()
        count = len(headers)
        contents, names = (ctypes.c_char_p * count)(*headers.values()), (ctypes.c_char_p * count)()
        names[:] = [header.encode() for header in headers]
        self._check("nvrtcCreateProgram", ctypes.byref(program), text, name.encode(), count, contents, names)
        try:
            arguments = (ctypes.c_char_p * len(flags))(*(flag.encode() for flag in flags))
            status = self._library.nvrtcCompileProgram(program, len(flags), arguments)
            if status:
                log = self._output("nvrtcGetProgramLog", program).rstrip(b"\0").decode(errors="replace").strip()
                reason = " ".join((log or self._message(status)).split())
                tried = " ".join((name, *flags))
                raise AdapterError(f"NVRTC {self.version[0]}.{self.version[1]} cannot compile a kernel", tried, reason)
            return self._output("nvrtcGetCUBIN", program)
        finally:
            self._library.nvrtcDestroyProgram(ctypes.byref(program))

    def _output(self, getter: str, program: ctypes.c_void_p) -> bytes:
        size = ctypes.c_size_t()
        self._check(f"{getter}Size", program, ctypes.byref(size))
        buffer = ctypes.create_string_buffer(size.value)
        self._check(getter, program, buffer)
        return buffer.raw

    def _check(self, function: str, *arguments: object) -> None:
        status = getattr(self._library, function)(*arguments)
        if status:
            raise AdapterError(f"NVRTC's {function} failed", self.path, self._message(status))

    def _message(self, status: int) -> str:
        text: bytes = self._library.nvrtcGetErrorString(status)
        return text.decode()


@cache
def compiler() -> Nvrtc:
    """Return this machine's NVRTC: torch's own CUDA version first, else the newest; `AdapterError` if none loads."""
    wanted = _torch_cuda()
    found = sorted(set(_libraries()), key=lambda path: (_major(path) == wanted, _major(path)), reverse=True)
    failures = []
    for path in found:
        try:
            return Nvrtc(path)
        except OSError as error:
            failures.append(str(error))
    raise AdapterError("libnvrtc, the CUDA compiler library, cannot be loaded", "; ".join(failures) or None, _INSTALL)


def _libraries() -> Iterator[str]:
    """Yield every libnvrtc in reach: NVIDIA's wheels, torch's own folder, an environment's prefix, a CUDA toolkit."""
    nvidia = find_spec("nvidia")
    wheels = [Path(root) for root in (nvidia.submodule_search_locations or [] if nvidia else [])]
    torch = find_spec("torch")
    roots = [folder for wheel in wheels for folder in wheel.glob("*/")]
    roots += [Path(torch.origin).parent] if torch and torch.origin else []
    roots += [Path(os.environ[name]) for name in ("CUDA_HOME", "CUDA_PATH") if os.environ.get(name)]
    roots += [Path(sys.prefix), Path("/usr/local/cuda")]
    for root in roots:
        for pattern in ("lib/libnvrtc.so.*", "lib64/libnvrtc.so.*", "bin/**/nvrtc64_*_0.dll", "lib/nvrtc64_*_0.dll"):
            yield from (str(path) for path in root.glob(pattern))
    system = ctypes.util.find_library("nvrtc")
    if system:
        yield system


def _major(path: str) -> int:
    """Return the CUDA major version a library's name tells: libnvrtc.so.13 and nvrtc64_130_0.dll are both 13."""
    linux, windows = re.search(r"\.so\.(\d+)", path), re.search(r"nvrtc64_(\d+)\d_", path)
    match = linux or windows
    return int(match[1]) if match else 0


def _torch_cuda() -> int | None:
    """Return the CUDA major version torch was built for: the driver is known to take the code of that one."""
    import torch

    return int(torch.version.cuda.partition(".")[0]) if torch.version.cuda else None


def _read(name: str, identity: bytes) -> bytes | None:
    """Return what `_write` stored, or None where there is nothing or it is not what was written."""
    try:
        path = private_folder("cubins") / name
        stored = path.read_bytes()
        keep_private(path)
    except OSError:
        return None
    code = stored[_DIGEST:]
    return code if _digest(identity, code) == stored[:_DIGEST] else None


def _write(name: str, identity: bytes, code: bytes) -> None:
    """Store a cubin behind its digest, whole or not at all; a cache that cannot be written costs time, not the run."""
    try:
        folder = private_folder("cubins")
        handle, part = tempfile.mkstemp(dir=folder, prefix=f".{name}.")  # which only we may read and write
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_digest(identity, code) + code)
            Path(part).replace(folder / name)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise
    except OSError as error:
        _log.warning("compiled kernels are not kept, they will be compiled again: %s", error)


def _digest(identity: bytes, code: bytes) -> bytes:
    """Return the hash of a cubin together with all that determines it: another kernel's is none of this one."""
    return hashlib.sha256(hashlib.sha256(identity).digest() + code).digest()
