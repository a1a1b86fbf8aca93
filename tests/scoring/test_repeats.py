"""Questions that were asked several times: their answers are no further questions, in no number made of them."""

from __future__ import annotations

import hashlib
import random
import statistics
from typing import Any

import pytest

from ecva_bench.leaderboard.board import leaderboards
from ecva_bench.leaderboard.compare import compare_runs
from ecva_bench.leaderboard.gate import gate
from ecva_bench.leaderboard.sheet import score_sheets
from ecva_bench.leaderboard.submission import submission
from ecva_bench.leaderboard.values import sample_values, scored_values
from ecva_bench.records.annotations import repeat_id
from ecva_bench.records.answers import Answer, Results
from ecva_bench.records.base import VIEWS
from ecva_bench.records.scores import Scores, Summary
from ecva_bench.scoring.score import score_results
from ecva_bench.statistics.intervals import bootstrap_interval
from ecva_bench.verification.rows import contradictions

from .build import answer, failure, label, moments, results
from .judges import RuleJudge, lexical

PROMPT = {"prompt_sha256": "0" * 64}
OPTIONS = {"options": ("ice", "fire", "smoke"), "reference": "fire"}
WORDS = ["a", "red", "car", "brakes", "too", "late", "and", "hits", "the", "wall", "of", "the", "house"]


def again(one: Answer, number: int, text: str | None = None) -> Answer:
    """The same question, asked for another time."""
    said = one.answer if text is None else text
    key = hashlib.sha256(f"{one.key}{number}".encode()).hexdigest()
    return one.model_copy(update={"id": repeat_id(one.id, number), "key": key, "answer": said})


def asked(one: Answer, *texts: str) -> list[Answer]:
    return [again(one, number, text) for number, text in enumerate(texts)]


def many(videos: int = 9) -> list[Answer]:
    """Answers to all kinds of tasks about some videos, on three views, good and bad ones and some that say nothing."""
    chance, found = random.Random(3), []
    for number in range(videos):
        name = f"v{number}"
        for view in ("full", "anomaly", "blank"):
            said = " ".join(chance.sample(WORDS, 7))
            found.append(
                answer(name, said, view=view, reference="the red car hits the house", key_sentences=("A car",))
            )
            span = f"[{number}, {number + 2}]" if number % 4 else "I do not know"
            time = {
                "moments": moments((number, number + 3)),
                "reference": f"[{number}, {number + 3}]",
                "duration": 20.0,
            }
            found.append(answer(name, span, task="timestamp", view=view, **time))
        choice = answer(name, "ABC?"[chance.randrange(4)], task="choice", **OPTIONS)
        found.append(choice.model_copy(update={"id": f"{name}/choice/q1"}))
        truth = {"reference": "yes" if number % 3 else "no"}
        found.append(answer(name, chance.choice(("Yes.", "No.", "Hm")), task="detection", **truth))
        of_class = {"label": label(1 + number % 3), "reference": f"{1 + number % 3}-1"}
        found.append(answer(name, f"[{1 + chance.randrange(3)}]", task="classification", **of_class))
    return found


def as_told(summary: Summary) -> dict[str, Any]:
    """What a summary says, but for what copies of an answer may change."""
    return summary.model_dump(exclude={"stability", "hits"})


@pytest.fixture(scope="module")
def once() -> Results:
    owed = [f"v{number}/cause" for number in range(11)]
    given = [one.model_copy(update=PROMPT) for one in many() if one.id != "v3/cause"]
    expects = {view: tuple(one.id for one in given if one.view == view) for view in VIEWS}
    expects["full"] = tuple(dict.fromkeys([*expects["full"], *owed]))
    expects = {view: ids for view, ids in expects.items() if ids}
    return results(given, expects=expects, failures=(failure("v3"),))


@pytest.fixture(scope="module")
def thrice(once: Results) -> Results:
    """The same answers, each there three times."""
    return once.model_copy(
        update={
            "answers": tuple(again(one, number) for number in range(3) for one in once.answers),
            "failures": tuple(
                one.model_copy(update={"id": repeat_id(one.id, n)}) for n in range(3) for one in once.failures
            ),
            "expects": {
                view: tuple(repeat_id(one, n) for n in range(3) for one in ids) for view, ids in once.expects.items()
            },
        }
    )


@pytest.fixture(scope="module")
def both(once: Results, thrice: Results) -> tuple[Scores, Scores]:
    there = (once, thrice.model_copy(update={"name": "thrice"}))
    judge = RuleJudge(lambda name, told: None if "wall" in told.get("candidate", "") else lexical(name, told))
    one, three = (score_results(run, judge=judge, timestamp_unit="seconds", draws=1_000) for run in there)
    return one, three


