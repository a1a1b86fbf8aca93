"""What a stage leaves is what answers; a tower that was trained is not replaced; no kind of it is read loosely."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from ecva_bench.adapters.anomshield.adapter import AnomShield
from ecva_bench.errors import CheckpointError
from ecva_bench.training.batches import collate
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


@pytest.fixture
def parts(tmp_path: Path) -> dict[str, str]:
    write_base(tmp_path / "base")
    write_tower(tmp_path / "tower")
    return {"base": str(tmp_path / "base"), "vision_tower": str(tmp_path / "tower"), **PARTS}


def trained(out: Path, parts: dict[str, str], **keys: Any) -> Stage:
    """A stage after two steps, saved."""
    recipe = tiny_recipe(**keys, steps=2)
    stage = make_stage(recipe, pictures(8), AnomShield(**parts), squares_of, out, use_cpu=True)
    stage.train()
    stage.save_model()
    return stage


@pytest.mark.parametrize("kind", STAGES)
def test_what_is_saved_answers_as_what_was_trained(tmp_path: Path, parts: dict[str, str], kind: str) -> None:
    stage = trained(tmp_path / "out", parts, **STAGES[kind])
    expected = loss_of(stage)
    needed = {name: parts[name] for name in ("hard_prompt", "device")}
    if kind != "whole":
        needed["base"] = parts["base"]
    if kind in ("whole", "projector and tower", "lora and tower"):
        (tmp_path / "tower" / "config.json").unlink()  # its sizes and weights are in the folder
    loaded = AnomShield(model_path=str(tmp_path / "out"), **needed)
    assert answering(stage, loaded) == pytest.approx(expected, rel=1e-5)
    assert AnomShield(model_path=str(tmp_path / "out"), **needed).check_checkpoint().passed


@pytest.mark.parametrize("kind", ["projector and tower", "lora and tower", "whole"])
def test_a_trained_tower_is_never_replaced(tmp_path: Path, parts: dict[str, str], kind: str) -> None:
    trained(tmp_path / "out", parts, **STAGES[kind])
    with pytest.raises(CheckpointError, match="holds a vision tower that was trained with it"):
        AnomShield(model_path=str(tmp_path / "out"), **parts).load()


def test_a_stage_begins_with_what_the_one_before_left(tmp_path: Path, parts: dict[str, str]) -> None:
    first = trained(tmp_path / "1", parts, **STAGES["projector and tower"])
    before = loss_of(first)
    given = {name: part for name, part in parts.items() if name != "vision_tower"}
    adapter = AnomShield(model_path=str(tmp_path / "1"), **given)
    second = make_stage(tiny_recipe(**STAGES["lora"]), pictures(8), adapter, squares_of, tmp_path / "2", use_cpu=True)
    assert loss_of(second) == pytest.approx(before, rel=1e-5)


def test_a_checkpoint_with_another_name_in_it_is_not_gone_on_with(tmp_path: Path, parts: dict[str, str]) -> None:
    trained(tmp_path / "out", parts, **STAGES["lora"])
    file = tmp_path / "out" / "checkpoint-2" / "non_lora_trainables.safetensors"
    tensors = load_file(file)
    save_file({**tensors, "base_model.model.model.mm_projector.x": torch.ones(1)}, file)
    recipe = tiny_recipe(**STAGES["lora"], steps=3)
    stage = make_stage(recipe, pictures(8), AnomShield(**parts), squares_of, tmp_path / "out", use_cpu=True)
    with pytest.raises(CheckpointError, match=r"1 unexpected: base_model.model.model.mm_projector.x"):
        stage.train(resume_from_checkpoint=str(tmp_path / "out" / "checkpoint-2"))


def test_pictures_alone_are_answered_with_sixteen_frames(tmp_path: Path, parts: dict[str, str]) -> None:
    for trained_with, answering_with in ((1, 16), (2, 2)):
        out = tmp_path / str(trained_with)
        recipe = tiny_recipe(**STAGES["projector"], frames=trained_with)
        make_stage(recipe, pictures(2), AnomShield(**parts), squares_of, out, use_cpu=True).save_model()
        assert json.loads((out / "config.json").read_text())["num_frames"] == trained_with
        assert AnomShield(model_path=str(out), **parts).frame_rule()["count"] == answering_with
