"""The convolution's and the pooling's kernels, run on the CPU from their unchanged sources, against float64 loops.

Whatever torch allocates is NaN until it is written, and inputs lie between NaNs: what is not written, or is read from
beside a tensor, shows.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ecva_bench.adapters.anomshield.cuda import loader, rows
from ecva_bench.adapters.anomshield.cuda.compiler import KERNELS
from ecva_bench.errors import AdapterError

from . import reference64
from .emulator import EmulatedLauncher, KernelError

pytestmark = pytest.mark.usefixtures("emulated")


def draw(*shape: int, seed: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


def column_slice(values: Tensor) -> Tensor:
    """The same values as columns of a wider tensor that holds NaN beside, before and behind them."""
    batch, length, channels = values.shape
    wide = torch.full((batch, length + 2, 3 * channels), float("nan"), dtype=values.dtype)
    part = wide[:, 1:-1, channels : 2 * channels]
    part.copy_(values)
    return part


def close(found: Tensor, right: Tensor) -> None:
    """Float32 to its own accuracy; half types no worse than 1.1 times the rounding of the exact result."""
    assert found.shape == right.shape
    assert found.is_contiguous()
    error, rounding = ((tensor.double() - right).norm() / right.norm() for tensor in (found, right.to(found.dtype)))
    assert error <= max(1e-6, 1.1 * rounding)


def with_gradients(function: Callable[..., Tensor], inputs: list[Tensor], dtype: torch.dtype) -> list[Tensor]:
    """Return the output and the gradients of a weighted sum of it; the weights are rounded to `dtype`."""
    inputs = [tensor.detach().requires_grad_() for tensor in inputs]
    output = function(*inputs)
    above = draw(*output.shape, seed=99, dtype=dtype).to(output.dtype)
    return [output.detach(), *torch.autograd.grad(output, inputs, above)]


def check(ours: Callable[..., Tensor], theirs: Callable[..., Tensor], inputs: list[Tensor]) -> None:
    dtype = inputs[0].dtype
    found = with_gradients(ours, inputs, dtype)
    right = with_gradients(theirs, [tensor.double() for tensor in inputs], dtype)
    for mine, true, wanted in zip(found, right, [dtype, *(tensor.dtype for tensor in inputs)], strict=True):
        assert mine.dtype == wanted
        close(mine, true)


BARRIER = "__syncthreads();"
LENGTHS = [1, 2, 3, 4, 7, 8, 31, 32, 33, 127, 129, 200]


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize(("batch", "channels"), [(1, 16), (3, 136), (2, 7), (1, 65)])
def test_convolution_and_its_gradients(length: int, batch: int, channels: int) -> None:
    xs = column_slice(draw(batch, length, channels, seed=1))
    check(rows.convolve, reference64.convolve, [xs, draw(2, channels, 4, seed=2), draw(2, channels, seed=3)])


@pytest.mark.parametrize(("dtype", "channels"), [(torch.float16, 24), (torch.bfloat16, 65)])
def test_convolution_rounds_once(dtype: torch.dtype, channels: int) -> None:
    xs = column_slice(draw(2, 67, channels, seed=1, dtype=dtype))
    check(rows.convolve, reference64.convolve, [xs, draw(2, channels, 4, seed=2), draw(2, channels, seed=3)])


@pytest.mark.parametrize(
    ("batch", "frames", "side", "channels", "normed"),
    [
        (1, 1, 4, 16, True),
        (2, 3, 4, 40, False),
        (3, 1, 8, 36, True),
        (1, 2, 12, 7, True),
        (2, 5, 8, 40, True),
        (1, 1, 4, 1100, True),
        (1, 1, 4, 2056, True),
    ],
)
def test_pooling_and_its_gradients(batch: int, frames: int, side: int, channels: int, normed: bool) -> None:
    length = frames * side * side
    inputs = [draw(batch, length, channels, seed=1), 3 * draw(batch, length, channels, seed=2), draw(channels, seed=3)]
    check(
        lambda x, m, weight=None: rows.pool(x, m, weight, 1e-5, frames),
        lambda x, m, weight=None: reference64.pool(x, m, weight, frames),
        inputs[: 3 if normed else 2],
    )


def test_pooling_rounds_once() -> None:
    x, m = (draw(2, 128, 48, seed=seed, dtype=torch.bfloat16) for seed in (1, 2))
    check(
        lambda x, m, weight: rows.pool(x, m, weight, 1e-5, 2),
        lambda x, m, weight: reference64.pool(x, m, weight, 2),
        [x, m, draw(48, seed=3)],
    )


def pooled(x: Tensor, m: Tensor, weight: Tensor) -> list[Tensor]:
    return with_gradients(lambda x, m, w: rows.pool(x, m, w, 1e-5, 1), [x, m, weight], x.dtype)


def test_a_row_of_zeros_has_gradients() -> None:
    assert all(
        tensor.isfinite().all() for tensor in pooled(torch.zeros(1, 16, 16), torch.zeros(1, 16, 16), torch.ones(16))
    )


def test_gradients_repeat_bit_for_bit_whatever_the_schedule() -> None:
    xs, weight, bias = draw(2, 300, 72, seed=1), draw(2, 72, 4, seed=2), draw(2, 72, seed=3)
    x, m, scale = draw(2, 144, 72, seed=4), draw(2, 144, 72, seed=5), draw(72, seed=6)

    def run(seed: int) -> list[Tensor]:
        loader.install("cpu", EmulatedLauncher(seed))
        return with_gradients(rows.convolve, [xs, weight, bias], xs.dtype) + pooled(x, m, scale)

    first = run(1)
    for seed in (2, 3):
        assert all(torch.equal(a, b) for a, b in zip(first, run(seed), strict=True))


def convolved() -> list[Tensor]:
    return [rows.convolve(draw(1, 40, 72, seed=1), draw(2, 72, 4, seed=2), draw(2, 72, seed=3))]


def convolved_back() -> list[Tensor]:
    above, xs = draw(2, 1, 40, 72, seed=4), draw(1, 40, 72, seed=1)
    return [*rows.convolve_backward(above, xs, draw(2, 72, 4, seed=2), draw(2, 72, seed=3))]


def pooled_forward() -> list[Tensor]:
    return [rows.pool(draw(1, 16, 264, seed=4), draw(1, 16, 264, seed=5), draw(264, seed=6), 1e-5, 1)]


BARRIERS = [("convolve.cuh", convolved), ("convolve_backward.cu", convolved_back), ("pool.cu", pooled_forward)]


@pytest.mark.parametrize(("file", "run"), BARRIERS)
def test_a_missing_barrier_is_noticed(file: str, run: Callable[[], list[Tensor]], tmp_path: Path) -> None:
    right = run()
    folder = tmp_path / "kernels"
    shutil.copytree(KERNELS, folder)
    text = (folder / file).read_text()
    assert text.count(BARRIER) == 1
    (folder / file).write_text(text.replace(BARRIER, ""))

    def differs(seed: int) -> bool:
        loader.install("cpu", EmulatedLauncher(seed, folder))
        try:
            found = run()
        except KernelError:
            return True
        return not all(torch.equal(a, b) for a, b in zip(right, found, strict=True))

    assert any(differs(seed) for seed in range(8))


def test_every_barrier_of_these_kernels_is_removed_once() -> None:
    sources = ("rows.cuh", "convolve.cuh", "convolve.cu", "convolve_backward.cu", "pool.cu")
    assert sum((KERNELS / name).read_text().count(BARRIER) for name in sources) == len(BARRIERS)


def detached(*tensors: Tensor) -> list[Tensor]:
    return [tensor.detach() for tensor in tensors]


def test_the_operations_are_registered_as_torch_wants() -> None:
    xs = column_slice(draw(2, 9, 16, seed=1)).requires_grad_()
    weight, bias = draw(2, 16, 4, seed=2).requires_grad_(), draw(2, 16, seed=3).requires_grad_()
    x, m, scale = (draw(*shape, seed=4).requires_grad_() for shape in ((1, 32, 16), (1, 32, 16), (16,)))
    torch.library.opcheck(rows.convolve, (xs, weight, bias))
    torch.library.opcheck(rows.convolve_backward, (draw(2, 2, 9, 16, seed=5), *detached(xs, weight, bias)))
    torch.library.opcheck(rows.pool, (x, m, scale, 1e-5, 2))
    torch.library.opcheck(rows.pool, (x, m, None, 1e-5, 2))
    torch.library.opcheck(rows.pool_backward, (draw(1, 2, 16, seed=6), *detached(x, m, scale), 1e-5, 2))
    torch.library.opcheck(rows.pool_backward, (draw(1, 2, 16, seed=6), *detached(x, m), None, 1e-5, 2))


def test_float64_is_left_to_the_reference() -> None:
    xs = draw(1, 4, 8, seed=1).double()
    with pytest.raises(AdapterError, match=r"float32, float16, bfloat16: torch\.float64: use the backend torch"):
        rows.convolve(xs, torch.ones(2, 8, 4), torch.ones(2, 8))


def test_tensors_that_do_not_fit_are_refused_before_a_kernel_reads_them() -> None:
    xs, weight, bias = draw(1, 4, 8, seed=1), draw(2, 8, 4, seed=2), draw(2, 8, seed=3)
    with pytest.raises(AdapterError, match=r"weight is \[2, 4, 4\] torch\.float32 on cpu: \[2, 8, 4\]"):
        rows.convolve(xs, weight[:, :4], bias)
    with pytest.raises(AdapterError, match=r"bias is \[2, 8\] torch\.float16"):
        rows.convolve(xs, weight, bias.half())
    with pytest.raises(AdapterError, match="gradient is"):
        rows.convolve_backward(draw(2, 1, 3, 8, seed=4), xs, weight, bias)
    x = draw(1, 16, 8, seed=5)
    for m, scale, frames in ((x[:, :8], x[0, 0], 1), (x, x[0], 1), (x.half(), x[0, 0], 1), (x, x[0, 0], 3)):
        with pytest.raises(AdapterError, match=r"do not fit|4n x 4n"):
            rows.pool(x, m, scale, 1e-5, frames)
