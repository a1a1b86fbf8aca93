"""A judge is asked about answers that are known to be right or wrong, and is believed as far as it tells them apart."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecva_bench.judging.judge import open_judge
from ecva_bench.judging.prompts import load_prompt
from ecva_bench.leaderboard.board import board
from ecva_bench.leaderboard.gate import gate
from ecva_bench.leaderboard.groups import group_submissions
from ecva_bench.leaderboard.headline import headline_table, scored_tables
from ecva_bench.leaderboard.submission import Submission, submission
from ecva_bench.records.answers import Results
from ecva_bench.records.base import View
from ecva_bench.records.scores import Scores, signature_parts
from ecva_bench.records.verdicts import QUALIFIES
from ecva_bench.scoring.controls import controls_of
from ecva_bench.scoring.qualification import FEWEST, REFERENCES
from ecva_bench.scoring.score import score_results
from ecva_bench.statistics.rankings import roc_area
from ecva_bench.statistics.separation import separation
from ecva_bench.verification.rows import contradictions
from tests.judging.server import JudgeServer

from .build import answer, item, results
from .judges import Rule, RuleJudge, lexical, served

THINGS = ("lorry", "cyclist", "crane", "ladder", "forklift", "tram", "horse", "kite", "boat", "drone", "bus", "goat")


def highest(name: str, payload: Mapping[str, Any]) -> list[int]:
    """A judge that finds everything right, as a small language model does."""
    scale = load_prompt(f"judge/{name}").scale
    return [scale.high] * (len(payload[scale.many]) if scale.many else 1)


def exact(name: str, payload: Mapping[str, Any]) -> list[int]:
    """A judge to whom an answer is right where it is the reference, word for word."""
    if name == "coverage":
        return [int(key in payload["candidate"]) for key in payload["key_sentences"]]
    if name in ("agreement", "refusal"):
        return lexical(name, payload)
    right = payload["candidate"] == payload["reference"]
    return [load_prompt(f"judge/{name}").scale.high * right]


def run(videos: int = len(THINGS), *, said: str = "Something moves.", model: str = "model") -> Results:
    texts = {f"v{n}": f"A red {thing} fell over near the {thing} stand {n}." for n, thing in enumerate(THINGS[:videos])}
    views: tuple[View, ...] = ("full", "anomaly")
    asked = [
        answer(v, said, view=view, reference=text, key_sentences=(text[:20],), prompt_sha256="0" * 64)
        for v, text in texts.items()
        for view in views
    ]
    return results(asked, model=model, name=model)


def scored(rule: Rule, *, qualify: bool = True, videos: int = len(THINGS), **fields: Any) -> Scores:
    judge = RuleJudge(rule)
    return score_results(run(videos, **fields), judge=judge, scorers=["gpt", "rouge"], qualify=qualify, draws=50)


def test_a_judge_that_finds_all_right_is_disqualified_and_one_that_reads_is_not() -> None:
    for rule, auc, ceiling, floor in ((highest, 0.5, 20, 20), (exact, 1.0, 20, 0)):
        summary = next(one for one in scored(rule).summaries if one.column == "gpt_sum")
        found = summary.qualification
        assert found is not None
        assert (found.auc, found.ceiling, found.floor, found.n) == (auc, ceiling, floor, REFERENCES)
        assert summary.disqualified == (auc < QUALIFIES)
        assert ("|qualified:no|" if summary.disqualified else "|qualified:yes|") in summary.signature
    assert found.changed == 0  # one word of a reference is another, and `exact` sees it


def test_anomeval_is_told_right_from_wrong_in_all_of_its_columns() -> None:
    found = score_results(run(), judge=RuleJudge(exact), scorers=["anomeval"], qualify=True, draws=50)
    by_column = {one.column: one.qualification for one in found.summaries}
    assert {name for name, one in by_column.items() if one and one.auc == 1.0} == {*by_column} - {"s3_control"}


def test_what_the_judge_was_asked_is_the_same_whoever_answered_and_moves_no_number() -> None:
    asked, judges = [], [RuleJudge(lexical), RuleJudge(lexical)]
    for judge, said in zip(judges, ("Something moves.", "A lorry."), strict=True):
        found = score_results(run(said=said), judge=judge, scorers=["gpt"], qualify=True, draws=50)
        asked.append(Counter(str(call) for call in judge.calls[: -4 * len(THINGS)]))
        bare = score_results(run(said=said), judge=RuleJudge(lexical), scorers=["gpt"], draws=50)
        assert [one.mean for one in found.summaries] == [one.mean for one in bare.summaries]
        assert [signature_parts(one.signature) for one in found.summaries] == [
            signature_parts(s.signature) for s in bare.summaries
        ]
        assert all(one.qualification is None and not one.disqualified for one in bare.summaries)
    assert asked[0] == asked[1]
    assert asked[0].total() == 4 * 4 * REFERENCES  # four grades of: right, other, none, one fact changed


@pytest.mark.parametrize("silent", ["wrong", "right"])
def test_a_judge_without_verdicts_on_controls_of_one_kind_does_not_qualify(silent: str) -> None:
    """It is not as if nobody had asked: such a judge tells nothing apart."""
    texts = {one.reference for one in run().answers}

    def dodging(name: str, payload: Mapping[str, Any]) -> list[int] | None:
        right = payload["candidate"] == payload["reference"]
        control = right or payload["candidate"] in {"None", *texts}
        return None if control and right == (silent == "right") else exact(name, payload)

    summary = next(one for one in scored(dodging).summaries if one.column == "gpt_sum")
    assert summary.n == len(THINGS)
    assert summary.qualification is not None
    assert summary.qualification.auc == 0.5
    assert summary.disqualified
    assert "|qualified:no|" in summary.signature


def test_of_too_few_videos_nothing_is_said() -> None:
    assert all(one.qualification is None for one in scored(highest, videos=FEWEST - 1).summaries)
    assert any(one.disqualified for one in scored(highest, videos=FEWEST).summaries)


def test_a_disqualified_column_is_printed_and_takes_no_rank() -> None:
    runs = [submission(scored(highest, model="first")), submission(scored(highest, model="second", said="A lorry."))]
    group = next(one for one in group_submissions(runs) if one.view == "full")
    standings = group.standings
    assert "gpt_sum" not in {name for name, ranked in standings.items() if ranked}
    assert {*standings["rouge2"]} == {"first", "second"}
    shown = board(group)
    assert all("20.00" in row[shown.header.index("gpt_sum points")].text for row in shown.rows)
    assert sum("gpt is not qualified, and takes no rank" in note for note in shown.notes) == 2


def test_a_judge_that_fails_takes_no_column_from_those_whose_judge_does_not() -> None:
    def judged(rule: Rule, model: str) -> Submission:
        judge = RuleJudge(rule)
        judge.identity = lambda keys=(): {"judge": model, "votes": "1"}  # type: ignore[method-assign]
        found = score_results(run(model=model), judge=judge, scorers=["anomeval", "rouge"], qualify=True, draws=50)
        return submission(found)

    groups = group_submissions([judged(exact, "sound"), judged(highest, "lenient")])
    ranked_by = {row.label: group.by for group in groups for row in group.rows if group.view == "full"}
    assert ranked_by == {"sound": "gated", "lenient": "rouge2"}


def test_a_submission_that_hides_that_its_judge_failed_is_refused() -> None:
    true = submission(scored(highest))
    told = true.model_dump(mode="json", by_alias=True)
    for entry in told["entries"]:
        for summary in entry["summaries"]:
            summary["signature"] = summary["signature"].replace("|qualified:no", "|qualified:yes")
    before, after = (
        {one.field for one in contradictions(found, None)} for found in (true, Submission.model_validate(told))
    )
    judged = {one.column for entry in true.entries for one in entry.summaries if one.judged}
    assert {field.split()[2].strip(",") for field in after - before} == judged
    assert all(field.startswith("qualified, of ") for field in after - before)


def test_the_gate_is_invalid_where_the_judge_failed_and_only_there() -> None:
    both = {rule: scored(rule) for rule in (highest, exact)}
    for rule, verdict in ((highest, "INVALID"), (exact, "PASS")):
        found = gate(base=both[rule], new=both[rule], metrics=["gpt_sum"], draws=50)
        assert found.verdict == verdict
        assert [one.field for one in found.mismatches] == (["qualification"] if verdict == "INVALID" else [])
    assert gate(base=both[highest], new=both[highest], metrics=["rouge2"], draws=50).verdict == "PASS"
    not_asked = scored(exact, qualify=False)
    assert gate(base=not_asked, new=both[exact], metrics=["gpt_sum"], draws=50).verdict == "PASS"


def test_the_sheet_and_what_to_report_say_what_the_judge_is_worth() -> None:
    sheet, *_ = scored_tables(scored(highest))
    row = next(row for row in sheet.rows if row[0].text == "gpt_sum")
    assert [cell.text for cell in row[-4:]] == ["20.00 points", "20.00 points", "20.00 points", "0.50"]
    assert any("gpt is not qualified" in note for note in headline_table(submission(scored(highest))).notes)
    assert "told apart" not in scored_tables(scored(highest, qualify=False))[0].header


def test_what_to_report_does_not_advise_a_metric_that_is_not_qualified() -> None:
    def last_note(scores: Scores) -> str:
        return headline_table(submission(scores)).notes[-1]

    by_words = [row for row in headline_table(submission(scored(highest))).rows if row[1].text == "rouge2"]
    assert by_words
    assert "the judge is not qualified: with one that is, report `gated`" in last_note(scored(highest))
    assert "report `gated`, which needs a judge" in last_note(score_results(run(), scorers=["rouge"], draws=50))


def test_a_replay_without_controls_is_as_before_and_one_with_them_says_the_same_again(tmp_path: Path) -> None:
    def again(replay: Path) -> tuple[Scores, int]:
        with open_judge("rule", replay=replay) as judge:
            found = score_results(run(), judge=judge, scorers=["gpt"], qualify=True, draws=50)
            return found, judge.usage.not_in_replay

    for name, qualify in (("bare", False), ("asked", True)):
        with (
            JudgeServer(served(), model="rule") as server,
            pytest.MonkeyPatch.context() as patch,
            open_judge("rule", base_url=server.url, store=tmp_path / f"{name}.sqlite") as judge,
        ):
            patch.setenv("OPENAI_API_KEY", "none")
            first = score_results(run(), judge=judge, scorers=["gpt"], qualify=qualify, draws=50)
            judge.export(tmp_path / f"{name}.jsonl")
        found, lacking = again(tmp_path / f"{name}.jsonl")
        assert found == first
        assert lacking == 0
        assert any(one.qualification for one in found.summaries) == qualify


def test_separation_is_the_area_under_the_curve_and_its_interval_holds_it() -> None:
    random = np.random.default_rng(1)
    right = [[float(value)] for value in random.integers(2, 6, size=12)]
    wrong = [[float(value) for value in random.integers(0, 4, size=2)] for _ in right]
    flat = list(itertools.chain(*right, *wrong))
    positive = np.array([True] * 12 + [False] * 24)
    found = separation(right, wrong, seed=0)
    assert found.mean == pytest.approx(roc_area(np.array(flat), positive))
    assert found.interval is not None
    assert found.interval[0] < found.mean < found.interval[1]
    drawn = []
    for _ in range(400):
        places = random.integers(12, size=12)
        scores = [right[n][0] for n in places] + [value for n in places for value in wrong[n]]
        drawn.append(roc_area(np.array(scores), positive))
    assert np.quantile(drawn, [0.025, 0.975]) == pytest.approx(found.interval, abs=0.03)
    assert separation([[1.0]], [[0.0]], seed=0).interval is None


def test_controls_are_the_reference_another_one_and_none() -> None:
    mine, other = item("said", "A red car."), item("said", "A ladder fell.", video="w")
    found = controls_of(mine, other)
    assert [one.candidate for one in found.items] == ["A red car.", "A ladder fell.", "None", "A red tram."]
    assert len({one.key for one in found.items}) == len(found.items)
    assert {one.reference for one in found.items} == {"A red car."}
    assert [one.candidate for one in controls_of(dataclasses.replace(mine, reference="It fell."), None).items] == [
        "It fell.",
        "None",
    ]
