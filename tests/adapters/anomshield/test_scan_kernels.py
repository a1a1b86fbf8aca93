"""The scan's kernels, run on the CPU from their unchanged sources, against a float64 loop and the golden files.

Whatever torch allocates is NaN until it is written, and inputs lie between NaNs: what is not written, or is read from
beside a tensor, shows.
"""

from __future__ import annotations

import re
import shutil
from math import prod
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from ecva_bench.adapters.anomshield.cuda import compiler, loader
from ecva_bench.adapters.anomshield.cuda import scan as ours
from ecva_bench.errors import AdapterError

from . import reference64
from .emulator import EmulatedLauncher, KernelError
from .reference64 import MIXER, relative

FLOAT32, HALVES = torch.float32, (torch.float16, torch.bfloat16)
NAMES = ("u", "dt", "A", "B", "C", "D", "dt_bias", "z")


pytestmark = pytest.mark.usefixtures("emulated")


def draw(*shape: int, seed: int, scale: float = 1.0, mean: float = 0.0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * scale + mean


def amid_nan(values: Tensor, dtype: torch.dtype) -> Tensor:
    """The same values as columns of a wider tensor that holds NaN on every side; what was aligned stays so."""
    shape = [size + 2 for size in values.shape[:-1]]
    wide = torch.full((*shape, 2 * values.shape[-1] + 8), float("nan"), dtype=dtype)
    part = wide[tuple(slice(1, -1) for _ in shape)][..., 8 : 8 + values.shape[-1]]
    part.copy_(values)
    return part


def scan_inputs(
    batch: int, length: int, channels: int, dtype: torch.dtype = FLOAT32, dt: Tensor | None = None
) -> list[Tensor]:
    """Arguments of the scan with every term alive: decays from nearly 1 to nearly 0 and a state that matters."""
    dt = draw(2, batch, length, channels, seed=2, scale=2, mean=-1) if dt is None else dt
    slices = amid_nan(draw(2, batch, length, 32, seed=3), dtype).split(16, dim=-1)
    return [
        draw(2, batch, length, channels, seed=1).to(dtype),
        dt.to(dtype),
        -torch.exp(draw(2, channels, 16, seed=4, mean=0.5)),
        *slices,
        draw(2, channels, seed=5),
        draw(2, channels, seed=6, mean=-1),
        amid_nan(draw(batch, length, channels, seed=7), dtype),
    ]


def with_gradients(function: object, inputs: list[Tensor]) -> dict[str, Tensor]:
    """Return y and the gradients of a weighted sum of it; the weights are exact in every type."""
    inputs = [tensor.detach().requires_grad_() for tensor in inputs]
    y = function(*inputs)  # type: ignore[operator]
    weights = draw(*y.shape, seed=99).bfloat16().to(y.dtype)
    return {"y": y.detach(), **dict(zip(NAMES, torch.autograd.grad(y, inputs, weights), strict=True))}


def check(inputs: list[Tensor], tolerance: float = 1e-6) -> None:
    """Full precision within `tolerance`; halves no worse than 1.1 times the rounding of the exact result.

    But for the gradient of z: it is the product with the ungated sum, which is kept in the half type for it.
    """
    truth = with_gradients(reference64.scan, [tensor.double() for tensor in inputs])
    found = with_gradients(ours.scan, inputs)
    for name, dtype in zip(("y", *NAMES), (inputs[0].dtype, *(tensor.dtype for tensor in inputs)), strict=True):
        assert found[name].dtype == dtype
        assert found[name].shape == truth[name].shape
        rounding = relative(truth[name].to(dtype), truth[name]) if dtype in HALVES else 0.0
        distance = float((found[name].double() - truth[name]).norm())
        allowed = max(tolerance, (1.7 if name == "z" else 1.1) * rounding)
        assert distance <= allowed * float(truth[name].norm()), (name, distance, float(truth[name].norm()))


@pytest.mark.parametrize("length", [1, 2, 3, 17, 31, 32, 33, 64, 65, 257])
@pytest.mark.parametrize(("batch", "channels"), [(1, 16), (3, 24), (2, 40), (1, 64)])
def test_output_and_gradients(batch: int, channels: int, length: int) -> None:
    check(scan_inputs(batch, length, channels))


@pytest.mark.parametrize(("batch", "length", "channels"), [(2, 45, 7), (1, 33, 50)])
def test_channels_that_are_no_multiple_of_eight(batch: int, length: int, channels: int) -> None:
    check(scan_inputs(batch, length, channels))


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize(("batch", "length", "channels"), [(1, 65, 64), (3, 30, 40)])
def test_half_types_lose_no_more_than_rounding(batch: int, length: int, channels: int, dtype: torch.dtype) -> None:
    check(scan_inputs(batch, length, channels, dtype))


def test_half_types_whose_rows_are_not_aligned() -> None:
    check(scan_inputs(1, 20, 21, torch.float16))


def test_steps_from_the_smallest_to_the_largest() -> None:
    """softplus from e^-9 to 30, through its identity above 20: tiny steps keep all, large ones forget at once."""
    steps = torch.linspace(-9, 30, 2 * 2 * 64 * 16)
    shuffled = steps[torch.randperm(len(steps), generator=torch.Generator().manual_seed(0))]
    inputs = scan_inputs(2, 64, 16, dt=shuffled.view(2, 2, 64, 16))
    inputs[6] = torch.zeros_like(inputs[6])
    check(inputs)


@pytest.mark.parametrize("value", [-200.0, -30.0, 30.0, 200.0])
def test_extreme_steps_and_gates_give_numbers(value: float) -> None:
    inputs = scan_inputs(1, 20, 16, dt=torch.full((2, 1, 20, 16), value))
    inputs[7] = inputs[7] * 0 + value
    truth = reference64.scan(*(tensor.double() for tensor in inputs))
    assert float((ours.scan(*inputs) - truth).norm()) <= 1e-5 * float(truth.norm()) + 1e-30
    assert all(bool(gradient.isfinite().all()) for gradient in with_gradients(ours.scan, inputs).values())


@pytest.mark.parametrize("layout", [ours.ScanLayout(16, 32, 4), ours.ScanLayout(16, 64, 4), ours.ScanLayout(32, 32, 2)])
def test_every_layout_computes_the_same(layout: ours.ScanLayout) -> None:
    inputs = scan_inputs(2, 133, 40)
    y, summed, states = ours.forward(ours.ScanInputs(*inputs), save=True, layout=layout)
    truth = reference64.scan(*(tensor.double() for tensor in inputs))
    assert relative(y, truth) < 1e-6
    assert relative(summed * torch.nn.functional.silu(inputs[7]), truth) < 1e-6
    assert bool(states.isfinite().all())


def test_gradients_repeat_bit_for_bit_in_any_order_of_threads() -> None:
    inputs = scan_inputs(2, 70, 40)
    runs = []
    for seed in (0, 1, 2):
        loader.install("cpu", EmulatedLauncher(seed))
        runs.append(with_gradients(ours.scan, inputs))
    for other in runs[1:]:
        assert all(torch.equal(runs[0][name], other[name]) for name in runs[0])


def test_without_gradients_nothing_is_kept() -> None:
    inputs = scan_inputs(1, 40, 16)
    y, summed, states = ours.forward(ours.ScanInputs(*inputs), save=False)
    assert (summed.numel(), states.numel()) == (0, 0)
    torch.testing.assert_close(y, ours.scan(*inputs), rtol=0, atol=0)


@pytest.mark.parametrize("channels", [40, 7])
def test_all_of_an_output_is_written_and_nothing_beside_it(channels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rooms: list[Tensor] = []

    def new_empty(like: Tensor, shape: tuple[int, ...], dtype: torch.dtype | None = None) -> Tensor:
        rooms.append(torch.full((prod(shape) + 128,), float("nan"), dtype=dtype or like.dtype))
        return rooms[-1][64:-64].view(shape)

    monkeypatch.setattr(Tensor, "new_empty", new_empty)
    monkeypatch.setattr(torch, "empty_like", lambda like: new_empty(like, like.shape))
    inputs = ours.ScanInputs(*scan_inputs(2, 45, channels))
    y, summed, states = ours.forward(inputs, save=True)
    ours.backward(torch.ones_like(y), inputs, summed, states)
    assert len(rooms) == 12
    for room in rooms:
        assert bool(room[64:-64].isfinite().all())
        assert bool(room[:64].isnan().all() and room[-64:].isnan().all())


@pytest.mark.parametrize("wants", [True, False])
def test_torch_takes_the_scan_for_an_operator_of_its_own(wants: bool) -> None:
    inputs = [tensor.detach().requires_grad_(wants) for tensor in scan_inputs(1, 35, 16)]
    torch.library.opcheck(torch.ops.ecva_bench.scan.default, (*inputs, wants))
    with torch.no_grad():
        y, summed, states = ours.forward(ours.ScanInputs(*inputs), save=True)
    kept = [tensor.detach() for tensor in (y, *inputs, summed, states)]
    torch.library.opcheck(torch.ops.ecva_bench.scan_backward.default, kept)


def test_a_compiled_function_holds_the_scan_and_its_gradient_in_one_graph() -> None:
    inputs = scan_inputs(1, 35, 16)
    compiled = torch.compile(lambda *tensors: ours.scan(*tensors) * 2, backend="aot_eager", fullgraph=True)
    found, right = with_gradients(compiled, inputs), with_gradients(lambda *tensors: ours.scan(*tensors) * 2, inputs)
    assert all(torch.equal(found[name], right[name]) for name in found)


def test_tensors_that_do_not_fit_are_refused() -> None:
    inputs = scan_inputs(1, 5, 16)
    with pytest.raises(AdapterError, match="float64"):
        ours.scan(*(tensor.double() for tensor in inputs))
    with pytest.raises(AdapterError, match="dt is"):
        ours.scan(inputs[0], inputs[1][:, :, 1:], *inputs[2:])
    with pytest.raises(AdapterError, match="z is"):
        ours.scan(*inputs[:-1], inputs[-1].half())
    with pytest.raises(AdapterError, match="u is"):
        ours.scan(inputs[0][0], *inputs[1:])


# ---- The golden files


@pytest.mark.parametrize("folder", ["a_f1_hw4_d32", "c_f16_hw8_d96"])
def test_golden_taps(folder: str, shared_golden: Path) -> None:
    """What the authors' program computes around its scans. Its taps are of some tokens: the inputs are recomputed."""
    where = shared_golden / "anomshield_connector" / folder
    taps = load_file(where / "taps.safetensors")
    weights = {name: tensor.double() for name, tensor in load_file(where / "weights.safetensors").items()}
    features = load_file(where / "io.safetensors")["input"].double()
    x = features.flatten(1, 2)
    normed = reference64.rms_norm(x, weights["mambaModel_h.layers.0.norm.weight"])
    xs, z = (normed @ weights[f"{MIXER}in_proj.weight"].T).chunk(2, dim=-1)
    kernel = reference64.pair(weights, "conv1d{}.weight")[:, :, 0]
    u = reference64.convolve(xs, kernel, reference64.pair(weights, "conv1d{}.bias"))
    rank = weights[f"{MIXER}dt_proj.weight"].shape[1]
    dbl = torch.einsum("sblc,src->sblr", u, reference64.pair(weights, "x_proj{}.weight"))
    dt = torch.einsum("sblr,scr->sblc", dbl[..., :rank], reference64.pair(weights, "dt_proj{}.weight"))
    A, D = -torch.exp(reference64.pair(weights, "A{}_log")), reference64.pair(weights, "D{}")
    B, C = dbl[..., rank : rank + 16], dbl[..., rank + 16 :]
    inputs = [u, dt, A, B, C, D, reference64.pair(weights, "dt_proj{}.bias"), z]
    at = taps["token_index"].long()
    for name, tensor in {"u": u[0], "u_b": u[1], "B": B[0], "C_b": C[1], "z": z}.items():
        assert relative(tensor[:, at], taps[name]) < 1e-6

    y, summed, _ = ours.forward(ours.ScanInputs(*(tensor.float() for tensor in inputs)), save=True)
    assert relative(summed[:, at], taps["y"].double() + taps["y_b"].double()) < 2e-6
    assert relative(y[:, at], taps["gated"]) < 2e-6


# ---- Missing barriers

BARRIER = re.compile(r"__sync(threads|warp)\(\);")
BARRIERS = [
    (source, place)
    for source in ("scan.cu", "scan_backward.cu")
    for place in range(len(BARRIER.findall((compiler.KERNELS / source).read_text(encoding="utf-8"))))
]


@pytest.mark.parametrize(("source", "place"), BARRIERS)
def test_a_missing_barrier_shows(source: str, place: int, tmp_path: Path) -> None:
    """Each barrier in turn is taken out of a copy of the source: some order of threads must then give other bits."""
    broken = shutil.copytree(compiler.KERNELS, tmp_path / "kernels")
    text = (broken / source).read_text(encoding="utf-8")
    found = list(BARRIER.finditer(text))[place]
    (broken / source).write_text(text[: found.start()] + text[found.end() :], encoding="utf-8")
    inputs = scan_inputs(1, 70, 32)
    intact = with_gradients(ours.scan, inputs)
    for seed in range(6):
        loader.install("cpu", EmulatedLauncher(seed, broken))
        try:
            run = with_gradients(ours.scan, inputs)
        except KernelError:
            return
        if not all(torch.equal(intact[name], run[name]) for name in intact):
            return
    pytest.fail(f"{source} does as well without its barrier {place}")


def test_there_are_barriers_to_take_out() -> None:
    assert {source for source, _ in BARRIERS} == {"scan.cu", "scan_backward.cu"}
    assert len(BARRIERS) >= 6