def test_copies_of_every_answer_change_no_count_no_mean_and_no_interval(both: tuple[Scores, Scores]) -> None:
    one, three = both
    assert len(one.summaries) > 20
    for alone, copied in zip(one.summaries, three.summaries, strict=True):
        told, said = as_told(alone), as_told(copied)
        for name in ("mean", "zero_filled", "floor", "interval", "zero_filled_interval"):
            assert said.pop(name) == pytest.approx(told.pop(name), abs=1e-12), (alone.task, alone.column, name)
        assert said == told
        assert alone.stability is None
        assert copied.stability
        assert copied.stability.answers == copied.answers == 3 * alone.n
        assert copied.stability.gaps == {reason: 3 * count for reason, count in alone.gaps.items()}
        assert copied.unjudged == 3 * alone.unjudged
        assert copied.stability.changed in ((0.0, None) if alone.n else (None,))
        assert copied.hits is None
        assert copied.stability.hits == (None if alone.hits is None else 3 * alone.hits) or alone.balanced
    for here, there in zip(one.coverage, three.coverage, strict=True):
        told = here.model_dump(exclude={"empty", "cut_off"})
        assert there.model_dump(exclude={"empty", "cut_off", "repeats"}) == told
        assert there.repeats
        assert (there.repeats.each, there.repeats.absent) == (3, ())
        assert (there.answers_owed, there.answers_given) == (3 * here.owed, 3 * here.answered)
    values = {(one.task, one.view, one.column): one.value for one in one.aggregates}
    assert values == pytest.approx({(one.task, one.view, one.column): one.value for one in three.aggregates})


def test_nothing_that_compares_runs_counts_an_answer_as_a_question(both: tuple[Scores, Scores]) -> None:
    one, three = both
    (same,) = compare_runs([one, three], metrics=["all"], on="all", draws=200)
    assert not same.mismatches
    for effect in same.effects:
        summary = next(s for s in one.summaries if (f"{s.task}/{s.column}", s.view) == (effect.name, "full"))
        assert effect.n <= summary.expected
        assert effect.videos <= 11
        assert effect.difference == pytest.approx(0, abs=1e-12)
    found = gate(base=one, new=three, draws=200)
    assert found.verdict != "INVALID"
    assert not found.shortfalls
    assert {check.n for check in found.checks} == {check.n for check in gate(base=one, new=one, draws=200).checks}


def test_sheets_and_boards_print_the_number_of_questions(both: tuple[Scores, Scores], thrice: Results) -> None:
    one, three = both
    for alone, copied in zip(score_sheets(one), score_sheets(three), strict=True):
        assert copied.header == (*alone.header, "unstable, %", "sd within")
        for row, more in zip(alone.rows, copied.rows, strict=True):
            assert [cell.text for cell in row[-2:]] == [cell.text for cell in more[5:7]]
    row = submission(three, thrice.model_copy(update={"name": "thrice"}))
    assert not [str(found) for found in contradictions(row)]
    for table in leaderboards([submission(one), row], task="cause"):
        for line in table.rows:
            assert "33" not in [cell.text for cell in line]


def test_the_value_of_a_question_is_the_mean_over_its_answers_and_a_missing_one_is_the_worst() -> None:
    reference = {"reference": "a b c d", "task": "cause"}
    given = [
        *asked(answer("v0", "", **reference), "a b c d", "x", "a b"),  # rouge1: 1, 0 and 2/3
        *asked(answer("v1", "", **reference), "a b c d"),  # two of three are missing
        *asked(answer("v2", "", **reference), "x", "x", "x"),
    ]
    owed = tuple(repeat_id(f"v{video}/cause", number) for number in range(3) for video in range(4))
    run = results(given, expects={"full": owed}, failures=(failure("v3"),))
    scores = score_results(run, scorers=["rouge"])
    found = next(one for one in scores.summaries if one.column == "rouge1")
    means, filled = [5 / 9, 1, 0], [5 / 9, 1 / 3, 0, 0]
    assert (found.n, found.expected) == (3, 4)
    assert found.mean == pytest.approx(statistics.fmean(means))
    assert found.zero_filled == pytest.approx(statistics.fmean(filled))
    videos = ["v0", "v1", "v2", "v3"]
    assert found.zero_filled_interval == pytest.approx(bootstrap_interval(filled, videos, seed=0))
    assert found.stability
    assert (found.stability.answers, found.stability.questions, found.stability.changed) == (7, 2, 0.5)
    assert found.stability.deviation == pytest.approx(statistics.stdev([1, 0, 2 / 3]) / 2)
    (coverage,) = scores.coverage
    assert (coverage.owed, coverage.answered, coverage.failed, coverage.missing) == (4, 3, 1, 0)
    assert coverage.absent == ("v3/cause",)
    assert coverage.repeats
    assert coverage.repeats.absent == ("v1/cause@s1", "v1/cause@s2")
    assert sample_values(scores, found) == pytest.approx(dict(zip([f"{v}/cause" for v in videos], filled, strict=True)))
    assert scored_values(scores, found) == pytest.approx({f"v{n}/cause": mean for n, mean in enumerate(means)})
    assert len(scores.scores) == 7  # each answer's own
    assert not [str(one) for one in contradictions(submission(scores, run))]


