"""Which spans each view of a video leaves out. Arithmetic on seconds; no video is touched here.

`full` leaves out nothing, `anomaly` the annotated moments, `control` normal spans of the same total length: the
control tells "the answer changed because the anomaly is gone" from "because the video got shorter". The other views
change pictures and leave out nothing (`video.pictures`).
"""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import ViewUnavailable
from ..records import Moment
from ..records.base import View, cuts_moments


def merge_moments(moments: Iterable[Moment]) -> tuple[Moment, ...]:
    """Return the union of moments as disjoint spans in order."""
    spans: list[Moment] = []
    for moment in sorted(moments, key=lambda m: (m.start, m.end)):
        if spans and moment.start <= spans[-1].end:
            spans[-1] = Moment(start=spans[-1].start, end=max(spans[-1].end, moment.end))
        else:
            spans.append(moment)
    return tuple(spans)


def normal_spans(moments: Iterable[Moment], duration: float, begin: float = 0.0) -> tuple[Moment, ...]:
    """Return what lies outside the moments within [begin, duration], in order, without empty spans."""
    spans, cursor = [], begin
    for moment in merge_moments(moments):
        if moment.start > cursor:
            spans.append(Moment(start=cursor, end=min(moment.start, duration)))
        cursor = max(cursor, moment.end)
        if cursor >= duration:
            return tuple(spans)
    spans.append(Moment(start=cursor, end=duration))
    return tuple(spans)


def removed_spans(view: View, moments: Iterable[Moment], duration: float, begin: float = 0.0) -> tuple[Moment, ...]:
    """Return the spans a view cuts from a video of `duration` seconds, whose first picture comes at the second `begin`.

    The control takes the longest normal spans first, each from its middle, until their length equals that of
    the anomaly. Raises `ViewUnavailable` where a video has no moments, or less normal time than anomalous time.
    """
    if not cuts_moments(view):
        return ()
    inside = (moment for moment in moments if moment.start < duration and moment.end >= begin)
    clipped = [Moment(start=max(m.start, begin), end=min(m.end, duration)) for m in inside]
    anomaly = tuple(span for span in merge_moments(clipped) if span.duration > 0)
    if not anomaly:
        raise ViewUnavailable(f"no annotated moment lies inside the video, so there is no {view!r} view")
    if view == "anomaly":
        return anomaly
    needed = sum(span.duration for span in anomaly)
    spans = []
    for span in sorted(normal_spans(anomaly, duration, begin), key=lambda s: (-s.duration, s.start)):
        length = min(needed, span.duration)
        start = span.start + (span.duration - length) / 2
        # Whole microseconds: a frame on the edge must not be cut or kept by the last bit of a float.
        spans.append(Moment(start=round(start, 6), end=round(start + length, 6)))
        needed -= length
        if needed <= 1e-9:
            return tuple(sorted(spans, key=lambda s: s.start))
    raise ViewUnavailable("the anomaly takes more than half of the video, so no equally long normal span exists")
