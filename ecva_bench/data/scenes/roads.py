"""Scenes on roads seen from above, each with its twins."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...records import Moment
from ..canvas import TYRE, Canvas, Colour, Point, car_from_above
from .base import ASPHALT, BLUE, GRASS, GREEN, GREY, HEIGHT, RED, WHITE, WIDTH, YELLOW, part


def _crossing() -> Canvas:
    """A crossing of two roads: one from left to right at y = 88 to 152, one from top to bottom at x = 128 to 192."""
    canvas = Canvas(WIDTH, HEIGHT, GRASS)
    canvas.rectangle(0, 88, WIDTH, 64, ASPHALT)
    canvas.rectangle(128, 0, 64, HEIGHT, ASPHALT)
    for x in (*range(4, 120, 28), *range(200, WIDTH, 28)):
        canvas.rectangle(x, 119, 14, 2, WHITE)
    return canvas


def _spin(t: float, begin: float, end: float) -> tuple[float, tuple[Point, float], tuple[Point, float]]:
    """Return how far the cars have slid, and the place and angle of the red and of the blue car that it hits."""
    before = min(t, begin)
    slide = 1 - (1 - part(t, begin, end)) ** 2
    red = (148 + 46 * (before - begin) + 70 * slide, 136 + 52 * slide)
    blue = (164 + 20 * slide, 118 + 72 * (before - begin) + 66 * slide)
    return slide, (red, 4.4 * slide), (blue, math.pi / 2 - 3.1 * slide)


def collision(t: float, moments: Sequence[Moment]) -> Canvas:
    """Seen from above, a blue car runs a crossing and hits a red one; both spin away and smoke."""
    begin, end = moments[0].start, moments[0].end
    canvas = _crossing()
    car_from_above(canvas, (360 - 90 * t, 104), GREY, angle=math.pi)
    slide, (red, red_angle), (blue, blue_angle) = _spin(t, begin, end)
    car_from_above(canvas, red, RED, angle=red_angle)
    car_from_above(canvas, blue, BLUE, angle=blue_angle)
    if t >= begin:
        for i in range(14):
            reach = 78 * slide * (0.4 + 0.6 * ((i * 7) % 14) / 14)
            canvas.disc(158 + reach * math.cos(i * 0.9), 130 + reach * math.sin(i * 0.9), 2, WHITE)
        canvas.disc(*red, 14 + 20 * slide, (196,) * 3, 0.45)
    return canvas


def collision_normal(t: float, moments: Sequence[Moment]) -> Canvas:
    """The blue car stops before the crossing, lets the red one pass, and goes on."""
    begin = moments[0].start
    canvas = _crossing()
    car_from_above(canvas, (360 - 90 * t, 104), GREY, angle=math.pi)
    car_from_above(canvas, (148 + 46 * (t - begin), 136), RED)
    braking, waiting = begin - 2, begin + 2.2
    driven = 118 + 72 * (min(t, braking) - begin)
    y = driven + 84 * (1 - (1 - part(t, braking, begin + 0.33)) ** 2) + 30 * max(0.0, t - waiting) ** 2
    car_from_above(canvas, (164, y), BLUE, angle=math.pi / 2)
    return canvas


def collision_context(t: float, moments: Sequence[Moment]) -> Canvas:
    """The cars are bumper cars at a fair: they hit each other and spin, as they are meant to."""
    canvas = Canvas(WIDTH, HEIGHT, (66, 58, 92))
    for i in range(0, WIDTH, 40):
        canvas.rectangle(i, 0, 1, HEIGHT, (84, 76, 112))
    for i in range(0, HEIGHT, 40):
        canvas.rectangle(0, i, WIDTH, 1, (84, 76, 112))
    for x, width in ((0, 140), (188, 132)):  # the barrier, open where the cars come in
        for y in (0, HEIGHT - 12):
            canvas.rectangle(x, y, width, 12, (214, 206, 190))
            for lamp in range(int(x) + 8, int(x) + width, 20):
                lit = (lamp // 20 + int(3 * t)) % 2
                canvas.disc(lamp, y + 6, 4, YELLOW if lit else (206, 70, 120))
    _, (red, red_angle), (blue, blue_angle) = _spin(t, moments[0].start, moments[0].end)
    cars: list[tuple[Point, Colour, float]] = [
        ((360 - 90 * t, 104), GREEN, math.pi),
        (red, RED, red_angle),
        (blue, BLUE, blue_angle),
    ]
    for place, _, _ in cars:
        canvas.disc(*place, 17, TYRE)  # the rubber ring
    for place, colour, angle in cars:
        car_from_above(canvas, place, colour, length=29, angle=angle)
        back = (place[0] - 10 * math.cos(angle), place[1] - 10 * math.sin(angle))
        canvas.disc(*back, 2.5, YELLOW)  # the pole that brings the current
    return canvas


def _motorway(t: float) -> Canvas:
    """Three lanes and their crash barriers, from above, following traffic at 200 pixels a second."""
    canvas = Canvas(WIDTH, HEIGHT, GRASS)
    canvas.rectangle(0, 40, WIDTH, 160, ASPHALT)
    canvas.rectangle(0, 36, WIDTH, 5, (190, 194, 198))
    canvas.rectangle(0, 199, WIDTH, 5, (190, 194, 198))
    for lane in (93, 146):
        for i in range(8):
            canvas.rectangle((i * 48 - 200 * t) % 384 - 40, lane, 24, 3, WHITE)
    _bushes(canvas, t)
    car_from_above(canvas, (236 + 8 * math.sin(0.8 * t), 172), BLUE)
    car_from_above(canvas, (70 + 6 * math.sin(0.6 * t), 172), GREEN)
    return canvas


def _bushes(canvas: Canvas, t: float) -> None:
    for i in range(5):
        canvas.disc((i * 90 - 200 * t) % 450 - 60, 18, 12, (72, 110, 62))
        canvas.disc((i * 90 + 40 - 200 * t) % 450 - 60, 226, 10, (72, 110, 62))


def _swerving_car(canvas: Canvas, t: float, moments: Sequence[Moment]) -> float:
    """Draw the white car as it swerves, and return the y that it is at."""
    share = part(t, moments[0].start, moments[0].end)
    swerve = math.sin(3 * math.pi * share) * math.sin(math.pi * share)
    y = 120 - 66 * swerve
    car_from_above(canvas, (150, y), WHITE, angle=-0.6 * math.cos(3 * math.pi * share) * math.sin(math.pi * share))
    return y


def leaving_lane(t: float, moments: Sequence[Moment]) -> Canvas:
    """From above, following the traffic: a white car swerves over the lines and scrapes the crash barrier."""
    canvas = _motorway(t)
    y = _swerving_car(canvas, t, moments)
    if y > 172:
        for i in range(9):
            canvas.disc(150 - 10 * i - 30 * ((7 * t + 0.31 * i) % 1), 190 + 3 * (i % 4), 2, YELLOW)
    return canvas


def leaving_lane_normal(t: float, moments: Sequence[Moment]) -> Canvas:
    """The white car stays in its lane."""
    canvas = _motorway(t)
    car_from_above(canvas, (150, 120), WHITE)
    return canvas


def leaving_lane_context(t: float, moments: Sequence[Moment]) -> Canvas:
    """On a closed training ground the white car drives in curves around cones, alone."""
    begin, end = moments[0].start, moments[0].end
    canvas = Canvas(WIDTH, HEIGHT, GRASS)
    canvas.rectangle(0, 30, WIDTH, 180, (104, 104, 108))
    _bushes(canvas, t)
    for i in range(8):
        for y in (36, 204):  # stacks of tyres mark the edges
            canvas.disc((i * 56 - 200 * t) % 448 - 60, y, 7, TYRE)
            canvas.disc((i * 56 - 200 * t) % 448 - 60, y, 3, (104, 104, 108))
    _swerving_car(canvas, t, moments)
    for share in (0.22, 0.5, 0.78):  # where the car is farthest from the middle, a cone stands in the middle
        _cone(canvas, 150 + 200 * (begin + share * (end - begin) - t), 120)
    for i in range(12):
        _cone(canvas, 150 + 200 * (begin + (i - 4) * 0.75 - t), 52 if i % 2 else 190)
    return canvas


def _cone(canvas: Canvas, x: float, y: float) -> None:
    """Draw a traffic cone seen from above."""
    canvas.rectangle(x - 7, y - 7, 14, 14, (240, 110, 30))
    canvas.disc(x, y, 5, WHITE)
    canvas.disc(x, y, 2.5, (240, 110, 30))
