"""The span parser against spans written by hand and by rule, and overlap against counting seconds."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.scoring import get_protocol
from ecva_bench.scoring.spans import AmbiguousUnitError, iou, length, merge, parse_spans
from ecva_bench.scoring.timestamp import Timestamp, best_constant_span

from .build import item, moments

SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda s: (min(s), max(s))), max_size=5)
SECONDS = st.integers(0, 5999)


def clock(seconds: int) -> str:
    return f"{seconds // 60:02d}:{seconds % 60:02d}"


def covered_seconds(spans) -> set[int]:
    """The unit intervals [n, n + 1] in a set of spans with whole ends: an overlap by counting."""
    return {second for start, end in spans for second in range(start, end)}


@given(SPANS, SPANS)
def test_overlap_equals_counting_whole_seconds(a, b):
    first, second = covered_seconds(a), covered_seconds(b)
    assert length(a) == len(first)
    union = first | second
    assert iou(a, b) == (pytest.approx(len(first & second) / len(union)) if union else 0)


@given(SPANS)
def test_merged_spans_are_disjoint_and_in_order(spans):
    merged = merge(spans)
    assert all(left[1] < right[0] for left, right in pairwise(merged))
    assert covered_seconds(merged) == covered_seconds(spans)


@given(st.lists(st.tuples(SECONDS, SECONDS).map(lambda s: (min(s), max(s))), min_size=1, max_size=4))
def test_every_way_of_writing_spans_reads_the_same(spans):
    ways = [
        ", ".join(f"[{start}, {end}]" for start, end in spans),
        " ".join(f"[{start:.1f}, {end:.1f}]" for start, end in spans),
        " and ".join(f"from {start} s to {end} s" for start, end in spans),
        "; ".join(f"between {start} and {end} seconds" for start, end in spans),
        " ".join(f"[{clock(start)}, {clock(end)}]" for start, end in spans),
        "\n".join(f"0:{clock(start)}-0:{clock(end)}" for start, end in spans if end < 3600),
        ", ".join(
            f"{start // 60} min {start % 60} s to {end // 60} minutes and {end % 60} seconds" for start, end in spans
        ),
    ]
    for way in ways[:5] + ways[6:]:
        assert parse_spans(way, unit="seconds") == spans, way
    assert parse_spans(ways[5], unit=None) == [span for span in spans if span[1] < 3600]


@given(st.text())
def test_any_text_gives_ordered_spans_or_a_value_error(text):
    try:
        spans = parse_spans(text, unit="seconds")
    except ValueError:
        return
    assert all(0 <= start <= end for start, end in spans)


@pytest.mark.parametrize(
    ("text", "unit", "spans"),
    [
        ("[0.0, 0.12]", "seconds", [(0.0, 0.12)]),
        ("[0.0, 0.12]", "minutes", [(0.0, 7.2)]),
        ("[0.0, 0.12]", "mm.ss", [(0, 12)]),
        ("[0, 1.05]", "mm.ss", [(0, 65)]),
        ("[0045, 0112]", "mmss", [(45, 72)]),
        ("[00:45, 00:52]", None, [(45, 52)]),
        ("[00:00:05, 01:00:10]", None, [(5, 3610)]),
        ("from 3 to 12 seconds", None, [(3, 12)]),
        ("1 minute 20 seconds to 2 minutes", None, [(80, 120)]),
        ("1-2 min", None, [(60, 120)]),
        ("It lasts from 00:05 until 00:10.", None, [(5, 10)]),
        ("[10, 20, 30, 40]", "seconds", [(10, 20), (30, 40)]),
        ("0.42.0, 0.50.0", "seconds", []),
        ("at 5 seconds", None, []),
        ("None", None, []),
        ("[-1, -1]", "seconds", []),
    ],
)
def test_forms_seen_in_answers(text, unit, spans):
    assert parse_spans(text, unit=unit) == [pytest.approx(span) for span in spans]


def test_a_long_run_of_blanks_takes_no_long_time():
    """Doubling the text must double the time, not square it: 200,000 blanks would take hours then."""
    assert parse_spans("5" + " " * 200_000 + "x" + " [1, 2]", unit="seconds") == [(1, 2)]


def test_a_bare_number_needs_a_unit():
    with pytest.raises(AmbiguousUnitError):
        parse_spans("[3, 12]", unit=None)


@pytest.mark.parametrize(("text", "unit"), [("[12, 3]", "seconds"), ("[0070, 0112]", "mmss"), ("[1:75, 2:00]", None)])
def test_what_is_no_time_span_is_refused(text, unit):
    with pytest.raises(ValueError, match=r"ends before|minute|no time"):
        parse_spans(text, unit=unit)


@given(st.lists(SPANS.filter(lambda spans: any(start < end for start, end in spans)), min_size=1, max_size=6))
def test_no_constant_span_beats_the_best_one(annotated):
    best, end = best_constant_span(annotated)
    tried = [np.mean([iou([(0, e)], spans) for spans in annotated]) for e in np.arange(0.5, 61, 0.5)]
    assert best >= max(tried) - 1e-12
    assert best == pytest.approx(np.mean([iou([(0, end)], spans) for spans in annotated]))


def test_columns_by_hand():
    scorer = Timestamp(replace(get_protocol("standard"), timestamp_unit="seconds"))
    annotated = moments((10, 20), (30, 40))
    batch = [item(text, task="timestamp", moments=annotated) for text in ("[10, 20]", "[10, 40]", "[12, 3]", "none")]
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
