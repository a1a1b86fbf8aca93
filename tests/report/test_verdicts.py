"""A judge's verdicts as the page shows them: by the names of the metrics, and with their numbers."""

from __future__ import annotations

import pytest

from ecva_bench.report.run import Run
from ecva_bench.report.verdicts import shown_verdicts
from ecva_bench.scoring.protocol import get_anomeval
from ecva_bench.scoring.score import score_results
from tests.scoring.build import answer, results
from tests.scoring.judges import RuleJudge


@pytest.mark.parametrize("preset", ["paper", "upstream"])
@pytest.mark.parametrize("edited", ["a car turns late", "nothing at all happens here", "none"])
def test_a_verdict_counts_as_it_is_shown(preset: str, edited: str) -> None:
    """The same answer on the video without its anomaly has an s3 of 0, although the judge says yes, they agree."""
    common = {"key_sentences": ("a car turns late",), "reference": "a car turns late"}
    asked = [answer("v", "a car turns late", **common)]
    asked += [answer("v", edited, view="anomaly", **common), answer("v", edited, view="control", **common)]
    made = results(asked)
    run = Run(made, (score_results(made, anomeval=get_anomeval(preset), judge=RuleJudge(), draws=20),))
    scored = run.items["v/cause", "full"]
    shown = shown_verdicts(scored)
    counted = {f"{score.scorer}/{name}": value for score, _ in scored for name, value in score.values.items()}
    assert {"anomeval/s2", "anomeval/s3", "anomeval/s3_control", "anomeval/coverage", "gpt/gpt_detail"} <= shown.keys()
    assert {name: list(verdict["values"]) for name, verdict in shown.items()} == {
        name: [counted[name]] for name in shown
    }
    changed = {"a car turns late": 0, "nothing at all happens here": preset == "paper", "none": 1}
    assert shown["anomeval/s3"]["values"] == [changed[edited]]
