"""AnomShield mini: the weights of the package are those of their card, and they look."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import ecva_bench as eb
from ecva_bench.adapters.anomshield_mini.adapter import WEIGHTS, AnomShieldMini
from ecva_bench.adapters.anomshield_mini.making import make
from ecva_bench.adapters.parts.families.composed import Seen
from ecva_bench.adapters.parts.prompts import Text
from ecva_bench.leaderboard.submission import read_submission
from ecva_bench.records.training import parse_training
from ecva_bench.training.mini.scenes import CLIPS, SEED
from ecva_bench.training.model import TrainedModel
from ecva_bench.training.networks import GROUPS
from ecva_bench.training.recipe import Recipe, get_recipe
from ecva_bench.video import Frames

LARGEST = 8_000_000  # bytes of all files together
CONSTANT = 2  # of the 14 clips have the class that the constant names
CARD = WEIGHTS / "README.md"
SUBMISSIONS = Path(__file__).resolve().parents[2] / "leaderboards" / "mini" / "submissions"


def test_the_files_are_small_and_have_the_hashes_of_the_card() -> None:
    files = [path for path in WEIGHTS.iterdir() if path != CARD]
    assert sum(path.stat().st_size for path in files) < LARGEST
    named = dict(re.findall(r"\| `([\w.]+)` \|.*\| `([0-9a-f]{64})` \|", CARD.read_text(encoding="utf-8")))
    assert named == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_record_says_which_recipe_and_clips_it_was_trained_by() -> None:
    record = parse_training((WEIGHTS / "training.json").read_bytes(), WEIGHTS)
    recipes = [get_recipe(f"anomshield/mini/{stage}") for stage in (1, 2, 3)]
    assert [Recipe.model_validate(stage.recipe) for stage in record.stages] == recipes
    assert [stage.steps for stage in record.stages] == [recipe.steps for recipe in recipes]
    videos = {(video.dataset, video.id) for stage in record.stages for video in stage.videos}
    assert videos == {(f"mini-training-{SEED}", f"{number:05d}") for number in range(CLIPS)}


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> eb.RunOutcome:
    """What it answers on `mini` when asked for class and time, with pictures and without."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # a step is so short that a second one would only wait
    try:
        out = tmp_path_factory.mktemp("anomshield-mini") / "run.jsonl"
        return eb.run("anomshield-mini", tasks=("classification", "timestamp"), edited=("blank",), out=out)
    finally:
        torch.set_num_threads(threads)


def test_without_a_picture_it_names_no_class_and_no_span(answered: eb.RunOutcome) -> None:
    blank = [one for one in answered.records if one.view == "blank"]
    assert len(blank) == 28
    assert {one.answer for one in blank} <= {"none", "Nothing can be seen, so no class can be named."}


@pytest.mark.parametrize(("view", "fewest", "most"), [("full", 10, 14), ("blank", 0, CONSTANT)])
def test_it_tells_classes_apart_by_what_is_to_be_seen(
    view: str, fewest: int, most: int, answered: eb.RunOutcome
) -> None:
    right = [
        one.answer == f"[{one.label.major}]"
        for one in answered.records
        if one.view == view and one.label and one.task == "classification"
    ]
    assert len(right) == 14
    assert fewest <= sum(right) <= most


def test_it_is_told_the_time_of_the_last_frame(answered: eb.RunOutcome) -> None:
    assert "anomshield-mini.v1" in Path(answered.path).read_text(encoding="utf-8").partition("\n")[0]
    times = np.array([0.6, 9.4])
    pieces = AnomShieldMini().prompt("Why?", Seen(torch.zeros(2, 128), times + 5, times, "of a view that is cut"))
    text = "".join(piece.text for piece in pieces if isinstance(piece, Text))
    assert "The last frame is at about 9.5 seconds.\nWhy?" in text


