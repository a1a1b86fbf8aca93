"""A judge that reads what the rules cannot: asked for that alone, marked, and never believed outside its scale."""

from __future__ import annotations

import pytest

from ecva_bench.errors import UsageError
from ecva_bench.judging import Verdict
from ecva_bench.scoring.score import score_results
from ecva_bench.scoring.second_reader import NONE, WANTED
from tests.scoring.build import answer, label, moments, results
from tests.scoring.judges import RuleJudge

VAGUE = "Two vehicles came to grief, the fifth kind on your list I suppose."


def classified(*texts):
    annotated = {"task": "classification", "label": label(5), "reference": "5-1"}
    return results([answer(str(n), text, **annotated) for n, text in enumerate(texts)])


def timed(*texts, duration=60.0):
    annotated = {"task": "timestamp", "moments": moments((12, 20)), "duration": duration}
    return results([answer(str(n), text, **annotated) for n, text in enumerate(texts)])


def aggregate(scores, name):
    return next((one.value for one in scores.aggregates if one.column == name), None)


def test_only_answers_that_the_rules_leave_unread_are_asked_about():
    judge = RuleJudge(lambda name, payload: [5])
    scores = score_results(classified("[5]", VAGUE, "", "[6]", "Either [1] or [5]."), reader=judge)
    assert [payload["answer"] for _, payload in judge.calls] == [VAGUE, "Either [1] or [5]."]
    assert judge.calls[0][1]["classes"][4] == "5. Traffic Accidents"
    readings = {score.video: score.reading for score in scores.scores}
    assert [readings[str(n)].by for n in range(5)] == ["", "rule", "", "", "rule"]
    assert [readings[str(n)].rule == "judge" for n in range(5)] == [False, True, False, False, True]
    assert aggregate(scores, "read_by_judge") == 2 / 5
    assert next(one.mean for one in scores.summaries if one.column == "accuracy") == 3 / 5
    assert "|read-with:read-class.v1@" in scores.summaries[0].signature


def test_without_being_asked_for_no_judge_reads():
    judge = RuleJudge(lambda name, payload: [5])
    scores = score_results(classified(VAGUE), scorers=["classification"], judge=judge)
    assert judge.calls == []
    assert "read-with" not in scores.summaries[0].signature
    assert aggregate(scores, "read_by_judge") is None


@pytest.mark.parametrize("verdict", [None, [0], [12]])
def test_a_judge_that_finds_nothing_leaves_an_answer_unread(verdict):
    scores = score_results(classified(VAGUE), reader=RuleJudge(lambda name, payload: verdict))
    assert scores.scores[0].reading.status == "unread"
    assert scores.scores[0].values["accuracy"] == 0


def test_votes_that_differ_name_no_class():
    class Split(RuleJudge):
        def ask(self, calls):
            return [Verdict((5.0,), votes=((4,), (6,))) for _ in calls]

    assert score_results(classified(VAGUE), reader=Split()).scores[0].reading.status == "unread"


def test_spans_are_tenths_of_seconds_in_pairs():
    asked = []

    def rule(name, payload):
        asked.append((name, payload["duration"], tuple(payload["wanted"])))
        return [120, 200, NONE, NONE, 450, 455]

    scores = score_results(timed("Soon after the dozen, until the score."), reader=RuleJudge(rule))
    assert asked == [("read-spans", 60.0, WANTED)]
    assert scores.scores[0].reading.spans == ((12.0, 20.0), (45.0, 45.5))
    assert scores.scores[0].values["iou"] == pytest.approx(8 / 8.5)


@pytest.mark.parametrize("edges", [[200, 120], [700, 800], [NONE, NONE]])
def test_spans_that_cannot_be_are_not_believed(edges):
    rule = RuleJudge(lambda name, payload: [*edges, *[NONE] * 4])
    assert score_results(timed("Soon after the dozen."), reader=rule).scores[0].reading.status == "unread"


def test_a_local_judge_is_refused():
    class Local(RuleJudge):
        def identity(self, keys=()):
            return {"judge": "hf:folder"}

    with pytest.raises(UsageError, match="a local judge cannot read answers"):
        score_results(classified(VAGUE), reader=Local())
