"""What results files are called where the user names none, and what is said of one that is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecva_bench.journal.results import read_results
from tests.interchange.shapes import annotations, write_shape

from .conftest import Command

ONE = ("--task", "cause", "--limit", "2")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.py").write_text("def answer(video, question):\n    return 'a car'\n")
    return tmp_path


def names(place: Path) -> set[str]:
    return {path.name for path in place.glob("*.jsonl")}


def test_a_model_of_a_file_is_called_by_its_own_name(place: Path, ecva_bench: Command) -> None:
    code, shown, _ = ecva_bench("run", "--model", "./my.py:answer", *ONE)
    assert (code, shown.splitlines()[-1]) == (0, "next: ecva-bench score answer-mini.jsonl")
    assert names(place) == {"answer-mini.jsonl"}
    assert read_results(place / "answer-mini.jsonl").model == "answer"
    assert ecva_bench("score", "answer-mini.jsonl")[1].startswith("answer on mini, cause, full video: 2 of 2 answered")


def test_an_import_is_called_after_model_and_data_set_and_takes_no_others_place(
    place: Path, ecva_bench: Command
) -> None:
    data, file = annotations(place), write_shape("JSON lines", place)
    asked = ("import", file, "--data", data, "--name", "owner/my model")
    code, shown, _ = ecva_bench(*asked)
    assert (code, shown.splitlines()[-1]) == (0, "next: ecva-bench score my-model-cuva.jsonl")
    written = (place / "my-model-cuva.jsonl").read_bytes()
    code, _, complaint = ecva_bench(*asked)
    assert (code, "my-model-cuva.jsonl: name a new file with --out" in complaint) == (2, True)
    assert (place / "my-model-cuva.jsonl").read_bytes() == written


def test_parts_are_merged_into_the_file_of_the_whole_run(place: Path, ecva_bench: Command) -> None:
    for part in ("1/2", "2/2"):
        assert ecva_bench("run", "--model", "./my.py:answer", *ONE, "--shard", part)[0] == 0
    parts = sorted(names(place))
    assert parts == ["answer-mini-part1of2.jsonl", "answer-mini-part2of2.jsonl"]
    assert ecva_bench("merge", *parts)[1].startswith("answer-mini.jsonl: 2 files, 2 answers owed: 2 answers")
    code, _, complaint = ecva_bench("merge", *parts)
    assert (code, "answer-mini.jsonl: name a new file with --out" in complaint) == (2, True)
    assert ecva_bench("run", "--model", "./my.py:answer", *ONE)[1].startswith("answer-mini.jsonl: 2 answers (2 were ")


def test_merging_an_import_counts_the_errors_that_are_owed(place: Path, ecva_bench: Command) -> None:
    data = annotations(place)
    (place / "m_cause.json").write_text('{"1": "a car", "2": null, "77": null}')
    assert ecva_bench("import", "m_cause.json", "--data", data, "--name", "m")[0] == 0
    shown = ecva_bench("merge", "m-cuva.jsonl", "--incomplete", "--out", "merged.jsonl")[1]
    assert shown == "merged.jsonl: 1 file, 3 answers owed: 1 answer, 1 error, 1 missing\n"


@pytest.mark.parametrize(
    "command",
    [
        ("score", "answr-mini.jsonl"),
        ("summary", "answr-mini.jsonl"),
        ("audit", "answr-mini.jsonl"),
        ("export", "answr-mini.jsonl", "--to", "csv"),
        ("submit", "answr-mini.jsonl"),
        ("leaderboard", "answr-mini.jsonl"),
        ("compare", "answr-mini.jsonl", "answer-mini.jsonl"),
        ("merge", "answr-mini.jsonl"),
        ("view", "answr-mini.jsonl", "--no-serve"),
        ("run", "--model", "motion", "--reuse", "answr-mini.jsonl"),
    ],
    ids=lambda words: words[0],
)
def test_a_results_file_that_is_not_there_is_never_another(
    command: tuple[str, ...], place: Path, ecva_bench: Command
) -> None:
    assert ecva_bench("run", "--model", "./my.py:answer", *ONE)[0] == 0
    before = names(place)
    code, shown, complaint = ecva_bench(*command)
    assert (code, shown) == (2, "")
    assert "answr-mini.jsonl: did you mean answer-mini.jsonl? results files there: answer-mini.jsonl" in complaint
    assert names(place) == before


def test_only_a_file_that_is_left_out_is_the_newest(place: Path, ecva_bench: Command) -> None:
    assert ecva_bench("run", "--model", "./my.py:answer", *ONE)[0] == 0
    code, _, complaint = ecva_bench("score", "results.jsonl")
    assert (code, "there is no results file: results.jsonl" in complaint) == (2, True)
    code, _, said = ecva_bench("score")
    assert (code, "scoring answer-mini.jsonl, the results file that was written last here" in said) == (0, True)
