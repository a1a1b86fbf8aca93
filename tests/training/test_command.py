"""`ecva-bench train` on a tiny model: planned, trained, gone on with, refused, and its record read by `run`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from ecva_bench.adapters.anomshield_mini.adapter import WEIGHTS
from ecva_bench.data import load_dataset
from ecva_bench.records.base import sha256_of_file
from ecva_bench.training import recipe
from ecva_bench.training.mini.scenes import CLIPS, SEED
from tests.cli.conftest import Command, ecva_bench  # noqa: F401  a fixture

from .smoke import write_parts

RECIPE = """
name = "tiny"
model = "anomshield"
stage = 1
template = "plain"
frames = 1
shaping = "crop"
steps = 3
batch = 4
micro_batch = 2
precision = "float32"
save_steps = 2
[rates]
connector = 1e-2
"""
PARTS = [
    part for one in ("base=base", "vision-tower=tower", "device=cpu", "hard_prompt=no") for part in ("--model-arg", one)
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("train")
    write_parts(folder, load_dataset("mini"))
    (folder / "tiny.toml").write_text(RECIPE)
    (folder / "other.toml").write_text(RECIPE.replace("1e-2", "2e-2"))
    return folder


def told(command: Command, *arguments: object, code: int = 0) -> str:
    found, out, err = command(*arguments)
    assert found == code, err
    return out + err


def record(folder: str) -> Any:
    return json.loads((Path(folder) / "training.json").read_text())


def test_a_stage_is_planned_trained_gone_on_with_and_known_to_run(
    ecva_bench: Command,  # noqa: F811
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(place)
    mini = load_dataset("mini")
    mini.ensure_videos(only={"mini01", "mini02"})
    (place / "media").mkdir()
    for number in (1, 2):
        (place / f"media/{number}.mp4").write_bytes(mini.media_path(mini.annotations[number - 1]).read_bytes())
    entries = [{"video_id": "1", "q": f"What is it, {n}?", "a": f"A car, {n}."} for n in range(5)]
    Path("chat.json").write_text(json.dumps([*entries, {"video_id": "3", "q": "What?", "a": "A bus."}]))
    data = ("tiny.toml", "--data", "chat.json", "--media", "media", *PARTS)

    plan = told(ecva_bench, "train", *data, "--plan")
    assert "samples: 5 to train, 1 that cannot be used" in plan
    assert "1 x missing file: 3" in plan
    assert "steps: 3 of 4 samples" in plan
    assert "estimated" not in plan  # the vocabulary is there

    refusal = told(ecva_bench, "train", *data, "--out", "one", code=2)
    assert "1 of 6 samples cannot be used (1 missing file), more than 0.1" in " ".join(refusal.split())
    assert {path.name for path in Path("one").iterdir()} == {"read.jsonl"}  # what was read is not read again
    Path("one/.training.json.12ab34cd").touch()  # a kill came while the record was written

    said = told(ecva_bench, "train", *data, "--out", "one", "--max-bad", "20%")
    assert "one: 3 steps on 5 samples" in said
    assert json.loads(Path("one/skipped.jsonl").read_text()) == {"id": "chat/6", "file": "3", "reason": "missing file"}
    (stage,) = record("one")["stages"]
    clip = place / "media/1.mp4"
    assert stage["videos"] == [{"id": "1", "sha256": sha256_of_file(clip), "bytes": clip.stat().st_size}]
    assert (stage["steps"], len(stage["samples"])) == (3, 5)
    assert stage["data"][0]["sha256"] == sha256_of_file(Path("chat.json"))
    assert record("one/checkpoint-2")["stages"] == [{**stage, "steps": 2}]
    weights = sha256_of_file(Path("one/mm_projector.safetensors"))

    known = Path("one/training.json").read_bytes()
    told(ecva_bench, "train", *data, "--out", "one", "--max-bad", "20%")  # finished: no step more
    assert sha256_of_file(Path("one/mm_projector.safetensors")) == weights
    assert (
        Path("one/training.json").read_bytes() == known
    )  # or runs and stages that start from it were of other weights
    other = told(ecva_bench, "train", "other.toml", *data[1:], "--out", "one", "--max-bad", "20%", code=2)
    assert "holds a training by another recipe (anomshield/tiny/1)" in other
    Path("chat.json").write_text(json.dumps([*entries[::-1], {"video_id": "3", "q": "What?", "a": "A bus."}]))
    other = told(ecva_bench, "train", *data, "--out", "one", "--max-bad", "20%", code=2)
    assert "in another order" in other  # would go on to other weights
    Path("chat.json").write_text(json.dumps(entries[:4]))
    assert "on other samples" in told(ecva_bench, "train", *data, "--out", "one", code=2)

    run = ("run", "--model", "anomshield", "--model-path", "one", *PARTS, "--model-arg", "max_new_tokens=1")
    said = told(ecva_bench, *run, "--task", "cause", "--limit", 2, "--out", "a.jsonl", code=3)
    assert "trained on the videos of 1 of 2 questions" in said  # the clip of mini01 under another name
    assert re.findall(r'"id":"(\w+)/cause"[^\n]*"trained_on":true', Path("a.jsonl").read_text()) == ["mini01"]


def test_a_later_stage_and_a_wrong_folder_are_refused(
    ecva_bench: Command,  # noqa: F811
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(place)
    said = told(ecva_bench, "train", "anomshield/paper/3", "--data", "mini", code=2)
    assert "name the folder of stage 2 with --from" in said
    assert "no such folder of a stage" in told(ecva_bench, "train", "tiny.toml", "--from", "nowhere", code=2)
    assert "something else than a training" in told(
        ecva_bench, "train", "tiny.toml", "--data", "mini", *PARTS, "--out", "base", code=2
    )
    assert "--max-bad" in told(ecva_bench, "train", "tiny.toml", "--data", "mini", "--max-bad", "3", code=2)
    assert "--data" in told(ecva_bench, "train", "tiny.toml", code=2)


def test_without_the_model_a_plan_is_estimated_and_names_sources_and_licences(
    ecva_bench: Command,  # noqa: F811
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(place)
    monkeypatch.setenv("HF_HUB_CACHE", str(place / "hub"))
    plan = told(ecva_bench, "train", "anomshield/paper/1", "--data", "mini", "--plan")
    for text in ("estimated, by Mistral 7B's sizes", "llava-cc3m", "licence:", "rates.connector: this project", "H200"):
        assert text in plan


def small(stage: int, steps: int = 1) -> str:
    """The recipe `mini` of a stage with fewer steps on fewer samples, as a file."""
    text = (Path(recipe.__file__).parent / f"recipes/anomshield/mini/{stage}.toml").read_text()
    for key, value in (("steps", steps), ("batch", 2), ("micro_batch", 2)):
        text = re.sub(rf"^{key} = .*$", f"{key} = {value}", text, flags=re.MULTILINE)
    Path(f"mini-{stage}.toml").write_text(text)
    return f"mini-{stage}.toml"


def test_the_small_one_is_trained_on_drawn_scenes_without_any_file(
    ecva_bench: Command,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    plan = told(ecva_bench, "train", "anomshield/mini/1", "--plan")
    assert "steps: 225 of 16 samples" in plan
    assert "estimated" not in plan  # Mistral's 14 GB of weights would be
    assert float(re.findall(r"modelled: ([\d.]+) MB of weights and optimizer", plan)[0]) < 20
    said = told(ecva_bench, "train", "anomshield/mini/2", "--out", "two", code=2)
    assert "name the folder of stage 1 with --from" in said

    Path("one/start/base").mkdir(parents=True)  # a kill came before the record was written
    told(ecva_bench, "train", small(1), "--out", "one", "--cache", "kept")
    assert [*Path("kept").rglob("*.npy")]
    (first,) = record("one")["stages"]
    assert (len(first["samples"]), len(first["videos"])) == (CLIPS, CLIPS)
    assert first["videos"][0] == {"dataset": f"mini-training-{SEED}", "id": "00000"}
    assert Path("one/tokenizer.model").read_bytes() == (WEIGHTS / "tokenizer.model").read_bytes()

    Path("one/training.json").unlink()
    said = told(ecva_bench, "train", small(3), "--from", "one", "--out", "three")
    run = "run --model anomshield-mini --model-path three --model-arg base=one"  # whose language model the LoRA is in
    assert run in said
    answers = told(
        ecva_bench, *run.split(), "--task", "classification", "--limit", "1", code=3
    )  # it has learned nothing
    assert "1 answer (0 were there)" in answers
    assert "one has no training.json: what its weights have seen is not known" in said
    assert any(name.endswith("mm_projector.pos_t") for name in load_file("three/non_lora_trainables.safetensors"))
    (third,) = record("three")["stages"]
    assert third["started_from"].startswith("one@")
    assert third["earlier_unknown"]
