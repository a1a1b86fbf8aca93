"""Agreement against golden figures, the published workbook, and definitions computed the slow way."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecva_bench.annotation.acts import read_acts
from ecva_bench.annotation.agreement import agreement_of, agreements, class_distance, rated_videos
from ecva_bench.annotation.over_time import RatedVideo, alpha_over_time, shuffled_iou
from ecva_bench.cli.annotate_tables import agreement_table
from ecva_bench.statistics.agreement import alpha_interval, krippendorff_alpha

from .acts import act

SPANS = st.lists(st.tuples(st.integers(0, 19), st.integers(1, 8)).map(lambda p: (float(p[0]), float(min(20, sum(p))))))


def test_alpha_over_time_is_the_golden_one(shared_golden: Path) -> None:
    golden = json.loads((shared_golden / "severity/agreement.json").read_text())
    rated = {
        f"v{n}": {f"rater {k}": act(f"v{n}", f"rater {k}", spans, duration=duration) for k, spans in enumerate(raters)}
        for n, (duration, raters) in enumerate(golden["videos"])
    }
    expected = golden["expected"]
    found = alpha_over_time(list(rated_videos(rated).values()), seed=0)
    assert found is not None
    assert found.observed == pytest.approx(expected["observed_disagreement"], abs=1e-9)
    assert found.marked == pytest.approx(expected["anomalous_share"], abs=1e-9)
    assert found.alpha == pytest.approx(expected["alpha"], abs=1e-9)
    figures = agreement_of(rated, blind=True, seed=0)
    assert figures.value("moments", "mean union IoU") == pytest.approx(expected["mean_union_iou"], abs=1e-9)
    assert found.interval is not None
    assert found.interval[0] < expected["alpha"] < found.interval[1]


def test_the_published_rounds_have_the_published_figures(shared_data: Path, shared_golden: Path) -> None:
    golden = json.loads((shared_golden / "severity/two_rounds.json").read_text())
    [found] = agreements(read_acts(shared_data / "ecva/annotations.xlsx"))
    assert not found.blind  # the second round edits the first
    shares = golden["share_iou_at_least"]
    for part, statistic, expected in (
        ("moments", "alpha over time", golden["alpha_over_time"]["value"]),
        ("moments", "observed disagreement", golden["alpha_over_time"]["observed"]),
        ("moments", "mean union IoU", golden["mean_union_iou"]),
        ("moments", "lowest IoU", golden["lowest_iou"]),
        ("moments", "share with IoU >= 0.9", shares["0.9"]),
        ("moments", "the same spans", golden["spans_identical"] / golden["rows_with_moments_in_both"]),
        ("class", "same", golden["major_and_sub_equal"] / golden["codes_in_both"]),
        ("severity digit", "same", golden["severity_equal"] / golden["codes_in_both"]),
        ("severity digit", "alpha, ordinal", golden["severity_alpha_ordinal"]),
        ("severity digit", "kappa", golden["severity_kappa"]),
    ):
        assert found.value(part, statistic) == pytest.approx(expected, abs=1e-6), statistic
    shuffled = golden["shuffled_mean_iou"]["mean"]
    assert found.value("moments", "the same, shuffled") == pytest.approx(shuffled, abs=0.02)


@settings(max_examples=25)
@given(st.lists(st.lists(SPANS, min_size=2, max_size=3), min_size=1, max_size=4))
def test_alpha_over_time_is_that_of_whole_seconds_where_ends_are_whole(
    videos: list[list[list[tuple[float, float]]]],
) -> None:
    rated = [RatedVideo(20.0, tuple(raters)) for raters in videos]
    marks = [np.array([[any(s <= t < e for s, e in r) for t in range(20)] for r in raters]) for raters in videos]
    observed = np.mean([np.mean([np.mean(a != b) for a, b in itertools.combinations(one, 2)]) for one in marks])
    share = np.mean([one.mean() for one in marks])
    found = alpha_over_time(rated, seed=0)
    assert found is not None
    assert found.observed == pytest.approx(observed)
    if 0 < share < 1:
        assert found.alpha == pytest.approx(1 - observed / (2 * share * (1 - share)))
    else:
        assert found.alpha is None


def test_class_trees_count_half_within_a_major_class() -> None:
    pairs = [(5001, 5001), (5001, 5002), (5001, 3001), (3001, 3001), (5002, 5002)]
    values = [value for pair in pairs for value in pair]
    observed = np.mean([class_distance(a, b) for a, b in pairs])
    expected = np.mean([class_distance(a, b) for i, a in enumerate(values) for j, b in enumerate(values) if i != j])
    assert observed == pytest.approx((0.5 + 1) / 5)
    assert krippendorff_alpha(pairs, level=class_distance) == pytest.approx(1 - observed / expected)


@pytest.mark.parametrize("level", ["nominal", "ordinal", class_distance])
def test_the_interval_of_alpha_is_that_of_items_drawn_one_by_one(level: object) -> None:
    random = np.random.default_rng(3)
    first = random.integers(1, 5, 60)
    pairs = [
        (int(a), int(a if keep else b))
        for a, b, keep in zip(first, random.permutation(first), random.random(60) < 0.8, strict=True)
    ]
    drawn = [
        krippendorff_alpha([pairs[i] for i in random.integers(60, size=60)], level=level)  # type: ignore[arg-type]
        for _ in range(300)
    ]
    low, high = np.quantile([alpha for alpha in drawn if alpha is not None], [0.025, 0.975])
    found = alpha_interval(pairs, level=level, seed=0)  # type: ignore[arg-type]
    assert found == pytest.approx((low, high), abs=0.05)


def test_blind_acts_and_reviews_are_told_apart() -> None:
    acts = [
        act("v", "ann", [(0, 10)], "5-1,4", duration=20, description="a red car hits a wall"),
        act("v", "ben", [(5, 10)], "5-2,4", duration=20, description="a red car hits a tree"),
        act("v", "cleo", [(0, 8)], round=2, blind=False, saw=("ann",), duration=20),
        act("w", "ann", [], duration=10),
        act("w", "ben", [], duration=10),
    ]
    blind, review = agreements(acts)
    assert (blind.blind, blind.raters, blind.videos) == (True, ("ann", "ben"), 2)
    assert blind.value("moments", "mean union IoU") == 0.5  # where both found nothing there is no IoU
    assert blind.value("moments", "observed disagreement") == pytest.approx(5 / 30)
    assert blind.value("class", "same") == 0
    assert 0 < (blind.value("description", "ROUGE-2 F1") or 0) < 1
    assert (review.blind, review.value("moments", "mean union IoU")) == (False, 0.8)


def test_a_corrected_act_replaces_the_earlier_one_and_a_missing_part_is_no_disagreement() -> None:
    acts = [
        act("v", "ann", [(0, 1)], duration=10),
        act("v", "ann", [(5, 10)], duration=10),
        act("v", "ben", [(5, 10)], duration=10),
        act("v", "cleo", None, "5-1", duration=10),
    ]
    [found] = agreements(acts)
    assert found.value("moments", "alpha over time") == 1
    assert found.value("class", "same") is None


def test_ranked_sentences_are_compared_by_sentence() -> None:
    one = act("v", "ann", [], key_sentences=("a", "b", "c"), scores=(3, 2, 1))
    same = act("v", "ben", [], key_sentences=("c", "b", "a"), scores=(0.1, 0.2, 0.3))
    other = act("v", "ben", [], key_sentences=("a", "b", "c"), scores=(1, 2, 3))
    for second, w, tau in ((same, 1, 1), (other, 0, -1)):
        [found] = agreements([one, second])
        assert found.value("sentence ranks", "Kendall's W") == pytest.approx(w)
        assert found.value("sentence ranks", "tau-b") == pytest.approx(tau)
        assert [row[3].text for row in agreement_table(found).rows if row[0].text == "sentence ranks"] == [
            "1 video",
            "1 video",
            "3 sentences",
        ]


def test_chance_iou_needs_two_videos() -> None:
    one = RatedVideo(10, (((0.0, 5.0),), ((0.0, 5.0),)))
    assert shuffled_iou([one], seed=0) is None
    assert shuffled_iou([one, RatedVideo(10, (((5.0, 10.0),), ((5.0, 10.0),)))], seed=0) == 0
