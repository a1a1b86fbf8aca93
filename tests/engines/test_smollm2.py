"""A real language model, as small as there is: as a judge it does not qualify, and as `blind` it answers unseeing."""

from __future__ import annotations

from pathlib import Path

import pytest

import ecva_bench as eb
from ecva_bench.records.verdicts import QUALIFIES
from ecva_bench.scoring.qualification import FEWEST

from . import smollm2

pytestmark = pytest.mark.skipif(smollm2.weights() is None, reason=f"{smollm2.PACKAGE} is not installed: make engines")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return smollm2.write(tmp_path_factory.mktemp("text") / "SmolLM2-135M-Instruct")


def test_as_blind_it_says_the_same_of_every_video(folder: Path, tmp_path: Path) -> None:
    outcome = eb.run(f"blind:{folder}", tasks="classification", limit=2, out=tmp_path / "blind.jsonl")
    texts = {record.answer for record in outcome.records}
    assert len(texts) == 1
    assert texts.pop().isprintable()
    assert all(record.finish == "stop" for record in outcome.records)


def test_as_a_judge_it_does_not_qualify(folder: Path, tmp_path: Path) -> None:
    outcome = eb.run("motion", tasks="cause", limit=FEWEST, out=tmp_path / "motion.jsonl")
    with eb.open_judge(f"hf:{folder}", store=tmp_path / "judge.sqlite") as judge:
        scored = eb.score(outcome, scorers="gpt", judge=judge)
    found = {one.column: one for one in scored.scores.summaries}
    assert all(one.disqualified for one in found.values())
    total = found["gpt_sum"].qualification
    assert total is not None
    assert total.auc < QUALIFIES
    assert total.floor > 10  # of 20, for wrong answers
