"""A judge that refuses, or answers out of form, because of an answer: that answer gains nothing by it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ecva_bench.answer_audit.audit import audit_answers
from ecva_bench.judging import Verdict, open_judge
from ecva_bench.judging.user_judge import open_user_judge
from ecva_bench.leaderboard.board import leaderboards
from ecva_bench.leaderboard.comparison_tables import comparison_tables
from ecva_bench.leaderboard.forms import as_text
from ecva_bench.leaderboard.gate import gate, noise_floors
from ecva_bench.leaderboard.gate_report import gate_cases, gate_tables
from ecva_bench.leaderboard.groups import group_submissions
from ecva_bench.leaderboard.headline import headline_table
from ecva_bench.leaderboard.sheet import score_sheets
from ecva_bench.leaderboard.submission import submission
from ecva_bench.leaderboard.unjudgeable import both_on_the_same
from ecva_bench.leaderboard.verified import Verification
from ecva_bench.records.scores import Summary
from ecva_bench.records.verdicts import UNJUDGEABLE
from ecva_bench.scoring import Column, Gap, Scorer
from ecva_bench.scoring.score import score_results
from tests.leaderboard.scored import compare_scores

from ..judging.server import Fault, JudgeServer, completion, error
from .build import answer, results
from .judges import RuleJudge, served

RIGHT, WRONG = "a car brakes", "a wrong thing"
HOW_MANY_RIGHT, OF = 3, 10
ASKED = {"key_sentences": ("a car",), "reference": "a car stops", "prompt_sha256": "a" * 64}


def truth(name, payload):
    """Full marks for what is not wrong, and none for what is."""
    said = payload.get("candidate", payload.get("edited_candidate"))
    high = 5 if name.startswith(("gpt", "logic")) else 1
    return [0 if WRONG in said else high] * len(payload.get("key_sentences", [0]))


def refusing(name, payload):
    """The same, but silent about what is wrong."""
    return None if WRONG in json.dumps(payload) else truth(name, payload)


def run(**fields):
    texts = [RIGHT if n < HOW_MANY_RIGHT else WRONG for n in range(OF)]
    given = [answer(f"v{n}", text, **ASKED) for n, text in enumerate(texts)]
    return results([*given, *(one.model_copy(update={"view": "anomaly", "answer": "None"}) for one in given)], **fields)


def column(scores, name: str) -> Summary:
    return next(one for one in scores.summaries if one.column == name)


def scored(rule, answers=None, **options):
    judge = rule if hasattr(rule, "ask") else RuleJudge(rule)
    return score_results(answers or run(), scorers=["gpt", "anomeval"], judge=judge, draws=50, **options)


@pytest.mark.parametrize("name", ["gpt_mean", "s1", "s2", "gpt_detail"])
def test_silence_about_wrong_answers_raises_no_ranking_mean(name):
    honest, silent = column(scored(truth), name), column(scored(refusing), name)
    full = 5 if name.startswith("gpt") else 1
    assert honest.zero_filled == silent.zero_filled == pytest.approx(full * HOW_MANY_RIGHT / OF)
    assert (silent.n, silent.unscored, silent.unjudged) == (HOW_MANY_RIGHT, OF - HOW_MANY_RIGHT, OF - HOW_MANY_RIGHT)


def test_where_lower_is_better_silence_counts_as_the_highest_value():
    texts = {"v": "a car hits a wall", "v-normal": "a car stops", "w": "a dog bites", "w-normal": "a dog sleeps"}
    given = results([answer(video, f"{WRONG} {video}", reference=text) for video, text in texts.items()])
    scores = score_results(given, scorers=["twins-judge"], judge=RuleJudge(refusing))
    assert column(scores, "claimed_normal").zero_filled == 1


def test_what_the_judge_cannot_judge_at_all_counts_for_nobody():
    def mute(name, payload):
        return None if name == "gpt-detail" else truth(name, payload)

    detail, context = (column(scored(mute), name) for name in ("gpt_detail", "gpt_context"))
    assert (detail.n, detail.zero_filled, detail.unjudged) == (0, None, OF)
    assert set(detail.gaps) == {"judge: the reply cannot be read; no answer to this question can be scored"}
    assert context.zero_filled == pytest.approx(5 * HOW_MANY_RIGHT / OF)


GORE, GORY = "gore and a knife", ("v8", "v9")  # what the judge does not want to read, and where it is right


def of_gore(told: str, **fields: str):
    """A run in which seven answers are right; about the other videos of the gory event it says `told`."""
    texts = {f"v{n}": RIGHT if n < 7 else WRONG if n == 7 else told for n in range(OF)}
    of = {video: {**ASKED, "reference": GORE if video in GORY else "a car stops"} for video in texts}
    given = [answer(video, text, **of[video]) for video, text in texts.items()]
    return results([*given, answer("v10", "refused for its gore", **ASKED)], name=told, model=told, **fields)


def squeamish(name, payload):
    return None if "gore" in json.dumps([payload["candidate"]]) else truth(name, payload)


def less(run_, ids):
    """The same run had nobody asked about these videos."""
    return results([one for one in run_.answers if one.video not in ids], name=run_.name, model=run_.model)


def test_what_a_judge_cannot_judge_for_one_run_counts_for_no_run_of_the_table():
    open_, bland = of_gore(GORE), of_gore(RIGHT)
    one, other = (scored_gpt(run_) for run_ in (open_, bland))
    assert column(one, "gpt_mean").unjudgeable == ("v8/cause", "v9/cause")
    assert "unjudgeable" not in column(other, "gpt_mean").model_dump()
    right = [column(scored_gpt(less(run_, GORY)), "gpt_mean") for run_ in (open_, bland)]
    (group,) = group_submissions([submission(one), submission(other)])
    rows = {row.label: row for row in group.rows}
    for run_, truth_ in zip((open_, bland), right, strict=True):
        found = rows[run_.model].summaries["gpt_mean"]
        assert (found.zero_filled, found.zero_filled_interval) == (truth_.zero_filled, truth_.zero_filled_interval)
        assert (found.n, found.unjudged) == (truth_.n, truth_.unjudged) == (8, 1)
        assert len(rows[run_.model].entry.values["gpt_mean"]) == 9
    assert {standing.rank for standing in group.standings["gpt_mean"].values()} == {1}
    board = as_text(leaderboards([submission(one), submission(other)])[0])
    assert (
        "unscorable for all runs, for the judge gives no verdict on the reference either: 2 samples (v8/cause" in board
    )
    alone = as_text(leaderboards([submission(other)])[0])
    assert "unscorable" not in alone


class _Lengths(Scorer):
    """A scorer of somebody's that gives some words no value: on purpose, or with the words that only we may say."""

    name, tasks, version = "lengths", ("cause",), "1"
    columns = (Column("length", "words of the answer", low=0, high=9, unit="points"),)

    def score(self, batch):
        return [{} if item.candidate in (GORE, WRONG) else {"length": 4.0} for item in batch]

    def gaps(self, item):
        if item.candidate == GORE:
            return {"length": Gap("a word of the list", unjudgeable=True)}
        return {"length": Gap(f"said to end so{UNJUDGEABLE}{UNJUDGEABLE}", unanswered=True)}


