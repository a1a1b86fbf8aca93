"""Panels: majority and mean, silence of a member, who it was, and agreement held against the statistics' own."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from ecva_bench.errors import BudgetExhausted, UsageError
from ecva_bench.judging import Verdict
from ecva_bench.judging.panel import Panel, member_names, panel_of
from ecva_bench.statistics.agreement import krippendorff_alpha

from .build import grade, keys, same
from .server import JudgeServer, completion


class Fixed:
    """A judge that gives prepared verdicts; None is silence."""

    def __init__(self, name, *values, passing=False, expectations=False, **said):
        self.name, self.values, self.passing, self.expects, self.said = name, values, passing, expectations, said

    def ask(self, calls):
        return [self._verdict(call, value) for call, value in zip(calls, self.values, strict=True)]

    def identity(self, keys=()):
        return {"judge": self.name, **self.said}

    def _verdict(self, call, value):
        if value is None:
            return Verdict(None, reason=f"refused: {self.name} will not", passing=self.passing)
        values = value if isinstance(value, tuple) else (value,)
        return Verdict(values, expectations=values if self.expects else None, rationale="so", keys=(self.name,))


def test_yes_or_no_by_majority_grades_by_mean_at_each_place():
    panel = Panel([Fixed("a", 1, 5, (1, 0)), Fixed("b", 1, 2, (1, 1)), Fixed("c", 0, 2, (0, 0))])
    yes, mean, several = panel.ask([same(), grade(), keys("x", "y")])
    assert (yes.values, mean.values, several.values) == ((1.0,), (3.0,), (1.0, 0.0))
    assert mean.keys == ("a", "b", "c")
    assert mean.rationale == "a: so; b: so; c: so"
    (tie,) = Panel([Fixed("a", 1), Fixed("b", 0)]).ask([same()])
    assert tie.values == (0.5,)


def test_expectations_are_those_of_all_members_or_none():
    both = Panel([Fixed("a", 1, expectations=True), Fixed("b", 4, expectations=True)]).ask([grade()])
    one = Panel([Fixed("a", 1, expectations=True), Fixed("b", 4)]).ask([grade()])
    assert (both[0].expectations, one[0].expectations) == ((2.5,), None)


def test_a_member_that_is_silent_leaves_no_verdict_and_is_named():
    panel = Panel([Fixed("a", 5, 5), Fixed("b", None, 3), Fixed("c", 5, 4)])
    silent, heard = panel.ask([grade(), grade("another")])
    assert (silent.values, silent.reason, silent.passing) == (None, "refused: b will not (b)", False)
    assert heard.values == (4.0,)
    (lost,) = Panel([Fixed("a", 5), Fixed("b", None, passing=True)]).ask([grade()])
    assert lost.passing


def test_identity_names_all_members_and_says_once_what_they_share():
    a, b = Fixed("a", temperature="0", votes="1"), Fixed("b", temperature="0", votes="3", seed="0")
    said = {"judge": "a,b", "panel": "majority+mean", "temperature": "0", "votes": "1,3", "seed": "-,0"}
    assert Panel([a, b]).identity() == Panel([b, a]).identity() == said


def test_agreement_is_that_of_the_members_verdicts():
    rows = [(0, 1), (2, 2), (5, 4), (3, 3)]
    panel = Panel([Fixed("a", *(a for a, _ in rows), (1, 0)), Fixed("b", *(b for _, b in rows), (1, 1))])
    panel.ask([*(grade(str(n)) for n in range(4)), keys("x", "y")])
    by_prompt = {one.prompt: one for one in panel.agreement()}
    graded, stated = by_prompt["judge/grade"], by_prompt["judge/keys"]
    assert (graded.verdicts, graded.raw, graded.level, graded.means) == (4, 0.5, "ordinal", {"a": 2.5, "b": 2.5})
    assert graded.alpha == krippendorff_alpha(rows, level="ordinal")
    assert graded.interval[0] <= graded.alpha <= graded.interval[1]
    assert (stated.verdicts, stated.raw, stated.level) == (2, 0.5, "nominal")


def test_members_of_one_name_are_told_apart():
    """Two files of one name are two judges: each has its own mean, and their order is no part of the identity."""
    high, low = Fixed("j.py:Judge", 5, 5, code="1"), Fixed("j.py:Judge", 1, 1, code="2")
    panel = Panel([high, low])
    panel.ask([grade(), grade("another")])
    assert panel.agreement()[0].means == {"j.py:Judge #1": 5.0, "j.py:Judge #2": 1.0}
    assert panel.identity() == Panel([low, high]).identity()
    assert panel.identity()["code"] == "1,2"


def test_each_judge_is_named_once():
    assert member_names("gpt-4o") == ("gpt-4o",)
    assert member_names("b, a,./c.py:C") == ("b", "a", "./c.py:C")
    for wrong in ("a,,b", "a,b,", "a,b,a"):
        with pytest.raises(UsageError, match="name each once"):
            member_names(wrong)


def test_members_share_a_store_an_export_and_an_even_part_of_a_budget(judge_at, tmp_path):
    with JudgeServer(lambda system, payload: completion('{"rationale": "", "verdicts": [4]}')) as server:
        one, other = (judge_at(server, model=name) for name in ("one", "other"))
        with panel_of(map(nullcontext, (one, other))) as panel:
            (found,) = panel.ask([grade()])
        assert (found.values, len(found.keys)) == ((4.0,), 2)
        assert sorted(request.body["model"] for request in server.requests) == ["one", "other"]
        assert one.export(tmp_path / "calls.jsonl", panel=[other]) == 2
        members = [judge_at(server, model=n, replay=tmp_path / "calls.jsonl") for n in ("one", "other")]
        assert Panel(members).ask([grade()])[0].values == (4.0,)
        assert len(server.requests) == 2
        part = judge_at(server, model="third", budget_tokens=5000, members=4)
        with pytest.raises(BudgetExhausted, match="the part of the budget of one of 4 judges is used up"):
            part.ask([grade()])
