"""Ids, labels, losses, gradients, steps and whole runs are those of the released training code."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import torch

import ecva_bench as eb
from ecva_bench.adapters.anomshield.adapter import AnomShield
from ecva_bench.adapters.parts.language.tokens import SentencePieces
from ecva_bench.checkpoints.tensors import open_weights
from ecva_bench.training.batches import collate
from ecva_bench.training.saving import save
from ecva_bench.training.stage import Stage, arguments, groups_of
from ecva_bench.training.words import Words

from .golden import Golden, apart, original_name

STAGES = ("stage_1", "stage_2", "stage_3", "stage_paper")
OURS = {"plain-special", "chat-special-in-question"}  # words that spell special tokens are words
LOST = "chat-inst-in-answer"  # the release does not find its answer again, and drops its labels


@pytest.fixture(scope="module")
def golden(shared_golden: Path) -> Golden:
    return Golden(shared_golden / "training" / "a")


@pytest.fixture(scope="module")
def opened(golden: Golden, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Gives the stage of a golden batch, and the batch."""

    @cache
    def stage(name: str) -> tuple[Stage, dict[str, Any]]:
        number = 3 if name == "stage_paper" else int(name[-1])
        rates = {"rates": {"connector": 1e-5, "language": 2e-5, "tower": 4e-6}} if name == "stage_paper" else {}
        recipe = golden.recipe(number, **rates)
        found = golden.stage(recipe, golden.meta[name]["samples"], tmp_path_factory.mktemp(name))
        found.trained.train()
        return found, collate([found.samples[place] for place in range(len(found.samples))])

    return stage


@pytest.mark.parametrize("vocabulary", ["tiny", "Mistral's"])
def test_ids_and_labels_are_those_of_the_release(golden: Golden, vocabulary: str) -> None:
    folder = golden.folder / "mistral" if vocabulary == "tiny" else golden.folder.parent
    file = "tokens.json" if vocabulary == "tiny" else "tokens_mistral_vocabulary.json"
    pieces = SentencePieces(folder)
    for form, expected in json.loads((golden.folder / file).read_text()).items():
        words = Words("plain" if form == "plain" else AnomShield.template.text, pieces)
        for sample in expected:
            found = words(golden.samples[sample["id"]])
            assert (list(found.ids) == sample["input_ids"]) is (sample["id"] not in OURS), sample["id"]
            if sample["id"] not in {*OURS, LOST}:
                assert list(found.labels) == sample["labels"], sample["id"]
            assert found.supervised > 1


def test_frames_are_those_of_the_release(golden: Golden) -> None:
    for name, indices in golden.meta["frame_ids"].items():
        file, count = name.split("/")
        video = eb.Video(golden.folder / "media" / file)
        assert eb.samplers.midpoints(video.n_frames, int(count), rounded="bounds").tolist() == indices


@pytest.mark.parametrize("name", ["stage_1", "stage_3"])
def test_batches_are_those_of_the_release(golden: Golden, opened: Any, name: str) -> None:
    expected, (stage, batch) = golden.tensors(name), opened(name)
    assert torch.equal(batch["input_ids"], expected["input_ids"])
    assert torch.equal(batch["labels"], expected["labels"])
    assert [int(row.sum()) for row in expected["attention_mask"]] == batch["lengths"]
    of_samples = iter(batch["pixels"].split(batch["counts"]))
    for place, visual in enumerate(batch["places"]):
        if visual is not None:
            pixels = stage.trained.tower.normalised(next(of_samples))
            assert float((pixels - expected[f"pixels.{place}"]).abs().max()) < 1e-6
    mask = expected["attention_mask_expanded"].bool()
    rows = stage.trained.rows(**batch)
    assert [len(row.labels) for row in rows] == mask.sum(1).tolist()
    assert apart(torch.cat([row.embedded for row in rows]), expected["inputs_embeds"][mask]) < 2e-6
    assert torch.equal(torch.cat([row.labels for row in rows]), expected["labels_expanded"][mask])