def test_what_a_scorer_of_somebodys_finds_unjudgeable_is_counted_by_what_it_says_and_not_by_its_words():
    one, other = (score_results(of_gore(told), scorers=[_Lengths]) for told in (GORE, RIGHT))
    found = both_on_the_same(base=one, new=other)
    for run_ in found:
        length = column(run_, "length")
        assert (length.n, length.unscored, length.gaps) == (8, 1, {"said to end so": 1})


def test_comparison_and_gate_leave_out_for_both_what_cannot_be_judged_of_one():
    one, other = scored_gpt(of_gore(GORE)), scored_gpt(of_gore(RIGHT))
    for on in ("all", "intersection"):
        for base, new in ((one, other), (other, one)):
            compared = compare_scores(base=base, new=new, metrics=["gpt_mean"], on=on)
            (effect,) = compared.effects
            assert (effect.n, effect.difference) == (9 if on == "all" else 8, 0)
            assert not compared.shortfalls
            (text,) = compared.unjudgeable
            assert text in as_text(comparison_tables([compared])[0])
            assert text.endswith("2 samples (v8/cause, v9/cause) of cause/gpt_mean")
            found = gate(base=base, new=new, metrics=["gpt_mean"], draws=200, on=on)
            assert (found.mismatches, found.shortfalls, found.unjudgeable) == ((), (), compared.unjudgeable)
            assert text in as_text(gate_tables(found)[0])
    alike = compare_scores(base=other, new=other, metrics=["gpt_mean"])
    assert "unjudgeable" not in alike.model_dump()
    assert noise_floors([one, other], ["cause/gpt_mean"]) == {"cause/gpt_mean": 0}


