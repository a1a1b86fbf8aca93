"""Overlap of predicted with annotated moments, beside the share of readable answers and a constant span's score.

Both sides are sets of instants, so an anomaly annotated in several moments is treated as one. An answer that
`reading.spans` cannot read overlaps nothing and is counted by kind.

Bare numbers are the trap: the released answers to "how many second to how many second" reach a mean IoU of 0.7 %
read as seconds and of 21 % read as minutes.seconds. So they are read in `Protocol.timestamp_unit` and not at all
where that is unknown; how many answers that concerns is reported.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..reading.spans.conclusions import says_none
from ..reading.spans.reader import VERSION, Span, read_spans
from ..reading.text import final_answer, plain
from ..records.readings import Reading
from .readings import BY_JUDGE, ReadingScorer, unread_columns
from .scorer import Column, Scorable
from .second_reader import SecondReader
from .time_spans import iou, merge_spans, total_length

THRESHOLDS = (0.3, 0.5, 0.7)


class Timestamp(ReadingScorer):
    """Union IoU of predicted and annotated spans, recall at IoU thresholds, parse rate."""

    name = "timestamp"
    tasks = ("timestamp",)
    columns = (
        Column("iou", "time predicted and annotated over time predicted or annotated"),
        *(Column(f"recall@{t}", f"share of answers with an IoU of at least {t}", binary=True) for t in THRESHOLDS),
        Column("parsed", "share of answers in which a time span was found", binary=True),
    )
    aggregates = (
        Column("constant_span", "mean IoU of the best span from 0 that is the same for every video"),
        Column("constant_span_end", "the end of that span", unit="s", high=float("inf")),
        *unread_columns("unread", "ambiguous", "out of range", "no unit"),
        BY_JUDGE,
    )

    none_offered = False  # whether the question offers `none` as an answer

    def score(self, batch: Sequence[Scorable]) -> list[dict[str, float]]:
        """Return overlap, recalls and parse success of each item."""
        scores = []
        for item, reading in zip(batch, self.readings(batch), strict=True):
            overlap = self._overlap(reading.spans, annotated_spans(item))
            recalls = {f"recall@{threshold}": float(overlap >= threshold) for threshold in THRESHOLDS}
            scores.append({"iou": overlap, **recalls, "parsed": float(reading.status == "read")})
        return scores

    def obstacle(self, item: Scorable) -> str | None:
        """Return the reason why a video without an annotated moment of some length is scored for nobody."""
        return None if total_length(annotated_spans(item)) > 0 else "no moment annotated"

    def summary(self, batch: Sequence[Scorable], values: Sequence[dict[str, float]]) -> dict[str, float]:
        """Return the best constant span [0, end] with its mean IoU, and the unread by kind."""
        overlap, end = best_constant_span([annotated_spans(item) for item in batch])
        return {"constant_span": overlap, "constant_span_end": end, **self.unread(batch)}

    def settings(self) -> dict[str, str]:
        """Return how spans are read, how overlap is computed and in which unit bare numbers are read."""
        overlap = "sum-over-moments" if self.protocol.sum_moments else "union"
        bare = self.protocol.timestamp_unit or "unread"
        offered = {"none": "read"} if self.none_offered else {}
        parse = {"parse": f"named.v{VERSION}", **offered}
        return {**parse, "iou": overlap, "bare": bare, **self.second_settings("read-spans")}

    def read(self, item: Scorable) -> Reading:
        """Return the spans an answer names."""
        found = read_spans(item.text, unit=self.protocol.timestamp_unit, duration=item.duration)
        none = self.none_offered and found.status == "unread" and says_none(plain(item.text), 0)
        return Reading(rule="none") if none else found

    def read_again(self, items: Sequence[Scorable], second: SecondReader) -> list[Reading | None]:
        """Return the spans that a judge reads in each answer."""
        return second.spans([final_answer(item.text) for item in items], [item.duration for item in items])

    def _overlap(self, predicted: Sequence[Span], annotated: Sequence[Span]) -> float:
        if self.protocol.sum_moments:
            return sum(iou(predicted[:1], [moment]) for moment in annotated)
        return iou(predicted, annotated)


def best_constant_span(annotated: Sequence[Sequence[Span]]) -> tuple[float, float]:
    """Return the highest mean IoU that one span [0, end] reaches on sets of spans, and its end in seconds.

    The ends tried are those of the annotated spans. Between two of them the mean IoU has no maximum: as `end`
    grows, a video's IoU rises linearly inside a moment and falls convexly outside, so the mean is convex there.
    """
    merged = [merge_spans(spans) for spans in annotated]
    starts, stops = np.array([span for spans in merged for span in spans]).T
    firsts = np.cumsum([0, *(len(spans) for spans in merged)])[:-1]
    totals = np.add.reduceat(stops - starts, firsts)
    best = (0.0, 0.0)
    for end in np.unique(stops):
        shared = np.add.reduceat(np.clip(np.minimum(end, stops) - starts, 0, None), firsts)
        best = max(best, (float(np.mean(shared / (end + totals - shared))), float(end)))
    return best


def annotated_spans(item: Scorable) -> list[Span]:
    """Return the annotated (start, end) of an item, in seconds."""
    return [(moment.start, moment.end) for moment in item.moments]
