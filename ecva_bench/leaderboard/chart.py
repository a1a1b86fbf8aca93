"""A table's two chart columns as points in an SVG drawing: score up, cost across. Colours are the page's.

Knows cells; the numbers are in the table beside it, so the drawing has a name and needs no further text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from ..untrusted import one_line
from .table import Table

WIDTH, HEIGHT = 640, 320
LEFT, RIGHT, TOP, BOTTOM = 64, 150, 16, 48
LETTERS = 24  # of a label, for which there is room beside the drawing
LINE = 12  # the least distance between two labels, in pixels
WIDE = 30.0  # from this ratio of largest to smallest on, an axis is logarithmic


@dataclass(frozen=True)
class _Point:
    label: str
    x: float
    y: float
    interval: tuple[float, float] | None
    baseline: bool


@dataclass(frozen=True)
class _Axis:
    """Where a number lies between the two ends of an axis, in pixels, and the numbers written along it."""

    place: Callable[[float], float]
    ticks: Sequence[float]


def as_svg(table: Table) -> str:
    """Return the drawing of a table that has a chart; empty where fewer than two rows have both numbers."""
    points = _points(table)
    if table.chart is None or len(points) < 2:
        return ""
    across = _axis([point.x for point in points], LEFT, WIDTH - RIGHT)
    bounds = [bound for point in points for bound in (point.y, *(point.interval or ()))]
    up = _axis([0.0, *bounds], HEIGHT - BOTTOM, TOP, straight=True)
    name = escape(f"{table.chart[1]} against {table.chart[0]}", quote=True)
    labels = _label_places([up.place(point.y) for point in points])
    return "\n".join(
        [
            f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{name}">',
            *_frame(across, up, table.chart),
            *(_mark(point, across, up, label) for point, label in zip(points, labels, strict=True)),
            "</svg>",
        ]
    )


def _points(table: Table) -> list[_Point]:
    if table.chart is None:
        return []
    x, y = (table.header.index(name) for name in table.chart)
    return [
        _Point(row[0].text, row[x].value or 0.0, row[y].value or 0.0, row[y].interval, "baseline" in row[0].marks)
        for row in table.rows
        if row[x].value is not None and row[y].value is not None
    ]


def _axis(values: Sequence[float], start: float, end: float, *, straight: bool = False) -> _Axis:
    low, high = min(values), max(values)
    if not straight and low > 0 and high / low > WIDE:
        first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
        return _Axis(
            lambda value: start + (end - start) * (math.log10(value) - first) / (last - first),
            [10.0**power for power in range(first, last + 1)],
        )
    low = min(low, 0.0)
    step = _step((high - low) or 1.0)
    top = low + step * math.ceil(((high - low) or 1.0) / step - 1e-9)
    ticks = [low + step * n for n in range(round((top - low) / step) + 1)]
    return _Axis(lambda value: start + (end - start) * (value - low) / (top - low), ticks)


def _step(span: float) -> float:
    """Return the distance of ticks that gives three to six of them: 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(span / 3))
    return power * max(factor for factor in (1, 2, 5) if factor * power <= span / 3 + 1e-9)


def _label_places(heights: Sequence[float]) -> list[float]:
    """Return a height for each label beside the drawing, moved up, or down from its top, so as to lie on no other."""
    places = dict.fromkeys(range(len(heights)), 0.0)
    free = math.inf
    for point in sorted(range(len(heights)), key=lambda point: -heights[point]):
        places[point] = min(heights[point], free)
        free = places[point] - LINE
    least = float(TOP)
    for point in sorted(range(len(heights)), key=lambda point: places[point]):
        places[point] = max(places[point], least)
        least = places[point] + LINE
    return list(places.values())


def _frame(across: _Axis, up: _Axis, names: tuple[str, str]) -> list[str]:
    base, edge = HEIGHT - BOTTOM, WIDTH - RIGHT
    lines = [f'<path class="axis" d="M{LEFT} {TOP}V{base}H{edge}"/>']
    for tick in up.ticks:
        y = up.place(tick)
        lines.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{edge}"/>')
        lines.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
    for tick in across.ticks:
        x = across.place(tick)
        lines.append(f'<path class="axis" d="M{x:.1f} {base}v4"/>')
        lines.append(f'<text x="{x:.1f}" y="{base + 18}" text-anchor="middle">{tick:g}</text>')
    middle = (LEFT + edge) / 2
    lines.append(f'<text x="{middle:g}" y="{HEIGHT - 8}" text-anchor="middle">{escape(names[0])}</text>')
    turned = f'transform="translate(14 {(TOP + base) / 2:g}) rotate(-90)"'
    lines.append(f'<text {turned} text-anchor="middle">{escape(names[1])}</text>')
    return lines


def _mark(point: _Point, across: _Axis, up: _Axis, label: float) -> str:
    x, y = across.place(point.x), up.place(point.y)
    whisker = ""
    if point.interval:
        low, high = (up.place(bound) for bound in point.interval)
        whisker = f'<path d="M{x:.1f} {low:.1f}V{high:.1f}"/>'
    kind = "baseline" if point.baseline else "run"
    edge = WIDTH - RIGHT
    lead = f'<path class="lead" d="M{x + 4:.1f} {y:.1f}L{edge + 2} {label:.1f}"/>'
    shown = _shortened(one_line(point.label), LETTERS)
    name = f'<text x="{edge + 6}" y="{label + 4:.1f}">{escape(shown)}</text>'
    return f'<g class="{kind}">{lead}{whisker}<circle cx="{x:.1f}" cy="{y:.1f}" r="4"/>{name}</g>'


def _shortened(text: str, letters: int) -> str:
    """Return a text with its end cut off where it has more letters."""
    return text if len(text) <= letters else f"{text[: letters - 1]}…"
