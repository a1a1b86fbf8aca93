"""A small picture to draw on: the shapes and figures of which the clips of the `mini` split are made.

Knows pixels, not scenes and not video files. Coordinates are in pixels, x to the right and y down, and may be
fractions or lie outside the picture. There is no anti-aliasing: a pixel belongs to a shape if its centre does,
so that the same calls give the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]
Point = tuple[float, float]

SKIN: Colour = (214, 172, 140)
GLASS: Colour = (150, 190, 214)
TYRE: Colour = (28, 28, 30)


class Canvas:
    """A picture of `height` x `width` pixels; `pixels` is uint8 [height, width, 3], RGB."""

    def __init__(self, width: int, height: int, colour: Colour = (0, 0, 0)) -> None:
        self.width, self.height = width, height
        self.pixels: NDArray[np.uint8] = np.empty((height, width, 3), dtype=np.uint8)
        _fill(self.pixels, colour)

    def rectangle(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        """Fill an upright rectangle whose upper left corner is (x, y)."""
        rows, columns = self._box(x, y, x + width, y + height)
        _fill(self.pixels[rows, columns], colour)

    def polygon(self, points: Sequence[Point], colour: Colour, opacity: float = 1.0) -> None:
        """Fill a convex polygon; its points may run either way round."""
        xs, ys = zip(*points, strict=True)
        rows, columns = self._box(min(xs), min(ys), max(xs), max(ys))
        x, y = self._centres(rows, columns)
        turns = [
            (x1 - x0) * (y - y0) - (y1 - y0) * (x - x0)
            for (x0, y0), (x1, y1) in zip(points, [*points[1:], points[0]], strict=True)
        ]
        inside = np.all([turn >= 0 for turn in turns], axis=0) | np.all([turn <= 0 for turn in turns], axis=0)
        self._blend(rows, columns, inside, colour, opacity)

    def disc(self, x: float, y: float, radius: float, colour: Colour, opacity: float = 1.0) -> None:
        """Fill a disc."""
        self.line((x, y), (x, y), radius, colour, opacity)

    def line(self, start: Point, end: Point, radius: float, colour: Colour, opacity: float = 1.0) -> None:
        """Draw a line with round ends, `2 * radius` thick."""
        (x0, y0), (x1, y1) = start, end
        rows, columns = self._box(
            min(x0, x1) - radius, min(y0, y1) - radius, max(x0, x1) + radius, max(y0, y1) + radius
        )
        x, y = self._centres(rows, columns)
        dx, dy = x1 - x0, y1 - y0
        squared = dx * dx + dy * dy
        along = np.clip(((x - x0) * dx + (y - y0) * dy) / squared, 0, 1) if squared else 0.0
        distance = (x - x0 - along * dx) ** 2 + (y - y0 - along * dy) ** 2
        self._blend(rows, columns, distance <= radius * radius, colour, opacity)

    def _box(self, x0: float, y0: float, x1: float, y1: float) -> tuple[slice, slice]:
        """Return the rows and columns whose pixel centres lie in a rectangle, cut to the picture."""
        width, height = self.width, self.height
        top, bottom = min(max(math.ceil(y0 - 0.5), 0), height), min(max(math.ceil(y1 - 0.5), 0), height)
        left, right = min(max(math.ceil(x0 - 0.5), 0), width), min(max(math.ceil(x1 - 0.5), 0), width)
        return slice(top, bottom), slice(left, right)

    def _centres(self, rows: slice, columns: slice) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return _middles(self.width)[columns], _middles(self.height)[rows, None]

    def _blend(self, rows: slice, columns: slice, mask: NDArray[np.bool_], colour: Colour, opacity: float) -> None:
        area = self.pixels[rows, columns]
        if opacity >= 1:
            area[mask] = colour
        else:
            mixed = area[mask] * (1 - opacity) + np.multiply(colour, opacity)
            area[mask] = np.rint(mixed).astype(np.uint8)


@cache
def _middles(count: int) -> NDArray[np.float64]:
    """Return where the middles of so many pixels in a row are."""
    return np.arange(0.5, count, dtype=np.float64)


def _fill(area: NDArray[np.uint8], colour: Colour) -> None:
    """Give all pixels of an area a colour; rows are copied, which is faster than pixels."""
    area[:1] = colour
    area[1:] = area[:1]


def _turned(origin: Point, offset: Point, angle: float) -> Point:
    """Return `origin + offset` with the offset turned clockwise by `angle` radians (as seen on the screen)."""
    cos, sin = math.cos(angle), math.sin(angle)
    return origin[0] + offset[0] * cos - offset[1] * sin, origin[1] + offset[0] * sin + offset[1] * cos


def person(
    canvas: Canvas,
    feet: Point,
    colour: Colour,
    height: float = 50.0,
    step: float = 0.0,
    reach: float = 0.3,
    lean: float = 0.0,
) -> None:
    """Draw a person standing at `feet`.

    `step` is the phase of the walk in radians (0 stands still), `reach` how far the arms are spread forwards
    (in radians from hanging, negative to the left), `lean` the angle of the whole body (pi / 2 lies on the
    right side).
    """
    unit = height / 10
    hip, neck, head = (_turned(feet, (0, -unit * up), lean) for up in (4.5, 8.0, 9.0))
    stride = math.sin(step) * 0.6
    for side in (-1, 1):
        foot = _turned(hip, (math.sin(side * stride) * 4.5 * unit, math.cos(side * stride) * 4.5 * unit), lean)
        canvas.line(hip, foot, unit * 0.7, (40, 44, 60))
        swing = reach + side * stride
        hand = _turned(neck, (math.sin(swing) * 3.6 * unit, math.cos(swing) * 3.6 * unit), lean)
        canvas.line(neck, hand, unit * 0.55, SKIN)
    canvas.line(hip, neck, unit * 1.1, colour)
    canvas.disc(*head, unit * 1.15, SKIN)


def car(
    canvas: Canvas, ground: Point, colour: Colour, length: float = 70.0, angle: float = 0.0, roll: float = 0.0
) -> None:
    """Draw a car from its side, the middle of its wheels' line at `ground`; `roll` turns the wheels."""
    unit = length / 14

    def at(x: float, y: float) -> Point:
        return _turned(ground, (x * unit, y * unit), angle)

    canvas.polygon([at(-7, -4), at(7, -4), at(7, -1), at(-7, -1)], colour)
    canvas.polygon([at(-4.5, -4), at(-3, -6.5), at(2, -6.5), at(4, -4)], colour)
    canvas.polygon([at(-3.7, -4.2), at(-2.7, -6), at(-0.6, -6), at(-0.6, -4.2)], GLASS)
    canvas.polygon([at(0.1, -4.2), at(0.1, -6), at(1.8, -6), at(3.1, -4.2)], GLASS)
    for x in (-4, 4):
        canvas.disc(*at(x, -1), unit * 1.5, TYRE)
        rim = at(x, -1)
        spoke = (math.cos(roll) * unit, math.sin(roll) * unit)
        canvas.line((rim[0] - spoke[0], rim[1] - spoke[1]), (rim[0] + spoke[0], rim[1] + spoke[1]), 1, (150,) * 3)


