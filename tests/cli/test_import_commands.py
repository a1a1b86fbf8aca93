"""`import` and `export`, and the commands that take answers made elsewhere as they are."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

from ecva_bench.data import load_dataset
from ecva_bench.journal.results import read_results
from ecva_bench.scoring.files import read_scores, scores_path
from tests.imports import ROOT
from tests.interchange.shapes import SHAPES, VIDEOS, annotations, as_json, write_shape

from .conftest import Command

CI = ROOT / "leaderboards" / "ci"


@pytest.mark.parametrize("shape", [name for name in SHAPES if name != "parquet"])
def test_every_shape_is_scored_as_it_is(shape: str, tmp_path: Path, ecva_bench: Command) -> None:
    data, path = annotations(tmp_path), write_shape(shape, tmp_path)
    code, shown, errors = ecva_bench("score", path, "--data", data, "--json")
    assert code == 0
    found = {one["task"]: (one["answered"], one["owed"]) for one in json.loads(shown)["coverage"]}
    assert found == dict.fromkeys(SHAPES[shape][2], (3, 3))
    assert errors.startswith(f"read {path.name} (")


def test_edited_views_made_elsewhere_get_the_frozen_scores(
    tmp_path: Path, ecva_bench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A frozen run, written as VLMEvalKit's workbook and imported again: S and gated are those of the run itself."""
    monkeypatch.setenv("ECVA_BENCH_CACHE", str(tmp_path / "cache"))
    book, run = tmp_path / "motion.xlsx", tmp_path / "run.jsonl"
    assert ecva_bench("export", CI / "motion.jsonl", "--to", "vlmevalkit", "--out", book)[0] == 0
    code, shown, errors = ecva_bench("import", book, "--data", "mini", "--name", "motion", "--out", run)
    assert (code, shown.splitlines()[1]) == (0, f"next: ecva-bench score {run}")
    assert "view from `view`" in errors
    judge = ("--judge", "shared-words", "--judge-replay", CI / "judge.jsonl")
    assert ecva_bench("score", run, *judge)[0] == 0
    frozen, again = (
        {
            (one.id, one.view, one.scorer): {name: one.values.get(name) for name in ("S", "gated", "s1", "s2", "s3")}
            for one in read_scores(path).scores
            if one.scorer == "anomeval"
        }
        for path in (CI / "motion.scores.jsonl", tmp_path / "run.scores.jsonl")
    )
    assert again == frozen
    assert any(values["gated"] is not None for values in again.values())


