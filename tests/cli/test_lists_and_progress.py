"""Lists are given one way everywhere, and progress in a log gets rarer."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecva_bench.cli import progress as module
from ecva_bench.journal.results import read_results

from .conftest import Command


@pytest.mark.parametrize(
    "tasks", [["--task", "cause,effect"], ["--task", "cause", "--task", "effect"], ["--task", "effect, cause"]]
)
def test_a_list_is_repeated_or_has_commas(tasks: list[str], ecva_bench: Command, tmp_path: Path) -> None:
    out = tmp_path / "r.jsonl"
    edited = ("--edited", "anomaly,control")
    assert ecva_bench("run", "--model", "constant", "--limit", 1, "--out", out, *tasks, *edited)[0] == 0
    assert {answer.task for answer in read_results(out).answers} == {"cause", "effect"}
    assert {answer.view for answer in read_results(out).answers} == {"full", "anomaly", "control"}
    code, shown, _ = ecva_bench("score", out, *tasks, "--scorers", "bleu", "--scorers", "rouge")
    assert (code, "bleu" in shown, "rougeL" in shown) == (0, True, True)
    other = tmp_path / "o.jsonl"
    ecva_bench("run", "--model", "motion", "--limit", 1, "--out", other, *tasks, *edited)
    ecva_bench("score", other)
    code, shown, said = ecva_bench("compare", out, other, *tasks, "--metric", "bleu,rougeL", "--on", "intersection")
    assert (code, "rougeL" in shown) == (0, True), said


def test_a_view_that_is_none_is_refused(ecva_bench: Command) -> None:
    code, _, said = ecva_bench("run", "--model", "constant", "--edited", "anomaly,cut")
    assert (code, "'cut' is not one of anomaly, control" in said) == (2, True)


def test_lines_of_a_log_get_rarer_and_name_the_time_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    with module.progress("run", "answers") as update:
        for done in range(1, 10_001):
            clock[0] += 1
            update(done, 10_000)
    lines = capsys.readouterr().err.splitlines()
    assert 10 < len(lines) < 100
    assert lines[0] == "run: 5/10,000 answers, 1 answers/s, 0 errors, 2.8 hours left"
    assert lines[-1] == "run: 10,000/10,000 answers, 1 answers/s, 0 errors"


def test_help_shows_options_in_groups(ecva_bench: Command) -> None:
    assert all(f"─ {group} ─" in ecva_bench("run", "--help")[1] for group in ("Model", "Videos", "Questions", "Work"))
    assert "─ Judge ─" in ecva_bench("score", "--help")[1]


def test_a_models_options_are_told_and_are_those_it_takes(ecva_bench: Command) -> None:
    told = ecva_bench("models", "show", "timechat")[1]
    line = next(line for line in told.splitlines() if line.startswith("options"))
    _, _, said = ecva_bench("run", "--model", "timechat", "--model-arg", "no-such=1")
    taken = said.partition("its options are ")[2].partition(" (")[0]
    assert taken
    assert taken in line
