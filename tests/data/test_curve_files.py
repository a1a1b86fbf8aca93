"""Scores held against curves that a program made: found by the videos' names, told by hash, never taken for ours."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

import ecva_bench as eb
from ecva_bench.data.curve_files import read_curves
from ecva_bench.errors import DataError, SpecMismatch, UsageError

MODEL = "open_clip:ViT-L-14-quickgelu/openai"


def line(video: str, points: list[tuple[float, float]], **more: Any) -> str:
    times, importance = [point[0] for point in points], [point[1] for point in points]
    record = {
        "schema": "ecva.curve/1",
        "video": video,
        "video_sha256": "0" * 64,
        "duration": 9.0,
        "sentences": [],
        "times": times,
        "similarity": [],
        "value": importance,
        "importance": importance,
        "contrast": 0.1,
        "settings": {"model": MODEL, "protocol": "standard"},
        **more,
    }
    return json.dumps(record) + "\n"


@pytest.fixture
def curves(tmp_path: Path) -> Path:
    path = tmp_path / "curves.jsonl"
    rising = [(0.5, 0.0), (4.5, 0.2), (8.5, 1.0)]
    flat = line("3", [(0.5, 0.0), (8.5, 0.0)], duration=8.0, findings=["flat: the values are the same everywhere"])
    path.write_text(line("mini01", rising) + line("mini02.mp4", rising, duration=8.0) + flat.replace('"3"', '"mini03"'))
    return path


def metrics(scored: eb.Scored) -> dict[str, Any]:
    return {row["metric"]: row for row in scored.rows()}


def test_a_run_against_a_file_says_so_in_its_manifest_and_in_every_signature(curves: Path, tmp_path: Path) -> None:
    outcome = eb.run("middle", tasks="severity", limit=4, curves=curves, out=tmp_path / "run.jsonl")
    made = {"sha256": hashlib.sha256(curves.read_bytes()).hexdigest(), "made_by": MODEL}
    assert outcome.results.spec["curves"] == made
    by_video = {answer.video: answer.curve for answer in outcome.records}
    assert by_video["mini02"] == ((0.5, 0.0), (4.5, 0.2), (8.5, 1.0))  # by the rule for video names
    assert by_video["mini04"] == ()  # what is drawn by construction does not stand in for it
    scored = eb.score(outcome)
    found = metrics(scored)
    assert (found["spearman"]["n"], found["frame_auc"]["n"], found["closeness"]["n"]) == (2, 4, 3)
    summary = next(one for one in scored.records if one.column == "spearman")
    assert summary.gaps == {"the importance curve is constant": 1, "no importance curve": 1}
    assert "|reference:pseudo-reference,open_clip-ViT-L-14-quickgelu/openai," in summary.signature
    assert "held against a pseudo-reference" in str(scored)
    board = str(eb.leaderboard(scored, task="severity", published=False))
    assert "held against a pseudo-reference" in board


def test_answers_can_be_held_against_a_file_afterwards(curves: Path, tmp_path: Path) -> None:
    outcome = eb.run("middle", tasks="severity", limit=4, out=tmp_path / "run.jsonl")
    plain, held = metrics(eb.score(outcome)), eb.score(outcome, curves=curves)
    assert plain["spearman"]["n"] == 4
    assert metrics(held)["spearman"]["n"] == 2
    assert metrics(held)["frame_auc"]["mean"] == plain["frame_auc"]["mean"]  # of moments, which stay
    assert all("pseudo-reference" in one.signature for one in held.records)


def test_a_curve_of_a_video_of_another_length_is_refused(curves: Path, tmp_path: Path) -> None:
    outcome = eb.run("middle", tasks="severity", limit=1, out=tmp_path / "run.jsonl")
    curves.write_text(line("mini01", [(0.5, 0.0), (499.5, 1.0)], duration=500.0))
    with pytest.raises(DataError, match="the curve of mini01 is of a video of 500 s, and the answer of one of 9 s"):
        eb.score(outcome, curves=curves)


def test_a_curve_of_another_file_of_a_video_is_a_finding(
    curves: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = eb.run("middle", tasks="severity", limit=2, out=tmp_path / "run.jsonl")
    shown = {answer.video: answer.video_sha256 for answer in outcome.records}
    points = [(0.5, 0.0), (8.5, 1.0)]
    known = line("mini02", points, duration=8.0, video_sha256=shown["mini02"])
    curves.write_text(line("mini01", points) + known)
    scored = eb.score(outcome, curves=curves)
    said = "the curves of 1 video were made of other files than the model was shown"
    assert f"beware: {said}" in str(scored)
    assert f"beware: {curves}: {said}: mini01" in capsys.readouterr().err
    curves.write_text(line("mini01", points, video_sha256=shown["mini01"]) + known)
    assert "other files" not in str(eb.score(outcome, curves=curves))
    assert read_curves(curves).tell_other_files(outcome.results) == ""


def test_imported_severities_have_the_durations_of_the_videos_files(tmp_path: Path) -> None:
    answers = tmp_path / "answers.json"
    answers.write_text(json.dumps({"mini01": "0 4 2\n4 9 8", "mini02": "0 8 1"}))
    scored = eb.score(answers, data="mini", tasks="severity")
    assert metrics(scored)["spearman"]["n"] == 2


def test_answers_without_a_duration_take_that_of_the_curves(curves: Path, tmp_path: Path) -> None:
    outcome = eb.run("middle", tasks="severity", limit=2, out=tmp_path / "run.jsonl")
    some = [one.model_copy(update={"duration": None}) for one in outcome.results.answers]
    bare = outcome.results.model_copy(update={"answers": tuple(some)})
    assert [one.duration for one in read_curves(curves).of_results(bare).answers] == [9.0, 8.0]


def test_a_model_with_clip_against_curves_of_clip_is_marked(curves: Path, tmp_path: Path) -> None:
    class Clip(eb.Adapter):
        """Has a tower of CLIP."""

        def describe(self) -> dict[str, str]:
            return {"tower": "openai/clip-vit-large-patch14"}

        def answer(self, video: eb.Video, question: eb.Question) -> str:
            return "5"

    scored = eb.score(eb.run(Clip, tasks="severity", limit=2, curves=curves, out=tmp_path / "run.jsonl"))
    assert "beware: the model and what made the curves both have CLIP" in str(scored)


def test_other_curves_are_another_reference(curves: Path, tmp_path: Path) -> None:
    eb.run("middle", tasks="severity", limit=2, out=tmp_path / "run.jsonl")
    with pytest.raises(SpecMismatch, match="curves"):
        eb.run("middle", tasks="severity", limit=2, curves=curves, out=tmp_path / "run.jsonl")


def test_curves_of_other_videos_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "curves.jsonl"
    path.write_text(line("elsewhere", [(0.0, 0.5)]))
    with pytest.raises(DataError, match="no curve of a video of mini"):
        eb.run("middle", tasks="severity", curves=path, out=tmp_path / "run.jsonl")
    outcome = eb.run("middle", tasks="severity", limit=1, out=tmp_path / "run.jsonl")
    with pytest.raises(DataError, match="no curve of a video"):
        eb.score(outcome, curves=path)


@pytest.mark.parametrize(
    "content", ["", "{}\n", "nonsense\n", line("a", [(1.0, 2.0)]), line("a", [(2.0, 0.1), (1.0, 0.2)])]
)
def test_what_is_no_file_of_curves_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "curves.jsonl"
    path.write_text(content)
    with pytest.raises((DataError, UsageError)):
        read_curves(path)
