"""Every described data set is checked, run, scored and ranked; its videos are stand-ins and its rows are made up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ecva_bench.data import load_dataset
from tests.clips import write_clip
from tests.data.field_shapes import SHAPES

from .conftest import Command

# The tasks that a set is asked, besides which there are none.
TASKS = {
    "vau-bench": {"description", "cause", "classification", "timestamp", "detection", "choice"},
    "hivau-70k": {"description", "cause", "detection"},
    "hivau-70k raw": {"description", "cause", "classification", "timestamp", "detection"},
    "uca": {"grounding"},
    "dota": {"classification", "timestamp"},
    "smarthome-bench": {"description", "cause", "detection"},
    "sutd-trafficqa": {"choice"},
    "tar": {"choice"},
    "ucf-crime": {"classification", "timestamp", "detection"},
    "ucf-crime by VERA": {"classification", "timestamp", "detection"},
    "xd-violence": {"classification", "timestamp"},
    "xd-violence by VERA": {"classification", "timestamp", "detection"},
}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4")


@pytest.mark.parametrize("shape", SHAPES)
def test_a_set_is_run_scored_and_ranked(
    shape: str, clip: Path, ecva_bench: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name, write = SHAPES[shape]
    source = f"{name}:{write(tmp_path)}"
    for annotation in load_dataset(source).annotations:
        video = tmp_path / "videos" / annotation.media
        video.parent.mkdir(parents=True, exist_ok=True)
        video.symlink_to(clip)
    code, out, _ = ecva_bench("data", "check", source)
    assert code in (0, 1)
    assert out.startswith(f"{name}: ")
    code, out, err = ecva_bench(
        "run", "--model", "constant", "--data", source, "--videos", "videos", "--out", "a.jsonl"
    )
    assert code == 0, err
    assert " 0 errors, 0 missing" in out + err
    code, out, err = ecva_bench("score", "a.jsonl")
    assert code == 0, err
    records = [json.loads(line) for line in (tmp_path / "a.scores.jsonl").read_text().splitlines()]
    assert {record["task"] for record in records if record["type"] == "score"} == TASKS[shape]
    code, out, err = ecva_bench("leaderboard", "a.jsonl", "--task", min(TASKS[shape]))
    assert code == 0, err
    assert "constant" in out


def test_a_class_is_asked_for_and_read_among_those_of_its_own_set(
    clip: Path, ecva_bench: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = f"vau-bench:{SHAPES['vau-bench'][1](tmp_path)}"
    for annotation in load_dataset(source).annotations:
        video = tmp_path / "videos" / annotation.media
        video.parent.mkdir(parents=True, exist_ok=True)
        video.symlink_to(clip)
    (tmp_path / "fire.py").write_text(
        "def named(video, question):\n    assert '18. Traffic_accident' in str(question)\n    return 'Fire'\n"
    )
    for model in ("oracle", "fire.py:named"):
        out = f"{model[:4]}.jsonl"
        asked = ("--data", source, "--videos", "videos", "--task", "classification", "--out", out)
        code, _, err = ecva_bench("run", "--model", model, *asked)
        assert code == 0, err
        assert ecva_bench("score", out)[0] == 0
    right = {}
    for name in ("orac", "fire"):
        records = [json.loads(line) for line in (tmp_path / f"{name}.scores.jsonl").read_text().splitlines()]
        right[name] = {one["video"]: one["values"]["accuracy"] for one in records if one["type"] == "score"}
    assert set(right["orac"].values()) == {1.0}
    assert right["fire"] == {"14": 1.0, "Fire_1": 1.0, "calm_1": 0.0}
