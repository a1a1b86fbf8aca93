"""Scenes with water and animals, each with its twins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from ...records import Moment
from ..canvas import Canvas, Colour, animal, car, person
from .base import BLUE, DARK, GRASS, HEIGHT, RED, WHITE, WIDTH, YELLOW, between, part
from .street import passer_by, street


def _rainy_street(t: float) -> Canvas:
    """The street in heavy rain."""
    canvas = street()
    for i in range(40):
        x, y = (i * 53 + 20 * t) % WIDTH, (i * 37 + 260 * t) % HEIGHT
        canvas.line((x, y), (x - 2, y + 8), 0.6, (200, 210, 218))
    return canvas


def _water(canvas: Canvas, t: float, level: float, rise: float, colour: Colour) -> None:
    """Draw water up to about y = `level`, whose waves grow with `rise`, from 0 to 1."""
    crest = [(x, level + 4 * rise * math.sin(0.07 * x + 6 * t)) for x in range(0, WIDTH + 1, 20)]
    for (x0, y0), (x1, y1) in pairwise(crest):
        canvas.polygon([(x0, y0), (x1, y1), (x1, HEIGHT), (x0, HEIGHT)], colour, 0.85)


def flood(t: float, moments: Sequence[Moment]) -> Canvas:
    """Brown water rises in a street until the parked car floats off; then it falls a little."""
    begin, end = moments[0].start, moments[0].end
    canvas = _rainy_street(t)
    rise = part(t, begin, end)
    level = 236 - 76 * rise if t >= begin else 236
    afloat = max(0.0, 200 - level) / 40
    drift = 70 * max(0.0, rise - 0.45)
    car(canvas, (130 + drift, 214 - 26 * afloat), RED, length=88, angle=0.14 * math.sin(3 * t) * afloat)
    if t < begin + 0.6:
        passer_by(canvas, t, 60, 42, BLUE)
    _water(canvas, t, level, rise, (132, 108, 74))
    for i in range(6):
        x = (i * 61 + 90 * max(0.0, t - begin)) % WIDTH
        canvas.rectangle(x, level + 10 + 5 * i, 12, 3, (96, 76, 52))
    return canvas


def flood_normal(t: float, moments: Sequence[Moment]) -> Canvas:
    """It rains as heavily, but the water runs off."""
    canvas = _rainy_street(t)
    car(canvas, (130, 214), RED, length=88)
    passer_by(canvas, t, 60, 42, BLUE)
    _water(canvas, t, 236, 0, (132, 108, 74))
    return canvas


def flood_context(t: float, moments: Sequence[Moment]) -> Canvas:
    """In the lock of a canal the water is let in, and a red boat rises with it."""
    canvas = Canvas(WIDTH, HEIGHT, (176, 206, 228))
    canvas.rectangle(0, 96, WIDTH, 20, GRASS)
    canvas.rectangle(0, 112, WIDTH, 128, (142, 138, 130))  # the wall of the lock
    for row in range(8):
        for column in range(9):
            canvas.rectangle(column * 40 - 20 * (row % 2), 112 + row * 16, 38, 14, (158, 154, 146))
    rise = part(t, moments[0].start, moments[0].end)
    level = 226 - 70 * rise
    drift = 70 * max(0.0, rise - 0.45)
    x, tilt = 130 + drift, 4 * math.sin(3 * t) * min(1.0, 0.2 + rise)
    canvas.rectangle(x - 20, level - 34, 36, 22, WHITE)
    canvas.rectangle(x - 14, level - 29, 9, 9, (110, 150, 180))
    canvas.rectangle(x + 1, level - 29, 9, 9, (110, 150, 180))
    canvas.polygon(
        [(x - 48, level - 14 + tilt), (x + 54, level - 14 - tilt), (x + 40, level + 8), (x - 38, level + 8)], RED
    )
    _water(canvas, t, level, rise, (78, 124, 152))
    for gate in (0, 296):
        canvas.rectangle(gate, 104, 24, 136, (92, 66, 44))
        for y in range(112, HEIGHT, 24):
            canvas.rectangle(gate, y, 24, 3, (60, 44, 32))
    person(canvas, (258, 112), BLUE, height=44, reach=0.6 + 0.4 * math.sin(2 * t))
    return canvas


def _path(t: float) -> Canvas:
    """A path along a row of trees."""
    canvas = Canvas(WIDTH, HEIGHT, (182, 206, 222))
    canvas.rectangle(0, 120, WIDTH, 120, GRASS)
    canvas.polygon([(0, 214), (0, 186), (WIDTH, 180), (WIDTH, 208)], (176, 158, 124))
    for i in range(7):
        canvas.rectangle(18 + 48 * i, 84, 7, 50, (92, 70, 52))
        canvas.disc(22 + 48 * i + 2 * math.sin(1.3 * t + i), 72, 24, (62, 108, 66))
    return canvas


def _charged_person(canvas: Canvas, t: float, moments: Sequence[Moment], fur: Colour, size: float = 52) -> None:
    """Draw somebody who is run down by an animal, from the left in the first moment and from the right in the next."""
    lean, reach, x = 0.0, 0.3, 30 + 22 * min(t, moments[0].start + 0.8)
    for moment, side in zip(moments, (1, -1), strict=False):
        share = part(t, moment.start, moment.end)
        if 0 < share < 1:
            animal(canvas, (x + side * between(-190, 190, share), 206), fur, side * size, step=16 * t)
            hit = math.sin(math.pi * part(share, 0.4, 1.0))
            lean, reach = side * 1.3 * hit, 0.3 + 2 * hit
    walking = t < moments[0].start + 0.8
    person(canvas, (x, 204), YELLOW, height=58, step=6 * t if walking else 0.0, reach=reach, lean=lean)


def wild_boar(t: float, moments: Sequence[Moment]) -> Canvas:
    """A wild boar charges a walker from the left, and once more from the right."""
    canvas = _path(t)
    _charged_person(canvas, t, moments, (74, 58, 50))
    return canvas


def wild_boar_normal(t: float, moments: Sequence[Moment]) -> Canvas:
    """The wild boar trots along the trees, far from the walker, and takes no notice of him."""
    canvas = _path(t)
    begin, end = moments[0].start, moments[-1].end
    animal(canvas, (between(-30, 350, part(t, begin, end)), 150), (74, 58, 50), 34, step=8 * t)
    person(canvas, (30 + 22 * t, 204), YELLOW, height=58, step=6 * t)
    return canvas


def wild_boar_context(t: float, moments: Sequence[Moment]) -> Canvas:
    """On a training ground for dogs a helper in a padded suit lets a dog run him down, beside its trainer."""
    canvas = Canvas(WIDTH, HEIGHT, (182, 206, 222))
    canvas.rectangle(0, 120, WIDTH, 120, (124, 160, 92))
    for y in (88, 104, 120):  # the fence
        canvas.rectangle(0, y, WIDTH, 2, (150, 152, 156))
    for x in range(6, WIDTH, 38):
        canvas.rectangle(x, 80, 4, 54, (128, 130, 134))
    for x in (24, 236):  # hurdles
        canvas.rectangle(x, 150, 50, 5, RED)
        canvas.rectangle(x, 160, 50, 4, WHITE)
        canvas.rectangle(x, 146, 4, 32, DARK)
        canvas.rectangle(x + 46, 146, 4, 32, DARK)
    person(canvas, (176, 166), BLUE, height=54, reach=-1.2 - 0.5 * math.sin(4 * t))
    _charged_person(canvas, t, moments, (168, 118, 62), size=46)
    return canvas
