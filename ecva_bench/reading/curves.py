"""Curves of importance over a video's time: in segments as answers name them, in points as annotations do, in cells.

Arithmetic on seconds and numbers, and the canonical text of an answer. Models' answers are read in `severities`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Segment = tuple[float, float, float]  # start and end in seconds, severity from 0 to 10
Point = tuple[float, float]  # seconds, importance from 0 to 1

SCALE = 10.0  # the highest severity
UNPARSED = "?"  # stands for the severity of a segment that a reply gave none for
FEWEST = 20  # cells of the shortest video

_Floats = npt.NDArray[np.float64]
_Bools = npt.NDArray[np.bool_]


def cell_centres(duration: float) -> _Floats:
    """Return the seconds [n] in the middle of a video's cells: n = max(20, whole seconds rounded up), all as long."""
    cells = max(FEWEST, math.ceil(duration))
    return (np.arange(cells, dtype=np.float64) + 0.5) * (duration / cells)


def points_at(points: Sequence[Point], instants: _Floats) -> _Floats:
    """Return the importance [n] at some seconds [n]: linear between points, held before the first and after the last.

    There is one point at least, and they are in order of time.
    """
    seconds, values = np.array(points, dtype=np.float64).T
    return np.asarray(np.interp(instants, seconds, values), dtype=np.float64)


def segments_at(segments: Iterable[Segment], instants: _Floats) -> _Floats:
    """Return the importance [n], from 0 to 1, at some seconds [n]: that of the most severe segment, 0 where none is."""
    values = np.zeros_like(instants)
    for start, end, severity in segments:
        inside = (start <= instants) & (instants < end)
        values[inside] = np.maximum(values[inside], severity / SCALE)
    return values


def above_half(curve: _Floats) -> _Bools:
    """Return which cells [n] reach the middle between a curve's lowest and highest value; none of a constant one."""
    if is_constant(curve):
        return np.zeros(len(curve), dtype=np.bool_)
    return np.asarray(curve >= (curve.min() + curve.max()) / 2)


def is_constant(curve: _Floats) -> bool:
    """Return whether a curve has the same value everywhere."""
    return bool(np.ptp(curve) == 0)


def segments_of_cells(values: Sequence[float] | _Floats, duration: float) -> list[Segment]:
    """Return the segments whose importance at the cells' centres is `values` [n]; equal neighbours are one segment."""
    length = duration / len(values)
    found: list[Segment] = []
    for cell, value in enumerate(values):
        severity = round(SCALE * float(value), 6)
        if found and found[-1][2] == severity:
            found[-1] = (found[-1][0], (cell + 1) * length, severity)
        else:
            found.append((cell * length, (cell + 1) * length, severity))
    return found


def equal_spans(duration: float, spans: int) -> list[tuple[float, float]]:
    """Return a video's time in so many spans that are as long, to the millisecond."""
    ends = [round(duration * number / spans, 3) for number in range(spans)] + [duration]
    return [(start, end) for start, end in pairwise(ends) if end > start]


def middle(cells: int) -> _Floats:
    """Return a Gaussian about the middle of so many cells, its sigma a quarter of them: what a prior alone says."""
    offsets = (np.arange(cells, dtype=np.float64) + 0.5 - cells / 2) / (cells / 4)
    return np.asarray(np.exp(-0.5 * offsets**2), dtype=np.float64)


def severity_text(segments: Iterable[tuple[float, float, float | None]]) -> str:
    """Return the canonical text of an answer: a line `start end severity` for each segment, in seconds.

    A segment without a severity has `?` in its place.
    """
    return "\n".join(
        f"{_decimal(start, 3)} {_decimal(end, 3)} {UNPARSED if severity is None else _decimal(severity, 6)}"
        for start, end, severity in segments
    )


def _decimal(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
