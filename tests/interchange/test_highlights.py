"""Curves as a submission to QVHighlights: its published arithmetic, and that this reads what we write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ecva_bench as eb
from ecva_bench.errors import UsageError
from ecva_bench.interchange.export import default_name, export_results
from ecva_bench.interchange.highlights import highlight_lines
from ecva_bench.reading.curves import points_at
from tests.scoring.build import answer, results

from .qvhighlights import evaluate


def test_the_arithmetic_is_theirs(shared_golden: Path) -> None:
    golden = json.loads((shared_golden / "severity/qvhighlights.json").read_text())
    found = evaluate(golden["ground_truth"], golden["submission"])
    for part, expected in golden["expected"].items():
        if part != "brief":
            for name, value in expected.items():
                assert found[part][name] == pytest.approx(value, abs=0.011), (part, name)


def line_of(text: str, duration: float = 8.0) -> dict[str, Any]:
    spec = {"prompts": {"severity": {"id": "ours/severity.v1", "text": "How severe?"}}}
    one = answer("v", text, task="severity", duration=duration)
    (line,) = highlight_lines(results([one], spec=spec))
    return json.loads(line)  # type: ignore[no-any-return]


def test_a_clip_is_the_mean_of_its_cells_and_windows_reach_the_middle_of_the_range() -> None:
    line = line_of("0 2 1\n2 5 9\n5 6 5\n6 8 8", duration=24.0)  # cells of a second
    assert line["pred_saliency_scores"] == [0.1, 0.9, 0.7, 0.8, *[0.0] * 8]
    assert line["pred_relevant_windows"] == [[2.0, 8.0, 0.8]]
    assert (line["qid"], line["vid"], line["query"]) == (0, "v", "How severe?")
    line = line_of("0 2 7\n4 6 10")
    assert line["pred_relevant_windows"] == [[4.0, 6.0, 1.0], [0.0, 2.0, 0.7]]


@pytest.mark.parametrize("text", ["", "no idea", "0 8 0", "0 8 5"])
def test_a_constant_or_unread_curve_is_one_window(text: str) -> None:
    line = line_of(text)
    value = 0.5 if text.endswith("5") else 0.0
    assert line["pred_relevant_windows"] == [[0.0, 8.0, value]]
    assert line["pred_saliency_scores"] == [value] * 4


def test_the_last_clip_may_be_short() -> None:
    assert len(line_of("0 9 1", duration=8.02)["pred_saliency_scores"]) == 5
    assert line_of("0 9 1", duration=0.04)["pred_saliency_scores"] == [0.1]


def test_their_evaluation_runs_on_our_answers(tmp_path: Path) -> None:
    outcome = eb.run("oracle", tasks="severity", out=tmp_path / "oracle.jsonl")
    target = default_name(tmp_path / "oracle.jsonl", "qvhighlights")
    assert target.name == "oracle_highlights.jsonl"
    assert export_results(outcome.results, "qvhighlights", target) == 14
    submission = [json.loads(line) for line in target.read_text().splitlines()]
    truth = []
    for line, one in zip(submission, eb.load_dataset("mini").annotations, strict=True):
        assert line["vid"] == one.video
        clips = list(range(int(outcome.records[line["qid"]].duration or 0) // 2))
        values = [points_at(one.severity_curve, np.linspace(2 * n, 2 * n + 2, 99)).mean() for n in clips]
        truth.append(
            {
                "qid": line["qid"],
                "duration": outcome.records[line["qid"]].duration,
                "relevant_windows": [[moment.start, moment.end] for moment in one.moments],
                "relevant_clip_ids": clips,
                "saliency_scores": [[int(4 * value / max(values) + 0.5)] * 3 for value in values],
            }
        )
    found = evaluate(truth, submission)
    assert found["HL-min-VeryGood"]["HL-Hit1"] == 100.0
    assert found["full"]["MR-R1"]["0.5"] > 80


def test_a_run_without_severities_has_no_curves() -> None:
    with pytest.raises(UsageError, match="no answer about severity"):
        highlight_lines(results([answer("v", "A car.")]))