@pytest.mark.parametrize("packing", [False, True], ids=["padded", "packed"])
@pytest.mark.parametrize("name", STAGES)
def test_losses_gradients_and_steps_are_those_of_the_release(
    golden: Golden, opened: Any, name: str, packing: bool
) -> None:
    expected, told, (stage, batch) = golden.tensors(name), golden.meta[name], opened(name)
    model = stage.trained
    model.packing = packing
    loss = model(**batch)["loss"]
    assert loss.item() == pytest.approx(told["loss"], rel=2e-6)
    model.zero_grad()
    loss.backward()
    parameters = {original_name(key): value for key, value in model.named_parameters()}
    compared = [key for key in expected if key.startswith("grad.") and "k_proj.bias" not in key]
    assert compared
    assert {key: apart(parameters[key[5:]].grad, expected[key]) for key in compared} == {
        key: pytest.approx(0, abs=1e-5) for key in compared
    }
    _check_groups(groups_of(model, stage.recipe), told)
    before = {key: value.detach().clone() for key, value in parameters.items()}
    torch.optim.AdamW(groups_of(model, stage.recipe)).step()
    unread = {key for group in told["groups"] for key in group["without_gradient"]}
    for key in (key[6:] for key in expected if key.startswith("after.") and "k_proj.bias" not in key):
        if key in unread:
            assert torch.equal(parameters[key], expected[f"after.{key}"])
            continue
        ours, theirs = parameters[key].detach() - before[key], expected[f"after.{key}"] - before[key]
        assert apart(ours, theirs) < 2e-3, key
        assert float(ours.norm()) == pytest.approx(told["step_norms"][key], rel=1e-4), key
    with torch.no_grad():
        for key, value in before.items():
            parameters[key].copy_(value)


def _check_groups(groups: list[dict[str, Any]], told: dict[str, Any]) -> None:
    """Rates and norms of gradients by group; the release parts each in two, for decay, which is 0."""
    theirs: dict[str, list[float]] = {}
    for group in (group for group in told["groups"] if group["tensors"]):
        name = "connector" if "mm_projector" in group["names"][0] else "language"
        name = "tower" if "vision_tower" in group["names"][0] else name
        theirs.setdefault(name, [group["lr"], 0.0])[1] += group["grad_norm"] ** 2
    assert {group["name"] for group in groups} == theirs.keys()
    for group in groups:
        norm = torch.cat([each.grad.flatten() for each in group["params"] if each.grad is not None]).norm()
        rate, squared = theirs[group["name"]]
        assert group["lr"] == pytest.approx(rate)
        assert float(norm) == pytest.approx(squared**0.5, rel=2e-6)


def test_a_sample_whose_mamba_branch_is_left_out_is_that_of_the_release(golden: Golden, opened: Any) -> None:
    stage, batch = opened("stage_1")
    stage.trained.connector.drop_path = 0.1
    drawn = torch.tensor([0.5, 0.05, 0.5])[:, None, None]
    with patch("torch.rand", return_value=drawn):
        loss = stage.trained(**batch)["loss"]
    stage.trained.connector.drop_path = 0.0
    assert loss.item() == pytest.approx(golden.meta["stage_1"]["loss_second_sample_dropped"], rel=2e-6)


def test_what_is_too_long_is_cut_where_the_release_cuts_it(golden: Golden, tmp_path: Path, opened: Any) -> None:
    told = golden.meta["truncated"]
    recipe = golden.recipe(3, max_length=told["model_max_length"])
    stage = golden.stage(recipe, told["samples"], tmp_path)
    batch = collate([stage.samples[0], stage.samples[1]])
    assert batch["input_ids"].tolist() == told["input_ids"]
    assert batch["labels"].tolist() == told["labels"]
    rows = stage.trained.rows(**batch)
    assert max(len(row.labels) for row in rows) == told["length_expanded"]
    for row, labels in zip(rows, told["labels_expanded"], strict=True):
        assert row.labels.tolist() == labels[: len(row.labels)]
    before = golden.meta["truncated_before_placeholder"]
    with pytest.raises(eb.EcvaError, match="2 cut off before its answer"):
        golden.stage(golden.recipe(3, max_length=before["model_max_length"]), before["samples"], tmp_path / "before")


