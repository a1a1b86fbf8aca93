"""Curves of severity on the page: what is drawn is what was read, with its gaps, over the curve held against."""

from __future__ import annotations

from typing import Any

from ecva_bench.report.entries import run_entry, video_entry
from ecva_bench.report.run import Run
from ecva_bench.scoring.score import score_results
from tests.scoring.build import answer, moments, results

CURVE = ((0.0, 0.0), (2.0, 1.0), (4.0, 0.2))


def run_of(text: str, *, scored: bool) -> tuple[Run, Any]:
    one = answer("v", text, task="severity", duration=4.0, curve=CURVE, moments=moments((1.0, 2.0)))
    made = results([one], spec={"prompts": {"severity": {"id": "ours/severity.v1"}}})
    return Run(made, (score_results(made, draws=20),) if scored else ()), one


def test_a_curve_is_what_was_read_with_its_gaps_scored_or_not() -> None:
    for scored in (True, False):
        run, one = run_of("0 1 2\n1 2 ?\n2 4 7.5", scored=scored)
        entry = run_entry(run, [one], [], {})
        assert entry["severe"] == {"segments": [(0, 1, 0.2), (2, 4, 0.75)], "unparsed": ((1, 2),)}
    run, one = run_of("0 1 2\n1 2 ?\n2 4 7.5", scored=True)
    shown = run_entry(run, [one], [], {})["answers"]["severity"]["full"]["reading"]
    assert shown["as"] == ["0 to 1 s: 2", "2 to 4 s: 7.5", "1 to 2 s: not read"]


def test_an_answer_that_names_none_has_no_curve() -> None:
    run, one = run_of("It is bad.", scored=False)
    assert "severe" not in run_entry(run, [one], [], {})


def test_the_curve_held_against_is_that_of_the_answers() -> None:
    _, one = run_of("0 4 1", scored=False)
    entry = video_entry("v", [one], None)
    assert entry["curve"] == CURVE
    assert entry["end"] == 4.0
