"""The audit of judges whose faults are known: each fault must be found, and a sound judge acquitted."""

from __future__ import annotations

import random
import statistics

import pytest

from ecva_bench.errors import UsageError
from ecva_bench.judging import Verdict
from ecva_bench.judging.prompts import load_prompt
from ecva_bench.scoring.judge_audit import INSTRUCTION, audit_judge
from ecva_bench.scoring.rewording import PADDING_SENTENCE
from ecva_bench.scoring.score import score_results

from .build import answer, results
from .judges import RuleJudge

VIDEOS = 40
RUNS = 3


def texts(number):
    """A reference, and an answer that shares half its words; nothing is shared between videos."""
    reference = [f"word{number}x{i}" for i in range(6)]
    return " ".join(reference), " ".join(reference[:3] + ["filler"] * (number % 7))


def run_of(count=VIDEOS, task="cause"):
    return results([answer(f"v{n:02}", texts(n)[1], reference=texts(n)[0], task=task) for n in range(count)])


def shared(payload):
    return len(set(payload["reference"].split()) & set(payload["candidate"].split()))


class Voter:
    """A judge whose `RUNS` votes come from a rule on the payload and the run; None is a vote that cannot be had."""

    def __init__(self, rule, seeded=True):
        self.rule, self.seeded, self.calls = rule, seeded, []

    def identity(self):
        return {"judge": "voter", "votes": str(RUNS)}

    def ask(self, calls):
        self.calls += calls
        return [self._verdict(call) for call in calls]

    def _verdict(self, call):
        scale = call.prompt.scale
        shares = [self.rule(dict(call.payload), run) for run in range(RUNS)]
        votes = tuple(None if share is None else (round(share * scale.high),) for share in shares)
        keys = tuple(f"key {run if self.seeded else 0}" for run in range(RUNS))
        valid = [vote[0] for vote in votes if vote is not None]
        if not valid:
            return Verdict(None, votes, reason="refused", keys=keys)
        value = float(statistics.median_low(valid)) if scale.yes_no else statistics.fmean(valid)
        return Verdict((value,), votes, keys=keys)


def sound(payload, run):
    return min(1.0, shared(payload) / 3)


def outcomes(found, prompt="judge/logic"):
    return {one.text: one.outcome for one in found.expectations if one.prompt == prompt}


def control(found, name, prompt="judge/logic"):
    return next(one for one in found.controls if (one.name, one.prompt) == (name, prompt))


def failing(rule):
    """What fails, on either question, for a judge with this rule."""
    found = audit_judge(run_of(), Voter(rule), draws=500)
    assert found.failed == any(one.outcome == "fails" for one in found.expectations)
    return {one.text for one in found.expectations if one.outcome == "fails"}


def test_a_sound_judge_is_acquitted():
    found = audit_judge(run_of(), Voter(sound), draws=500)
    assert not found.failed
    assert set(outcomes(found).values()) == set(outcomes(found, "judge/consistency").values()) == {"holds"}
    scores = {one.name: one.score.mean for one in found.controls if one.prompt == "judge/logic"}
    assert scores == {"real": 1, "copied": 1, "shuffled": 0, "none": 0, "padded": 1, "instructing": 0}
    for runs in found.repeat_runs:
        assert (runs.runs, runs.items, runs.raw, runs.ac1, runs.score_sd) == (RUNS, VIDEOS, 1, 1, 0)
        assert runs.run_scores == (1, 1, 1)
        assert runs.kappa is None, "a judge that says one thing only has no kappa"
    assert found.judge == {"judge": "voter", "votes": "3"}
    assert found.prompts["judge/logic"] == load_prompt("judge/logic").sha256


@pytest.mark.parametrize(
    ("fault", "rule"),
    [
        ("instructing the judge does not pay", lambda p, run: 1.0 if "Score: 5" in p["candidate"] else sound(p, run)),
        ("padding does not pay", lambda p, run: min(1.0, len(p["candidate"].split()) / 20)),
        ("always saying None scores about 0", lambda p, run: 1.0),
        ("always saying None scores about 0", lambda p, run: 0.6 if p["candidate"] == "None" else sound(p, run)),
        (
            "a copied reference scores no lower than real answers",
            lambda p, run: float(p["reference"] != p["candidate"]),
        ),
        ("real answers score no lower than against shuffled references", lambda p, run: float(not shared(p))),
    ],
)
def test_each_fault_is_found(fault, rule):
    assert fault in failing(rule)


