"""The connector in torch: the released classes' output and gradients, and formulas written apart from the package."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ecva_bench.adapters.anomshield.connector import FULL_PRECISION, MambaConnector
from ecva_bench.adapters.anomshield.reference import OPERATIONS
from ecva_bench.errors import AdapterError, UsageError

from . import reference64
from .reference64 import relative

GOLDEN = ("a_f1_hw4_d32", "c_f16_hw8_d96")
MIXER = "mambaModel_h.layers.0.mixer."


def golden(folder: Path, case: str, name: str) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(folder / "anomshield_connector" / case / f"{name}.safetensors")


def built(weights: dict[str, torch.Tensor], dtype: torch.dtype, **options: object) -> MambaConnector:
    hidden, channels = weights["readout.0.weight"].shape
    options = {"backend": "torch", **options}
    connector = MambaConnector(channels, hidden, **options).to(dtype).eval()  # type: ignore[arg-type]
    connector.load_state_dict(weights)
    return connector


def gradients(connector: MambaConnector, features: torch.Tensor, loss_weight: torch.Tensor) -> dict[str, torch.Tensor]:
    features = features.detach().clone().requires_grad_()
    output = connector(features)
    (output * loss_weight).sum().backward()
    return {
        "output": output.detach(),
        "input": features.grad,
        **{name: p.grad for name, p in connector.named_parameters() if p.grad is not None},
    }


@pytest.mark.parametrize("case", GOLDEN)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 2e-6)])
def test_output_and_every_gradient_are_the_released_model_s(
    shared_golden: Path, case: str, dtype: torch.dtype, tolerance: float
) -> None:
    weights, io = golden(shared_golden, case, "weights"), golden(shared_golden, case, "io")
    found = gradients(built(weights, dtype), io["input"].to(dtype), io["loss_weight"].to(dtype))
    assert relative(found.pop("output"), io["output"]) < tolerance
    assert len(found) == 23
    assert {name: error for name, g in found.items() if (error := relative(g, io[f"grad.{name}"])) >= tolerance} == {}


@pytest.mark.parametrize("case", GOLDEN)
@pytest.mark.parametrize(
    ("dtype", "tolerance", "pooled_tolerance"), [(torch.float16, 8.5e-4, 5.5e-4), (torch.bfloat16, 6.5e-3, 4.5e-3)]
)
def test_half_types_keep_to_the_rounding_of_the_released_model(
    shared_golden: Path, case: str, dtype: torch.dtype, tolerance: float, pooled_tolerance: float
) -> None:
    weights, io = golden(shared_golden, case, "weights"), golden(shared_golden, case, "io")
    connector = built(weights, dtype)
    pooled = []
    connector.readout.register_forward_pre_hook(lambda module, inputs: pooled.append(inputs[0]))
    with torch.no_grad():
        output = connector(io["input"].to(dtype))
    assert output.dtype is dtype
    assert relative(output, io["output"]) < tolerance
    assert relative(pooled[0], golden(shared_golden, case, "taps")["pooled"]) < pooled_tolerance


@pytest.mark.parametrize("case", GOLDEN)
def test_every_stage_is_the_released_model_s(shared_golden: Path, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    weights, io, taps = (golden(shared_golden, case, name) for name in ("weights", "io", "taps"))
    connector, seen = built(weights, torch.float64), {}

    def watch(name: str, inputs: str) -> object:
        def call(*arguments: object) -> torch.Tensor:
            seen.update({key: value for key, value in zip(inputs.split(), arguments, strict=True) if key != "-"})
            seen[name] = getattr(OPERATIONS, name)(*arguments)
            return seen[name]

        return call

    watched = type(OPERATIONS)(
        name="watched",
        convolve=watch("convolve", "x - -"),
        scan=watch("scan", "u dt - B C - dt_bias z"),
        pool=watch("pool", "stream m - - -"),
    )
    monkeypatch.setattr(connector, "operations", lambda x: watched)
    with torch.no_grad():
        connector(io["input"].double())
    at = taps["token_index"]
    seen["dt"] = torch.nn.functional.softplus(seen["dt"] + seen["dt_bias"][:, None, None])
    for name in ("u", "dt", "B", "C"):
        for side, suffix in enumerate(("", "_b")):
            assert relative(seen[name][side][:, at], taps[name + suffix]) < 1e-7, name + suffix
    seen |= {"gated": seen["scan"], "residual": seen["stream"] + seen["m"]}
    for name in ("x", "z", "gated", "residual"):
        assert relative(seen[name][:, at], taps[name]) < 1e-7, name
    assert relative(seen["pool"], taps["pooled"]) < 1e-7


@pytest.mark.parametrize(
    ("dtype", "autocast", "inside", "full"),
    [
        (torch.float64, False, torch.float64, torch.float64),
        (torch.float16, False, torch.float16, torch.float32),
        (torch.float32, True, torch.bfloat16, torch.float32),
    ],
)
def test_operations_are_handed_what_they_are_promised(
    dtype: torch.dtype, autocast: bool, inside: torch.dtype, full: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector, calls = built(reference64.random_weights(24, 8), dtype), {}

    def watch(name: str) -> object:
        def call(*arguments: object) -> torch.Tensor:
            calls[name] = [
                (tuple(a.shape), a.dtype, a.is_contiguous(), a.stride(-1)) if isinstance(a, torch.Tensor) else a
                for a in arguments
            ]
            return getattr(OPERATIONS, name)(*arguments)

        return call

    watched = type(OPERATIONS)("watched", watch("convolve"), watch("scan"), watch("pool"))
    monkeypatch.setattr(connector, "operations", lambda x: watched)
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        connector(torch.randn((3, 1, 16, 24)).to(dtype))
    whole, rows = True, False  # contiguous, or a column slice whose last stride is 1
    assert calls == {
        "convolve": [
            ((3, 16, 48), inside, rows, 1),
            ((2, 48, 4), full, whole, 1),
            ((2, 48), full, whole, 1),
        ],
        "scan": [
            ((2, 3, 16, 48), inside, whole, 1),
            ((2, 3, 16, 48), inside, whole, 1),
            ((2, 48, 16), full, whole, 1),
            ((2, 3, 16, 16), inside, rows, 1),
            ((2, 3, 16, 16), inside, rows, 1),
            ((2, 48), full, whole, 1),
            ((2, 48), full, whole, 1),
            ((3, 16, 48), inside, rows, 1),
        ],
        "pool": [((3, 16, 24), dtype, whole, 1), ((3, 16, 24), dtype, whole, 1), ((24,), full, whole, 1), 1e-5, 1],
    }


@pytest.mark.parametrize("case", GOLDEN)
@pytest.mark.parametrize(("final_norm", "key"), [(True, "output_pos"), (False, "output_pos_no_final_norm")])
def test_the_paper_s_variants(shared_golden: Path, case: str, final_norm: bool, key: str) -> None:
    weights, io = golden(shared_golden, case, "weights"), golden(shared_golden, case, "io")
    paper = golden(shared_golden, case, "paper_variant")
    weights |= {name: paper[name] for name in ("pos_t", "pos_s")}
    _, frames, patches, _ = io["input"].shape
    options = {"positional": "spatiotemporal", "frames": frames, "patches": patches, "final_norm": final_norm}
    connector = built(weights, torch.float64, **options)
    assert relative(connector(io["input"].double()), paper[key]) < 1e-12


# batch, frames, side, channels: odd frames and three samples, channels that fill no warp, one frame, many frames
CONFIGURATIONS = [(3, 5, 4, 24), (1, 3, 8, 20), (2, 1, 12, 40), (1, 64, 4, 8)]


@pytest.mark.parametrize("configuration", CONFIGURATIONS, ids=str)
def test_output_and_every_gradient_are_the_plain_formulas(configuration: tuple[int, int, int, int]) -> None:
    weights, features, loss_weight, truth = reference64.problem(*configuration)
    for dtype, tolerance in ((torch.float64, 1e-12), (torch.float32, 2e-6)):
        connector = built(weights, dtype)
        found = gradients(connector, features.to(dtype), loss_weight.to(dtype))
        assert set(found) == set(truth)
        assert {name: error for name in found if not (error := relative(found[name], truth[name])) < tolerance} == {}


def small_arguments() -> dict[str, torch.Tensor]:
    """Arguments of `scan` over a few chunks and a rest, with steps from e^-9 to 30, and where softplus bends."""
    generator = torch.Generator().manual_seed(2)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    dt = normal(2, 2, 37, 3)
    dt[0, 0, :4], dt[1, 0, -3:], dt[:, 1, :2] = 30.0, -9.0, 6.0
    return {
        "u": normal(2, 2, 37, 3),
        "dt": dt,
        "A": -normal(2, 3, 5).exp(),
        "B": normal(2, 2, 37, 5),
        "C": normal(2, 2, 37, 5),
        "D": normal(2, 3),
        "dt_bias": normal(2, 3),
        "z": normal(2, 37, 3),
    }


def test_the_scan_s_backward_is_its_derivative() -> None:
    few = {"u": (2, 1, 18, 2), "A": (2, 2, 3), "B": (2, 1, 18, 3), "D": (2, 2), "z": (1, 18, 2)}
    shapes = few | {"dt": few["u"], "C": few["B"], "dt_bias": few["D"]}
    generator = torch.Generator().manual_seed(6)
    inputs = {n: torch.randn(shape, generator=generator, dtype=torch.float64) for n, shape in shapes.items()}
    inputs["A"] = -inputs["A"].exp()
    names = ("u", "dt", "A", "B", "C", "D", "dt_bias", "z")
    assert torch.autograd.gradcheck(OPERATIONS.scan, tuple(inputs[name].requires_grad_() for name in names))


@pytest.mark.parametrize("length", [1, 2, 15, 16, 17, 37])
def test_the_scan_at_any_length_and_step(length: int) -> None:
    arguments = {name: t[:, :, :length] if t.dim() == 4 else t for name, t in small_arguments().items()}
    arguments["z"] = arguments["z"][:, :length]
    assert relative(OPERATIONS.scan(**arguments), reference64.scan(**arguments)) < 1e-14


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_the_scan_rounds_once(dtype: torch.dtype) -> None:
    exact_in_full = {"A", "D", "dt_bias"}
    arguments = {name: t.to(torch.float32 if name in exact_in_full else dtype) for name, t in small_arguments().items()}
    truth = reference64.scan(**{name: t.double() for name, t in arguments.items()})
    assert relative(OPERATIONS.scan(**arguments), truth) < 1.1 * relative(truth.to(dtype), truth)


def test_the_scan_has_no_second_derivative_rather_than_a_wrong_one() -> None:
    inputs = {name: t.requires_grad_() for name, t in small_arguments().items()}
    (slope,) = torch.autograd.grad(OPERATIONS.scan(**inputs).sum(), inputs["dt"], create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        slope.sum().backward()


def test_the_scan_leaves_the_thread_count_as_it_was() -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        OPERATIONS.scan(**small_arguments())
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_the_released_size() -> None:
    with torch.device("meta"):
        connector = MambaConnector()
    sizes = {name: p.numel() for name, p in connector.named_parameters()}
    assert sum(sizes.values()) == 28_022_784
    assert sum(size for name, size in sizes.items() if name.startswith("mambaModel_h.")) == 7_043_072
    assert set(connector.state_dict()) == set(reference64.random_weights(16, 8))
    assert len(sizes) == 22


def test_it_starts_as_the_released_model_did() -> None:
    torch.manual_seed(0)
    mixer = MambaConnector(64, 32).mambaModel_h.layer.mixer
    step = torch.nn.functional.softplus(mixer.get_parameter("dt_proj.bias"))
    assert 0.00099 < step.min() < 0.003
    assert 0.03 < step.max() < 0.101
    assert mixer.get_parameter("dt_proj_b.bias").abs().max() <= 4**-0.5  # nn.Linear's default: never initialised
    assert mixer.get_parameter("dt_proj.weight").abs().max() <= 4**-0.5
    assert torch.allclose(mixer.get_parameter("A_b_log").exp(), torch.arange(1.0, 17).expand(128, 16))
    assert torch.equal(mixer.get_parameter("D_b"), torch.ones(128))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_small_parameters_stay_in_full_precision(dtype: torch.dtype) -> None:
    weights = reference64.random_weights(16, 8)
    connector = MambaConnector(16, 8)
    connector.load_state_dict(weights)
    connector.to(dtype)
    kept = {name for name, p in connector.named_parameters() if p.dtype is torch.float32}
    assert kept == FULL_PRECISION
    assert all(torch.equal(p, weights[n].to(p.dtype)) for n, p in connector.named_parameters())
    connector.load_state_dict({name: w.to(dtype) for name, w in weights.items()})
    assert {name for name, p in connector.named_parameters() if p.dtype is torch.float32} == kept
    assert all(p.dtype is torch.float64 for p in connector.double().parameters())


def test_new_weights_are_seen_in_eval() -> None:
    connector = built(reference64.random_weights(16, 8), torch.float64)
    features = torch.randn((1, 1, 16, 16), dtype=torch.float64)
    other = reference64.random_weights(16, 8, seed=5)
    with torch.no_grad():
        before = connector(features)
        connector.load_state_dict(other)
        assert relative(connector(features), reference64.connector(other, features)) < 1e-12
        assert relative(before, connector(features)) > 0.1
        connector.get_parameter(f"{MIXER}A_log").add_(0.5)
        other[f"{MIXER}A_log"] = other[f"{MIXER}A_log"] + 0.5
        assert relative(connector(features), reference64.connector(other, features)) < 1e-12


def test_it_can_be_built_and_run_in_inference_mode() -> None:
    weights = reference64.random_weights(16, 8)
    features = torch.randn((1, 1, 16, 16), dtype=torch.float64)
    with torch.inference_mode():
        connector = built(weights, torch.float64)
        for shift in (0, 1):
            connector.get_parameter(f"{MIXER}D").add_(shift)
            weights[f"{MIXER}D"] = weights[f"{MIXER}D"] + shift
            assert relative(connector(features), reference64.connector(weights, features)) < 1e-12


def test_training_under_autocast() -> None:
    weights = {name: w.requires_grad_() for name, w in reference64.random_weights(32, 16).items()}
    features = torch.randn((2, 1, 64, 32), generator=torch.Generator().manual_seed(4))
    truth = reference64.connector(weights, features.double())
    truth.square().sum().backward()
    connector = built({name: w.detach() for name, w in weights.items()}, torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        found = connector(features)
    found.float().square().sum().backward()
    assert relative(found, truth) < 6.5e-3
    assert {n for n, p in connector.named_parameters() if not relative(p.grad, weights[n].grad) < 0.03} == set()


def test_drop_path_leaves_out_whole_samples_in_training_only() -> None:
    torch.manual_seed(0)
    weights = reference64.random_weights(16, 8)
    connector = built(weights, torch.float64, drop_path=0.5)
    features = torch.randn((1, 1, 16, 16), dtype=torch.float64).expand(64, -1, -1, -1)
    without = {**weights, f"{MIXER}out_proj.weight": torch.zeros_like(weights[f"{MIXER}out_proj.weight"])}
    doubled = {**weights, f"{MIXER}out_proj.weight": 2 * weights[f"{MIXER}out_proj.weight"]}
    with torch.no_grad():
        whole = connector(features)
        found = connector.train()(features)
    assert relative(whole[:1], reference64.connector(weights, features[:1])) < 1e-12
    left_out = [torch.allclose(sample, reference64.connector(without, features[:1])[0]) for sample in found]
    kept = [torch.allclose(sample, reference64.connector(doubled, features[:1])[0]) for sample in found]
    assert all(a != b for a, b in zip(left_out, kept, strict=True))
    assert 16 < sum(kept) < 48


def test_time_positions_are_interpolated_to_other_frame_counts() -> None:
    connector = MambaConnector(16, 8, positional="spatiotemporal", frames=4, patches=16)
    with torch.no_grad():
        connector.pos_t.copy_(torch.arange(4.0)[:, None].expand(4, 16))
        connector.pos_s.zero_()
        times = connector._positions(8)[:, 0, 0]
    assert times.tolist() == [0.0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3.0]


@pytest.mark.parametrize("patches", [6, 36])
def test_a_grid_that_cannot_be_pooled_is_refused(patches: int) -> None:
    with pytest.raises(AdapterError, match=f"{patches} patches"):
        MambaConnector(16, 8, backend="torch")(torch.zeros(1, 1, patches, 16))


def test_unknown_options_are_refused() -> None:
    with pytest.raises(UsageError, match="available: auto, torch, cuda, mamba_ssm"):
        MambaConnector(16, 8, backend="triton")
    with pytest.raises(UsageError, match="positional"):
        MambaConnector(16, 8, positional="temporal")  # type: ignore[arg-type]
