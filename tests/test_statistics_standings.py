"""Ranks and tie groups against enumeration of every resample, against the interval of one difference, and by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.statistics.intervals import bootstrap_interval, cluster_counts
from ecva_bench.statistics.standings import RankedColumn, Standing, standings


def standings_of(values, **settings):
    return standings([RankedColumn(values)], **settings)[0]


tenths = st.integers(0, 10).map(lambda n: n / 10)


def by_cluster(*rows):
    return [{f"v{n}": value for n, value in enumerate(row)} for row in rows]


def enumerated_ranks(rows, level=0.95):
    """The interval of each rank over all resamples of a few clusters, all equally likely."""
    ranks = []
    for drawn in itertools.product(range(len(rows[0])), repeat=len(rows[0])):
        means = [sum(row[n] for n in drawn) for row in rows]
        ranks.append([1 + sum(other > mean + 1e-9 for other in means) for mean in means])
    tail = (1 - level) / 2
    ends = np.quantile(np.array(ranks), [tail, 1 - tail], axis=0, method="inverted_cdf")
    return [(int(low), int(high)) for low, high in ends.T]


@pytest.mark.parametrize(
    "rows",
    [
        ((0.9, 0.8, 0.9, 0.7, 0.8), (0.5, 0.9, 0.6, 0.7, 0.1), (0.4, 0.1, 0.3, 0.2, 0.9)),
        ((1, 0, 1, 0, 1), (0, 1, 0, 1, 0), (1, 1, 1, 1, 0), (0, 0, 0, 0, 0)),
    ],
)
def test_rank_intervals_converge_to_those_over_all_resamples(rows):
    found = standings_of(by_cluster(*rows), seed=1, draws=100_000)
    assert [one.interval for one in found] == enumerated_ranks(rows)


def test_places_and_groups_by_hand():
    steady = [0.5 + 0.01 * (n % 2) for n in range(40)]
    noise = [0.2 * (-1) ** (n // 2) for n in range(40)]
    best, near, far, twin = (
        steady,
        [value + shift - 0.005 for value, shift in zip(steady, noise, strict=True)],
        [value - 0.2 for value in steady],
        [value - 0.2 for value in steady],
    )
    found = standings_of(by_cluster(far, near, best, twin), seed=0)
    assert [one.rank for one in found] == [3, 2, 1, 3]
    assert [one.group for one in found] == [2, 1, 1, 2]
    assert [one.interval for one in found] == [(3, 3), (1, 2), (1, 2), (3, 3)]


@given(rows=st.lists(st.lists(tenths, min_size=6, max_size=6), min_size=2, max_size=4), seed=st.integers(0, 99))
def test_neither_the_order_of_entrants_nor_of_clusters_moves_a_place(rows, seed):
    values = by_cluster(*rows)
    found = standings_of(values, seed=seed, draws=200)
    turned = [dict(reversed(own.items())) for own in reversed(values)]
    again = standings_of(turned, seed=seed, draws=200)[::-1]
    assert [(one.rank, one.interval) for one in found] == [(one.rank, one.interval) for one in again]
    for one, own in zip(found, rows, strict=True):
        assert one.rank == 1 + sum(sum(other) > sum(own) + 1e-8 for other in rows)
        assert 1 <= one.interval[0] <= one.interval[1] <= len(rows)


@pytest.mark.parametrize("seed", range(20))
def test_two_are_told_apart_where_the_interval_of_their_difference_excludes_zero(seed):
    random = np.random.default_rng(seed)
    a, b = random.normal(0.5, 0.1, 60), random.normal(0.46, 0.1, 60)
    low, high = bootstrap_interval(list(a - b), [f"v{n}" for n in range(60)], seed=5)
    assert min(abs(low), abs(high)) > 1e-3  # not on the edge, where the two quantile rules may differ
    one, other = standings_of(by_cluster(a, b), seed=5)
    assert (one.group == other.group) == (low <= 0 <= high)


def test_a_cluster_that_an_entrant_lacks_is_left_out_of_its_mean():
    a = {"v1": 0.6, "v2": 0.6}
    b = {"v1": 0.5, "v2": 0.5, "v3": 0.9}
    assert [one.rank for one in standings_of([a, b], seed=0)] == [2, 1]
    assert [one.rank for one in standings_of([a, b | {"v3": 0.5}], seed=0)] == [1, 2]
    assert [one.rank for one in standings_of([{}, b], seed=0)] == [2, 1]
    assert [one.rank for one in standings_of([{"v1": 0.6}, {"v1": 0.5, "v2": 0.5}], seed=0)] == [1, 2]
    assert [one.rank for one in standings_of([{}, {"v1": -0.5, "v2": -0.5}], seed=0)] == [2, 1]


def test_one_cluster_tells_nobody_apart():
    found = standings_of([{"v": 1.0}, {"v": 0.0}], seed=0)
    assert [(one.rank, one.interval, one.group) for one in found] == [(1, (1, 2), 1), (2, (1, 2), 1)]
    assert standings_of([], seed=0) == []
    assert standings_of([{}, {}], seed=0) == [Standing(rank=1, interval=(1, 2), group=1)] * 2


def test_two_clusters_may_tell_two_apart():
    found = standings_of(by_cluster((1, 1), (0, 0)), seed=0)
    assert [(one.rank, one.interval, one.group) for one in found] == [(1, (1, 1), 1), (2, (2, 2), 2)]


@pytest.mark.parametrize(("draws", "level", "low", "high"), [(20, 0.8, 2, 18), (2, 0.5, 1, 2)])
@pytest.mark.parametrize("seed", range(10))
def test_an_interval_ends_at_places_that_were_drawn_and_leaves_out_its_tails(draws, level, low, high, seed):
    """20 draws at 80 %: the second and the 18th place in order of size, and the second lead decides who is apart."""
    random = np.random.default_rng(seed)
    rows = random.normal(0.5, 0.1, size=(3, 12)) + np.array([[0.06], [0.03], [0.0]])
    found = standings_of(by_cluster(*rows.tolist()), seed=seed, draws=draws, level=level)
    order = sorted(range(12), key=lambda n: f"v{n}")  # clusters are drawn in the order of their names
    weights = cluster_counts(np.random.default_rng(seed), 12, draws)
    means = np.array(
        [[sum(w * row[n] for w, n in zip(draw, order, strict=True)) / 12 for row in rows] for draw in weights]
    )
    for place, one in enumerate(found):
        ranks = sorted(1 + sum(other > draw[place] for other in draw) for draw in means)
        assert one.interval == (ranks[low - 1], ranks[high - 1])
    best = max(range(3), key=lambda n: rows[n].mean())
    for place, one in enumerate(found):
        if place != best:
            lead = sorted(means[:, best] - means[:, place])
            assert (one.group == 1) == (lead[low - 1] <= 0)


def test_the_share_of_orders_called_sure_that_are_wrong_is_small():
    """Of entrants that differ by nothing, five in a hundred pairs are told apart."""
    random = np.random.default_rng(0)
    apart = 0
    for trial in range(200):
        shared = random.normal(0, 0.2, 80)
        rows = [shared + random.normal(0, 0.1, 80) for _ in range(2)]
        apart += standings_of(by_cluster(*rows), seed=trial, draws=500)[0].group != 1 or (
            standings_of(by_cluster(*rows), seed=trial, draws=500)[1].group != 1
        )
    assert apart <= 20
