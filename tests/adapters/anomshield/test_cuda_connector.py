"""The whole connector on our kernels, run on the CPU from their unchanged sources: the released model once more."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from ecva_bench.adapters.anomshield import cuda
from ecva_bench.adapters.anomshield.backends import select
from ecva_bench.adapters.anomshield.connector import MambaConnector
from ecva_bench.adapters.anomshield.cuda import loader
from ecva_bench.errors import AdapterError

from . import reference64
from .emulator import EmulatedLauncher
from .reference64 import relative

CPU = torch.device("cpu")


pytestmark = pytest.mark.usefixtures("emulated")


def connector(weights: dict[str, Tensor], dtype: torch.dtype = torch.float32) -> MambaConnector:
    hidden, channels = weights["readout.0.weight"].shape
    built = MambaConnector(channels, hidden, backend="cuda").to(dtype).eval()
    built.load_state_dict(weights)
    return built


def gradients(built: MambaConnector, features: Tensor, loss_weight: Tensor) -> dict[str, Tensor]:
    features = features.detach().clone().requires_grad_()
    output = built(features)
    (output * loss_weight).sum().backward()
    return {"output": output, "input": features.grad} | {name: p.grad for name, p in built.named_parameters()}


@pytest.mark.parametrize("case", ["a_f1_hw4_d32", "c_f16_hw8_d96"])
def test_output_and_every_gradient_are_the_released_model_s(shared_golden: Path, case: str) -> None:
    from safetensors.torch import load_file

    folder = shared_golden / "anomshield_connector" / case
    weights, io = load_file(folder / "weights.safetensors"), load_file(folder / "io.safetensors")
    found = gradients(connector(weights), io["input"].float(), io["loss_weight"].float())
    truth = {name.removeprefix("grad."): tensor for name, tensor in io.items() if name.startswith(("grad.", "output"))}
    assert set(found) == set(truth)
    assert {name: e for name, tensor in found.items() if not (e := relative(tensor, truth[name])) < 2e-6} == {}


# batch, frames, side, channels: odd frames and three samples; channels that fill no warp; many frames; one frame
@pytest.mark.parametrize("configuration", [(3, 5, 4, 24), (1, 3, 8, 20), (1, 64, 4, 8), (2, 1, 12, 40)], ids=str)
def test_output_and_every_gradient_are_the_plain_formulas(configuration: tuple[int, int, int, int]) -> None:
    weights, features, loss_weight, truth = reference64.problem(*configuration)
    found = gradients(connector(weights), features, loss_weight)
    assert set(found) == set(truth)
    assert {name: e for name, tensor in found.items() if not (e := relative(tensor, truth[name])) < 2e-6} == {}


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float16, 8.5e-4), (torch.bfloat16, 6.5e-3)])
def test_half_types_keep_to_the_rounding_of_the_released_model(dtype: torch.dtype, tolerance: float) -> None:
    weights = {name: w.to(dtype).double() for name, w in reference64.random_weights(32, 24).items()}
    features = torch.randn((2, 2, 64, 32), generator=torch.Generator().manual_seed(2)).to(dtype)
    with torch.no_grad():
        found = connector(weights, dtype)(features)
    assert found.dtype is dtype
    assert relative(found, reference64.connector(weights, features.double())) < tolerance


def test_gradients_repeat_bit_for_bit_whatever_the_schedule() -> None:
    weights = reference64.random_weights(24, 16)
    features, loss_weight = torch.randn(2, 3, 16, 24), torch.randn(2, 3, 16)

    def run(seed: int) -> dict[str, Tensor]:
        loader.install("cpu", EmulatedLauncher(seed))
        return gradients(connector(weights), features, loss_weight)

    first, second = run(1), run(2)
    assert [name for name in first if not torch.equal(first[name], second[name])] == []


@pytest.mark.filterwarnings("error:.*lru_cache")
def test_torch_compile_takes_the_kernels_for_operators_of_their_own() -> None:
    built, features = connector(reference64.random_weights(16, 8)), torch.randn(1, 2, 16, 16)
    built.backend = "auto"
    compiled = torch.compile(built, fullgraph=True, backend="aot_eager")
    loss_weight = torch.randn(1, 2, 8)
    plain = gradients(built, features, loss_weight)
    built.zero_grad()
    found = gradients(compiled, features, loss_weight)
    assert all(torch.equal(tensor, plain[name.removeprefix("_orig_mod.")]) for name, tensor in found.items())


def test_the_trial_run_tells_right_from_wrong() -> None:
    assert cuda.trial(CPU) < 1e-3
    launcher = EmulatedLauncher()

    def forgetful(source: str, *rest: object, **options: object) -> None:
        if source != "pool.cu":
            launcher.launch(source, *rest, **options)  # type: ignore[arg-type]

    stand_in = type("Forgetful", (), {"launch": staticmethod(forgetful)})()
    loader.install("cpu", stand_in)
    assert not cuda.trial(CPU) < 0.01  # NaN: what was not written


def test_the_kernels_are_chosen_where_they_can_run() -> None:
    assert select("auto", CPU).name == select("cuda", CPU).name == "cuda"
    loader.install("cpu", None)
    assert cuda.unusable(CPU) == "CUDA kernels run on NVIDIA GPUs only: device cpu"
    assert select("auto", CPU).name == "torch"
    with pytest.raises(AdapterError, match="NVIDIA GPUs only"):
        select("cuda", CPU)


def test_a_gpu_whose_trial_run_is_off_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = torch.device("cuda", 7)
    monkeypatch.setattr(cuda, "current_launcher", lambda device: None)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "a GPU")
    for error, reason in ((0.0005, None), (0.5, "a trial run on a GPU is off by 50.0%"), (float("nan"), "off by nan%")):
        cuda._trial.cache_clear()
        monkeypatch.setattr(cuda, "trial", lambda device, error=error: error)
        found = cuda.unusable(gpu)
        assert found is None if reason is None else reason in str(found)
    cuda._trial.cache_clear()