def test_a_question_without_a_verdict_on_its_reference_counts_for_nothing_where_an_answer_to_it_is_missing() -> None:
    first = [answer(f"v{n}", "a car", reference=f"the car {n} hits a wall", **PROMPT) for n in range(5)]
    there = [again(one, number) for one in first for number in range(2)]
    owed = {"full": tuple(one.id for one in there)}
    silent = first[1].reference
    judge = RuleJudge(lambda name, told: None if told["reference"] == silent else lexical(name, told))
    given = [one for one in there if one.id != repeat_id(first[1].id, 1)]
    scores = score_results(results(given, expects=owed), judge=judge, scorers=["gpt"], draws=50)
    for one in scores.summaries:
        assert one.unjudgeable == (first[1].id,)
        assert one.zero_filled == one.mean is not None
        assert first[1].id not in sample_values(scores, one)


def test_a_run_that_lacks_one_sample_of_a_question_is_not_whole_to_a_strict_gate() -> None:
    first = [answer(f"v{number}", "a red car", reference="the red car", **PROMPT) for number in range(6)]
    given = [again(one, number) for one in first for number in range(2)]
    owed: dict[Any, tuple[str, ...]] = {"full": tuple(one.id for one in given)}
    whole, less = (score_results(results(some, expects=owed)) for some in (given, given[:-1]))
    found = gate(base=whole, new=less, draws=100)
    assert found.verdict == "INVALID"
    assert [one.field for one in found.mismatches] == ["coverage"]
    assert found.mismatches[0].sides == "12 of 12 answered in the base, 11 of 12 answered in the new run"


def test_the_floor_holds_no_answer_against_its_own_reference() -> None:
    """Each answer is its reference, so that any that kept it would score 1."""
    given = [answer(f"v{number}", word * 2, reference=f"{word * 2}") for number, word in enumerate("abcdefgh")]
    run = results([again(one, number) for one in given for number in range(4)])
    found = next(one for one in score_results(run, scorers=["rouge"]).summaries if one.column == "rouge1")
    assert (found.mean, found.floor) == (1, 0)


def test_a_choice_is_consistent_where_one_round_of_rotations_is() -> None:
    def turned(turn: int, number: int, text: str) -> Answer:
        one = answer("v", text, task="choice", **OPTIONS)
        return again(one.model_copy(update={"id": f"v/choice/q1@r{turn}" if turn else "v/choice/q1"}), number)

    given = [turned(turn, number, "B" if number or turn else "A") for turn in range(3) for number in range(2)]
    scores = score_results(results(given))
    assert next(one.value for one in scores.aggregates if one.column == "consistent") == 0.5
    accuracy = next(one for one in scores.summaries if one.column == "accuracy")
    assert (accuracy.n, accuracy.mean) == (3, pytest.approx(5 / 6))


@pytest.mark.parametrize(
    ("part", "change", "told"),
    [
        ("repeats", {"each": 1}, "times a question is asked"),
        ("repeats", {"answered": 40}, "answers answered"),
        ("repeats", {"owed": 20}, "answers owed"),
        ("repeats", {"absent": ("v3/cause@s1",)}, "the absent v3/cause@s1"),
        ("stability", {"answers": 500}, "answers of"),
        ("stability", {"questions": 50}, "questions of"),
        ("stability", {"changed": 1.5}, "share of"),
        ("stability", None, "stability of columns"),
    ],
)
def test_a_submission_whose_answers_do_not_fit_its_questions_is_told(
    part: str, change: dict[str, Any] | None, told: str, both: tuple[Scores, Scores], thrice: Results
) -> None:
    row = submission(both[1], thrice)
    (entry,) = (one for one in row.entries if (one.task, one.view) == ("cause", "full"))
    assert not [str(one) for one in contradictions(row)]
    whole = entry.coverage if part == "repeats" else entry.summaries[0]
    changed = change and getattr(whole, part).model_copy(update=change)
    whole = whole.model_copy(update={part: changed})
    own = {"coverage": whole} if part == "repeats" else {"summaries": (whole, *entry.summaries[1:])}
    other = entry.model_copy(update=own)
    forged = row.model_copy(update={"entries": tuple(other if one is entry else one for one in row.entries)})
    assert told in " ".join(str(one) for one in contradictions(forged))
