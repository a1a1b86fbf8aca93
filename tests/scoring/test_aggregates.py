"""Numbers over all items where questions were asked several times: those of runs that ask once, averaged."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction
from statistics import fmean
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.records.annotations import question_of, repeat_id, sample_parts
from ecva_bench.records.answers import Answer, Results
from ecva_bench.records.scores import Scores
from ecva_bench.scoring import Column, Scorable, Scorer, get_protocol, get_scorer
from ecva_bench.scoring.aggregates import draws_of
from ecva_bench.scoring.score import score_results

from .build import answer, label, moments, results

TIMES = 3
TASKS = ("choice", "classification", "detection", "grounding", "severity", "timestamp")
SCORERS = (*TASKS, "frame-ranking")
OPTIONS = ("ice", "fire", "smoke")
RATIOS = {"accuracy_sub": "sub_named", "segments_unparsed": ""}  # shares of what is not the same in each draw


def _said(task: str, chance: random.Random) -> str:
    start, middle = sorted(round(10 * chance.random(), 1) for _ in range(2))
    spans = f"[{start}, {middle}]", "hm"
    severities = (
        f"0 - {middle} s: {chance.random():.2f}\n{middle} - 12 s: {chance.choice(('0.3', 'high or low'))}",
        "hm",
    )
    return chance.choice(
        {
            "choice": ("A", "B", "C", "?"),
            "classification": ("[1-1]", "[1-2]", "[2]", "[3]", "hm", "[1] or [2]", "[77]"),
            "detection": ("Yes.", "No.", "hm"),
            "grounding": spans,
            "timestamp": spans,
            "severity": severities,
        }[task]
    )


def _annotated(task: str, number: int, turn: int = 0) -> dict[str, Any]:
    inside = moments((1 + number % 4, 3 + number)) if number % 3 else ()
    return {
        "choice": {"options": OPTIONS[turn:] + OPTIONS[:turn], "reference": OPTIONS[number % 3]},
        "classification": {"label": label(1 + number % 3 // 2), "reference": "1-1"},
        "detection": {"reference": "yes" if number % 3 else "no"},
        "grounding": {"moments": moments((number, number + 2)), "reference": "[1, 2]"},
        "timestamp": {"moments": inside, "reference": "[1, 2]" if inside else "none"},
        "severity": {
            "moments": inside or moments((0, 1)),
            "curve": ((0.0, 0.0), (float(2 + number), 1.0), (12.0, 0.3)),
        },
    }[task] | {"duration": 12.0}


def _asked(share: float, seed: int, videos: int = 7) -> list[Answer]:
    """Answers to questions of all tasks, each asked three times; of the later ones a share is there."""
    chance, found = random.Random(seed), []
    for task in TASKS:
        for number in range(videos):
            for turn in range(3 if task == "choice" else 1):
                for again in range(TIMES):
                    text = _said(task, chance)
                    if again and chance.random() > share:
                        continue
                    one = answer(f"v{number}", text, task=task, **_annotated(task, number, turn))
                    name = {"choice": f"/q@r{turn}" if turn else "/q", "grounding": "/q"}.get(task, "")
                    sample = repeat_id(f"{one.id}{name}", again)
                    found.append(one.model_copy(update={"id": sample, "key": f"{sample} {text}"}))
    return found


def _run(answers: Sequence[Answer]) -> Results:
    owed = dict.fromkeys(repeat_id(question_of(one.id), again) for one in answers for again in range(TIMES))
    return results(answers, expects={"full": tuple(owed)})


def _aggregates(scores: Scores) -> dict[tuple[str, str], float]:
    return {(one.scorer, one.column): one.value for one in scores.aggregates}


def _scored(answers: Sequence[Answer]) -> dict[tuple[str, str], float]:
    return _aggregates(score_results(_run(answers), scorers=SCORERS, timestamp_unit="seconds", draws=10))


def _alone(answers: Sequence[Answer], time: int) -> dict[tuple[str, str], float]:
    """The aggregates of a run that asks once, and was given the answers of one time."""
    of_time = [one for one in answers if sample_parts(one.id).repeat == time]
    once = [one.model_copy(update={"id": question_of(one.id)}) for one in of_time]
    return _aggregates(score_results(results(once), scorers=SCORERS, timestamp_unit="seconds", draws=10))


def test_each_aggregate_is_the_mean_over_runs_that_ask_once() -> None:
    answers = _asked(1, seed=5)
    found, alone = _scored(answers), [_alone(answers, time) for time in range(TIMES)]
    protocol = get_protocol("standard")
    known = {(name, one.name): one for name in SCORERS for one in get_scorer(name, protocol).aggregates}
    needs_more = {"read_by_judge", "always_d", "always_e", "always_f"}  # a judge, and four options
    needs_more |= {"most_frequent_place", "most_frequent_answer", "option_words", "all_words"}  # 50 questions
    assert {column for _, column in known.keys() - found.keys()} == needs_more
    for place, value in found.items():
        if place[1] not in RATIOS:
            assert value == pytest.approx(fmean(one.get(place, 0) for one in alone), abs=1e-12), place
    assert any(len({one[place] for one in alone}) > 1 for place in found if place[1] == "auc_pooled")
    right = [one["classification", "accuracy_sub"] * one["classification", "sub_named"] for one in alone]
    named = fmean(one["classification", "sub_named"] for one in alone)
    assert found["classification", "accuracy_sub"] == pytest.approx(fmean(right) / named)


def test_where_answers_are_missing_each_question_weighs_the_same() -> None:
    answers = _asked(0.5, seed=8)
    assert len(answers) < TIMES * len({question_of(one.id) for one in answers})
    found = _scored(answers)
    first = _alone(answers, 0)  # each question is answered there
    of_questions = ["majority_baseline", "majority", "chance", "always_a", "longest", "constant_span"]
    of_questions += ["constant_span_end", "middle_span", "middle_span_share", "base", "base_rate", "hit1_middle"]
    of_questions += ["frame_auc_middle", "auc_middle", "ap_middle", "constant_answer"]
    for place in found:
        if place[1] in of_questions:
            assert found[place] == first[place], place
    assert {column for _, column in found} >= set(of_questions)

    def share(task: str, says: Mapping[str, bool], kind: str = "") -> float:
        by_question = defaultdict(list)
        for one in answers:
            if one.task == task and kind in ("", one.reference):
                by_question[one.id.partition("@")[0]].append(any(text in one.answer for text in says if says[text]))
        return fmean(map(fmean, by_question.values()))

    assert found["detection", "false_alarm"] == pytest.approx(share("detection", {"Yes": True}, "no"))
    assert found["detection", "missed"] == pytest.approx(share("detection", {"No": True}, "yes"))
    assert found["detection", "unread"] == pytest.approx(share("detection", {"hm": True}))
    assert found["classification", "ambiguous"] == pytest.approx(share("classification", {"or": True}))
    assert found["classification", "sub_named"] == pytest.approx(share("classification", {"-": True}))
    recalls = []
    for major in (1, 2):
        by_video = defaultdict(list)
        for one in answers:
            if one.task == "classification" and one.label and one.label.major == major:
                by_video[one.video].append(one.answer.startswith(f"[{major}") and "or" not in one.answer)
        recalls.append(fmean(map(fmean, by_video.values())))
    assert found["classification", "macro_recall"] == pytest.approx(fmean(recalls))


@pytest.mark.parametrize("seed", range(3))
def test_read_and_unread_answers_are_all_there_are(seed: int) -> None:
    scores = score_results(_run(_asked(0.6, seed)), scorers=SCORERS, timestamp_unit="seconds", draws=10)
    found = _aggregates(scores)
    for one in scores.summaries:
        if one.column == "parsed":
            unread = sum(
                found.get((one.scorer, kind), 0) for kind in ("unread", "ambiguous", "out_of_range", "no_unit")
            )
            assert one.mean is not None
            assert one.mean + unread == pytest.approx(1), one.scorer


def test_answers_about_one_video_are_not_ranked_among_each_other() -> None:
    """Each answer ranks its own video perfectly, one with 1 and 0, the other with 1 and 2 as spans; pooled, 1 ties."""
    there = {"task": "timestamp", "moments": moments((0, 5)), "reference": "[0, 5]", "duration": 10.0}
    one = answer("v", "[0, 5]", **there)
    two = answer("v", "[0, 10] and [0, 5]", **there).model_copy(update={"id": repeat_id(one.id, 1)})
    scores = score_results(results([one, two]), scorers=["frame-ranking"], timestamp_unit="seconds")
    assert _aggregates(scores)["frame-ranking", "auc_pooled"] == 1
    assert _aggregates(scores)["frame-ranking", "base_rate"] == 0.5


def test_answers_are_no_questions_to_learn_a_blind_rule_from() -> None:
    questions = [answer(f"v{n}", "A", task="choice", options=OPTIONS, reference="fire") for n in range(50)]
    given = [
        one.model_copy(update={"id": repeat_id(f"{one.id}/q", n), "key": f"{one.key}{n}"})
        for one in questions
        for n in range(2)
    ]
    learnt = ("choice", "most_frequent_answer")
    assert learnt in _aggregates(score_results(results(given)))
    assert learnt not in _aggregates(score_results(results(given[2:])))  # 49 questions


@given(st.lists(st.integers(1, 6), min_size=1, max_size=8))
def test_draws_hold_each_question_once_and_its_answers_equally(counts: list[int]) -> None:
    samples = [repeat_id(f"v{n}/cause", again) for n, count in enumerate(counts) for again in range(count)]
    random.Random(len(samples)).shuffle(samples)
    weights: dict[str, Fraction] = defaultdict(Fraction)
    for weight, places in draws_of(samples):
        assert sorted(question_of(samples[place]) for place in places) == sorted({*map(question_of, samples)})
        for place in places:
            weights[samples[place]] += weight
    assert weights == {one: Fraction(1, counts[int(sample_parts(one).video[1:])]) for one in samples}


class Spread(Scorer):
    """How much longer the longest answer is, over the length of the shortest, which may be 0."""

    name = "spread"
    tasks: ClassVar[tuple[str, ...]] = ("cause",)
    columns = (Column("length", "characters", high=100.0),)
    aggregates = (
        Column("spread", "longest over shortest", "points", high=100.0),
        Column("least", "shortest", high=100),
    )

    def score(self, batch: Sequence[Scorable]) -> list[dict[str, float]]:
        return [{"length": float(len(item.candidate))} for item in batch]

    def summary(self, batch: Sequence[Scorable], values: Sequence[dict[str, float]]) -> dict[str, float]:
        lengths = [value["length"] for value in values]
        least = {"least": min(lengths)}
        return least | ({"spread": max(lengths) / min(lengths)} if min(lengths) else {})


def test_what_some_draw_does_not_have_is_left_out_with_the_reason() -> None:
    texts = {"v/cause": "ab", "w/cause": "abcd", "v/cause@s1": "abc", "w/cause@s1": ""}
    given = [answer(one[0], text).model_copy(update={"id": one, "key": one}) for one, text in texts.items()]
    scores = score_results(results(given), scorers=[Spread])
    assert _aggregates(scores) == {("spread", "least"): 1}
    reason = "only 1 of 2 draws of one answer to each question have it"
    assert scores.header.left_out == {"spread of spread (cause, full)": reason}
    whole = score_results(results(given[:3]), scorers=[Spread])
    assert _aggregates(whole)["spread", "spread"] == pytest.approx((4 / 2 + 4 / 3) / 2)
    assert not whole.header.left_out
