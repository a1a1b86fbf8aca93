"""Rank correlations and paired tests against hand-made examples, their definitions and exact enumeration."""

from __future__ import annotations

import itertools
import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.statistics import comparisons
from ecva_bench.statistics.comparisons import holm, paired_difference
from ecva_bench.statistics.intervals import estimate
from ecva_bench.statistics.paired import paired_bootstrap
from ecva_bench.statistics.ranks import kendall_w, midranks, pearson, spearman, tau_b

few = st.lists(st.integers(0, 4), min_size=2, max_size=8)
pairs = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=8)


@given(values=few)
def test_midranks_share_the_places_of_equal_values(values):
    ordered = sorted(values)
    for value, rank in zip(values, midranks(values), strict=True):
        places = [place for place, other in enumerate(ordered, 1) if other == value]
        assert rank == sum(places) / len(places)


def test_tau_b_by_hand():
    assert tau_b([1, 2, 3], [1, 2, 3]) == pytest.approx(1)
    assert tau_b([1, 2, 3], [1, 3, 2]) == pytest.approx(1 / 3)
    assert tau_b([1, 2, 3], [0, 0, 1]) == pytest.approx(2 / math.sqrt(6))
    assert tau_b([1, 2, 3], [7, 7, 7]) == 0
    assert tau_b([1], [1]) == 0


@given(rows=pairs)
def test_tau_b_by_definition(rows):
    """Concordant less discordant pairs, over the geometric mean of the pairs untied in each."""
    a, b = zip(*rows, strict=True)
    score = untied_a = untied_b = 0
    for (a1, b1), (a2, b2) in itertools.combinations(rows, 2):
        score += (a1 > a2) == (b1 > b2) and a1 != a2 and b1 != b2
        score -= (a1 > a2) != (b1 > b2) and a1 != a2 and b1 != b2
        untied_a += a1 != a2
        untied_b += b1 != b2
    expected = score / math.sqrt(untied_a * untied_b) if untied_a * untied_b else 0
    assert tau_b(a, b) == pytest.approx(expected)


@given(rankings=st.lists(st.permutations(range(5)), min_size=2, max_size=6))
def test_w_follows_from_the_mean_spearman_correlation(rankings):
    """Without ties W = (r (m - 1) + 1) / m, r the mean rank correlation over the pairs of m judges."""
    m = len(rankings)
    correlations = [
        1 - 6 * sum((x - y) ** 2 for x, y in zip(a, b, strict=True)) / (5 * 24)
        for a, b in itertools.combinations(rankings, 2)
    ]
    mean = sum(correlations) / len(correlations)
    assert kendall_w(rankings) == pytest.approx((mean * (m - 1) + 1) / m, abs=1e-12)


def test_w_corrects_for_ties_and_needs_two_judges():
    assert kendall_w([[1, 2.5, 2.5, 4]] * 3) == pytest.approx(1)
    assert kendall_w([[1, 2, 3], [3, 2, 1]]) == pytest.approx(0)
    assert kendall_w([[1, 2], [1, 2]]) == 1
    assert kendall_w([[1], [1]]) is None
    assert kendall_w([[1, 1, 1], [2, 2, 2]]) is None
    assert kendall_w([[1, 2, 3]]) is None
    assert kendall_w([]) is None


@given(rows=pairs)
def test_pearson_is_numpys(rows):
    a, b = zip(*rows, strict=True)
    if len(set(a)) == 1 or len(set(b)) == 1:
        assert pearson(a, b) is None
    else:
        assert pearson(a, b) == pytest.approx(np.corrcoef(a, b)[0, 1], abs=1e-9)


@given(order=st.permutations(range(7)))
def test_spearman_by_its_formula_for_permutations(order):
    squared = sum((place - other) ** 2 for place, other in enumerate(order))
    assert spearman(range(7), order) == pytest.approx(1 - 6 * squared / (7 * 48))


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.6]) == [1, 1]
    assert holm([0.02]) == [0.02]
    assert holm([]) == []


