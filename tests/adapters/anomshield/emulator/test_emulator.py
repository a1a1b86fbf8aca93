"""The emulator itself: what it must catch, and that its arithmetic is what it says."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from ecva_bench.adapters.anomshield.cuda.compiler import KERNELS
from ecva_bench.adapters.anomshield.cuda.loader import Long

from .launcher import EmulatedLauncher, KernelError, require_compiler

OPTIONS = {"ELEMENT": 0, "VECTOR": 0}


def run(folder: Path, body: str, *arguments: object, parameters: str = "", threads: int = 64, seed: int = 0) -> None:
    require_compiler()
    (folder / "common.cuh").write_bytes((KERNELS / "common.cuh").read_bytes())
    (folder / "one.cu").write_text(f'#include "common.cuh"\nextern "C" __global__ void one({parameters}) {{{body}}}')
    EmulatedLauncher(seed, folder).launch("one.cu", "one", (1, 1, 1), (threads, 1, 1), arguments, options=OPTIONS)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("if (threadIdx.x < 32) __syncthreads();", "a barrier that only some threads reach"),
        ("if (threadIdx.x == 5) return; __syncthreads();", "a barrier that only some threads reach"),
        ("if (threadIdx.x % 2) __syncwarp();", "a shuffle that only some lanes reach"),
        ("if (threadIdx.x < 32)\n__syncthreads();\nelse\n__syncthreads();", "threads at different barriers"),
        ("__shfl_sync(1u, 0, 0);", "a shuffle's mask leaves out its own lane"),
        ("if (threadIdx.x % 2)\n__syncwarp();\nelse\n__syncwarp();", "lanes at different shuffles"),
    ],
)
def test_threads_that_part_are_an_error_not_a_hang(body: str, complaint: str, tmp_path: Path) -> None:
    with pytest.raises(KernelError, match=complaint):
        run(tmp_path, body)


def test_a_part_of_a_warp_may_shuffle_alone(tmp_path: Path) -> None:
    out = torch.zeros(32)
    body = "if (threadIdx.x < 16) out[threadIdx.x] = __shfl_xor_sync(0xffffu, float(threadIdx.x), 15);"
    run(tmp_path, body, out, parameters="float* out", threads=32)
    assert out.tolist() == [*range(15, -1, -1), *[0] * 16]


def test_shared_memory_is_nan_when_a_block_starts(tmp_path: Path) -> None:
    out = torch.zeros(64)
    run(tmp_path, "__shared__ float s[64]; out[threadIdx.x] = s[threadIdx.x];", out, parameters="float* out")
    assert bool(out.isnan().all())


def test_a_block_has_no_more_shared_memory_than_every_device_gives(tmp_path: Path) -> None:
    body = "__shared__ float s[12289]; out[threadIdx.x] = s[threadIdx.x];"
    with pytest.raises(KernelError, match="more than 48 KiB"):
        run(tmp_path, body, torch.zeros(64), parameters="float* out")


def test_seeds_change_the_order_of_threads(tmp_path: Path) -> None:
    orders = set()
    for seed in range(4):
        out = torch.zeros(65, dtype=torch.int32)
        run(tmp_path, "out[1 + out[0]++] = threadIdx.x;", out, parameters="int* out", seed=seed)
        assert sorted(out[1:].tolist()) == list(range(64))
        orders.add(tuple(out.tolist()))
    assert len(orders) == 4


@pytest.mark.parametrize(
    ("parameters", "arguments", "complaint"),
    [
        ("float* p", (), "takes 1 arguments, not 0"),
        ("float* p", (torch.zeros(1, dtype=torch.float16),), "is p2, the kernel takes p4"),
        ("long long n", (3,), "is i4, the kernel takes i8"),
        ("int n", (Long(3),), "is i8, the kernel takes i4"),
        ("int n", (3.0,), "is f4, the kernel takes i4"),
        ("int n", (None,), "is p, the kernel takes i4"),
    ],
)
def test_arguments_are_held_against_the_kernels_signature(
    parameters: str, arguments: tuple[Tensor | float | None, ...], complaint: str, tmp_path: Path
) -> None:
    with pytest.raises(KernelError, match=complaint):
        run(tmp_path, "", *arguments, parameters=parameters)


def test_a_source_that_is_not_cpp_is_an_error_with_the_compilers_words(tmp_path: Path) -> None:
    with pytest.raises(KernelError, match="nonsense"):
        run(tmp_path, "nonsense;")


def test_half_and_bfloat_convert_as_torch_does(tmp_path: Path) -> None:
    """All 65,536 halves up, and back; and the floats around every place where rounding changes its mind."""
    halves = torch.arange(65536, dtype=torch.int32).to(torch.int16)
    values = torch.cat([halves.view(torch.float16).float(), halves.view(torch.bfloat16).float()])
    between = torch.cat([values, (values[:-1] + values[1:]) / 2, values * 1.0001, values * 0.9999]).contiguous()
    up, half, brain = (torch.zeros(n, dtype=d) for n, d in ((65536, torch.float32), *[(len(between), torch.int16)] * 2))
    body = """
        for (int i = threadIdx.x; i < 65536; i += 64) up[i] = float_from_half(i);
        for (int i = threadIdx.x; i < n; i += 64) half[i] = half_from_float(in[i]), brain[i] = bfloat_from_float(in[i]);
    """
    parameters = "const float* in, float* up, unsigned short* half, unsigned short* brain, int n"
    run(tmp_path, body, between, up, half, brain, len(between), parameters=parameters)
    torch.testing.assert_close(up, halves.view(torch.float16).float(), rtol=0, atol=0, equal_nan=True)
    for bits, dtype in ((half, torch.float16), (brain, torch.bfloat16)):
        torch.testing.assert_close(bits.view(dtype), between.to(dtype), rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("name", ["softplus", "sigmoid", "silu"])
def test_functions_of_the_exponential_are_as_accurate_as_float32_can_be(name: str, tmp_path: Path) -> None:
    x = torch.linspace(-80, 80, 20001)
    out = torch.full_like(x, float("nan"))
    body = f"for (int i = threadIdx.x; i < n; i += 64) out[i] = {name}(x[i]);"
    run(tmp_path, body, x, out, len(x), parameters="const float* x, float* out, int n")
    exact = x.double()
    truth = {"softplus": torch.log1p(exact.exp()), "sigmoid": exact.sigmoid(), "silu": exact * exact.sigmoid()}[name]
    # The rounding of x log2(e) is in the exponent: its error grows with x.
    allowed = truth.abs() * (5e-7 + 8e-8 * exact.abs()) + 1e-37
    assert bool(((out.double() - truth).abs() <= allowed).all())
