"""Sets of instants, each written as spans (start, end) in seconds: their union, length and overlap."""

from __future__ import annotations

from collections.abc import Iterable

from ..reading.spans.reader import Span


def merge_spans(spans: Iterable[Span]) -> list[Span]:
    """Return the same set of instants as disjoint spans in order."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def total_length(spans: Iterable[Span]) -> float:
    """Return how long a set of spans lasts, overlaps counted once."""
    return sum(end - start for start, end in merge_spans(spans))


def iou(a: Iterable[Span], b: Iterable[Span]) -> float:
    """Return the length two sets of spans share over the length they cover together; 0 where both are empty."""
    a, b = merge_spans(a), merge_spans(b)
    shared = sum(max(0.0, min(end, other_end) - max(start, other)) for start, end in a for other, other_end in b)
    covered = total_length([*a, *b])
    return shared / covered if covered else 0.0
