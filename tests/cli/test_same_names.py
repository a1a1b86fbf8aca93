"""Videos of one name, from the annotations to every command: each keeps its own file, answer and score."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ecva_bench.journal.results import read_results
from tests.clips import write_clip
from tests.report.build import taken

from .conftest import Command

SETS = {
    "folders": ("day/1.mp4", "night/1.mp4"),
    "dots": ("cam.1.mp4", "cam.2.mp4"),
    "no suffix": ("cam.1", "cam.2"),
    "suffixes": ("cam.mp4", "cam.avi"),
}


@pytest.fixture(params=SETS.values(), ids=SETS)
def names(request: pytest.FixtureRequest) -> tuple[str, str]:
    return request.param


@pytest.fixture
def data(names: tuple[str, str], tmp_path: Path) -> Path:
    """Annotations of two videos, whose files differ in length, in a folder beside."""
    for frames, name in zip((20, 30), names, strict=True):
        path = tmp_path / "videos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_clip(path.with_name(f"{path.name}.mp4"), frames=frames).rename(path)
    rows = [{"visual_input": name, "task": "Cause", "output": f"somebody fell in {name}"} for name in names]
    rows += [{"visual_input": name, "task": "Timestamp", "output": "[0000,0001]"} for name in names]
    (tmp_path / "data.json").write_text(json.dumps(rows))
    return tmp_path / "data.json"


def test_a_run_and_what_is_made_of_it(names: tuple[str, str], data: Path, tmp_path: Path, ecva_bench: Command) -> None:
    folder = tmp_path / "videos"
    code, shown, _ = ecva_bench("data", "check", data, "--videos", folder, "--json")
    checked = json.loads(shown)
    assert (code, checked["unannotated"], len(checked["videos"])) == (0, [], 2)
    assert sorted(video["frames"] for video in checked["videos"]) == [20, 30]

    results = tmp_path / "results.jsonl"
    given = ("--data", data, "--videos", folder, "--task", "cause", "--out", results)
    assert ecva_bench("run", "--model", "oracle", *given)[0] == 0
    answers = read_results(results).answers
    assert {answer.answer for answer in answers} == {f"somebody fell in {name}" for name in names}
    assert {(answer.answer, answer.duration) for answer in answers} == {
        (f"somebody fell in {names[0]}", 2.0),
        (f"somebody fell in {names[1]}", 3.0),
    }

    assert ecva_bench("score", results)[0] == 0
    other = tmp_path / "other.jsonl"
    assert ecva_bench("run", "--model", "constant", *given[:-1], other)[0] == 0
    assert ecva_bench("score", other)[0] == 0
    code, shown, _ = ecva_bench("compare", results, other, "--json")
    compared = json.loads(shown)
    assert (code, compared["mismatches"]) == (0, [])
    assert {(effect["n"], effect["videos"]) for effect in compared["effects"]} == {(2, 2)}
    assert {mover["video"] for mover in compared["movers"]} == {answer.video for answer in answers}

    page = tmp_path / "page"
    for files in (("--data", data, "--videos", folder), ("--videos", folder)):
        code, shown, _ = ecva_bench("view", results, *files, "--out", page, "--no-serve")
        assert "2 answers, 2 videos, 2 of them with a file" in shown
        media = sorted(path.resolve() for path in (page / "media").iterdir())
        assert media == sorted((folder / name).resolve() for name in names)
    assert len(taken(page, "index")["videos"]) == 2


def test_released_answers(names: tuple[str, str], data: Path, tmp_path: Path, ecva_bench: Command) -> None:
    answers = tmp_path / "model_cause.json"
    answers.write_text(json.dumps([{"video_file": f"/mnt/{n}", "output": f"somebody fell in {n}"} for n in names]))
    code, shown, _ = ecva_bench("score", answers, "--data", data, "--json")
    assert code == 0
    scored = json.loads(shown)
    assert [(c["owed"], c["answered"], c["extra"], c["duplicates"]) for c in scored["coverage"]] == [(2, 2, 0, 0)]
    assert {s["column"]: s["mean"] for s in scored["summaries"]}["rouge1"] == 1.0
    code, shown, _ = ecva_bench("audit", answers, "--data", data, "--json")
    (entry,) = json.loads(shown)["entries"]
    assert (code, entry["distinct"], entry["coverage"]["duplicates"], entry["coverage"]["extra"]) == (0, 2, 0, 0)


@pytest.mark.parametrize("name", ["1.mp4", "/mnt/1.mp4"])
def test_an_answer_to_either_of_two_videos_is_refused(name: str, tmp_path: Path, ecva_bench: Command) -> None:
    rows = [{"visual_input": one, "task": "Cause", "output": "x"} for one in SETS["folders"]]
    (tmp_path / "data.json").write_text(json.dumps(rows))
    (tmp_path / "m_cause.json").write_text(json.dumps([{"video_file": name, "output": "x"}]))
    code, shown, errors = ecva_bench("score", tmp_path / "m_cause.json", "--data", tmp_path / "data.json")
    assert (code, shown) == (2, "")
    if name == "1.mp4":
        assert "two videos cannot be told apart: 'day/1' and 'night/1', both meant by '1.mp4'" in errors
    else:
        assert "no answer is to a video of" in errors
