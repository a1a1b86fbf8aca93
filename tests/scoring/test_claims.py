"""Claims and VAU-Eval: shares and grades by hand, what is asked of whom, and what becomes of a missing verdict."""

from __future__ import annotations

import pytest

from ecva_bench.judging.prompts import load_prompt
from ecva_bench.scoring.claims import Claims
from ecva_bench.scoring.protocol import PROTOCOLS
from ecva_bench.scoring.score import score_results
from ecva_bench.scoring.vau_eval import ASPECTS, VauEval

from .build import answer, item, results
from .judges import RuleJudge

TWO = "A red car hits a man. He lies in the street."
FALSE, ABSENT, TRUE = 0, 1, 2


def judge_of(told, stated):
    """A judge with fixed verdicts by claim; None is no verdict."""

    def rule(name, payload):
        known = told if name == "claims-told-ours" else stated
        return None if known is None else [known[claim] for claim in payload["claims"]]

    return RuleJudge(rule)


TOLD = {
    "what: A red car hits a man.": 1,
    "who: A red car hits a man.": 1,
    "where: A red car hits a man.": 0,
    "what: He lies in the street.": 1,
    "who: He lies in the street.": 0,
    "where: He lies in the street.": 1,
}
STATED = {
    "what: A red car hits a man.": TRUE,
    "who: A red car hits a man.": FALSE,
    "what: He lies in the street.": ABSENT,
    "where: He lies in the street.": TRUE,
}


def test_shares_by_hand_with_the_published_weights():
    scorer = Claims(PROTOCOLS["standard"], judge_of(TOLD, STATED))
    (values,) = scorer.score([item("A blue car hits a man in the street.", TWO)])
    assert values == {
        "claims": pytest.approx((1 * 1 / 2 + 2 * 0 + 1 * 1) / 4),
        "claims_what": 1 / 2,
        "claims_who": 0,
        "claims_where": 1,
        "claims_false": 1 / 4,
    }
    assert "weights:1,2,1" in scorer.signature()


def test_what_a_reference_tells_is_asked_without_the_answer_so_that_models_share_it():
    scorer = Claims(PROTOCOLS["standard"], judge_of(TOLD, STATED))
    scorer.score([item("one", TWO), item("another", TWO, video="w"), item(" ", TWO, video="x")])
    told = [payload for name, payload in scorer.judge.calls if name == "claims-told-ours"]
    assert [one.keys() for one in told] == [{"claims"}] * 3
    stated = [payload for name, payload in scorer.judge.calls if name == "claims-ours"]
    assert [(one["candidate"], one["claims"]) for one in stated] == [("one", [*STATED]), ("another", [*STATED])]


def test_a_kind_that_the_reference_does_not_tell_of_has_no_share_and_takes_no_weight():
    told = {claim: int(claim.startswith("what")) for claim in TOLD}
    (values,) = Claims(PROTOCOLS["standard"], judge_of(told, STATED)).score([item("x", TWO)])
    assert values == {"claims": 1 / 2, "claims_what": 1 / 2, "claims_false": 0}


@pytest.mark.parametrize(
    ("told", "stated", "reason"),
    [
        (
            dict.fromkeys(TOLD, 0),
            STATED,
            "the judge finds no claim in the reference; no answer to this question can be scored",
        ),
        (None, STATED, "judge: the reply cannot be read; no answer to this question can be scored"),
        (TOLD, None, "judge: the reply cannot be read; no answer to this question can be scored"),
    ],
)
def test_what_cannot_be_judged_has_no_value_and_a_reason(told, stated, reason):
    run = results([answer("v", "an answer", reference=TWO)])
    scores = score_results(run, scorers=["claims"], judge=judge_of(told, stated), draws=10)
    (score,) = scores.scores
    assert (score.status, score.reason, score.values) == ("unscored", reason, {})
    assert {one.column: one.unjudgeable for one in scores.summaries} == dict.fromkeys(
        ("claims", "claims_false"), ("v/cause",)
    )


def test_an_answer_that_cannot_be_judged_counts_as_the_worst_only_in_kinds_that_its_reference_tells_of():
    told = {**TOLD, "what: A dog runs.": 1, "who: A dog runs.": 0, "where: A dog runs.": 0}

    def judging(name, payload):
        if name == "claims-told-ours":
            return [told[claim] for claim in payload["claims"]]
        return None if payload["candidate"] == "refused" else [TRUE] * len(payload["claims"])

    run = results([answer("v", "fine", reference=TWO), answer("w", "refused", reference="A dog runs.")])
    found = score_results(run, scorers=["claims"], judge=RuleJudge(judging), draws=10).summaries
    of_two, of_one = 1 / 2, 1.0  # what both references tell, and what the first alone
    worst = {
        "claims": of_two,
        "claims_what": of_two,
        "claims_who": of_one,
        "claims_where": of_one,
        "claims_false": 1 / 2,
    }
    assert {one.column: one.zero_filled for one in found} == worst


def test_votes_that_are_true_and_false_come_to_absent():
    mixed = STATED | {"what: He lies in the street.": 1.5, "who: A red car hits a man.": 1}
    (values,) = Claims(PROTOCOLS["standard"], judge_of(TOLD, mixed)).score([item("x", TWO)])
    assert (values["claims_what"], values["claims_who"], values["claims_false"]) == (3 / 4, 0, 0)


def test_five_aspects_in_one_call_and_their_sum():
    grades = [7, 6, 9, 5, 8]
    judge = RuleJudge(lambda name, payload: grades if payload["aspects"] == list(ASPECTS.values()) else None)
    scorer = VauEval(PROTOCOLS["standard"], judge)
    values, empty = scorer.score([item("a text", "a reference"), item(" ", "a reference", video="w")])
    assert values == {"vau_cls": 7, "vau_km": 6, "vau_flu": 9, "vau_inf": 5, "vau_fac": 8, "vau_total": 35}
    assert empty == dict.fromkeys(values, 0)
    assert [name for name, _ in judge.calls] == ["vau-eval-ours"]
    assert all(aspect in load_prompt("judge/vau-eval-ours").text for aspect in ASPECTS.values())


def test_grades_that_cannot_be_had_are_no_zero():
    run = results([answer("v", "an answer")])
    scores = score_results(run, scorers=["vau-eval"], judge=RuleJudge(lambda name, payload: None), draws=10)
    assert scores.scores[0].reason == "judge: the reply cannot be read; no answer to this question can be scored"
    assert all(one.n == 0 and one.mean is None for one in scores.summaries)