def car_from_above(canvas: Canvas, centre: Point, colour: Colour, length: float = 44.0, angle: float = 0.0) -> None:
    """Draw a car seen from above, driving to the right when `angle` is 0."""
    unit = length / 12

    def at(x: float, y: float) -> Point:
        return _turned(centre, (x * unit, y * unit), angle)

    canvas.polygon([at(-6, -2.6), at(6, -2.6), at(6, 2.6), at(-6, 2.6)], colour)
    canvas.polygon([at(1.2, -2.2), at(3, -1.8), at(3, 1.8), at(1.2, 2.2)], GLASS)
    canvas.polygon([at(-4.4, -1.8), at(-3.2, -2), at(-3.2, 2), at(-4.4, 1.8)], GLASS)


def animal(canvas: Canvas, feet: Point, colour: Colour, length: float = 34.0, step: float = 0.0) -> None:
    """Draw a four-legged animal running to the right (to the left when `length` is negative)."""
    unit, size = length / 10, abs(length) / 10
    x, y = feet
    for place, phase in ((-3.0, 0.0), (-2.2, math.pi), (2.2, math.pi), (3.0, 0.0)):
        swing = math.sin(step + phase) * 1.6 * unit
        canvas.line((x + place * unit, y - 3.5 * size), (x + place * unit + swing, y), size * 0.5, colour)
    canvas.line((x - 3 * unit, y - 4 * size), (x + 3 * unit, y - 4 * size), size * 1.4, colour)
    canvas.line((x + 3 * unit, y - 4.5 * size), (x + 4.6 * unit, y - 6 * size), size, colour)
    canvas.line((x - 4 * unit, y - 4.6 * size), (x - 5.6 * unit, y - 6.4 * size), size * 0.4, colour)


def flames(canvas: Canvas, base: Point, width: float, height: float, t: float, smoke: float = 1.0) -> None:
    """Draw a fire `width` wide and about `height` high standing on `base`; it flickers with `t` (seconds)."""
    tongues = max(2, int(width / 9))
    for i in range(tongues):
        x = base[0] - width / 2 + (i + 0.5) * width / tongues
        rise = height * (0.65 + 0.35 * math.sin(11 * t + 2.4 * i))
        sway = 0.12 * height * math.sin(7 * t + 1.7 * i)
        half = width / tongues
        canvas.polygon([(x - half, base[1]), (x + sway, base[1] - rise), (x + half, base[1])], (226, 84, 22))
        canvas.polygon(
            [(x - half / 2, base[1]), (x + sway / 2, base[1] - rise * 0.6), (x + half / 2, base[1])],
            (252, 204, 62),
        )
    for i in range(4):
        age = (0.45 * t + i / 4) % 1
        x = base[0] + 12 * math.sin(2 * t + 1.9 * i) + 26 * age
        y = base[1] - height * 0.7 - 90 * age
        canvas.disc(x, y, width * (0.18 + 0.3 * age), (70, 68, 70), 0.5 * smoke * (1 - age))
