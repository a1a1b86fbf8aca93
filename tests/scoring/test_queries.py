"""The scorers of choice, detection and grounding against their definitions, written out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from ecva_bench.leaderboard.board import board
from ecva_bench.leaderboard.by_view import view_scores
from ecva_bench.leaderboard.groups import group_submissions
from ecva_bench.leaderboard.headline import headline_table
from ecva_bench.leaderboard.submission import submission
from ecva_bench.records import Moment
from ecva_bench.records.answers import Answer, Results, SampleAnnotation
from ecva_bench.records.scores import Scores
from ecva_bench.scoring.score import score_results
from ecva_bench.statistics.intervals import balanced_mean, bootstrap_interval
from ecva_bench.statistics.standings import RankedColumn, standings


def run(
    answers: Sequence[Answer], absent: Sequence[str] = (), model: str = "m", references: dict[str, str] | None = None
) -> Results:
    expects = (*(answer.id for answer in answers), *absent)
    return Results(
        name=model,
        source="r.jsonl",
        sha256="0" * 64,
        model=model,
        expects={"full": expects},
        answers=answers,
        annotated={one: SampleAnnotation(reference=text) for one, text in (references or {}).items()},
    )


def answered(sample: str, text: str, reference: str, **fields: object) -> Answer:
    video, task = sample.split("/")[:2]
    return Answer(key=sample, id=sample, video=video, task=task, answer=text, reference=reference, **fields)


def aggregates(scores: Scores) -> dict[str, float]:
    return {one.column: one.value for one in scores.aggregates}


def means(scores: Scores) -> dict[str, float | None]:
    return {one.column: one.mean for one in scores.summaries}


# Detection


def judged(videos: Sequence[tuple[bool, str]]) -> list[Answer]:
    return [answered(f"v{n:03}/detection", said, "yes" if real else "no") for n, (real, said) in enumerate(videos)]


VIDEOS = [(True, "Yes")] * 6 + [(True, "No")] * 2 + [(False, "No")] * 1 + [(False, "Yes")] * 2 + [(False, "Who knows")]


def test_detection_is_balanced_over_both_classes() -> None:
    scores = score_results(run(judged(VIDEOS)))
    assert means(scores) == {
        "balanced_accuracy": pytest.approx((6 / 8 + 1 / 4) / 2),
        "correct": pytest.approx(7 / 12),
        "parsed": pytest.approx(11 / 12),
    }
    found = aggregates(scores)
    assert (found["false_alarm"], found["missed"]) == (2 / 4, 2 / 8)
    assert (found["constant_answer"], found["majority"], found["unread"]) == (0.5, 8 / 12, 1 / 12)


def test_always_the_same_answer_is_worth_half_however_many_are_anomalous() -> None:
    for said in ("Yes", "No"):
        scores = score_results(run(judged([(real, said) for real, _ in VIDEOS])))
        assert means(scores)["balanced_accuracy"] == 0.5


def test_a_missing_answer_is_wrong_in_both_classes() -> None:
    scores = score_results(run(judged(VIDEOS), absent=["x/detection"]))
    (summary,) = (one for one in scores.summaries if one.column == "balanced_accuracy")
    assert summary.zero_filled == pytest.approx((6 / 9 + 1 / 5) / 2)


def test_a_missing_answer_is_wrong_in_its_own_class_where_that_is_known() -> None:
    scores = score_results(run(judged(VIDEOS), absent=["x/detection"], references={"x/detection": "no"}))
    (summary,) = (one for one in scores.summaries if one.column == "balanced_accuracy")
    assert summary.zero_filled == pytest.approx((6 / 8 + 1 / 5) / 2)
    assert submission(scores).entries[0].strata["x"] == "no"


def test_a_run_without_any_normal_video_answered_is_ranked_among_the_others() -> None:
    real = [one for one in judged(VIDEOS) if one.reference == "yes"]
    absent = {one.id: "no" for one in judged(VIDEOS) if one.reference == "no"}
    lacking = score_results(run(real, absent=[*absent], model="lacking", references=absent))
    whole = score_results(run(judged(VIDEOS), model="whole"))
    (group,) = group_submissions([submission(lacking), submission(whole)])
    assert group.by == "balanced_accuracy"
    assert {row.label: row.mean(group.by) for row in group.rows} == {"whole": 1 / 2, "lacking": 6 / 8 / 2}
    unknown = score_results(run(real, absent=[*absent], model="lacking"))
    (group,) = group_submissions([submission(unknown), submission(whole)])
    assert group.by == "correct"
    assert not [row for row in board(group).rows if row[3].text == "never looks"]  # it is of another column


def test_a_run_without_any_answer_has_no_values_that_contradict_its_mean() -> None:
    for references in ({}, {"a/detection": "yes", "b/detection": "no"}):
        scores = score_results(run([], absent=["a/detection", "b/detection"], references=references))
        (entry,) = submission(scores).entries
        assert entry.values["balanced_accuracy"] == (dict.fromkeys("ab", 0.0) if references else {})


def test_what_a_view_takes_away_is_the_difference_of_the_scores_beside_it() -> None:
    random = np.random.default_rng(1)
    full = judged([(n % 4 > 0, "Yes" if random.random() < 0.8 else "No") for n in range(80)])
    blank = [one.model_copy(update={"answer": "No", "view": "blank", "key": f"b{one.id}"}) for one in full]
    ids = tuple(one.id for one in full)
    results = run(full).model_copy(update={"answers": (*full, *blank), "expects": {"full": ids, "blank": ids}})
    first, second = view_scores(submission(score_results(results)))
    assert (first.column, second.score) == ("balanced_accuracy", 0.5)
    assert second.drop == pytest.approx((first.score or 0) - 0.5)
    gains = {kind: [float(a.answer.lower() == kind) - float(kind == "no") for a in full if a.reference == kind]
             for kind in ("yes", "no")}  # fmt: skip
    drawn = [sum(np.mean(random.choice(own, len(own))) for own in gains.values()) / 2 for _ in range(4000)]
    low, high = second.drop_interval or (0, 0)
    assert (low, high) == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.02)


def test_one_class_alone_gives_no_balanced_accuracy_and_says_so() -> None:
    scores = score_results(run(judged([(True, "Yes"), (True, "No")])))
    (summary,) = (one for one in scores.summaries if one.column == "balanced_accuracy")
    assert (summary.mean, summary.zero_filled) == (None, None)
    assert summary.gaps == {"all samples are of one class (yes), and nothing is to be balanced": 2}
    assert "false_alarm" not in aggregates(scores)
    (group,) = group_submissions([submission(scores)])
    assert group.by == "correct"


def test_a_board_ranks_detection_by_balanced_accuracy() -> None:
    says_yes = [(real, "Yes") for real, _ in VIDEOS]  # right of 8 in 12, and knows nothing
    half = [(real, "Yes" if real and n % 2 else "No") for n, (real, _) in enumerate(VIDEOS)]  # right of 8, too
    runs = {"says-yes": says_yes, "half": half, "right": [(real, "Yes" if real else "No") for real, _ in VIDEOS]}
    entries = [submission(score_results(run(judged(videos), model=model))) for model, videos in runs.items()]
    (group,) = group_submissions(entries)
    assert group.by == "balanced_accuracy"
    assert [row.label for row in group.rows] == ["right", "half", "says-yes"]
    places = group.standings["balanced_accuracy"]
    assert [places[label].rank for label in ("right", "half", "says-yes")] == [1, 2, 3]
    (row,) = headline_table(entries[0]).rows
    assert [cell.text for cell in row[1:3]] == ["balanced_accuracy", "50.00 %"]
    assert row[-1].text == "no"


def test_balanced_intervals_and_ranks_are_those_of_the_definition() -> None:
    random = np.random.default_rng(3)
    clusters = [f"v{n // 2}" for n in range(40)]
    strata = ["yes" if n % 4 else "no" for n in range(40)]
    values = [float(random.random() < 0.6) for _ in strata]
    names = sorted(set(clusters))
    drawn = np.random.default_rng(0).integers(len(names), size=(2000, len(names)))
    truth = []
    for draw in drawn:
        taken = [(v, s) for k in draw for v, s, c in zip(values, strata, clusters, strict=True) if c == names[k]]
        by = {name: [v for v, s in taken if s == name] for name in ("yes", "no")}
        if all(by.values()):
            truth.append(sum(sum(found) / len(found) for found in by.values()) / 2)
    found = bootstrap_interval(values, clusters, strata=strata, seed=0)
    assert found == pytest.approx(tuple(np.quantile(truth, [0.025, 0.975])), abs=1e-12)
    by = {name: [v for v, s in zip(values, strata, strict=True) if s == name] for name in ("yes", "no")}
    assert balanced_mean(values, strata) == pytest.approx(sum(sum(v) / len(v) for v in by.values()) / 2)
    assert balanced_mean(values, ["yes"] * 40) is None


def test_questions_about_one_video_are_drawn_together() -> None:
    """Ten questions about each of four videos are no forty videos: the ranks of two models are not told apart."""
    items = [f"v{n // 10}/choice/q{n % 10}" for n in range(40)]
    one = {item: float(item[1] in "012") for item in items}
    other = {item: float(item[1] in "0") for item in items}
    apart = standings([RankedColumn([one, other])], seed=0)[0]
    together = standings([RankedColumn([one, other], {item: item[:2] for item in items})], seed=0)[0]
    assert [place.group for place in apart] == [1, 2]
    assert [place.group for place in together] == [1, 1]


# Choice


def chosen(text: str, right: int, name: str = "q", options: tuple[str, ...] = ("one", "two", "three")) -> Answer:
    return answered(f"v/choice/{name}", text, options[right], options=options)


def test_choice_counts_the_option_and_not_the_letter() -> None:
    answers = [chosen("A", 0, "a"), chosen("B", 0, "b"), chosen("three", 2, "c"), chosen("B or C", 1, "d")]
    scores = score_results(run(answers))
    assert means(scores) == {"accuracy": 2 / 4, "parsed": 3 / 4}
    found = aggregates(scores)
    assert found["chance"] == pytest.approx(1 / 3)
    assert "consistent" not in found


def test_two_options_of_one_text_are_both_right() -> None:
    twice = ("one", "two", "one")
    scores = score_results(run([chosen("C", 0, "a", twice), chosen("B", 0, "b", twice)]))
    assert means(scores)["accuracy"] == 0.5


def test_consistent_is_right_in_every_rotation() -> None:
    turns = [("one", "two", "three"), ("three", "one", "two"), ("two", "three", "one")]
    answers = []
    for name, texts in {"all": "ABC", "two": "ABA", "first": "AAA"}.items():
        for turn, (text, options) in enumerate(zip(texts, turns, strict=True)):
            answers.append(chosen(text, options.index("one"), f"{name}@r{turn}" if turn else name, options))
    answers += [chosen("A", 0, "short", turns[0]), chosen("B", 1, "short@r1", turns[1])]  # one rotation is absent
    scores = score_results(run(answers, absent=["v/choice/short@r2"]))
    assert means(scores)["accuracy"] == pytest.approx((3 + 2 + 1 + 2) / 11)
    assert aggregates(scores)["consistent"] == pytest.approx(1 / 4)


def test_the_floor_of_choice_is_other_questions_options() -> None:
    answers = [chosen("A", n % 3, f"q{n}") for n in range(60)]
    (accuracy,) = (one for one in score_results(run(answers)).summaries if one.column == "accuracy")
    assert accuracy.floor == pytest.approx(1 / 3)


# Grounding


def test_grounding_is_scored_as_timestamps_are_beside_spans_that_never_look() -> None:
    moments = {"a": (0.0, 5.0), "b": (4.0, 6.0), "c": (2.0, 8.0)}
    answers = [
        answered(f"v/grounding/{name}", "[4, 6]", "", moments=(Moment(start=s, end=e),), duration=10.0)
        for name, (s, e) in moments.items()
    ]
    answers = [answer.model_copy(update={"reference": "x"}) for answer in answers]
    scores = score_results(run(answers), timestamp_unit="seconds")
    assert means(scores)["iou"] == pytest.approx((1 / 6 + 1 + 2 / 6) / 3)
    found = aggregates(scores)

    def overlap(first: float, last: float) -> float:
        grid = np.arange(0, 10, 0.001)
        inside = (grid >= first) & (grid < last)
        each = [((grid >= s) & (grid < e)) for s, e in moments.values()]
        return float(np.mean([(inside & one).sum() / (inside | one).sum() for one in each]))

    best = max((overlap(5 - 5 * share / 100, 5 + 5 * share / 100), share / 100) for share in range(1, 101))
    assert (found["middle_span"], found["middle_span_share"]) == (pytest.approx(best[0], abs=1e-3), best[1])
    assert found["constant_span"] == pytest.approx(max(overlap(0, end) for end in (5, 6, 8)), abs=1e-3)
    without = score_results(run([replace_duration(one) for one in answers]), timestamp_unit="seconds")
    assert "middle_span" not in aggregates(without)


def replace_duration(answer: Answer) -> Answer:
    return answer.model_copy(update={"duration": None})


def test_none_is_an_answer_about_any_video_where_the_question_offers_it() -> None:
    moments = (Moment(start=1.0, end=3.0),)
    answers = [answered("a/timestamp", "None.", "[1, 3]", moments=moments, duration=9.0)]
    for prompt, parsed in (("timestamp-or-none", 1.0), ("timestamp", 0.0)):
        spec = {"prompts": {"timestamp": {"id": f"ours/{prompt}.v1"}}}
        found = means(score_results(run(answers).model_copy(update={"spec": spec}), scorers=["timestamp"]))
        assert (found["parsed"], found["iou"]) == (parsed, 0.0)
