"""Compiling without a GPU, the cubin cache, and what the driver is handed (a stand-in that keeps what it is given)."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch

from ecva_bench.adapters.anomshield.connector import MambaConnector
from ecva_bench.adapters.anomshield.cuda import compiler, loader
from ecva_bench.errors import AdapterError, CacheError

ARCHITECTURES = ("sm_75", "sm_80", "sm_86", "sm_89", "sm_90", "sm_100", "sm_103", "sm_110", "sm_120", "sm_121")
SCALE = """
#include "times.cuh"
extern "C" __global__ void scale(const float* in, long long n, float* out) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i < n) out[i] = times(in[i], FACTOR);
}
"""
TIMES = "static __device__ float times(float a, float b) { return a * b; }"


@pytest.fixture
def nvrtc(monkeypatch: pytest.MonkeyPatch) -> compiler.Nvrtc:
    try:
        return compiler.compiler()
    except AdapterError as error:
        pytest.skip(str(error))


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "kernels"
    folder.mkdir()
    (folder / "scale.cu").write_text(SCALE)
    (folder / "times.cuh").write_text(TIMES)
    monkeypatch.setenv("ECVA_CACHE", str(tmp_path / "cache"))
    return folder


@pytest.fixture
def compiled(nvrtc: compiler.Nvrtc, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The flags of every real compilation, in order."""
    seen: list[list[str]] = []
    real = compiler.Nvrtc.compile

    def watch(self: compiler.Nvrtc, name: str, text: bytes, headers: Any, flags: list[str]) -> bytes:
        seen.append(flags)
        return real(self, name, text, headers, flags)

    monkeypatch.setattr(compiler.Nvrtc, "compile", watch)
    return seen


def test_a_cubin_is_an_elf_file_for_cuda_with_the_kernel_in_it(nvrtc: compiler.Nvrtc, sources: Path) -> None:
    code = compiler.cubin("scale.cu", "sm_90", {"FACTOR": "2.0f"}, sources)
    machine = struct.unpack_from("<H", code, 18)[0]
    assert code[:4] == b"\x7fELF"
    assert machine == 190  # EM_CUDA
    assert b".text.scale\0" in code


def test_the_same_request_is_compiled_once(sources: Path, compiled: list[list[str]]) -> None:
    first = compiler.cubin("scale.cu", "sm_90", {"FACTOR": 2, "A": 1}, sources)
    assert compiler.cubin("scale.cu", "sm_90", {"A": 1, "FACTOR": 2}, sources) == first
    assert len(compiled) == 1


