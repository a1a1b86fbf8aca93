"""`models check` as it is typed, over every model that has weights, in the layout of its authors."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from ecva_bench import registry
from ecva_bench.answering import Adapter
from ecva_bench.answering.adapter import ADAPTER_GROUP
from tests.adapters.tiny.edit import edit

from .conftest import Command

QUICK = ("anomshield", "timechat", "vila")  # a pickle, shards of safetensors, a LoRA


def _checked(name: str) -> bool:
    target = registry.load(ADAPTER_GROUP, name)
    return inspect.isclass(target) and target.check_checkpoint is not Adapter.check_checkpoint


MODELS = [
    pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow)
    for name in registry.names(ADAPTER_GROUP)
    if _checked(name)
]


def _weight(folder: Path) -> tuple[Path, str, torch.Tensor]:
    """A matrix in the middle of the model's own first file of weights."""
    path = next(p for p in sorted(folder.rglob("*")) if p.suffix in (".safetensors", ".bin", ".pth", ".pt"))
    state = load_file(path) if path.suffix == ".safetensors" else torch.load(path)
    state = state.get("model", state)
    matrices = [name for name, tensor in state.items() if tensor.ndim == 2 and "position" not in name]
    name = matrices[len(matrices) // 2]
    return path, name, state[name]


def _known_by(name: str) -> str:
    """The last word of a tensor's name that keeps its place where the parts of a model are renamed."""
    words = [word for word in name.split(".") if not word.isdecimal()]
    return [word for word in words if word not in ("weight", "default", "lora_A", "lora_B")][-1]


@pytest.mark.parametrize("model", MODELS)
def test_whole_weights_fit_and_a_wrong_width_and_a_missing_weight_are_named(
    model: str, tmp_path: Path, ecva_bench: Command
) -> None:
    options = importlib.import_module(f"tests.adapters.tiny.{model.replace('-', '_')}").build(tmp_path)
    path = options.pop("model_path")
    typed = [word for name, value in options.items() for word in ("--model-arg", f"{name}={value}")]
    check = ("models", "check", model, "--model-path", path, *typed)
    code, shown, complaint = ecva_bench(*check)
    assert (code, shown.splitlines()[-1]) == (0, "the weights fit"), shown + complaint
    file, name, tensor = _weight(Path(path))
    for change in (None, torch.ones(len(tensor) + 1, tensor.shape[1])):
        edit(file, {name: change})
        code, shown, complaint = ecva_bench(*check)
        assert (code, shown.splitlines()[-1]) == (1, "the weights do not fit"), shown + complaint
        faults = [line for line in shown.splitlines() if ": fits: " not in line]
        assert any(_known_by(name) in line for line in faults), (name, shown)
        edit(file, {name: tensor})


def test_every_model_with_a_card_can_be_checked() -> None:
    with_card = {name for name in registry.names(ADAPTER_GROUP) if registry.load(ADAPTER_GROUP, name).card}
    assert with_card <= {str(parameter.values[0]) for parameter in MODELS}