def test_of_another_judge_or_unverified_it_is_left_out_for_nobody_else():
    open_, bland = submission(scored_gpt(of_gore(GORE))), submission(scored_gpt(of_gore(RIGHT)))
    verified, stated = Verification(status="verified"), Verification(status="as stated")
    (group,) = group_submissions([open_.with_verification(stated), bland.with_verification(verified)])
    assert len(group.rows[0].entry.values["gpt_mean"]) == 11
    (group,) = group_submissions([open_.with_verification(verified), bland.with_verification(stated)])
    assert len(group.rows[1].entry.values["gpt_mean"]) == 9
    other_judge = RuleJudge(truth)
    other_judge.identity = lambda keys=(): {"judge": "another"}
    theirs = submission(score_results(of_gore(RIGHT), scorers=["gpt"], judge=other_judge, draws=2000))
    assert {len(g.rows[0].entry.values["gpt_mean"]) for g in group_submissions([open_, theirs])} == {9, 11}


def test_a_part_that_nobody_can_have_decides_for_the_columns_made_of_it():
    def half(name, payload):  # one dimension balks at gore as such, another at this answer alone
        balks = name == "gpt-detail" or (name == "gpt-correctness" and payload["candidate"] != GORE)
        return None if balks and "gore" in payload["candidate"] else truth(name, payload)

    scores = score_results(of_gore("gore, or what"), scorers=["gpt"], judge=RuleJudge(half), draws=50)
    assert column(scores, "gpt_mean").unjudgeable == ("v8/cause", "v9/cause")
    assert column(scores, "gpt_correctness").unjudgeable == ()
    assert column(scores, "gpt_correctness").unscored == 3


def test_silence_raises_no_mean_of_expectations_either():
    silent = score_results(run(), scorers=["gpt"], judge=RuleJudge(refusing, expectations=True), draws=50)
    found = column(silent, "gpt_mean_expected")
    assert found.zero_filled == pytest.approx(0.9 * 5 * HOW_MANY_RIGHT / OF)


def scored_gpt(run_):
    return score_results(run_, scorers=["gpt"], judge=RuleJudge(squeamish))


def test_only_what_failed_is_asked_again_and_only_about_the_reference():
    judge = RuleJudge(refusing)
    score_results(run(), scorers=["gpt"], judge=judge)
    asked = [payload["candidate"] for _, payload in judge.calls]
    assert asked[4 * OF :] == ["a car stops"] * 4 * (OF - HOW_MANY_RIGHT)
    honest = RuleJudge(truth)
    score_results(run(), scorers=["gpt"], judge=honest)
    assert len(honest.calls) == 4 * OF


class Broken:
    """A judge whose connection is lost at wrong answers: no fault of theirs, as far as it says."""

    asked = 0

    def ask(self, calls):
        self.asked += len(calls)
        lost = Verdict(None, reason="the line is dead", passing=True)
        return [lost if WRONG in call.payload["candidate"] else Verdict((5.0,)) for call in calls]

    def identity(self, keys=()):
        return {"judge": "broken"}


def test_what_may_pass_is_left_out_and_not_asked_again():
    judge = Broken()
    found = column(score_results(run(), scorers=["gpt"], judge=judge), "gpt_mean")
    assert (found.zero_filled, found.n, judge.asked) == (5, HOW_MANY_RIGHT, 4 * OF)


PLUGIN = f"""
from ecva_bench import Verdict

class Judge:
    def ask(self, calls):
        return [self.one(call) for call in calls]
    def one(self, call):
        said = call.payload["candidate"]
        if {WRONG!r} in said:
            return Verdict(None, reason="I would rather not say")
        return Verdict((float(call.prompt.scale.high),) * call.expected)
    def identity(self, keys=()):
        return {{}}
"""


def test_a_plug_in_that_is_silent_about_wrong_answers_raises_nothing(tmp_path: Path):
    (tmp_path / "mine.py").write_text(PLUGIN)
    with open_user_judge(f"{tmp_path}/mine.py:Judge") as judge:
        found = column(score_results(run(), scorers=["gpt"], judge=judge, draws=50), "gpt_mean")
    assert found.zero_filled == pytest.approx(5 * HOW_MANY_RIGHT / OF)


