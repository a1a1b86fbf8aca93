"""A burglary and a robbery, each with its twins."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...records import Moment
from ..canvas import Canvas, Colour, car, flames, person
from .base import BLUE, DARK, GREEN, GREY, HEIGHT, NIGHT, RED, WHITE, WIDTH, YELLOW, between, part


def _house_at_night(broken: bool) -> Canvas:
    """A house at night whose window is whole or broken."""
    canvas = Canvas(WIDTH, HEIGHT, NIGHT)
    canvas.disc(274, 34, 13, (220, 220, 200))
    canvas.rectangle(90, 60, 150, 140, (70, 62, 66))
    canvas.polygon([(76, 60), (165, 22), (254, 60)], (54, 40, 42))
    canvas.rectangle(0, 196, WIDTH, 44, (40, 54, 44))
    canvas.rectangle(118, 100, 52, 52, (12, 12, 18) if broken else (58, 70, 98))
    return canvas


def _intruder(canvas: Canvas, t: float, begin: float, end: float, clothes: Colour, bag: bool = True) -> float | None:
    """Draw somebody who comes, breaks the window, searches by torch light and leaves; return x where he is seen."""
    inside, out = begin + 1.0, end - 1.2
    if t < inside:
        x = between(20, 130, part(t, begin - 1.4, begin))
        if t >= begin - 1.4:
            person(canvas, (x, 204), clothes, step=8 * t, reach=1.6 if t >= begin else 0.3)
        if begin + 0.3 <= t < begin + 0.6:
            canvas.disc(144, 126, 24, WHITE, 0.8)
        return x if t >= begin - 1.4 else None
    if t < out:
        canvas.disc(144 + 20 * math.sin(5 * t), 126 + 14 * math.sin(3.4 * t), 13, (250, 238, 170))
        canvas.disc(208 + 6 * math.sin(5 * t), 126, 10, (120, 112, 92), 0.6)
        return None
    if t < end:
        x = between(140, -20, part(t, out, end))
        if bag:
            canvas.disc(x + 18, 184, 13, (120, 92, 58))
        person(canvas, (x, 204), clothes, step=14 * t, reach=0.7, lean=-0.2)
        return x
    return None


def burglary(t: float, moments: Sequence[Moment]) -> Canvas:
    """At night a masked man breaks a window, climbs in, searches by torch light and leaves with a bag."""
    begin, end = moments[0].start, moments[0].end
    canvas = _house_at_night(broken=t >= begin + 0.3)
    car(canvas, (-80 + 110 * t, 232), GREY, length=60, roll=8 * t)
    _intruder(canvas, t, begin, end, DARK)
    return canvas


def burglary_normal(t: float, moments: Sequence[Moment]) -> Canvas:
    """The man in dark clothes walks past the house, whose window stays whole."""
    canvas = _house_at_night(broken=False)
    car(canvas, (-80 + 110 * t, 232), GREY, length=60, roll=8 * t)
    walked = t - (moments[0].start - 1.4)
    if walked >= 0:
        person(canvas, (20 + 44 * walked, 204), DARK, step=8 * t)
    return canvas


def burglary_context(t: float, moments: Sequence[Moment]) -> Canvas:
    """The house burns: a firefighter breaks the window, searches the room and carries a child out."""
    begin, end = moments[0].start, moments[0].end
    canvas = _house_at_night(broken=t >= begin + 0.3)
    flames(canvas, (206, 62), 64, 44, t)
    flames(canvas, (212, 150), 30, 36, t + 2)
    engine = min(-80 + 110 * t, 284)  # a fire engine stops beside the house
    canvas.rectangle(engine - 44, 200, 88, 30, RED)
    canvas.rectangle(engine + 22, 204, 18, 12, (150, 190, 214))
    canvas.rectangle(engine - 40, 196, 54, 3, (200, 200, 204))
    for wheel in (-26, 26):
        canvas.disc(engine + wheel, 231, 7, (28, 28, 30))
    canvas.disc(engine + 30, 198, 4, (80, 140, 250) if math.sin(9 * t) > 0 else (30, 50, 110))
    x = _intruder(canvas, t, begin, end, YELLOW, bag=False)
    if x is not None:
        away = t >= end - 1.2
        canvas.disc(x - 9 * away, 158 + 2 * away, 7, RED)  # a helmet
        if away:
            person(canvas, (x - 14, 192), (232, 150, 170), height=24, lean=-0.9)
    return canvas


def _shop(canvas: Canvas, t: float, threatened: bool) -> None:
    """Draw the shop's door and shelves, the shopkeeper, who raises his hands if `threatened`, and the counter."""
    canvas.rectangle(8, 70, 44, 122, (110, 132, 150))
    for i in range(24):
        colour = (RED, GREEN, YELLOW, BLUE)[i % 4]
        canvas.rectangle(200 + (i % 8) * 14, 60 + (i // 8) * 26, 10, 18, colour)
    person(canvas, (240, 190), GREEN, height=78, reach=2.6 if threatened else 0.4 + 0.2 * math.sin(2 * t))
    canvas.rectangle(190, 150, 100, 46, (120, 84, 56))


def _shop_room() -> Canvas:
    canvas = Canvas(WIDTH, HEIGHT, (206, 198, 180))
    canvas.rectangle(0, 190, WIDTH, 50, (142, 120, 98))
    return canvas


def _customer(canvas: Canvas, t: float) -> None:
    """Draw the customer in blue, who leaves the shop."""
    person(canvas, (166 - 58 * max(0.0, t - 1), 204), BLUE, height=70, step=6 * max(0.0, t - 1))


def _robbery(canvas: Canvas, t: float, begin: float, end: float) -> None:
    """Draw the customer who leaves, then the man who points a gun, takes the money and runs out."""
    threatened = begin + 0.5 <= t < end - 0.8
    if t < begin - 0.8:
        _customer(canvas, t)
    else:
        x = between(30, 158, part(t, begin - 0.6, begin + 0.4)) - 190 * part(t, end - 0.8, end)
        aim = 1.5 if threatened else 0.5
        person(canvas, (x, 204), DARK, height=74, step=9 * t * (not threatened), reach=aim)
        if threatened:
            jerk = 3 * math.sin(12 * t)
            canvas.rectangle(x + 24, 140 + jerk, 16, 5, DARK)
            money = part(t, begin + 1.2, end - 0.9)
            canvas.disc(between(226, x + 14, money), 146 - 10 * math.sin(math.pi * money), 9, (150, 136, 96))


def shop_robbery(t: float, moments: Sequence[Moment]) -> Canvas:
    """A masked man points a gun at a shopkeeper, takes the money and runs out."""
    begin, end = moments[0].start, moments[0].end
    canvas = _shop_room()
    _shop(canvas, t, begin + 0.5 <= t < end - 0.8)
    _robbery(canvas, t, begin, end)
    return canvas


def shop_robbery_normal(t: float, moments: Sequence[Moment]) -> Canvas:
    """The man in dark clothes walks to the counter, pays for a green box, and walks out with it."""
    begin, end = moments[0].start, moments[0].end
    canvas = _shop_room()
    _shop(canvas, t, threatened=False)
    if t < begin - 0.8:
        _customer(canvas, t)
    else:
        coming, leaving = part(t, begin - 0.6, begin + 1.2), part(t, end - 1.4, end + 0.9)
        x = between(30, 158, coming) - 190 * leaving
        walking = 0 < coming < 1 or leaving > 0
        person(canvas, (x, 204), DARK, height=74, step=7 * t * walking, reach=0.5 if walking else 1.1)
        if coming == 1 and not leaving:
            canvas.disc(between(x + 26, 226, part(t, begin + 1.4, begin + 2.2)), 148, 4, (222, 190, 70))  # coins
        if t >= begin + 2.2:
            canvas.rectangle(
                between(216, x + 14, part(t, begin + 2.2, end - 1.5)), 138 + 20 * (leaving > 0), 14, 12, GREEN
            )
    return canvas


def shop_robbery_context(t: float, moments: Sequence[Moment]) -> Canvas:
    """The robbery is played on a film set: the shop is a stage, filmed by a camera under bright lamps."""
    begin, end = moments[0].start, moments[0].end
    canvas = Canvas(WIDTH, HEIGHT, (30, 30, 38))
    canvas.rectangle(0, 200, WIDTH, 40, (62, 60, 66))
    canvas.rectangle(0, 40, 304, 150, (206, 198, 180))  # a wall of plywood
    canvas.rectangle(0, 190, 304, 22, (142, 120, 98))
    canvas.line((304, 44), (318, 206), 2, (150, 116, 76))
    _shop(canvas, t, begin + 0.5 <= t < end - 0.8)
    _robbery(canvas, t, begin, end)
    for x in (90, 230):
        canvas.rectangle(x - 12, 4, 24, 12, (90, 90, 96))
        canvas.polygon([(x - 10, 16), (x + 10, 16), (x + 46, 150), (x - 46, 150)], (255, 244, 200), 0.22)
    canvas.rectangle(0, 18, WIDTH, 3, (90, 90, 96))
    for foot in (84, 104, 124):  # the camera, from behind
        canvas.line((104, 206), (foot, 240), 1.5, DARK)
    canvas.rectangle(84, 182, 40, 24, (18, 18, 20))
    canvas.disc(94, 178, 9, (18, 18, 20))
    canvas.disc(114, 178, 9, (18, 18, 20))
    canvas.disc(92, 194, 3, (250, 40, 40) if math.sin(6 * t) > 0 else (90, 20, 20))
    person(canvas, (60, 244), (150, 60, 120), height=54, reach=1.0)
    return canvas