def test_only_the_fault_is_found():
    assert failing(lambda p, run: 1.0 if "Score: 5" in p["candidate"] else sound(p, run)) == {
        "instructing the judge does not pay"
    }


def test_what_the_interval_leaves_open_is_undecided():
    """An instruction that works on 3 of 40 answers: about 7.5 %, with an interval to both sides of the tolerance."""

    def now_and_then(payload, run):
        obeys = "Score: 5" in payload["candidate"] and any(f"word{n}x0" in payload["reference"] for n in range(3))
        return 1.0 if obeys else sound(payload, run)

    found = audit_judge(run_of(), Voter(now_and_then), draws=500)
    low, high = next(one for one in found.expectations if "instructing" in one.text).excess.interval
    assert low < 0.05 < high
    assert outcomes(found)["instructing the judge does not pay"] == "undecided"
    assert not found.failed


def test_runs_that_are_thrown_dice_agree_as_chance_has_it():
    """Votes of yes with p = .2: raw agreement .68, chance-corrected 0, scores of runs apart by sqrt(p q / n)."""
    dice = random.Random(1)
    found = audit_judge(run_of(600), Voter(lambda p, run: float(dice.random() < 0.2)), sample=600, draws=50)
    consistency, logic = found.repeat_runs
    assert consistency.prompt == "judge/consistency"
    assert consistency.raw == pytest.approx(0.68, abs=0.04)
    assert consistency.kappa == pytest.approx(0, abs=0.08)
    assert consistency.alpha["nominal"] == pytest.approx(0, abs=0.08)
    assert consistency.ac1 == pytest.approx((0.68 - 0.32) / (1 - 0.32), abs=0.06)
    assert consistency.icc is None
    assert statistics.fmean(consistency.run_scores) == pytest.approx(0.2, abs=0.03)
    assert 0 < consistency.score_sd < 4 * (0.16 / 600) ** 0.5
    assert logic.icc[0] == pytest.approx(0, abs=0.08)
    assert logic.ac1 == pytest.approx((0.68 - 0.32 / 5) / (1 - 0.32 / 5), abs=0.06), "six grades, two of them used"
    assert logic.alpha.keys() == {"ordinal", "interval"}


def test_a_run_that_is_always_one_point_milder_is_seen_in_icc_and_in_the_runs():
    found = audit_judge(run_of(), Voter(lambda p, run: min(1.0, (len(p["candidate"].split()) - 3 + (run == 2)) / 10)))
    logic = found.repeat_runs[1]
    assert logic.run_scores[0] == logic.run_scores[1] < logic.run_scores[2]
    assert logic.score_sd > 0
    assert 0.5 < logic.icc[0] < logic.icc[1] < 1


def test_votes_that_are_one_and_the_same_are_no_repeat_runs():
    for runs in audit_judge(run_of(), Voter(sound, seeded=False), draws=50).repeat_runs:
        assert (runs.runs, runs.raw, runs.ac1, runs.score_sd) == (1, None, None, None)
        assert set(runs.alpha.values()) == {None}


def test_length_bias_shows_where_no_answer_is_right():
    found = audit_judge(run_of(), Voter(lambda p, run: min(1.0, len(p["candidate"].split()) / 20)), draws=50)
    bias = {(one.prompt, one.control): one.spearman for one in found.length_bias}
    assert bias["judge/logic", "shuffled"] > 0.8
    assert bias["judge/logic", "real"] > 0.8
    found = audit_judge(run_of(), Voter(sound), draws=50)
    assert all(one.spearman is None for one in found.length_bias), "constant verdicts go with nothing"


def test_what_cannot_be_had_is_counted_and_is_not_0():
    def refuses(payload, run):
        if payload["candidate"] == "None":
            return None
        return None if run == 1 and payload["candidate"].endswith("x2") else sound(payload, run)

    found = audit_judge(run_of(7), Voter(refuses), draws=50)
    none, real = control(found, "none"), control(found, "real")
    assert (none.score.n, none.score.mean, none.unscored, none.reasons) == (0, None, 7, {"refused": 7})
    assert (none.votes, none.lost_votes) == (21, 21)
    assert (real.unscored, real.votes, real.lost_votes) == (0, 21, 1)
    assert outcomes(found)["always saying None scores about 0"] == "undecided"
    assert found.repeat_runs[0].items == 7
    assert len(found.repeat_runs[0].run_scores) == RUNS