def endpoint(fault: object) -> JudgeServer:
    """The truth behind an endpoint, but for wrong answers, which get `fault`."""
    rule = served(truth)
    return JudgeServer(lambda system, payload: fault if WRONG in json.dumps(payload) else rule(system, payload))


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        (completion("I cannot put a number on that."), "unparsable"),
        (completion("", refusal="I will not."), "refused"),
        (Fault(400, error("the content was filtered", code="content_filter")), "refused"),
        (Fault(413, error("the message is too long")), "rejected"),
    ],
    ids=["prose", "refusal", "filter", "too long"],
)
def test_an_endpoint_that_balks_at_wrong_answers_raises_nothing(fault, word, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-a-test")
    answers, export = run(), tmp_path / "calls.jsonl"
    with (
        endpoint(fault) as server,
        open_judge("scripted", base_url=server.url, store=tmp_path / "s.sqlite", budget_tokens=10**7) as judge,
    ):
        scores = score_results(answers, scorers=["gpt"], judge=judge, draws=50)
        controls = 4  # equal calls are one
        judge.export(export)
        assert judge.usage.asked == 4 * 2 + controls
    found = column(scores, "gpt_mean")
    assert found.zero_filled == pytest.approx(5 * HOW_MANY_RIGHT / OF)
    assert found.unjudged == OF - HOW_MANY_RIGHT
    assert all(reason.startswith(f"judge: {word}: ") for reason in found.gaps)
    if word == "rejected":
        return  # what an endpoint rejects is no reply, and is not stored
    with open_judge("scripted", replay=export) as judge:
        assert score_results(answers, scorers=["gpt"], judge=judge, draws=50) == scores
        assert judge.usage.not_in_replay == 0
    kept = [line for line in export.read_text().splitlines()[1:] if '"candidate":"a car stops"' not in line]
    head = json.dumps({"type": "judge", "schema": "ecva.judge/1", "calls": len(kept), "sealed": True})
    (tmp_path / "less.jsonl").write_text("\n".join([head, *kept]) + "\n")
    with open_judge("scripted", replay=tmp_path / "less.jsonl") as judge:
        again = column(score_results(answers, scorers=["gpt"], judge=judge, draws=50), "gpt_mean")
        assert judge.usage.not_in_replay == controls
        assert "; on the reference: not in the replay" in next(iter(again.gaps))


def test_how_many_answers_the_judge_gave_a_verdict_on_stands_beside_every_score():
    scores = score_results(run(), scorers=["gpt"], judge=RuleJudge(refusing), draws=50)
    of = f"{HOW_MANY_RIGHT} of {OF}"
    assert f"gpt_correctness: the judge gave a verdict on {of} answers" in as_text(score_sheets(scores)[0])
    whole = score_results(run(name="honest", model="honest"), scorers=["gpt"], judge=RuleJudge(truth), draws=50)
    assert f"gpt: the judge gave a verdict on all of {OF} answers" in as_text(score_sheets(whole)[0])
    board = as_text(leaderboards([submission(scores), submission(whole)])[0])
    assert f"Answers on which the judge gave a verdict (gpt_correctness): honest {OF} of {OF}, model {of}." in board
    alone = as_text(leaderboards([submission(whole)])[0])
    assert "the judge gave" not in alone
    assert "honest: gpt: the judge was asked no controls" in alone
    assert f"cause: gpt_correctness: the judge gave a verdict on {of}" in as_text(headline_table(submission(scores)))
    assert "verdict" not in as_text(headline_table(submission(whole)))


@pytest.mark.parametrize(("base", "new"), [(truth, refusing), (refusing, truth)])
def test_gate_and_comparison_name_another_share_of_verdicts_either_way(base, new):
    one, other = scored(base), scored(new)
    found = gate(base=one, new=other, metrics=["s2"], draws=200)
    shares = f"{OF - HOW_MANY_RIGHT} of {OF}"
    (case,) = [case for case in gate_cases(found) if case.name == "unjudged answers of cause (s2)"]
    assert case.verdict == "WARN"
    assert shares in case.text
    assert found.verdict == "WARN"
    assert any(one.what == "unjudged" for one in compare_scores(base=one, new=other).shortfalls)
    assert not gate(base=one, new=one, metrics=["s2"], draws=200).shortfalls


def test_the_audit_names_answers_without_a_verdict_and_how_many_other_models_have():
    one = score_results(run(), scorers=["gpt"], judge=RuleJudge(refusing), draws=50)
    other = score_results(run(name="honest"), scorers=["gpt"], judge=RuleJudge(truth), draws=50)
    (found,) = [each for each in audit_answers([run()], scores=[one, other]).findings if each.rule == "unjudged"]
    assert (found.entry, found.other, found.n, found.of) == ("run", "honest", OF - HOW_MANY_RIGHT, OF)
    assert found.text.endswith(f"; honest: 0 of {OF}")
    assert found.ids[0] == f"v{HOW_MANY_RIGHT}/cause"
    assert not [each for each in audit_answers([run()], scores=[other]).findings if each.rule == "unjudged"]
