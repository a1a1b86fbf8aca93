"""Violence against things and people in the street, each scene with its twins."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...records import Moment
from ..canvas import Canvas, Colour, car, person
from .base import BLUE, DARK, GREY, HEIGHT, RED, WHITE, WIDTH, YELLOW, between, part
from .street import passer_by, street


def _shelter(canvas: Canvas, t: float, begin: float, broken: float) -> None:
    """Draw a bus shelter whose glass cracks from `begin` and has fallen out from `broken` on."""
    canvas.rectangle(176, 92, 110, 6, DARK)
    canvas.rectangle(180, 96, 4, 78, DARK)
    canvas.rectangle(278, 96, 4, 78, DARK)
    if t < broken:
        canvas.polygon([(186, 100), (276, 100), (276, 168), (186, 168)], (176, 212, 226), 0.7)
        for i in range(int(9 * part(t, begin, broken))):
            canvas.line((200, 128), (200 + 46 * math.cos(i * 2.1), 128 + 32 * math.sin(i * 2.1)), 0.8, WHITE)
    else:
        for i in range(28):
            dropped = min(170.0, 104 + (i * 29) % 60 + 190 * (t - broken) ** 2)
            canvas.rectangle(188 + (i * 37) % 84, dropped, 5, 4, (206, 230, 238))


def _with_bar(canvas: Canvas, t: float, x: float, step: float, beating: bool, clothes: Colour) -> None:
    """Draw somebody at `x` who holds an iron bar, or beats with it."""
    swing = 1.2 + 1.1 * math.sin(10 * t) if beating else 0.3
    canvas.line((x + 6, 138), (x + 6 + 30 * math.sin(swing), 138 + 30 * math.cos(swing)), 2, (70, 60, 50))
    person(canvas, (x, 173), clothes, height=52, step=step, reach=swing)


def vandalism(t: float, moments: Sequence[Moment]) -> Canvas:
    """A hooded person beats the glass of a bus shelter with a bar until it shatters, and runs."""
    begin, end = moments[0].start, moments[0].end
    canvas = street()
    car(canvas, (-60 + 52 * t, 224), YELLOW, roll=6 * t)
    _shelter(canvas, t, begin, between(begin, end, 0.6))
    flight = part(t, end - 0.6, end)
    x = min(160.0, 160 + 40 * (t - begin)) - 150 * flight
    _with_bar(canvas, t, x, 8 * min(t, begin) + 60 * flight, begin <= t < end - 0.6, DARK)
    return canvas


def vandalism_normal(t: float, moments: Sequence[Moment]) -> Canvas:
    """The person with the bar waits beside the shelter, leaves it alone and walks back."""
    begin, end = moments[0].start, moments[0].end
    canvas = street()
    car(canvas, (-60 + 52 * t, 224), YELLOW, roll=6 * t)
    _shelter(canvas, t, t + 1, t + 2)
    back = max(0.0, t - end)
    x = min(160.0, 160 + 40 * (t - begin)) - 40 * back
    _with_bar(canvas, t, x, 8 * min(t, begin) + 8 * back, False, DARK)
    return canvas


def vandalism_context(t: float, moments: Sequence[Moment]) -> Canvas:
    """Behind the barriers of a building site a worker in a helmet takes the old shelter down with a bar."""
    begin, end = moments[0].start, moments[0].end
    canvas = street()
    car(canvas, (-60 + 52 * t, 224), YELLOW, roll=6 * t)
    _shelter(canvas, t, begin, between(begin, end, 0.6))
    canvas.rectangle(292, 128, 28, 44, (70, 110, 150))  # a skip for the rubble
    flight = part(t, end - 0.6, end)
    x = min(160.0, 160 + 40 * (t - begin)) - 150 * flight
    _with_bar(canvas, t, x, 8 * min(t, begin) + 60 * flight, begin <= t < end - 0.6, (240, 130, 40))
    canvas.disc(x, 122, 6.5, YELLOW)
    for post in range(104, WIDTH, 52):
        canvas.rectangle(post, 168, 3, 18, GREY)
    for i in range(0, 216, 12):
        canvas.rectangle(104 + i, 168, 12, 7, RED if (i // 12) % 2 else WHITE)
    return canvas


def _fighters(canvas: Canvas, t: float, begin: float, end: float) -> None:
    """Draw a man in red and one in blue who trade blows until the one in blue lies on the ground."""
    active = begin <= t < end - 0.5
    lunge = 9 * math.sin(8 * t) if active else 0.0
    close = 18 * part(t, begin - 0.4, begin)
    down = part(t, end - 0.8, end - 0.3)
    blow = 1.5 + 0.9 * math.sin(13 * t)
    sway = 0.05 * math.sin(2 * t)
    person(
        canvas, (118 + close + lunge, 200), RED, height=70, step=4 * lunge / 9,
        reach=blow if active else 0.4 + sway, lean=0.02 * lunge,
    )  # fmt: skip
    person(
        canvas, (190 - close + lunge + 14 * down, 200), BLUE, height=70, step=-4 * lunge / 9,
        reach=-(3 - blow) if active else -0.4 - sway, lean=0.02 * lunge + 1.5 * down,
    )  # fmt: skip


def fight(t: float, moments: Sequence[Moment]) -> Canvas:
    """Two men talk, then trade blows until one lies on the ground."""
    canvas = street()
    passer_by(canvas, t, -60, 26)
    _fighters(canvas, t, moments[0].start, moments[0].end)
    return canvas


def fight_normal(t: float, moments: Sequence[Moment]) -> Canvas:
    """The two men talk, step up to each other and shake hands."""
    begin, end = moments[0].start, moments[0].end
    canvas = street()
    passer_by(canvas, t, -60, 26)
    sway = 0.05 * math.sin(2 * t)
    close = 12 * part(t, begin, begin + 0.6) * (1 - part(t, end - 0.6, end))
    shaking = begin + 0.6 <= t < end - 0.6
    reach = 1.1 + 0.12 * math.sin(9 * t) if shaking else 0.4 + sway
    person(canvas, (118 + close, 200), RED, height=70, reach=reach)
    person(canvas, (190 - close, 200), BLUE, height=70, reach=-reach)
    return canvas


def fight_context(t: float, moments: Sequence[Moment]) -> Canvas:
    """The two men box in a ring, before an audience and beside a referee."""
    canvas = Canvas(WIDTH, HEIGHT, (34, 32, 44))
    for x in (60, 160, 260):
        canvas.polygon([(x - 8, 0), (x + 8, 0), (x + 60, 170), (x - 60, 170)], (240, 236, 210), 0.16)
    for i in range(16):
        canvas.disc(10 + 20 * i, 112 + 5 * (i % 2), 8, (96, 84, 92))
    canvas.rectangle(0, 176, WIDTH, 40, (208, 210, 214))
    canvas.rectangle(0, 216, WIDTH, 24, (48, 84, 168))
    for y, colour in ((120, RED), (138, WHITE), (156, BLUE)):
        canvas.rectangle(0, y, WIDTH, 3, colour)
    for x, colour in ((6, RED), (304, BLUE)):
        canvas.rectangle(x, 108, 10, 90, colour)
    person(canvas, (262, 192), WHITE, height=64, step=2 * t, reach=-1.0)
    _fighters(canvas, t, moments[0].start, moments[0].end)
    return canvas
