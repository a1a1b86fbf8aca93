"""`view` and `report` as a user types them."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from ecva_bench.journal.results import read_results
from ecva_bench.journal.writer import Journal
from ecva_bench.records.answers import Manifest
from ecva_bench.report.run import Run
from ecva_bench.scoring.files import scores_path, write_scores
from tests.clips import write_clip
from tests.report.build import story, taken
from tests.scoring.build import failure

from .conftest import Command


def written(run: Run, folder: Path, *, dataset: str = "ecva") -> Path:
    """A run as files: its results, and beside them its scores, made to name the hash these bytes have."""
    path = folder / f"{run.results.name}.jsonl"
    spec = {**run.results.spec, "dataset": {"name": dataset}}
    with Journal(path, Manifest(run="r", spec=spec, expects=run.results.expects)) as file:
        for record in (*run.results.answers, *run.results.failures):
            file.append(record)
    scores = run.scores[0]
    header = scores.header.model_copy(update={"results_sha256": read_results(path).sha256})
    write_scores(scores.model_copy(update={"header": header}), scores_path(path, "standard"))
    return path


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return [written(run, tmp_path) for run in story()]


def incomplete(files: list[Path]) -> list[str]:
    """What is said of the runs of the story, each of which lacks two answers."""
    return [f"incomplete: {path}: 6 of 8 answers there, 1 failed" for path in files]


def test_view_writes_a_page_with_the_scores_beside(files: list[Path], ecva_bench: Command) -> None:
    write_clip(files[0].parent / "clips" / "v1.mp4")
    code, shown, errors = ecva_bench("view", *files, "--videos", files[0].parent / "clips", "--no-serve")
    assert (code, errors.splitlines()) == (0, incomplete(files))
    assert "12 answers, 3 videos, 1 of them with a file" in shown
    page = files[0].with_name("honest.view")
    assert str(page / "index.html") in shown
    assert [run["scored"] for run in taken(page, "index")["runs"]] == [True, True]


def test_failures_that_nobody_asked_for_are_not_counted(tmp_path: Path, ecva_bench: Command) -> None:
    one = story()[0]
    more = one.results.model_copy(update={"failures": (*one.results.failures, failure("v9"), failure("v8"))})
    file = written(Run(more, one.scores), tmp_path)
    assert ecva_bench("view", file, "--no-serve")[2].splitlines() == incomplete([file])


def test_scores_of_other_answers_are_named_and_left_out(files: list[Path], ecva_bench: Command) -> None:
    other = scores_path(files[1], "standard")
    code, _, errors = ecva_bench("view", files[0], "--scores", other, "--no-serve")
    assert code == 0
    assert f"left out: {other}: the scores are of other answers" in errors
    assert taken(files[0].with_suffix(".view"), "index")["metrics"] == []


def test_files_that_were_cut_at_a_line_are_not_shown_as_if_they_were_whole(files, ecva_bench: Command) -> None:
    scores = scores_path(files[0], "standard")
    scores.write_bytes(b"".join(scores.read_bytes().splitlines(keepends=True)[:-1]))
    code, shown, errors = ecva_bench("view", files[0], "--no-serve")
    assert (code, shown) == (2, "")
    assert "the scores are not whole" in errors
    scores.unlink()
    files[0].write_bytes(b"".join(files[0].read_bytes().splitlines(keepends=True)[:4]))
    code, _, errors = ecva_bench("view", files[0], "--no-serve")
    assert (code, errors) == (0, f"incomplete: {files[0]}: 3 of 8 answers there, 0 failed\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{folder}/none.jsonl", "--no-serve"], "there is no results file"),
        (["{results}", "--scores", "{results}", "--no-serve"], "this is not a scores file"),
        (["{results}", "--out", "{folder}", "--no-serve"], "contains something else"),
        (["{results}", "--out", "{results}/page", "--no-serve"], "the page cannot be written"),
    ],
)
def test_what_cannot_be_shown_is_one_line(files, ecva_bench, arguments, message) -> None:
    filled = [a.format(folder=files[0].parent, results=files[0]) for a in arguments]
    code, shown, errors = ecva_bench("view", *filled)
    assert (code, shown) == (2, "")
    assert message in errors


@pytest.mark.parametrize(
    ("sign", "code", "told"),
    [(signal.SIGINT, 0, []), (signal.SIGTERM, 130, ["interrupted; what was written is kept"])],
)
def test_it_is_served_until_interrupted(sign: int, code: int, told: list[str], files: list[Path]) -> None:
    command = [sys.executable, "-c", "from ecva_bench.__main__ import program; program()", "view", *map(str, files)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        address = process.stdout.readline().split()[-1]
        assert address.startswith("http://127.0.0.1:")
        with urlopen(address) as answer:  # noqa: S310 # an address of this machine
            assert b"<title>ecva-bench</title>" in answer.read()
        process.send_signal(sign)
        try:
            _, errors = process.communicate(timeout=30)
        finally:
            process.kill()
    assert (process.returncode, errors.splitlines()) == (code, [*incomplete(files), *told])


def test_a_run_on_the_embedded_split_needs_no_option(tmp_path: Path, ecva_bench: Command) -> None:
    results = tmp_path / "run.jsonl"
    ecva_bench("run", "--model", "constant", "--task", "cause", "--limit", 2, "--out", results)
    code, shown, _ = ecva_bench("view", results, "--no-serve")
    assert code == 0
    assert "2 answers, 2 videos, 2 of them with a file" in shown
    first = taken(results.with_suffix(".view"), "chunk-0")[0]
    assert first["curve"]
    assert taken(results.with_suffix(".view"), "index")["classes"][0] == "5-1 Traffic Accidents: Motor"


@pytest.mark.parametrize("ending", ["pdf", "html"])
def test_report_writes_the_plots(files: list[Path], ecva_bench: Command, ending: str) -> None:
    out = files[0].with_name(f"plots.{ending}")
    code, shown, _ = ecva_bench("report", *files, "--task", "timestamp", "--out", out)
    assert code == 0
    assert "1 page" in shown
    assert out.read_bytes().startswith(b"%PDF" if ending == "pdf" else b"<!doctype html>")
