"""How numbers are spread, and histograms of them."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """How numbers are spread; quartiles by linear interpolation."""

    n: int
    minimum: float
    lower: float
    median: float
    upper: float
    maximum: float
    mean: float


@dataclass(frozen=True)
class Bin:
    """A bar of a histogram: how many numbers lie in [start, end); `end` is None for the open last bar."""

    start: float
    end: float | None
    count: int


def spread(numbers: Iterable[float]) -> Spread | None:
    """Return how numbers are spread, or None if there are none."""
    values = sorted(float(number) for number in numbers)
    if not values:
        return None
    lower, median, upper = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
    return Spread(len(values), values[0], lower, median, upper, values[-1], statistics.fmean(values))


def histogram(numbers: Sequence[float], edges: Sequence[float]) -> tuple[Bin, ...]:
    """Return the counts of numbers between neighbouring edges and, as last bar, from the last edge on."""
    ends: list[float | None] = [*edges[1:], None]
    return tuple(
        Bin(start, end, sum(start <= number and (end is None or number < end) for number in numbers))
        for start, end in zip(edges, ends, strict=True)
    )