def test_whatever_determines_the_code_makes_a_new_one(
    nvrtc: compiler.Nvrtc, sources: Path, compiled: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler.cubin("scale.cu", "sm_90", {"FACTOR": 2}, sources)
    compiler.cubin("scale.cu", "sm_80", {"FACTOR": 2}, sources)
    compiler.cubin("scale.cu", "sm_90", {"FACTOR": 3}, sources)
    (sources / "times.cuh").write_text(TIMES + " // another header")
    compiler.cubin("scale.cu", "sm_90", {"FACTOR": 2}, sources)
    (sources / "scale.cu").write_text(SCALE + " // another source")
    compiler.cubin("scale.cu", "sm_90", {"FACTOR": 2}, sources)
    monkeypatch.setattr(nvrtc, "version", (nvrtc.version[0], nvrtc.version[1] + 1))
    compiler.cubin("scale.cu", "sm_90", {"FACTOR": 2}, sources)
    assert len(compiled) == 6


@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied"])
def test_a_broken_cache_file_is_compiled_again(
    damage: str, sources: Path, compiled: list[list[str]], tmp_path: Path
) -> None:
    good = compiler.cubin("scale.cu", "sm_90", {"FACTOR": 2}, sources)
    (stored,) = (tmp_path / "cache/cubins").iterdir()
    whole = stored.read_bytes()
    flipped = whole[:100] + bytes([whole[100] ^ 1]) + whole[101:]
    stored.write_bytes({"cut": whole[:-7], "flipped": flipped, "emptied": b""}[damage])
    assert compiler.cubin("scale.cu", "sm_90", {"FACTOR": 2}, sources) == good
    assert len(compiled) == 2
    assert stored.read_bytes() == whole


def test_another_kernel_under_its_name_is_compiled_again(
    sources: Path, compiled: list[list[str]], tmp_path: Path
) -> None:
    good = compiler.cubin("scale.cu", "sm_90", {"FACTOR": 2}, sources)
    (stored,) = (tmp_path / "cache/cubins").iterdir()
    compiler.cubin("scale.cu", "sm_90", {"FACTOR": 3}, sources)
    (other,) = set((tmp_path / "cache/cubins").iterdir()) - {stored}
    stored.write_bytes(other.read_bytes())
    assert compiler.cubin("scale.cu", "sm_90", {"FACTOR": 2}, sources) == good
    assert len(compiled) == 3


def test_kernels_that_others_may_write_are_refused(sources: Path, compiled: list[list[str]], tmp_path: Path) -> None:
    compiler.cubin("scale.cu", "sm_90", {"FACTOR": 2}, sources)
    (stored,) = (tmp_path / "cache/cubins").iterdir()
    assert (stored.parent.stat().st_mode & 0o777, stored.stat().st_mode & 0o777) == (0o700, 0o600)
    for path in (stored, stored.parent):
        mode = path.stat().st_mode
        path.chmod(mode | 0o020)
        with pytest.raises(CacheError, match="written to by others"):
            compiler.cubin("scale.cu", "sm_90", {"FACTOR": 2}, sources)
        path.chmod(mode)


def test_a_cache_that_cannot_be_written_is_said_and_costs_only_time(
    nvrtc: compiler.Nvrtc, sources: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    assert compiler.cubin("scale.cu", "sm_90", {"FACTOR": 2}, sources)[:4] == b"\x7fELF"
    assert "not kept" in caplog.text


def test_an_error_carries_the_compilers_words(nvrtc: compiler.Nvrtc, sources: Path) -> None:
    with pytest.raises(AdapterError, match=r'scale\.cu .*sm_90.*identifier "FACTOR" is undefined') as caught:
        compiler.cubin("scale.cu", "sm_90", {}, sources)
    assert "\n" not in str(caught.value)
    with pytest.raises(AdapterError, match=r"sm_20.*invalid value for --gpu-architecture"):
        compiler.cubin("scale.cu", "sm_20", {"FACTOR": 2}, sources)


def test_no_nvrtc_is_said_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler, "_libraries", lambda: iter(["/nowhere/libnvrtc.so.12"]))
    with pytest.raises(AdapterError, match=r"libnvrtc.*nowhere.*pip install nvidia-cuda-nvrtc"):
        compiler.compiler.__wrapped__()


def test_torchs_own_cuda_version_is_tried_first_then_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    def load(path: str) -> Any:
        tried.append(path)
        raise OSError(path)

    found = ["x/libnvrtc.so.12", "x/libnvrtc.so.13", "x/nvrtc64_140_0.dll", "libnvrtc.so"]
    monkeypatch.setattr(compiler, "_libraries", lambda: iter(found))
    monkeypatch.setattr(compiler, "_torch_cuda", lambda: 12)
    monkeypatch.setattr(compiler, "Nvrtc", load)
    with pytest.raises(AdapterError):
        compiler.compiler.__wrapped__()
    assert tried == ["x/libnvrtc.so.12", "x/nvrtc64_140_0.dll", "x/libnvrtc.so.13", "libnvrtc.so"]


class Recorder:
    """A launcher that runs nothing and keeps what it was asked to run."""

    def __init__(self) -> None:
        self.launches: set[tuple[str, str, tuple[tuple[str, int | str], ...]]] = set()

    def launch(self, source: str, kernel: str, *_: object, options: dict[str, int | str]) -> None:
        self.launches.add((source, kernel, tuple(options.items())))


def launches(dtype: torch.dtype, channels: int) -> set[tuple[str, str, tuple[tuple[str, int | str], ...]]]:
    """Everything that a forward and a backward pass of the connector launches."""
    recorder = Recorder()
    loader.install("cpu", recorder)
    try:
        connector = MambaConnector(channels, 8, backend="cuda").to(dtype)
        connector(torch.zeros((1, 1, 16, channels), dtype=dtype)).sum().backward()
    finally:
        loader.install("cpu", None)
    return recorder.launches


CASES = [
    pytest.param(architecture, torch.bfloat16, 128, marks=[] if architecture == "sm_90" else pytest.mark.slow)
    for architecture in ARCHITECTURES
]
CASES += [("sm_90", torch.float16, 128), ("sm_90", torch.float32, 18)]


@pytest.mark.parametrize(("architecture", "dtype", "channels"), CASES, ids=str)
def test_every_kernel_compiles_for_every_architecture(
    architecture: str,
    dtype: torch.dtype,
    channels: int,
    nvrtc: compiler.Nvrtc,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ECVA_CACHE", str(tmp_path))
    wanted = launches(dtype, channels)
    assert {source for source, _, _ in wanted} == {path.name for path in compiler.KERNELS.glob("*.cu")}
    assert {dict(options)["VECTOR"] for _, _, options in wanted} == {int(channels == 128)}
    for source, kernel, options in wanted:
        assert f".text.{kernel}\0".encode() in compiler.cubin(source, architecture, dict(options))


class Block(ctypes.Structure):
    """A kernel's parameters as a C compiler lays them out."""

    _fields_ = (
        ("a", ctypes.c_int),
        ("b", ctypes.c_void_p),
        ("c", ctypes.c_float),
        ("d", ctypes.c_longlong),
        ("e", ctypes.c_int),
        ("f", ctypes.c_void_p),
        ("g", ctypes.c_int),
    )


def test_arguments_lie_as_in_a_c_struct() -> None:
    tensor = torch.zeros(3)
    packed = loader.pack([-5, tensor, 0.5, loader.Long(2**40), 7, None, 9])
    block = Block.from_buffer_copy(packed.ljust(ctypes.sizeof(Block), b"\0"))
    assert len(packed) == Block.g.offset + 4
    assert (block.a, block.b, block.c, block.d) == (-5, tensor.data_ptr(), 0.5, 2**40)
    assert (block.e, block.f, block.g) == (7, None, 9)
    with pytest.raises(struct.error):
        loader.pack([2**31])


class Driver:
    """Stands in for libcuda: keeps the order of calls, the launches and the current contexts; `fail` makes one fail."""

    CONTEXT = 0xC0DE

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.launches: list[tuple[object, ...]] = []
        self.contexts: list[int] = []
        self.names: list[bytes] = []
        self.fail = ""

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("cu"):
            raise AttributeError(name)
        effects = {
            "cuDevicePrimaryCtxRetain": self.retain,
            "cuCtxPushCurrent_v2": self.push,
            "cuCtxPopCurrent_v2": self.pop,
            "cuModuleGetFunction": self.find,
            "cuGetErrorString": self.explain,
            "cuLaunchKernel": self.launch,
        }

        def call(*arguments: Any) -> int:
            self.calls.append(name)
            if name == self.fail:
                return 700
            effects.get(name, lambda *_: None)(*arguments)
            return 0

        return call

    def retain(self, context: Any, device: Any) -> None:
        context._obj.value = self.CONTEXT

    def push(self, context: Any) -> None:
        self.contexts.append(context.value)

    def pop(self, context: Any) -> None:
        self.contexts.pop()

    def find(self, function: Any, module: Any, name: bytes) -> None:
        self.names.append(name)
        function._obj.value = 100 + len(self.names)

    def explain(self, status: int, text: Any) -> None:
        text._obj.value = b"an illegal memory access was encountered"

    def launch(self, function: Any, *rest: Any) -> None:
        *extents, shared, stream, parameters, extra = rest
        assert set(self.contexts) == {self.CONTEXT}
        assert parameters is None
        assert (extra[0], extra[2], extra[4]) == (1, 2, None)
        block = ctypes.string_at(extra[1], ctypes.c_size_t.from_address(extra[3]).value)
        self.launches.append((function.value, tuple(extents), shared, stream.value, block))


@pytest.fixture
def driver() -> Driver:
    return Driver()


@pytest.fixture
def launcher(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> loader.CudaLauncher:
    monkeypatch.setattr(loader, "cubin", lambda *_: b"machine code")
    return loader.CudaLauncher(driver, 0, "sm_90", lambda: 0x57)


def test_a_launch_hands_over_grid_stream_and_arguments(driver: Driver, launcher: loader.CudaLauncher) -> None:
    tensor = torch.zeros(3)
    launcher.launch("a.cu", "first", (1, 2, 3), (32, 4, 1), [tensor, 7], options={"T": 1})
    launcher.launch("a.cu", "second", (9, 1, 1), (64, 1, 1), [0.25], options={"T": 1})
    assert driver.launches == [
        (101, (1, 2, 3, 32, 4, 1), 0, 0x57, struct.pack("=Qi", tensor.data_ptr(), 7)),
        (102, (9, 1, 1, 64, 1, 1), 0, 0x57, struct.pack("=f", 0.25)),
    ]
    assert driver.names == [b"first", b"second"]
    assert driver.contexts == []


def test_a_source_is_loaded_once_for_each_set_of_options(driver: Driver, launcher: loader.CudaLauncher) -> None:
    for options in ({"T": 1}, {"T": 1}, {"T": 2}, {"T": 1}):
        launcher.launch("a.cu", "first", (1, 1, 1), (1, 1, 1), [], options=options)
    assert driver.calls.count("cuModuleLoadData") == 2
    assert driver.calls.count("cuModuleGetFunction") == 2
    assert driver.calls.count("cuLaunchKernel") == 4


def test_threads_that_come_together_load_a_source_once(driver: Driver, launcher: loader.CudaLauncher) -> None:
    def launch(_: int) -> None:
        launcher.launch("a.cu", "first", (1, 1, 1), (1, 1, 1), [], options={"T": 1})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(launch, range(32)))
    assert len(driver.launches) == 32
    assert driver.calls.count("cuModuleLoadData") == 1


def test_a_drivers_error_is_told_and_the_context_is_given_back(driver: Driver, launcher: loader.CudaLauncher) -> None:
    driver.fail = "cuLaunchKernel"
    with pytest.raises(AdapterError, match=r"cuLaunchKernel failed \(700\): GPU 0: an illegal memory access"):
        launcher.launch("a.cu", "first", (1, 1, 1), (1, 1, 1), [], options={})
    assert driver.contexts == []


def test_kernels_are_for_gpus_unless_a_launcher_is_installed() -> None:
    cpu = torch.device("cpu")
    with pytest.raises(AdapterError, match="NVIDIA GPUs only"):
        loader.current_launcher(cpu)
    stand_in: Any = object()
    loader.install("cpu", stand_in)
    try:
        assert loader.current_launcher(cpu) is stand_in
    finally:
        loader.install("cpu", None)
    with pytest.raises(AdapterError):
        loader.current_launcher(cpu)


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    loader.cuda_launcher.cache_clear()
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda index: "Tesla V100")
    yield
    loader.cuda_launcher.cache_clear()


@pytest.mark.usefixtures("gpu")
def test_a_gpu_older_than_turing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda index: (7, 0))
    with pytest.raises(AdapterError, match=r"capability 7\.0 is older than 7\.5: Tesla V100"):
        loader.current_launcher(torch.device("cuda", 0))


@pytest.mark.usefixtures("gpu")
def test_a_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda index: (9, 0))
    if torch.cuda.is_available():
        pytest.skip("there is a driver")
    with pytest.raises(AdapterError, match=r"driver's library cannot be loaded: .*cuda"):
        loader.current_launcher(torch.device("cuda", 0))
