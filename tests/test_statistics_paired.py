"""The paired bootstrap against Student's t, its own definition, and simulations of what it promises."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.statistics.intervals import bootstrap_interval
from ecva_bench.statistics.paired import (
    _narrowed,
    _widened,
    clusters_needed,
    detectable_drop,
    detectable_effect,
    paired_bootstrap,
)

# One-sided 5 % and 2.5 % quantiles of Student's distribution, as any table prints them, by degrees of freedom.
STUDENT = {5: (2.015, 2.571), 13: (1.771, 2.160), 29: (1.699, 2.045), 199: (1.653, 1.972)}


@pytest.mark.parametrize("freedom", STUDENT)
@pytest.mark.parametrize(("place", "tail"), [(0, 0.05), (1, 0.025)])
def test_tails_are_those_of_students_distribution(freedom, place, tail):
    """A bootstrap's own standard error is too small by sqrt((n - 1) / n), and its tails are the normal's."""
    n = freedom + 1
    bootstrap_z = -STUDENT[freedom][place] * math.sqrt(n / freedom)
    assert NormalDist().cdf(_narrowed(bootstrap_z, n)) == pytest.approx(tail, rel=0.02)
    assert _widened(NormalDist().inv_cdf(tail), n) == pytest.approx(bootstrap_z, rel=0.01)


@given(z=st.floats(-4, 4), n=st.integers(5, 3000))
def test_widening_and_narrowing_undo_each_other(z, n):
    assert _narrowed(_widened(z, n), n) == pytest.approx(z, abs=1e-9)


def test_the_interval_is_students_for_normal_differences():
    values = list(np.random.default_rng(1).normal(0.01, 0.1, size=14))
    found = paired_bootstrap(values, range(14), seed=0)
    half = 2.160 * np.std(values, ddof=1) / math.sqrt(14)
    low, high = found.interval()
    assert (high - low) / 2 == pytest.approx(half, rel=0.06)
    assert found.error == pytest.approx(np.std(values, ddof=1) / math.sqrt(14), rel=0.03)
    narrow_low, narrow_high = bootstrap_interval(values, range(14), seed=0, draws=10_000)
    assert low < narrow_low
    assert high > narrow_high


def test_questions_about_one_video_are_drawn_together():
    values = list(np.random.default_rng(2).normal(size=40))
    once = paired_bootstrap(values, range(40), seed=0)
    copied = paired_bootstrap(values * 5, list(range(40)) * 5, seed=0)
    assert copied.means == pytest.approx(once.means)
    assert (copied.n, copied.clusters) == (200, 40)


def test_each_p_value_is_the_share_of_resamples_on_its_side():
    """For many clusters the correction is nothing, and the p-value is counted by hand."""
    values = list(np.random.default_rng(3).normal(0.02, 0.5, size=2000))
    found = paired_bootstrap(values, range(2000), seed=0, draws=4000)
    for threshold in (-0.02, 0.0, 0.02):
        assert found.p_at_least(threshold) == pytest.approx(np.mean(found.means >= threshold), abs=2e-3)
        assert found.p_at_most(threshold) == pytest.approx(np.mean(found.means <= threshold), abs=2e-3)
        assert found.p_below(threshold) == pytest.approx(np.mean(found.means < threshold), abs=2e-3)
    assert found.p == pytest.approx(2 * min(found.p_at_least(0), found.p_at_most(0)))


@pytest.mark.parametrize(("n", "spread"), [(14, 0.3), (200, 0.08)])
def test_a_bound_below_a_threshold_is_a_p_value_below_the_level(n, spread):
    """The one-sided 95 % bound and the test at 5 % are one and the same."""
    random = np.random.default_rng(4)
    for _ in range(20):
        found = paired_bootstrap(list(random.normal(0, spread, size=n)), range(n), seed=0)
        low, high = found.interval(0.90)
        step = 0.03 * found.error
        assert found.p_at_least(high + step) < 0.05 < found.p_at_least(high - step)
        assert found.p_below(low - step) < 0.05 < found.p_below(low + step)


def test_no_difference_at_all_is_certain_of_one_thing_only():
    found = paired_bootstrap([0.0] * 30, range(30), seed=0)
    assert found.interval() == (0, 0)
    assert found.p == found.p_at_least(0) == found.p_at_most(0) == 1
    # One resample in 10,001 is all that so many draws can say.
    assert found.p_below(0) == pytest.approx(NormalDist().cdf(_narrowed(NormalDist().inv_cdf(1 / 10_001), 30)))


@pytest.mark.parametrize("value", [1 / 3, 1e6 / 3, 1e9 / 7])
def test_rounding_puts_no_resample_on_another_side_of_a_threshold(value):
    found = paired_bootstrap([value] * 30, [n // 3 for n in range(30)], seed=0)
    assert found.p_at_least(value) == found.p_at_most(value) == 1
    assert found.p_below(value) < 0.01


def test_too_few_videos_tell_nothing():
    found = paired_bootstrap([0.5, 0.6, 0.7, 0.8], "abcd", seed=0)
    assert found.mean == pytest.approx(0.65)
    assert (found.n, found.clusters, len(found.means)) == (4, 4, 0)
    assert found.interval() is None
    assert found.error is None
    assert (found.p, found.p_below(0), found.p_at_least(9)) == (1, 1, 1)
    with pytest.raises(ValueError, match="no difference"):
        paired_bootstrap([], [], seed=0)


def test_order_does_not_matter_and_the_seed_does():
    values, videos = [0.1, -0.2, 0.3, 0.4, 0.0, 0.7], list("aabcde")
    found = paired_bootstrap(values, videos, seed=5, draws=99)
    again = paired_bootstrap(values[::-1], videos[::-1], seed=5, draws=99)
    assert (found.means == again.means).all()
    assert len(found.means) == 99
    assert (found.means != paired_bootstrap(values, videos, seed=6, draws=99).means).any()


def test_what_can_be_detected_is_that_of_any_table_of_sample_sizes():
    """1.96 + 0.8416 for two sides at 5 % and 80 %, 1.6449 + 0.8416 for one, 1.6449 + 1.2816 for one at 90 %."""
    assert detectable_effect(2.0, alpha=0.05) == pytest.approx(2 * 2.8016, abs=1e-3)
    assert detectable_drop(2.0, alpha=0.05) == pytest.approx(2 * 2.4865, abs=1e-3)
    assert detectable_drop(2.0, alpha=0.05, power=0.9) == pytest.approx(2 * 2.9264, abs=1e-3)
    assert clusters_needed(2.0, 10, 2.9264, alpha=0.05, power=0.9) in (40, 41)


def test_what_can_be_detected_is_detected_in_four_of_five_cases():
    random = np.random.default_rng(6)
    error = 0.1 / math.sqrt(100)
    effect, drop = detectable_effect(error, alpha=0.05), detectable_drop(error, alpha=0.05)
    found = ruled_out = 0
    for _ in range(400):
        noise = random.normal(0, 0.1, size=100)
        found += paired_bootstrap(list(noise + effect), range(100), seed=0, draws=2000).p <= 0.05
        ruled_out += paired_bootstrap(list(noise), range(100), seed=0, draws=2000).p_below(-drop) <= 0.05
    assert found / 400 == pytest.approx(0.8, abs=0.05)
    assert ruled_out / 400 == pytest.approx(0.8, abs=0.05)
    assert clusters_needed(error, 100, drop, alpha=0.05) in (100, 101)
    assert clusters_needed(error, 100, drop / 2, alpha=0.05) in (400, 401)


@pytest.mark.parametrize("clusters", [8, 14, 200])
def test_a_true_null_is_rejected_as_often_as_it_should_be(clusters):
    """Also with few videos, where plain percentiles reject more often; three questions of a video share noise."""
    random = np.random.default_rng(clusters)
    trials = 2000
    videos = [video for video in range(clusters) for _ in range(3)]
    rejected = plain = 0
    for _ in range(trials):
        shared = random.normal(size=(clusters, 1))
        values = (shared + random.normal(size=(clusters, 3))).ravel().tolist()
        found = paired_bootstrap(values, videos, seed=0, draws=1000)
        rejected += found.p_at_least(0) <= 0.05
        plain += np.mean(found.means >= 0) <= 0.05
    assert rejected / trials == pytest.approx(0.05, abs=0.015)
    assert plain >= rejected
    if clusters == 8:
        assert plain / trials > 0.075


def test_what_no_resample_reaches_is_as_unlikely_as_students_distribution_says():
    """At 6 standard errors and 29 degrees of freedom the one-sided tail is 8.0e-7, far below 1 in 10,000 draws."""
    values = np.random.default_rng(5).normal(size=30)
    values = (values - values.mean()) / values.std(ddof=1) * math.sqrt(30)  # standard error 1
    found = paired_bootstrap(list(values - 6.0), range(30), seed=0)
    assert found.means[-1] < 0
    assert 8.0e-8 < found.p_at_least(0.0) < 8.0e-6
    assert found.p_at_most(0.0) == 1.0


@pytest.mark.parametrize("seed", range(5))
def test_a_gain_is_as_sure_as_the_same_loss(seed):
    """Also where no resample reaches, and the p-value hangs on the last one of its side."""
    values = np.random.default_rng(seed).normal(size=30) + 2.0
    gain, loss = paired_bootstrap(list(values), range(30), seed=0), paired_bootstrap(list(-values), range(30), seed=0)
    for threshold in (0.0, 0.5, 2.0):
        assert gain.p_at_most(threshold) == pytest.approx(loss.p_at_least(-threshold), rel=1e-9)
    low, high = gain.interval()
    assert loss.interval() == pytest.approx((-high, -low))


@given(
    values=st.lists(st.floats(-1, 1), min_size=5, max_size=30),
    low=st.floats(-3, 3),
    step=st.floats(0, 3),
)
def test_a_farther_threshold_is_never_more_likely_and_never_impossible(values, low, step):
    found = paired_bootstrap(values, range(len(values)), seed=0, draws=200)
    assert found.p_at_least(low + step) <= found.p_at_least(low)
    assert found.p_at_most(low) <= found.p_at_most(low + step)
    assert found.least_p == 0.5 ** len(values)
    assert min(found.p_at_least(low + step), found.p_at_most(low)) >= found.least_p > 0


def test_a_loss_of_everything_on_many_clusters_is_unlikely_but_not_impossible():
    losses = np.random.default_rng(6).normal(-50, 1e-3, size=3000)
    found = paired_bootstrap(list(losses), range(3000), seed=0, draws=100)
    assert 0 < found.p < 1e-14