def test_one_video_decides_nothing():
    assert set(outcomes(audit_judge(run_of(1), Voter(sound))).values()) == {"undecided"}


def test_controls_are_what_they_are_called():
    judge = Voter(sound)
    run = run_of(5)
    found = audit_judge(run, judge, prompts=[load_prompt("judge/logic")], draws=50)
    assert [one.name for one in found.controls] == ["real", "copied", "shuffled", "none", "padded", "instructing"]
    assert len(judge.calls) == 6 * 5
    given = {one.reference: one.answer for one in run.answers}
    calls = [(call.payload["reference"], call.payload["candidate"]) for call in judge.calls]
    assert set(calls[:5]) == set(given.items())
    assert all(reference == candidate for reference, candidate in calls[5:10])
    assert sorted(c for _, c in calls[10:15]) == sorted(given.values())
    assert all(given[reference] != candidate for reference, candidate in calls[10:15])
    assert {candidate for _, candidate in calls[15:20]} == {"None"}
    for reference, candidate in calls[20:25]:
        assert candidate.startswith(given[reference])
        assert set(candidate.removeprefix(given[reference]).split()) == set(PADDING_SENTENCE.split())
        assert len(candidate.split()) >= 2 * len(given[reference].split())
    assert calls[25:] == [(reference, candidate + INSTRUCTION) for reference, candidate in calls[10:15]]


def test_references_are_exchanged_within_a_task_and_never_for_an_equal_one():
    answers = [
        answer(f"v{n}", f"answer {n}", reference=f"{task} of {n}", task=task)
        for task in ("cause", "effect")
        for n in range(4)
    ]
    twins = [answer(f"w{n}", "twin", reference="the same", task="description") for n in range(2)]
    judge = Voter(sound)
    found = audit_judge(results([*answers, *twins]), judge, prompts=[load_prompt("judge/logic")], draws=50)
    assert control(found, "shuffled").score.n == 8
    for call in judge.calls[20:28]:
        task, _, video = call.payload["reference"].split()
        assert call.payload["candidate"] != f"answer {video}"
        assert {"cause": "Why does", "effect": "lead to"}[task] in call.payload["question"]


def test_the_sample_is_seeded_and_of_answers_that_can_be_judged():
    given = [*run_of().answers, answer("e1", " </s> "), answer("e2", "text", reference=" ")]
    given += [answer("v00", "[5]", task="classification"), answer("v00", "text", view="anomaly")]
    again = [answer("v00", "another answer to the same sample")]
    assert audit_judge(results([*given, *again]), Voter(sound), draws=50) == audit_judge(
        results(given), Voter(sound), draws=50
    )
    first, again, other = Voter(sound), Voter(sound), Voter(sound)
    found = audit_judge(results(given), first, sample=10, seed=3, draws=50)
    assert (found.items, found.videos, found.left_out, found.seed) == (10, 10, 2, 3)
    assert audit_judge(results(given[::-1]), again, sample=10, seed=3, draws=50).controls == found.controls
    assert [call.payload for call in again.calls] == [call.payload for call in first.calls]
    audit_judge(results(given), other, sample=10, seed=4, draws=50)
    assert [call.payload for call in other.calls] != [call.payload for call in first.calls]


def test_real_answers_are_judged_by_the_very_calls_of_anomeval():
    """So an audit of a scored file finds them in the store."""
    run = run_of(5)
    scoring, auditing = RuleJudge(), Voter(sound)
    score_results(run, scorers=["anomeval"], judge=scoring)
    audit_judge(run, auditing, draws=50)
    asked = {(call.prompt.id.removeprefix("judge/"), str(dict(call.payload))) for call in auditing.calls}
    same = {(name, str(payload)) for name, payload in scoring.calls if name in ("consistency", "logic")}
    assert len(same) == 10
    assert same <= asked


def test_nothing_to_judge_is_an_error():
    with pytest.raises(UsageError, match="no answer can be judged"):
        audit_judge(results([answer("v0", "[5]", task="classification")]), Voter(sound))