@pytest.mark.parametrize("variant", ["released", pytest.param("other_rates", marks=pytest.mark.slow), "token_mean"])
@pytest.mark.parametrize("number", [1, 3])
def test_runs_of_the_trainer_are_those_of_the_release(
    golden: Golden, tmp_path: Path, number: int, variant: str
) -> None:
    name = f"run_stage_{number}_{variant}"
    told, expected = golden.meta[name], golden.tensors(name)
    rates = {"connector": told["mm_projector_lr"], **({"language": told["learning_rate"]} if number == 3 else {})}
    recipe = golden.recipe(number, rates=rates, mean="tokens" if variant == "token_mean" else "micro-batches")
    stage = golden.stage(recipe, told["samples"], tmp_path)
    parameters = {original_name(key): each for key, each in stage.trained.named_parameters() if each.requires_grad}
    before = {key: each.detach().clone() for key, each in parameters.items()}
    losses: list[float] = []
    with patch.object(stage.accelerator, "backward", _noting(stage.accelerator.backward, losses)):
        stage.train()
    theirs = [loss / told["accumulation"] for loss in told["micro_losses"]]  # the Trainer has divided ours already
    assert losses == pytest.approx(theirs, rel=2e-6)
    assert set(parameters) == set(expected)
    ours = torch.cat([(parameters[key].detach() - before[key]).flatten() for key in expected])
    moved = torch.cat([(tensor - before[key]).flatten() for key, tensor in expected.items()])
    assert apart(ours, moved) < 5e-4
    if variant == "released":
        _check_saved(golden, stage, number, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("number", [1, 3])
def test_in_half_precision_a_run_goes_nearly_the_same_way(golden: Golden, tmp_path: Path, number: int) -> None:
    name = f"run_stage_{number}_other_rates"
    told, expected = golden.meta[name], golden.tensors(name)
    rates = {"connector": told["mm_projector_lr"], **({"language": told["learning_rate"]} if number == 3 else {})}
    recipe = golden.recipe(number, rates=rates, mean="micro-batches", precision="bf16")
    stage = golden.stage(recipe, told["samples"], tmp_path, dtype="bfloat16")
    parameters = {original_name(key): each for key, each in stage.trained.named_parameters() if each.requires_grad}
    assert {each.dtype for each in parameters.values()} == {torch.float32}
    assert {each.dtype for each in stage.trained.tower.parameters()} == {torch.bfloat16}
    before = {key: each.detach().clone() for key, each in parameters.items()}
    losses: list[float] = []
    with patch.object(stage.accelerator, "backward", _noting(stage.accelerator.backward, losses)):
        stage.train()
    assert losses == pytest.approx([loss / told["accumulation"] for loss in told["micro_losses"]], rel=1e-3)
    ours = torch.cat([(parameters[key].detach() - before[key]).flatten() for key in expected])
    moved = torch.cat([(tensor - before[key]).flatten() for key, tensor in expected.items()])
    assert apart(ours, moved) < 0.08


def _noting(backward: Any, losses: list[float]) -> Any:
    def noted(loss: torch.Tensor, **named: Any) -> None:
        losses.append(loss.item())
        backward(loss, **named)

    return noted


def _check_saved(golden: Golden, stage: Stage, number: int, folder: Path) -> None:
    """The files hold the release's names and numbers, and config.json its settings."""
    save(stage.trained, stage.networks, stage.recipe, folder / "saved")
    theirs = golden.folder / f"saved_stage_{number}"
    for file, names in golden.meta[f"saved_stage_{number}"].items():
        ours = open_weights(folder / "saved" / file.replace(".bin", ".safetensors"))
        given = open_weights(theirs / file)
        assert sorted(ours) == sorted(names)
        assert {name: apart(ours[name], given[name]) for name in names} == {
            name: pytest.approx(0, abs=1e-4) for name in names
        }
    ours, given = (json.loads((each / "config.json").read_text()) for each in (folder / "saved", theirs))
    same = {"_name_or_path", "transformers_version", "mm_vision_tower"}
    assert {key: ours.get(key) for key in given if key not in same} == {
        key: value for key, value in given.items() if key not in same
    }


def test_rates_rise_and_fall_as_in_the_release(golden: Golden, tmp_path: Path) -> None:
    from transformers import get_scheduler

    for steps, told in golden.meta["schedule"].items():
        settings = arguments(golden.recipe(1, steps=int(steps)), tmp_path, use_cpu=True)
        warmup = settings.get_warmup_steps(int(steps))
        assert warmup == told["warmup_steps"]
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
        factor = get_scheduler(settings.lr_scheduler_type, optimizer, warmup, int(steps)).lr_lambdas[0]
        assert [factor(int(step)) for step in told["factor"]] == pytest.approx([*told["factor"].values()], abs=1e-9)