@given(p=st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_is_between_the_value_and_bonferroni_and_keeps_the_order(p):
    corrected = holm(p)
    for raw, better in zip(p, corrected, strict=True):
        assert raw <= better <= min(1, raw * len(p)) + 1e-15
    order = sorted(range(len(p)), key=lambda i: p[i])
    assert [corrected[i] for i in order] == sorted(corrected)


def exact_p(groups):
    """The share of all signs of the cluster totals whose sum is as far from 0 as the one found."""
    totals = [sum(group) for group in groups]
    sums = [
        abs(sum(s * t for s, t in zip(signs, totals, strict=True)))
        for signs in itertools.product([1, -1], repeat=len(totals))
    ]
    return sum(value >= abs(sum(totals)) - 1e-9 for value in sums) / len(sums)


@pytest.mark.parametrize(
    "groups",
    [
        [[0.5], [0.25], [0.5], [-0.25], [1.0], [0.5]],
        [[0.1, 0.1], [0.3], [-0.2, 0.1], [0.6], [0.2], [0.1], [0.4]],
        [[0.0], [0.0], [1.0]],
        [[0.0], [0.0]],
        [[1.0, 1.0]],
    ],
)
def test_the_p_value_converges_to_the_exact_one(groups):
    values = [value for group in groups for value in group]
    videos = [n for n, group in enumerate(groups) for _ in group]
    found = paired_difference(base=[0.0] * len(values), new=values, clusters=videos, seed=2, draws=50_000)
    assert found.p == pytest.approx(exact_p(groups), abs=0.01)
    assert found.mean == pytest.approx(sum(values) / len(values))


def test_where_every_sign_is_as_far_the_p_value_is_1_and_nothing_else():
    assert paired_difference(base=[0.0], new=[1.0], clusters=["v"], seed=0, draws=9).p == 1


@pytest.mark.parametrize("size", [2.0**-20, 2.0**20])
def test_the_p_value_does_not_depend_on_the_unit(size):
    values = [0.5, 0.25, 0.5, -0.25, 1.0, 0.5]
    small = paired_difference(base=[0.0] * 6, new=[size * value for value in values], clusters=range(6), seed=0)
    assert small.p == paired_difference(base=[0.0] * 6, new=values, clusters=range(6), seed=0).p < 0.5


def test_a_difference_has_the_interval_of_the_paired_bootstrap():
    values, videos = np.random.default_rng(1).normal(size=12), [n // 2 for n in range(12)]
    found = paired_difference(base=[0.5] * 12, new=values + 0.5, clusters=videos, seed=4, draws=99)
    assert found.interval == pytest.approx(paired_bootstrap(list(values), videos, seed=4, draws=99).interval())


@pytest.mark.parametrize("cells", [1, 13, 30])
def test_signs_drawn_in_parts_are_those_drawn_at_once(cells, monkeypatch):
    values = {"base": [0.0] * 6, "new": [0.5, 0.25, 0.5, -0.25, 1.0, 0.5], "clusters": range(6)}
    whole = paired_difference(**values, seed=3, draws=99)
    monkeypatch.setattr(comparisons, "CELLS_AT_ONCE", cells)
    assert paired_difference(**values, seed=3, draws=99) == whole


def test_a_true_null_is_rejected_as_often_as_it_should_be():
    generator = np.random.default_rng(4)
    trials = 400
    rejected = 0
    for trial in range(trials):
        shared = generator.normal(size=(20, 1))
        differences = (shared + generator.normal(size=(20, 3))).ravel()
        videos = [video for video in range(20) for _ in range(3)]
        rejected += (
            paired_difference(base=[0.0] * 60, new=differences, clusters=videos, seed=trial, draws=400).p <= 0.05
        )
    assert 0.02 <= rejected / trials <= 0.085


def test_pairing_resolves_what_separate_intervals_do_not():
    random.seed(6)
    difficulty = [random.random() for _ in range(100)]
    better = [value + 0.02 + random.gauss(0, 0.01) for value in difficulty]
    found = paired_difference(base=difficulty, new=better, clusters=range(100), seed=0)
    assert found.interval[0] > 0
    assert found.interval[1] - found.interval[0] == pytest.approx(2 * 1.96 * 0.01 / 10, rel=0.3)
    assert found.p < 0.01
    low, high = estimate(difficulty, range(100), seed=0).interval
    assert high - low > 0.08


def test_the_interval_of_a_difference_of_few_videos_holds_it_as_often_as_it_says():
    generator = np.random.default_rng(12)
    trials = 400
    held = 0
    for trial in range(trials):
        low, high = paired_difference(
            base=[0.0] * 6, new=generator.normal(size=6), clusters=range(6), seed=trial, draws=2000
        ).interval
        held += low <= 0 <= high
    assert 0.92 <= held / trials <= 0.98  # a plain percentile interval: 0.86
    assert paired_difference(base=[0.25] * 4, new=[0.5] * 4, clusters=range(4), seed=0).interval is None


def test_differences_are_seeded_and_blind_to_order():
    a, b, videos = [0.1, 0.9, 0.4, 0.4], [0.3, 0.2, 0.1, 0.4], ["x", "y", "z", "z"]
    found = paired_difference(base=b, new=a, clusters=videos, seed=5, draws=99)
    assert found == paired_difference(base=b[::-1], new=a[::-1], clusters=videos[::-1], seed=5, draws=99)
    assert found != paired_difference(base=b, new=a, clusters=videos, seed=6, draws=99)
    assert found.n == 4


def test_without_values_there_is_no_estimate_and_no_difference():
    assert paired_difference(base=[], new=[], clusters=[], seed=0) is None
    assert estimate([], [], seed=0).mean is None
    one = estimate([0.25], ["v"], seed=0)
    assert (one.n, one.mean, one.interval) == (1, 0.25, None)
