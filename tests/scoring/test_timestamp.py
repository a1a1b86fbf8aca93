"""Overlap against counting seconds, the best constant span against all, and what the scorer says of a reading."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.scoring import get_protocol
from ecva_bench.scoring.time_spans import iou, merge_spans, total_length
from ecva_bench.scoring.timestamp import Timestamp, best_constant_span

from .build import item, moments

SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda s: (min(s), max(s))), max_size=5)


def covered_seconds(spans) -> set[int]:
    """The unit intervals [n, n + 1] in a set of spans with whole ends: an overlap by counting."""
    return {second for start, end in spans for second in range(start, end)}


@given(SPANS, SPANS)
def test_overlap_equals_counting_whole_seconds(a, b):
    first, second = covered_seconds(a), covered_seconds(b)
    assert total_length(a) == len(first)
    union = first | second
    assert iou(a, b) == (pytest.approx(len(first & second) / len(union)) if union else 0)


@given(SPANS)
def test_merged_spans_are_disjoint_and_in_order(spans):
    merged = merge_spans(spans)
    assert all(left[1] < right[0] for left, right in pairwise(merged))
    assert covered_seconds(merged) == covered_seconds(spans)


@given(st.lists(SPANS.filter(lambda spans: any(start < end for start, end in spans)), min_size=1, max_size=6))
def test_no_constant_span_beats_the_best_one(annotated):
    best, end = best_constant_span(annotated)
    tried = [np.mean([iou([(0, e)], spans) for spans in annotated]) for e in np.arange(0.5, 61, 0.5)]
    assert best >= max(tried) - 1e-12
    assert best == pytest.approx(np.mean([iou([(0, end)], spans) for spans in annotated]))


def test_columns_by_hand():
    scorer = Timestamp(replace(get_protocol("standard"), timestamp_unit="seconds"))
    annotated = moments((10, 20), (30, 40))
    texts = ("[10, 20]", "[10, 40]", "[12, 3]", "none")
    batch = [item(text, task="timestamp", video=text, moments=annotated) for text in texts]
    half, most, backwards, none = scorer.score(batch)
    assert half == {"iou": 0.5, "recall@0.3": 1, "recall@0.5": 1, "recall@0.7": 0, "parsed": 1}
    assert most["iou"] == pytest.approx(2 / 3)
    assert backwards == none == {"iou": 0, "recall@0.3": 0, "recall@0.5": 0, "recall@0.7": 0, "parsed": 0}


def test_the_published_protocol_adds_up_the_moments():
    scorer = Timestamp(replace(get_protocol("ecva-2024"), timestamp_unit="seconds"))
    two = item("[0, 20] [30, 40]", task="timestamp", moments=moments((0, 10), (10, 20)))
    assert scorer.score([two])[0]["iou"] == 1.0
    assert Timestamp(replace(get_protocol("standard"), timestamp_unit="seconds")).score([two])[0]["iou"] == 2 / 3


def test_a_moment_without_length_cannot_be_scored():
    scorer = Timestamp(get_protocol("standard"))
    assert scorer.obstacle(item("[1, 2]", task="timestamp", moments=moments((3, 3)))) == "no moment annotated"
    assert scorer.obstacle(item("[1, 2]", task="timestamp", moments=moments((3, 4)))) is None


def test_a_score_says_how_its_answer_was_read():
    scorer = Timestamp(get_protocol("standard"))
    one = item("From 12 s to the end, not [3, 5].", task="timestamp", moments=moments((10, 20)), duration=30.0)
    assert scorer.score([one])[0]["iou"] == 8 / 20
    reading = scorer.reading(one)
    assert (reading.spans, reading.places, reading.others) == (((12, 30),), ((5, 20),), ("3, 5",))


def test_unread_answers_are_counted_by_kind():
    scorer = Timestamp(get_protocol("standard"))
    texts = ["12 s to 20 s", "[12, 20]", "At 12 s.", "12 s - 20 s or 24 s - 28 s", "From 14:03:22 to 14:03:30"]
    batch = [item(text, task="timestamp", video=text, moments=moments((10, 20)), duration=30.0) for text in texts]
    counted = scorer.summary(batch, scorer.score(batch))
    assert {kind: counted[kind] for kind in ("unread", "ambiguous", "out_of_range", "no_unit")} == {
        "unread": 0.2,
        "ambiguous": 0.2,
        "out_of_range": 0.2,
        "no_unit": 0.2,
    }
