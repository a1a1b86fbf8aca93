"""Overlap of predicted spans with those that a sentence describes, beside spans that need no look at the video.

Spans are read and compared as those of the task timestamp are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .scorer import Column, Scorable
from .time_spans import iou
from .timestamp import Timestamp, annotated_spans

SHARES = tuple(np.arange(1, 101) / 100)  # of a video's length, which middle spans cover


class Grounding(Timestamp):
    """Union IoU of the spans predicted for a sentence and those annotated, recall at IoU thresholds, parse rate."""

    name = "grounding"
    tasks = ("grounding",)
    aggregates = (
        *(replace(column, blind=column.name == "constant_span") for column in Timestamp.aggregates),
        Column("middle_span", "mean IoU of the best span about the middle, the same share of every video", blind=True),
        Column("middle_span_share", "that share of the video"),
    )

    def summary(self, batch: Sequence[Scorable], values: Sequence[dict[str, float]]) -> dict[str, float]:
        """Return the best constant span and, where all durations are known, the best middle span; the unread."""
        found = super().summary(batch, values)
        if all(item.duration for item in batch):
            overlap, share = best_middle_span(batch)
            found |= {"middle_span": overlap, "middle_span_share": share}
        return found


def best_middle_span(batch: Sequence[Scorable]) -> tuple[float, float]:
    """Return the highest mean IoU of `SHARES` of each video about its middle, and the share."""
    means = []
    for share in SHARES:
        middles = [((item.duration or 0) * (1 - share) / 2, (item.duration or 0) * (1 + share) / 2) for item in batch]
        overlaps = [iou([middle], annotated_spans(item)) for middle, item in zip(middles, batch, strict=True)]
        means.append((float(np.mean(overlaps)), float(share)))
    return max(means)
