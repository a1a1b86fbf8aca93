"""The bootstrap against the exact distribution it samples, and against the normal theory it must approach."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest

from ecva_bench.statistics import intervals
from ecva_bench.statistics.intervals import bootstrap_interval, estimate


def exact_interval(groups, level):
    """Percentiles over all resamples of a few clusters: what the bootstrap converges to."""
    means = []
    for drawn in itertools.product(groups, repeat=len(groups)):
        values = [value for group in drawn for value in group]
        means.append(sum(values) / len(values))
    tail = (1 - level) / 2
    return np.quantile(means, [tail, 1 - tail])


def flat(groups):
    return [value for group in groups for value in group], [n for n, group in enumerate(groups) for _ in group]


@pytest.mark.parametrize("groups", [[[0.0], [0.2], [0.5], [0.9], [1.0]], [[0.0, 0.1, 0.4], [0.9], [0.5, 0.7], [1.0]]])
@pytest.mark.parametrize("level", [0.5, 0.8, 0.95])
def test_converges_to_the_exact_distribution(groups, level):
    interval = bootstrap_interval(*flat(groups), seed=1, draws=100_000, level=level)
    assert interval == pytest.approx(exact_interval(groups, level), abs=0.02)


def test_approaches_the_standard_error_of_independent_values():
    random.seed(3)
    values = [random.random() for _ in range(2000)]
    low, high = bootstrap_interval(values, range(2000), seed=0)
    half_width = 1.96 * np.std(values) / np.sqrt(len(values))
    assert (high - low) / 2 == pytest.approx(half_width, rel=0.1)
    assert (high + low) / 2 == pytest.approx(np.mean(values), abs=half_width / 5)


def test_questions_about_one_video_are_drawn_together():
    """Ten copies of each value tell no more than one: the interval must not shrink."""
    values = list(np.linspace(0, 1, 50))
    once = bootstrap_interval(values, range(50), seed=0)
    copied = bootstrap_interval(values * 10, list(range(50)) * 10, seed=0)
    assert copied == pytest.approx(once)


def test_order_does_not_matter_and_the_seed_does():
    values, videos = flat([[0.1, 0.2], [0.9], [0.4], [0.7, 0.3, 0.8], [0.5]])
    shuffled = random.Random(5).sample(list(zip(values, videos, strict=True)), len(values))
    again = bootstrap_interval([v for v, _ in shuffled], [c for _, c in shuffled], seed=7, draws=50)
    assert bootstrap_interval(values, videos, seed=7, draws=50) == again
    assert bootstrap_interval(values, videos, seed=8, draws=50) != again


def test_clusters_come_by_name_and_the_order_of_values_moves_no_bit():
    totals, sizes = intervals.cluster_sums([1, 5, 2], ["b", "a", "b"])
    assert (totals.tolist(), sizes.tolist()) == ([5, 3], [1, 2])
    orders = itertools.permutations([1e16, 1.0, -1e16, 3.0])
    assert len({intervals.cluster_sums(order, "aaaa")[0][0] for order in orders}) == 1


def test_an_estimate_is_the_mean_with_the_interval_of_the_same_draws():
    values, videos = flat([[0.1, 0.2], [0.9], [0.4], [0.7, 0.3, 0.8], [0.5]])
    found = estimate(values, videos, seed=7, draws=50, level=0.8)
    assert (found.n, found.mean) == (8, pytest.approx(np.mean(values)))
    assert found.interval == bootstrap_interval(values, videos, seed=7, draws=50, level=0.8)


def test_draws_made_in_parts_are_those_made_at_once(monkeypatch):
    values, videos = flat([[0.1, 0.2], [0.9], [0.4], [0.7, 0.3, 0.8], [0.5]])
    whole = bootstrap_interval(values, videos, seed=7, draws=50)
    for cells in (1, 15, 35):
        monkeypatch.setattr(intervals, "CELLS_AT_ONCE", cells)
        assert bootstrap_interval(values, videos, seed=7, draws=50) == whole


def test_one_draw_is_one_mean_and_two_videos_are_enough():
    low, high = bootstrap_interval([0.0, 1.0], ["a", "b"], seed=0, draws=1)
    assert low == high
    assert bootstrap_interval([0.0, 1.0], ["a", "b"], seed=0) == (0, 1)  # each alone in a quarter of draws


def test_one_video_tells_nothing_about_spread():
    assert bootstrap_interval([0.1, 0.2], ["a", "a"], seed=0) is None
    assert bootstrap_interval([], [], seed=0) is None
