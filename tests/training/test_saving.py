"""What a stage leaves is what answers; a tower that was trained is not replaced; no kind of it is read loosely."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from ecva_bench.adapters.anomshield.adapter import AnomShield
from ecva_bench.errors import CheckpointError
from ecva_bench.training.batches import collate
from ecva_bench.training.saving import read_back
from ecva_bench.training.stage import Stage
from ecva_bench.training.training import make_stage
from tests.adapters.tiny_llava import write_base, write_tower

from .test_going_on import PARTS, pictures, squares_of, tiny_recipe

LORA = {"r": 2, "alpha": 4, "targets": ["q_proj", "down_proj"]}
STAGES: dict[str, dict[str, Any]] = {
    "projector": {"lora": None, "rates": {"connector": 1e-2}},
    "projector and tower": {"lora": None, "rates": {"connector": 1e-2, "tower": 1e-3}},
    "lora": {"lora": LORA, "rates": {"connector": 1e-2, "language": 1e-2}},
    "lora and tower": {"lora": LORA, "rates": {"connector": 1e-2, "language": 1e-2, "tower": 1e-3}},
    "whole": {"lora": None, "rates": {"connector": 1e-2, "language": 1e-2, "tower": 1e-3}},
}
SLOW = {"projector", "projector and tower", "lora"}  # they differ from the others by what these have, too
KINDS = [pytest.param(kind, marks=[pytest.mark.slow] if kind in SLOW else []) for kind in STAGES]


def answering(stage: Stage, adapter: AnomShield) -> float:
    """The loss of a batch by the networks that an adapter answers with."""
    networks = adapter.networks
    model = stage.trained
    model.tower, model.connector, model.language = networks.tower, networks.connector, networks.language
    return loss_of(stage)


@torch.no_grad()
def loss_of(stage: Stage) -> float:
    """The loss of a batch, without what draws numbers in training."""
    loss: float = stage.trained.eval()(**collate([stage.samples[0], stage.samples[1]]))["loss"].item()
    return loss


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("parts")
    write_base(folder / "base")
    write_tower(folder / "tower")
    return {"base": str(folder / "base"), "vision_tower": str(folder / "tower"), **PARTS}


def begun(out: Path, parts: dict[str, str], **keys: Any) -> Stage:
    """A stage of two steps."""
    return make_stage(tiny_recipe(**keys), pictures(4), AnomShield(**parts), squares_of, out)


@pytest.fixture(scope="module")
def trained(parts: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Stage, float]]:
    """Gives a stage of a kind after two steps, saved in its `out`, and the loss of the model that was trained."""

    @cache
    def stage(kind: str) -> tuple[Stage, float]:
        found = begun(tmp_path_factory.mktemp("out"), parts, **STAGES[kind], steps=2)
        found.train()
        found.save_model()
        return found, loss_of(found)

    return stage


def own_options(kind: str, parts: dict[str, str]) -> dict[str, str]:
    """The options without which a folder cannot be read."""
    unneeded = {"lora": [], "projector": [], "whole": ["base", "vision_tower"]}.get(kind, ["vision_tower"])
    return {name: part for name, part in parts.items() if name not in unneeded}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_saved_answers_as_what_was_trained(
    trained: Callable[[str], tuple[Stage, float]], parts: dict[str, str], kind: str
) -> None:
    stage, expected = trained(kind)
    options = {**own_options(kind, parts), "model_path": str(stage.out)}
    assert answering(stage, AnomShield(**options)) == pytest.approx(expected, rel=1e-5)
    assert AnomShield(**options).check_checkpoint().passed


def test_sizes_of_a_trained_tower_lie_beside_it(trained: Callable[[str], tuple[Stage, float]]) -> None:
    settings = json.loads((trained("whole")[0].out / "config.json").read_text())
    assert settings["mm_vision_tower"] == "tower"  # no folder of the machine it was trained on
    assert settings["vision_config"]["patch_size"] == 7


@pytest.mark.parametrize("kind", ["lora and tower", "whole"])
def test_a_trained_tower_is_never_replaced(
    trained: Callable[[str], tuple[Stage, float]], parts: dict[str, str], kind: str
) -> None:
    with pytest.raises(CheckpointError, match="holds a vision tower that was trained with it"):
        AnomShield(model_path=str(trained(kind)[0].out), **parts).load()


def test_a_stage_begins_with_what_the_one_before_left(
    trained: Callable[[str], tuple[Stage, float]], parts: dict[str, str], tmp_path: Path
) -> None:
    first, before = trained("whole")
    options = {**own_options("whole", parts), "model_path": str(first.out)}
    second = begun(tmp_path, options, **STAGES["lora"])
    assert loss_of(second) == pytest.approx(before, rel=1e-5)


def test_a_checkpoint_with_another_name_in_it_is_not_gone_on_with(
    trained: Callable[[str], tuple[Stage, float]], tmp_path: Path
) -> None:
    stage, _ = trained("lora and tower")
    file = "non_lora_trainables.safetensors"
    shutil.copytree(stage.out, tmp_path / "copy")
    tensors = load_file(stage.out / file)
    save_file({**tensors, "base_model.model.model.mm_projector.x": torch.ones(1)}, tmp_path / "copy" / file)
    with pytest.raises(CheckpointError, match=r"1 unexpected: base_model.model.model.mm_projector.x"):
        read_back(stage.trained, stage.networks, stage.recipe, tmp_path / "copy")


@pytest.mark.parametrize(("with_frames", "answering_with"), [(1, 16), (2, 2)])
def test_pictures_alone_are_answered_with_sixteen_frames(
    parts: dict[str, str], tmp_path: Path, with_frames: int, answering_with: int
) -> None:
    begun(tmp_path, parts, **STAGES["projector"], frames=with_frames).save_model()
    assert json.loads((tmp_path / "config.json").read_text())["num_frames"] == with_frames
    assert AnomShield(**{**parts, "model_path": str(tmp_path)}).frame_rule()["count"] == answering_with