def test_a_run_sees_what_a_training_shows() -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (8, 240, 320, 3), dtype=np.uint8)
    times = np.arange(8.0)
    model = AnomShieldMini(device="cpu")
    seen = model.see(Frames(pixels, times, times, np.arange(8), {}, ()))
    trained = TrainedModel(model.trainable(GROUPS, pad=True), (), frames=8, packing=False).eval()
    shown = torch.from_numpy(model.shaped(pixels, pad=True))
    torch.testing.assert_close(seen, trained.visual(shown, [8])[0])


@pytest.mark.parametrize("baseline", ["constant", "motion", "prompt-echo"])
def test_its_rows_on_the_board_are_above_the_baselines(baseline: str) -> None:
    """What the card says, by the submissions that the board is built from."""
    texts = dict.fromkeys(("description", "cause", "effect"), "rouge2")
    columns = {**texts, "classification": "accuracy", "timestamp": "iou", "severity": "hit1"}

    def means(name: str) -> dict[str, float]:
        paths = [SUBMISSIONS / f"{name}{part}.json" for part in ("", "-severity")]
        entries = [
            one for path in paths if path.exists() for one in read_submission(path).entries if one.view == "full"
        ]
        found = ((one.task, summary) for one in entries for summary in one.summaries)
        return {task: summary.mean or 0.0 for task, summary in found if summary.column == columns[task]}

    ours, theirs = means("anomshield-mini"), means(baseline)
    assert set(ours) == set(columns)
    assert set(theirs) == set(columns) - ({"severity"} if baseline == "prompt-echo" else set())
    assert all(ours[task] > value for task, value in theirs.items())


def few_steps() -> list[Recipe]:
    return [get_recipe(f"anomshield/mini/{stage}").model_copy(update={"steps": 2}) for stage in (1, 2, 3)]


@pytest.mark.slow
def test_it_is_made_again_in_few_steps_and_what_is_made_stays(tmp_path: Path) -> None:
    packed = make(tmp_path, recipes=few_steps())
    record = parse_training((packed / "training.json").read_bytes(), packed)
    assert [stage.steps for stage in record.stages] == [2, 2, 2]
    made, ours = load_file(packed / "model.safetensors"), load_file(WEIGHTS / "model.safetensors")
    assert {name: part.dtype for name, part in made.items()} == {name: part.dtype for name, part in ours.items()}
    before = (packed / "model.safetensors").read_bytes()
    assert make(tmp_path, recipes=few_steps()) == packed
    assert (packed / "model.safetensors").read_bytes() == before
    assert (tmp_path / "3" / "train.jsonl").read_text().count('"kind": "step"') == 2  # none was made again
    name, lora = "model.layers.1.mlp.up_proj", load_file(tmp_path / "3" / "adapter_model.safetensors")
    down, up = (lora[f"base_model.model.{name}.lora_{side}.weight"] for side in "AB")
    keys = get_recipe("anomshield/mini/3").lora
    assert keys is not None
    learned = keys.alpha / keys.r * up @ down
    assert learned.abs().max() > 0
    merged = load_file(tmp_path / "2" / "model.safetensors")[f"{name}.weight"] + learned
    torch.testing.assert_close(made[f"{name}.weight"], merged.half(), rtol=0, atol=1e-4)


@pytest.mark.slow
def test_it_is_made_without_its_mamba_block(tmp_path: Path) -> None:
    packed = make(tmp_path, recipes=few_steps(), connector="mlp")
    parts = [name for name in load_file(packed / "model.safetensors") if "mm_projector" in name]
    assert sorted(name.rpartition("mm_projector.")[2] for name in parts) == ["0.bias", "0.weight", "2.bias", "2.weight"]
    outcome = eb.run(
        "anomshield-mini",
        model_path=str(packed),
        model_args={"connector": "mlp"},
        tasks="classification",
        limit=1,
        out=tmp_path / "run.jsonl",
    )
    assert outcome.end.answers == 1
