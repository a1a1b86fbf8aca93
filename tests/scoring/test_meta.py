"""Human consistency: known orders, the simulation of the protocol, and every kind of line that cannot be used."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.errors import DataError, UsageError
from ecva_bench.scoring import get_scorer
from ecva_bench.scoring.meta import meta_evaluate
from ecva_bench.scoring.orders import order_agreement
from ecva_bench.scoring.protocol import PROTOCOLS
from ecva_bench.scoring.rankings import read_rankings
from ecva_bench.scoring.scorer import Column, Scorer

STANDARD = PROTOCOLS["standard"]
NAMES = ("a", "b", "c")


class Quality(Scorer):
    """Reads the quality that the test wrote into the answer, in forms of different worth."""

    name = "quality"
    tasks = ("cause", "effect")
    has_floor = False  # it reads no reference
    columns = (
        Column("exact", "the quality"),
        Column("backwards", "its reverse", higher_is_better=False),
        Column("inverted", "its reverse, taken for the quality"),
        Column("binary", "whether it is above a threshold that the item names"),
        Column("noise", "nothing"),
        Column("some", "the quality, where it is not the lowest"),
    )

    def score(self, batch):
        scores = []
        for item in batch:
            assert item.view == "full"  # people ranked answers to the whole video
            quality, threshold = map(int, item.candidate.split()[:2])
            noise = random.Random(item.id).random()
            value = {"exact": quality, "backwards": -quality, "inverted": -quality, "noise": noise}
            scores.append({**value, "binary": float(quality >= threshold), **({"some": quality} if quality else {})})
        return scores


def line(number=0, qualities=(3, 2, 1), ranks=((1, 2, 3),), task="cause", threshold=2, **fields):
    given = {
        "triple_id": f"t{number}",
        "video_id": f"v{number // 2}",
        "task": task,
        "question": "why?",
        "reference": "the reference",
        "answers": {name: f"{quality} {threshold}" for name, quality in zip(NAMES, qualities, strict=True)},
        "human_ranks": [
            {"annotator": f"p{n}", "ranks": dict(zip(NAMES, one, strict=True))} for n, one in enumerate(ranks)
        ],
    }
    return {**given, **fields}


@pytest.fixture
def rankings(tmp_path):
    def read(*lines):
        path = tmp_path / "rankings.jsonl"
        texts = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in lines]
        path.write_bytes(b"\n".join(texts) + b"\n")
        return read_rankings(path)

    return read


def simulated(count, seed):
    """Strict human orders; the qualities follow them, the thresholds part the best from the rest or the worst."""
    generator = random.Random(seed)
    for number in range(count):
        ranks = generator.sample([1, 2, 3], 3)
        task = generator.choice(["cause", "effect"])
        yield line(number, [4 - rank for rank in ranks], [ranks], task, threshold=generator.choice([2, 3]))


def row(found, column, task="all"):
    return next(one for one in found.scorers if (one.column, one.task) == (column, task))


def test_the_simulation_of_the_protocol(rankings):
    """Chance: pairwise .50, tau 0, exact .169, top .33. Right but binary: pairwise .833, tau .82, exact 0."""
    found = meta_evaluate(rankings(*simulated(3000, seed=1)), [Quality(STANDARD)], draws=200)
    chance, binary, right = row(found, "noise"), row(found, "binary"), row(found, "exact")
    assert chance.pairwise.mean == pytest.approx(0.5, abs=0.025)
    assert chance.tau.mean == pytest.approx(0, abs=0.05)
    assert chance.exact.mean == pytest.approx(0.169, abs=0.025)
    assert chance.top.mean == pytest.approx(1 / 3, abs=0.03)
    assert binary.pairwise.mean == pytest.approx(5 / 6)
    assert binary.tau.mean == pytest.approx(0.82, abs=5e-3)
    assert binary.exact.mean == 0
    assert binary.ties == pytest.approx(1 / 3)
    assert (right.pairwise.mean, right.tau.mean, right.exact.mean, right.top.mean) == pytest.approx((1, 1, 1, 1))
    assert row(found, "inverted").pairwise.mean == 0
    # Of the 6 orders of three, 1, 2, 2, 1 turn 0, 1, 2, 3 pairs: the variance of the share is 11/108.
    low, high = chance.pairwise.interval
    assert low < chance.pairwise.mean < high
    assert (high - low) / 2 == pytest.approx(1.96 * math.sqrt(11 / 108 / 3000), rel=0.2)


def test_the_direction_of_a_column_is_respected(rankings):
    found = meta_evaluate(rankings(line(), line(1)), [Quality(STANDARD)], draws=50)
    assert row(found, "backwards", "cause").pairwise.mean == 1
    assert row(found, "inverted", "cause").pairwise.mean == 0


@given(gold=st.permutations([1, 2, 3, 4]), scores=st.lists(st.integers(0, 2), min_size=4, max_size=4))
def test_one_order_by_definition(gold, scores):
    found = order_agreement(gold=gold, scores=scores)
    credits = [
        0.5 if scores[i] == scores[j] else float((scores[i] > scores[j]) == (gold[i] < gold[j]))
        for i in range(4)
        for j in range(i)
    ]
    assert found.pairwise == sum(credits) / 6
    assert found.ties == credits.count(0.5) / 6
    assert found.exact == (credits == [1.0] * 6)
    # Pairwise accuracy and tau-a are the same thing on strict gold: 2 p - 1. Tau-b rescales it for ties.
    untied = 6 * (1 - found.ties)
    assert found.tau == pytest.approx((2 * found.pairwise - 1) * 6 / math.sqrt(6 * untied) if untied else 0)
    assert found.top == sum(gold[i] == 1 for i in range(4) if scores[i] == max(scores)) / scores.count(max(scores))


def test_pairs_that_people_tie_count_only_for_the_exact_order():
    found = order_agreement(gold=[1, 2.5, 2.5], scores=[0.9, 0.4, 0.1])
    assert (found.pairwise, found.exact, found.top) == (1, 0, 1)
    found = order_agreement(gold=[1, 2.5, 2.5], scores=[0.9, 0.1, 0.1])
    assert (found.pairwise, found.exact, found.ties) == (1, 1, 1 / 3)
    assert order_agreement(gold=[1.5, 1.5, 3], scores=[0.2, 0.9, 0.9]).top == 0.5


def test_gold_is_the_mean_rank_however_ties_are_written(rankings):
    dense = rankings(line(ranks=[(1, 1, 2), (1, 2, 3)])).triples[0]
    shared = rankings(line(ranks=[(1.5, 1.5, 3), (1, 2, 3)])).triples[0]
    assert dense.gold() == shared.gold() == [1.25, 1.75, 3]
    assert dense.gold(without="p0") == [1, 2, 3]


def test_annotators_are_held_to_the_same_measures(rankings):
    """Two agree, the third has it the other way round: each pair of orders is known."""
    found = meta_evaluate(
        rankings(line(ranks=[(1, 2, 3), (1, 2, 3), (3, 2, 1)]), line(1)), [Quality(STANDARD)], draws=50
    )
    (people,) = found.annotators
    assert (people.task, people.annotators, people.triples) == ("cause", 3, 2)
    # The rank sums are 5, 6, 7: S = 2 of at most m^2 (n^3 - n) / 12 = 18.
    assert people.w == pytest.approx(2 / 18)
    # The reversed annotator orders all pairs wrongly; the others face a gold of 2, 2, 2, which orders nothing.
    assert people.one_out.pairwise.mean == 0
    assert people.one_out.pairwise.n == 1
    assert people.one_out.unscored == 1
    unanimous = meta_evaluate(rankings(line(ranks=[(1, 2, 3)] * 3)), [Quality(STANDARD)], draws=50).annotators[0]
    assert (unanimous.alpha, unanimous.w, unanimous.one_out.exact.mean) == (1, 1, 1)


def test_comparisons_are_paired_and_corrected(rankings):
    found = meta_evaluate(rankings(*simulated(60, seed=3)), [Quality(STANDARD)], draws=500)
    tests = {(one.first, one.second): one for one in found.comparisons}
    assert len(tests) == 6 * 5 / 2
    clear = tests["quality:exact", "quality:inverted"]
    assert (clear.n, clear.difference, clear.interval) == (60, 1, (1, 1))
    assert clear.p == pytest.approx(1 / 501)
    assert clear.p_holm == pytest.approx(len(tests) * clear.p)
    same = tests["quality:exact", "quality:backwards"]
    assert (same.difference, same.p, same.p_holm) == (0, 1, 1)
    assert all(one.p <= one.p_holm <= 1 for one in tests.values())


def test_triples_about_one_video_are_drawn_together(rankings):
    """Four copies of every triple, about the same video, tell no more than one: no interval or p-value may shrink."""
    generator = random.Random(8)
    once = [
        line(n, generator.sample([1, 2, 3], 3), [generator.sample([1, 2, 3], 3)], video_id=f"v{n}") for n in range(12)
    ]
    copied = [{**one, "triple_id": f"{one['triple_id']}-{copy}"} for copy in range(4) for one in once]
    first = meta_evaluate(rankings(*once), [Quality(STANDARD)], draws=300)
    second = meta_evaluate(rankings(*copied), [Quality(STANDARD)], draws=300)
    assert row(second, "exact", "cause").pairwise.interval == pytest.approx(
        row(first, "exact", "cause").pairwise.interval
    )
    assert (second.triples, second.videos) == (48, 12)
    for one, other in zip(first.comparisons, second.comparisons, strict=True):
        if "noise" not in one.first + one.second:
            assert (other.interval, other.p) == (pytest.approx(one.interval), one.p)


def test_a_triple_with_an_answer_without_a_value_is_unscored(rankings):
    lines = [line(0, (3, 2, 1)), line(1, (3, 2, 0)), line(2, (3, 0, 1))]
    found = row(meta_evaluate(rankings(*lines), [Quality(STANDARD)], draws=50), "some", "cause")
    assert (found.pairwise.n, found.unscored) == (1, 2)


def test_a_break_down_by_task_covers_only_the_scorers_tasks(rankings):
    lines = [line(0), line(1, task="effect"), line(2, task="description"), line(3, task="reason")]
    found = meta_evaluate(rankings(*lines), [Quality(STANDARD), get_scorer("rouge", STANDARD)], draws=50)
    assert [one.task for one in found.annotators] == ["all", "cause", "description", "effect"]
    counted = {(one.scorer, one.task): one.pairwise.n for one in found.scorers if one.column in ("exact", "rougeL")}
    assert counted == {
        ("quality", "all"): 3,
        ("quality", "cause"): 2,
        ("quality", "effect"): 1,
        ("rouge", "all"): 4,
        ("rouge", "cause"): 2,
        ("rouge", "description"): 1,
        ("rouge", "effect"): 1,
    }
    assert found.signatures["rouge"].startswith("rouge|")


def test_a_registered_scorer_orders_real_texts(rankings):
    answers = {"a": "a bird sings", "b": "a red car hits the wall", "c": "the car stops"}
    ranks = [{"annotator": "p", "ranks": {"b": 1, "c": 2, "a": 3}}]
    one = line(reference="a car hits the wall", answers=answers, human_ranks=ranks)
    found = meta_evaluate(rankings(one), [get_scorer("rouge", STANDARD)], draws=50)
    assert row(found, "rouge1", "cause").exact.mean == 1


def test_no_scorer_for_the_tasks_is_an_error(rankings):
    with pytest.raises(UsageError, match="no triple is of a task for quality"):
        meta_evaluate(rankings(line(task="description")), [Quality(STANDARD)])


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (b"{", "Expecting property name"),
        (b"[1]", "no JSON object"),
        (b"[" * 100_000, "nested deeper than 100 levels"),
        (b"\xff{}", "utf-8"),
        ({"video_id": "v"}, "no field 'triple_id'"),
        (line(7, reference=" 3  2</s>"), "answer 'a' is the reference"),
        (line(7, answers={"a": "THE  Reference", "b": "x", "c": "y"}), "answer 'a' is the reference"),
        (line(7, task="causes"), "did you mean 'cause'"),
        (line(7, ranks=[(1, 1, 1)]), "people tie all answers"),
        (line(7, ranks=[(1, 2, 3), (3, 2, 1)]), "people tie all answers"),
        (line(7, ranks=[]), "human_ranks"),
        (line(7, ranks=[(1, 2, math.nan)]), "NaN is no number"),
        (line(7, human_ranks=[{"annotator": "p", "ranks": {"a": 1, "b": 2}}]), "ranks other answers"),
        (line(7, human_ranks=[{"annotator": "p", "ranks": {"a": 1, "b": 2, "c": 3}}] * 2), "ranks twice"),
        (line(7, answers={"a": "x"}), "answers"),
        (line(0), "was there before"),
    ],
)
def test_a_line_that_cannot_be_used_is_named_and_the_rest_goes_on(rankings, broken, reason):
    found = rankings(line(0), b"", broken, line(1))
    assert [triple.triple_id for triple in found.triples] == ["t0", "t1"]
    (problem,) = found.problems
    assert problem.line == 3
    assert reason in problem.reason


def test_half_a_character_costs_no_triple(rankings):
    found = rankings(line(answers={"a": "3 \ud83d", "b": "2", "c": "1"}))
    assert found.problems == ()
    assert found.triples[0].answers["a"] == "3 \ufffd"


def test_a_triple_with_an_answer_in_another_script_is_unscored_by_rouge(rankings):
    answers = {"a": "a car crashed", "b": "a car", "c": "车祸"}
    found = rankings(line(0, answers=answers), line(1, answers={**answers, "c": "fire"}), line(2, reference="车祸"))
    evaluation = meta_evaluate(found, [get_scorer("rouge", STANDARD)], draws=10)
    assert {one.unscored for one in evaluation.scorers} == {2}


def test_a_file_without_a_usable_line_is_an_error(rankings, tmp_path):
    with pytest.raises(DataError, match=r"line 1: .*people tie"):
        rankings(line(ranks=[(2, 2, 2)]))
    with pytest.raises(DataError, match="cannot be read"):
        read_rankings(tmp_path / "nowhere.jsonl")


@given(content=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("any") / "rankings.jsonl"
    path.write_bytes(content)
    with pytest.raises(DataError):
        read_rankings(path)


def test_accuracy_is_broken_down_by_the_kinds_of_a_pair(rankings):
    """A metric that only tells people from models: the easy pairs carry its average."""
    kinds = {"a": "first_round", "b": "second_round", "c": "model:x"}
    lines = [line(n, (3, 2, 1), ((2, 1, 3),), kinds=kinds) for n in range(4)]
    lines += [line(4, (3, 2, 1), ((1, 1, 3),), kinds=kinds), line(5, (3, 2, 1), ((1, 2, 3),))]
    found = meta_evaluate(rankings(*lines), [Quality(STANDARD)], draws=50)
    of_exact = {pair.kinds: pair.pairwise for pair in found.pairs if pair.column == "exact"}
    assert {kinds: (one.mean, one.n) for kinds, one in of_exact.items()} == {
        ("first_round", "model:x"): (1, 5),
        ("first_round", "second_round"): (0, 4),  # people tie one
        ("model:x", "second_round"): (1, 5),
    }
    binary = {pair.kinds: pair.pairwise.mean for pair in found.pairs if pair.column == "binary"}
    assert binary["first_round", "second_round"] == 0.5  # both are above the threshold
    assert meta_evaluate(rankings(line(0)), [Quality(STANDARD)], draws=50).pairs == ()
    other = rankings(line(0), line(1, kinds={"a": "first_round"}))
    assert [problem.reason for problem in other.problems] == ["kinds are given of other answers than there are"]


def test_curves_are_ordered_by_their_columns(rankings):
    """A curve that rises as the annotated one, a constant one, and one that falls, in the unit asked for."""
    answers = {"a": "0-5: 1\n5-10: 9", "b": "0-10: 5", "c": "0-5: 9\n5-10: 1"}
    of_curves = {"task": "severity", "answers": answers, "reference": "0:0 10:1", "duration": 10.0}
    lines = [line(n, **of_curves, curve=[[0, 0], [10, 1]], unit="seconds") for n in range(3)]
    found = rankings(*lines)
    assert (found.problems, found.unit) == ((), "seconds")
    scorer = get_scorer("severity", replace(STANDARD, timestamp_unit=found.unit))
    columns = {one.column: one for one in meta_evaluate(found, [scorer], draws=50).scorers}
    for name in ("spearman", "kendall", "closeness"):
        assert (columns[name].exact.mean, columns[name].unscored) == (1, 0), name
    assert columns["frame_auc"].unscored == 3  # no moment is annotated
    assert rankings(line(0, **of_curves), line(1, **of_curves, unit="seconds")).unit is None


def test_people_are_taken_at_one_criterion(rankings, tmp_path):
    whole = {"annotator": "x", "ranks": {"a": 3, "b": 2, "c": 1}, "ranks_by": {"correctness": {"a": 1, "b": 2, "c": 3}}}
    without = {"annotator": "y", "ranks": {"a": 3, "b": 2, "c": 1}}
    rankings(line(0, human_ranks=[whole, without]), line(1, human_ranks=[without]))
    path = tmp_path / "rankings.jsonl"
    assert read_rankings(path).triples[0].gold() == [3, 2, 1]
    found = read_rankings(path, criterion="correctness")
    assert [triple.gold() for triple in found.triples] == [[1, 2, 3]]
    assert [(problem.line, problem.reason) for problem in found.problems] == [(2, "nobody ranks by correctness")]
    with pytest.raises(DataError, match="nobody ranks by mood"):
        read_rankings(path, criterion="mood")


def test_people_may_order_curves(rankings):
    """Three curves of one video: the one that is highest where the reference is stands first."""
    curve = [[second + 0.5, float(second in (12, 13))] for second in range(20)]
    answers = {name: f"{start} {start + 2} 9" for name, start in (("a", 12), ("b", 11), ("c", 2))}
    fields = {"task": "severity", "curve": curve, "duration": 20.0, "answers": answers, "reference": "a peak"}
    read = rankings(*(line(n, **fields) for n in range(3)))
    assert read.problems == ()
    found = meta_evaluate(read, [get_scorer("severity", STANDARD)], draws=50)
    assert row(found, "hit1", "severity").pairwise.mean == 1
    assert row(found, "spearman", "severity").pairwise.mean == 1
