"""When a sentence takes place, by a vote over sources that each name spans. Works on plain numbers, in seconds."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Span = tuple[float, float]

GAP_S = 1.0  # located spans nearer to each other become one
SHORTEST_S = 0.5  # shorter located spans are dropped, then


@dataclass(frozen=True)
class Located:
    """When a sentence takes place: disjoint spans in order, none where too few sources agree.

    `supporting` sources named a span, and `needed` of them have to name an instant. `agreement` is how long the
    instants last that have as many votes, over how long the union of all spans does; 0 where nobody named one.
    """

    spans: tuple[Span, ...]
    supporting: int
    needed: int
    agreement: float


def locate(sources: Sequence[Iterable[Span]], duration: float) -> Located:
    """Return when a sentence takes place by the spans of each source, by strict majority of those that named any.

    Spans are cut off at the video's ends; empty and backward ones do not count, and overlapping ones of a source count
    once. The instants are exact: votes change only where a span begins or ends.
    """
    named = [spans for spans in (spans_within(one, duration) for one in sources) if spans]
    needed = 1 if len(named) < 2 else len(named) // 2 + 1
    steps = sorted((instant, step) for spans in named for start, end in spans for instant, step in _steps(start, end))
    agreed: list[Span] = []
    votes, before, some = 0, 0.0, 0.0
    for instant, step in steps:
        if votes:
            some += instant - before
        if votes >= needed and instant > before:
            agreed = _with(agreed, (before, instant), 0.0)
        votes, before = votes + step, instant
    share = sum(end - start for start, end in agreed) / some if some else 0.0
    joined: list[Span] = []
    for span in agreed:
        joined = _with(joined, span, GAP_S)
    spans = tuple(span for span in joined if span[1] - span[0] >= SHORTEST_S)
    return Located(spans, len(named), needed, share)


def spans_within(spans: Iterable[Span], duration: float) -> list[Span]:
    """Return the spans of a source within the video, disjoint and in order; empty and backward ones are left out."""
    within = ((max(0.0, start), min(duration, end)) for start, end in spans if start < end)
    merged: list[Span] = []
    for span in sorted(span for span in within if span[0] < span[1]):
        merged = _with(merged, span, 0.0)
    return merged


def voted_curve(
    located: Sequence[Sequence[Span]], scores: Sequence[float], duration: float
) -> list[tuple[float, float, float]]:
    """Return pieces (start, end, value) that cover the video: the scores, which sum to 1, of what takes place there."""
    total = sum(scores)
    bounds = sorted({0.0, duration, *(instant for spans in located for span in spans for instant in span)})
    pieces = []
    for start, end in itertools.pairwise(bounds):
        there = (any(a <= start < b for a, b in spans) for spans in located)
        pieces.append((start, end, sum(score for score, found in zip(scores, there, strict=True) if found) / total))
    return pieces


def pieces_as_importance(pieces: Sequence[tuple[float, float, float]]) -> list[tuple[float, float, float]]:
    """Return the pieces with their values over the highest one, 0 everywhere where that is 0."""
    most = max((value for _, _, value in pieces), default=0.0)
    return [(start, end, value / most if most else 0.0) for start, end, value in pieces]


def _steps(start: float, end: float) -> tuple[tuple[float, int], tuple[float, int]]:
    return (start, 1), (end, -1)


def _with(spans: list[Span], last: Span, gap: float) -> list[Span]:
    """Return disjoint spans and a later one, joined to the last where it touches it or begins within the gap."""
    if spans and (last[0] <= spans[-1][1] or last[0] - spans[-1][1] < gap):
        return [*spans[:-1], (spans[-1][0], max(spans[-1][1], last[1]))]
    return [*spans, last]
