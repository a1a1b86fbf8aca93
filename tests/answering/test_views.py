"""Views against a brute-force timeline of milliseconds."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ecva_bench.answering.views import merge_moments, normal_spans, removed_spans
from ecva_bench.errors import ViewUnavailable
from ecva_bench.records import Moment

# Whole multiples of 10 ms, so that spans and the brute-force timeline agree exactly.
ticks = st.integers(min_value=0, max_value=400)
moments = st.lists(
    st.tuples(ticks, ticks).map(lambda pair: Moment(start=min(pair) / 10, end=max(pair) / 10)), max_size=5
)
durations = st.integers(min_value=1, max_value=300).map(lambda tick: tick / 10)


def covered(spans: list[Moment] | tuple[Moment, ...], duration: float) -> list[bool]:
    """Say of the middle of every tenth of a second whether a span covers it."""
    middles = [(tick + 0.5) / 10 for tick in range(round(duration * 10))]
    return [any(span.start < middle < span.end for span in spans) for middle in middles]


@given(moments, durations)
def test_merged_and_normal_spans_divide_the_timeline(spans: list[Moment], duration: float) -> None:
    anomalous, normal = covered(merge_moments(spans), duration), covered(normal_spans(spans, duration), duration)
    assert anomalous == covered(spans, duration)
    assert all(a != n for a, n in zip(anomalous, normal, strict=True))


@given(moments, durations)
def test_the_anomaly_view_cuts_the_moments_and_nothing_else(spans: list[Moment], duration: float) -> None:
    assume(any(covered(spans, duration)))
    assert covered(removed_spans("anomaly", spans, duration), duration) == covered(spans, duration)


@given(moments, durations)
def test_the_control_view_cuts_as_much_normal_time(spans: list[Moment], duration: float) -> None:
    anomaly = covered(spans, duration)
    assume(any(anomaly))
    length = sum(anomaly) / 10
    if sum(anomaly) * 2 > len(anomaly):
        with pytest.raises(ViewUnavailable, match="more than half"):
            removed_spans("control", spans, duration)
        return
    control = removed_spans("control", spans, duration)
    assert sum(span.duration for span in control) == pytest.approx(length)
    for span in control:
        assert 0 <= span.start <= span.end <= duration + 1e-9
        for moment in spans:
            assert (
                span.end <= moment.start + 1e-9 or span.start >= min(moment.end, duration) - 1e-9 or not moment.duration
            )
    assert [span.start for span in control] == sorted(span.start for span in control)


eighths = st.integers(min_value=0, max_value=400).map(lambda eighth: eighth / 8)  # exact, and so are their sums


@given(st.lists(st.tuples(eighths, eighths), max_size=5), eighths, eighths)
def test_what_lies_before_the_first_picture_is_cut_by_no_view(
    pairs: list[tuple[float, float]], duration: float, begin: float
) -> None:
    """As if time began with the first picture."""
    assume(begin < duration)
    spans = [Moment(start=min(pair), end=max(pair)) for pair in pairs]
    later = [Moment(start=max(m.start - begin, 0), end=m.end - begin) for m in spans if m.end >= begin]
    for view in ("anomaly", "control"):
        try:
            expected = removed_spans(view, later, duration - begin)
        except ViewUnavailable:
            with pytest.raises(ViewUnavailable):
                removed_spans(view, spans, duration, begin)
            continue
        found = removed_spans(view, spans, duration, begin)
        assert found == tuple(Moment(start=m.start + begin, end=m.end + begin) for m in expected)


def test_a_control_is_one_span_where_one_is_long_enough() -> None:
    control = removed_spans("control", [Moment(start=2, end=4)], 20.0)
    assert control == (Moment(start=11, end=13),)  # the middle of the longest normal span, 4 to 20 s


def test_a_video_without_moments_has_no_edited_view() -> None:
    for view in ("anomaly", "control"):
        with pytest.raises(ViewUnavailable, match="no annotated moment"):
            removed_spans(view, [Moment(start=30, end=40)], 10.0)  # type: ignore[arg-type]
    assert removed_spans("full", [], 10.0) == ()