def test_answers_made_elsewhere_are_marked_by_the_record_of_a_training(
    tmp_path: Path, ecva_bench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `run --training` does: by data set and id without the videos, by their bytes with them."""
    monkeypatch.chdir(tmp_path)
    data, answers = annotations(tmp_path), write_shape("JSON lines", tmp_path)
    first, second = load_dataset(str(data)).annotations[:2]
    video = tmp_path / "videos" / second.media
    video.parent.mkdir(parents=True)
    video.write_bytes(b"bytes of a video")
    sha256 = hashlib.sha256(video.read_bytes()).hexdigest()
    named = {"dataset": load_dataset(str(data)).name, "id": first.video}
    Path("t.json").write_text(json.dumps({"stages": [{"videos": [named, {"sha256": sha256}]}]}))
    told = {}
    for out, options in (("a.jsonl", ()), ("b.jsonl", ("--videos", "videos"))):
        command = ("import", answers, "--data", data, "--name", "m", "--training", "t.json", "--out", out, *options)
        code, _, told[out] = ecva_bench(*command)
        assert code == 0
    by_name, by_bytes = (read_results(Path(out)) for out in told)
    assert {one.video for one in by_name.answers if one.trained_on} == {first.video}
    assert {one.video for one in by_bytes.answers if one.trained_on} == {first.video, second.video}
    assert "trained on the videos of 2 of 6 questions (33.3 %)" in told["a.jsonl"]
    assert "4 of 6 questions" in told["b.jsonl"]
    assert ecva_bench("score", "b.jsonl", "--unseen-only")[0] == 0
    assert read_scores(Path("b.unseen.scores.jsonl")).header.unseen_only == tuple(sorted([first.video, second.video]))


def test_an_imported_run_says_so_on_a_board(tmp_path: Path, ecva_bench: Command) -> None:
    data, path = annotations(tmp_path), write_shape("JSON lines", tmp_path)
    run, boards = tmp_path / "run.jsonl", tmp_path / "boards"
    assert ecva_bench("import", path, "--data", data, "--name", "m", "--out", run)[0] == 0
    assert ecva_bench("score", run)[0] == 0
    assert read_scores(tmp_path / "run.scores.jsonl").header.imported
    assert ecva_bench("submit", run, "--to", boards)[0] == 0
    assert ecva_bench("leaderboard", "--build", boards)[0] == 0
    page = (boards / "cuva" / "leaderboard.md").read_text()
    assert "| m | imported | 3/3 |" in page
    assert re.search(r"\| m \| imported \| \[run\]\(<submissions/.*?>\) \|( unknown \|){4}", page)
    assert "imported: answered elsewhere" in page


def test_answers_made_elsewhere_are_taken_as_they_are(tmp_path: Path, ecva_bench: Command) -> None:
    data, path = annotations(tmp_path), write_shape("CSV, a column a task", tmp_path)
    code, _, errors = ecva_bench("compare", path, path)
    assert (code, errors.count("\n")) == (2, 1)
    assert f"score them first: ecva-bench score {path} --data ANNOTATIONS" in errors
    assert ecva_bench("score", path, "--data", data)[0] == 0
    assert ecva_bench("compare", path, path)[0] == 0
    assert ecva_bench("audit", path, "--data", data)[0] == 0
    assert "6 answers, 3 videos" in ecva_bench("view", path, "--data", data, "--no-serve", "--out", tmp_path / "p")[1]
    assert ecva_bench("submit", path, "--data", data, "--to", tmp_path / "boards")[0] == 0
    assert (tmp_path / "boards/cuva/submissions/wide.json").exists()


@pytest.mark.parametrize("command", ["score", "audit", "view", "submit"])
def test_without_annotations_the_command_to_type_is_named(command: str, tmp_path: Path, ecva_bench: Command) -> None:
    path = write_shape("id to text", tmp_path)
    scores_path(path, "standard").write_bytes((CI / "motion.scores.jsonl").read_bytes())
    code, shown, errors = ecva_bench(command, path, *(["--no-serve"] if command == "view" else []))
    *notes, error = errors.splitlines()
    assert (code, shown) == (2, "")
    assert f"ecva-bench import {path} --data ANNOTATIONS --name MODEL" in error
    assert not notes or command == "audit"  # which reads the scores first, and has a word on these


@pytest.mark.parametrize("command", ["score", "audit", "view"])
def test_another_kind_of_file_is_told_what_it_is(command: str, tmp_path: Path, ecva_bench: Command) -> None:
    code, shown, errors = ecva_bench(command, CI / "motion.scores.jsonl")
    assert (code, shown, errors.count("\n")) == (2, "", 1)
    assert "this is a scores file" in errors
    code, _, errors = ecva_bench(command, tmp_path)
    assert (code, "this is a folder" in errors) == (2, True)


def test_where_nothing_joins_both_sides_are_shown(tmp_path: Path, ecva_bench: Command) -> None:
    data, path = annotations(tmp_path), tmp_path / "m_cause.json"
    path.write_bytes(as_json({f"clip-{video[::-1]}": "x" for video in VIDEOS}))
    out = tmp_path / "run.jsonl"
    code, shown, errors = ecva_bench("import", path, "--data", data, "--out", out)
    assert (code, shown, errors.count("\n"), out.exists()) == (2, "", 1, False)
    assert "'clip-10000', 'clip-20000', 'clip-30000' here, '00001.mp4', '00002.mp4', '00003.mp4' there" in errors


def test_columns_can_be_named(tmp_path: Path, ecva_bench: Command) -> None:
    data, path, out = annotations(tmp_path), tmp_path / "t.csv", tmp_path / "run.jsonl"
    path.write_text("clip no,qwen\n" + "".join(f"{video},said of {video}\n" for video in VIDEOS))
    given = ("--data", data, "--map", "video=clip no,answer=qwen", "--task", "reason", "--out", out)
    assert ecva_bench("import", path, *given)[0] == 0
    assert [each.id for each in read_results(out).answers] == [f"{video}/cause" for video in VIDEOS]
    code, _, errors = ecva_bench("import", path, "--data", data, "--map", "movie=clip no")
    assert (code, "fields: video, answer, task, view" in errors) == (2, True)


def test_answers_made_elsewhere_are_compared_as_they_are(tmp_path: Path, ecva_bench: Command) -> None:
    """The same figures as from their scores files, and nothing is written."""
    data, base = annotations(tmp_path), write_shape("CSV, a column a task", tmp_path)
    new = tmp_path / "new.csv"
    new.write_text(base.read_text().replace("that the model gives", "annotated of"))
    code, shown, _ = ecva_bench("compare", base, new, "--data", data, "--json")
    assert (code, list(tmp_path.glob("*.scores.jsonl"))) == (0, [])
    for file in (base, new):
        assert ecva_bench("score", file, "--data", data)[0] == 0
    assert json.loads(shown) == json.loads(ecva_bench("compare", base, new, "--json")[1])


def test_a_folder_of_texts_is_told_what_to_type_until_it_is_submitted(tmp_path: Path, ecva_bench: Command) -> None:
    data, folder = annotations(tmp_path), tmp_path / "m_cause"
    folder.mkdir()
    for video in VIDEOS:
        (folder / f"{video}.txt").write_text(f"annotated cause of {video}")
    submit = ("submit", folder, "--to", tmp_path / "boards")
    assert f"name them with --data; or import it once: ecva-bench import {folder}" in ecva_bench(*submit)[2]
    submit = (*submit, "--data", data)
    code, _, errors = ecva_bench(*submit)
    assert code == 2
    assert f"not scored yet: {folder}: score them first: ecva-bench score {folder} --data ANNOTATIONS" in errors
    assert ecva_bench("score", folder, "--data", data)[0] == 0
    assert ecva_bench(*submit)[0] == 0
    (folder / "00001.txt").write_text("another")
    assert "are of other answers" in ecva_bench("summary", folder)[2]


def test_answers_that_are_all_lists_make_no_file(tmp_path: Path, ecva_bench: Command) -> None:
    data, out = annotations(tmp_path), tmp_path / "out.jsonl"
    (tmp_path / "m.json").write_bytes(as_json({video: ["A car", "other"] for video in VIDEOS}))
    given = ("import", tmp_path / "m.json", "--task", "why", "--data", data, "--out", out)
    code, shown, errors = ecva_bench(*given)
    assert (code, shown, out.exists()) == (2, "", False)
    assert "of several samples take one, here the first: ecva-bench import --map answer=answer.1" in errors
    assert ecva_bench(*given, "--map", "answer=answer.2")[0] == 0
    assert {each.answer for each in read_results(out).answers} == {"other"}
