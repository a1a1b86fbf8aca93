"""Scenes in a street seen from the side, each with its twins."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...records import Moment
from ..canvas import Canvas, Colour, animal, car, person
from .base import (
    ASPHALT,
    BLUE,
    BRICK,
    DARK,
    GREEN,
    GREY,
    HEIGHT,
    PAVEMENT,
    RED,
    WHITE,
    WIDTH,
    YELLOW,
    between,
    part,
)  # fmt: skip


def street() -> Canvas:
    """A street from the side: houses, a pavement at y = 150 to 178, the road below."""
    canvas = Canvas(WIDTH, HEIGHT, (176, 200, 222))
    for i, colour in enumerate([BRICK, (190, 176, 150), (140, 140, 150), BRICK]):
        canvas.rectangle(i * 82 - 4, 30 + 14 * (i % 2), 78, 140, colour)
        for row in range(3):
            for column in range(3):
                canvas.rectangle(i * 82 + 6 + column * 22, 44 + 14 * (i % 2) + row * 32, 13, 19, (92, 108, 128))
    canvas.rectangle(0, 150, WIDTH, 28, PAVEMENT)
    canvas.rectangle(0, 178, WIDTH, 62, ASPHALT)
    for x in range(10, WIDTH, 48):
        canvas.rectangle(x, 206, 24, 3, WHITE)
    return canvas


def passer_by(canvas: Canvas, t: float, start_x: float, speed: float, colour: Colour = GREEN) -> None:
    """Draw somebody who walks on the pavement at `speed` pixels a second."""
    person(canvas, (start_x + speed * t, 172), colour, height=44, step=6 * t)


def _bicycle(canvas: Canvas, x: float, flight: float = 0.0) -> None:
    """Draw a bicycle at `x`; its rear wheel rises with the rider's `flight`."""
    for wheel in (-13, 13):
        canvas.disc(x + wheel, 208 - 16 * flight * (wheel < 0), 9, DARK)
        canvas.disc(x + wheel, 208 - 16 * flight * (wheel < 0), 7, ASPHALT)
    canvas.line((x - 13, 208 - 16 * flight), (x + 9, 194), 1.5, RED)


def _thrown_cyclist(canvas: Canvas, t: float, begin: float, end: float) -> None:
    """Draw a cyclist who is thrown over the handlebars when his bicycle is stopped at `begin`."""
    flight = part(t, begin, between(begin, end, 0.45))
    x = min(184.0, 184 + 44 * (t - begin))
    _bicycle(canvas, x, flight)
    rider = (x + 84 * flight, 204 - 58 * math.sin(math.pi * flight) + 20 * flight)
    person(canvas, rider, YELLOW, height=46, step=9 * min(t, begin), reach=0.9, lean=0.3 + 1.35 * flight)


def bicycle(t: float, moments: Sequence[Moment]) -> Canvas:
    """A parked car's door opens in front of a cyclist, who is thrown over it onto the road."""
    begin, end = moments[0].start, moments[0].end
    canvas = street()
    passer_by(canvas, t, 300, -22)
    car(canvas, (226, 196), GREY, length=84)
    if t >= begin - 0.15:
        canvas.polygon([(206, 172), (196, 176), (196, 200), (206, 192)], (80, 82, 90))
    _thrown_cyclist(canvas, t, begin, end)
    return canvas


def bicycle_normal(t: float, moments: Sequence[Moment]) -> Canvas:
    """The door of the parked car stays closed, and the cyclist rides past."""
    canvas = street()
    passer_by(canvas, t, 300, -22)
    car(canvas, (226, 196), GREY, length=84)
    x = 184 + 44 * (t - moments[0].start)
    _bicycle(canvas, x)
    person(canvas, (x, 204), YELLOW, height=46, step=9 * t, reach=0.9, lean=0.3)
    return canvas


def bicycle_context(t: float, moments: Sequence[Moment]) -> Canvas:
    """No car is parked there: a dog runs into the road, and the cyclist is thrown over it."""
    begin, end = moments[0].start, moments[0].end
    canvas = street()
    passer_by(canvas, t, 300, -22)
    fur = (92, 62, 40)
    if t < begin + 0.3:
        animal(canvas, (208 + 110 * max(0.0, begin - t), 214), fur, -36, step=14 * t)
    else:
        animal(canvas, (208 + 50 * (t - begin - 0.3), 214), fur, 36, step=9 * t)
    _thrown_cyclist(canvas, t, begin, end)
    return canvas


def _slipping_person(canvas: Canvas, t: float, begin: float, end: float) -> None:
    """Draw somebody who walks, falls backwards at `begin`, lies there, and has got up by `end`."""
    fall = part(t, begin, begin + 0.5)
    rise = part(t, end - 0.9, end)
    walked = min(t, begin) + max(0.0, t - end)
    struggle = 0.12 * math.sin(9 * t) if begin + 0.5 < t < end - 0.9 else 0.0
    lean = -1.5 * fall * (1 - rise) + struggle
    x = 170 + 34 * (walked - begin) + 22 * fall
    person(canvas, (x, 173), RED, height=52, step=7 * walked, reach=0.3 + 1.5 * fall * (1 - rise), lean=lean)


def _icy_street(t: float) -> Canvas:
    """The street with ice on the pavement and a blue car on the road."""
    canvas = street()
    canvas.polygon([(140, 176), (154, 168), (214, 168), (226, 176)], (206, 226, 236))
    car(canvas, (420 - 60 * t, 222), BLUE, roll=-5 * t)
    return canvas


def pedestrian_falls(t: float, moments: Sequence[Moment]) -> Canvas:
    """A walker slips on an icy patch, falls backwards, lies there and struggles to get up."""
    canvas = _icy_street(t)
    _slipping_person(canvas, t, moments[0].start, moments[0].end)
    return canvas


def pedestrian_falls_normal(t: float, moments: Sequence[Moment]) -> Canvas:
    """The walker crosses the icy patch and does not slip."""
    canvas = _icy_street(t)
    person(canvas, (170 + 34 * (t - moments[0].start), 173), RED, height=52, step=7 * t)
    return canvas


def pedestrian_falls_context(t: float, moments: Sequence[Moment]) -> Canvas:
    """In a gym somebody practises falling backwards on a thick mat; a trainer watches."""
    canvas = Canvas(WIDTH, HEIGHT, (226, 220, 200))
    for x in range(20, WIDTH, 70):  # wall bars
        for y in range(40, 150, 12):
            canvas.rectangle(x, y, 44, 3, (176, 128, 78))
        canvas.rectangle(x, 36, 4, 118, (150, 106, 62))
        canvas.rectangle(x + 40, 36, 4, 118, (150, 106, 62))
    canvas.rectangle(0, 154, WIDTH, 86, (196, 152, 98))
    canvas.rectangle(60, 168, 240, 16, (60, 110, 170))
    canvas.rectangle(60, 184, 240, 6, (40, 76, 124))
    for x in (140, 220):
        canvas.rectangle(x, 168, 2, 22, (40, 76, 124))
    person(canvas, (282, 166), WHITE, height=60, reach=-0.8 - 0.4 * math.sin(3 * t))
    _slipping_person(canvas, t, moments[0].start, moments[0].end)
    return canvas


def _air_conditioner(canvas: Canvas, y: float, tilt: float) -> None:
    """Draw an air conditioner whose upper edge is at `y`."""
    canvas.polygon([(196, y - tilt), (224, y + tilt), (224, y + 18 + tilt), (196, y + 18 - tilt)], WHITE)
    canvas.disc(210, y + 9, 6, GREY)


def falling_object(t: float, moments: Sequence[Moment]) -> Canvas:
    """An air conditioner comes off a wall and bursts on the pavement beside a walker, who jumps back."""
    begin, end = moments[0].start, moments[0].end
    canvas = street()
    passer_by(canvas, t, -40, 30, BLUE)
    landed = begin + 0.75
    drop = part(t, begin, landed) ** 2
    if t < landed:
        _air_conditioner(canvas, 52 + 110 * drop, 8 * drop)
    else:
        spread = part(t, landed, landed + 0.6)
        for i in range(16):
            reach = 46 * spread * (0.3 + ((i * 5) % 16) / 16)
            hop = 22 * math.sin(math.pi * spread) * (i % 3)
            canvas.rectangle(210 + reach * math.cos(i), 170 + 5 * math.sin(i) - hop, 5, 4, WHITE if i % 2 else GREY)
        canvas.disc(210, 166, 12 + 26 * part(t, landed, end), PAVEMENT, 0.7 * (1 - part(t, landed, end)))
    jump = part(t, landed - 0.2, landed + 0.5)
    x = 236 - 24 * (min(t, landed) - landed) + 44 * jump
    y = 173 - 20 * math.sin(math.pi * jump)
    person(canvas, (x, y), RED, step=7 * min(t, landed), reach=2.2 * (jump > 0), lean=0.35 * math.sin(math.pi * jump))
    return canvas


def falling_object_normal(t: float, moments: Sequence[Moment]) -> Canvas:
    """The air conditioner stays on the wall, and the walker passes under it."""
    canvas = street()
    passer_by(canvas, t, -40, 30, BLUE)
    _air_conditioner(canvas, 52, 0)
    landed = moments[0].start + 0.75
    person(canvas, (236 - 24 * (t - landed), 173), RED, step=7 * t, reach=0.0)
    return canvas


def falling_object_context(t: float, moments: Sequence[Moment]) -> Canvas:
    """Two workers catch the air conditioner in a net, behind a barrier at which the walker stops."""
    begin = moments[0].start
    canvas = street()
    passer_by(canvas, min(t, 4.6), -40, 30, BLUE)
    drop = (t - begin) / 0.75 if t > begin else 0.0
    caught = begin + 0.75 * math.sqrt(64 / 110)  # when it has fallen to the net
    sag = 4.0 + 16 * part(t, caught, caught + 0.25)
    _air_conditioner(canvas, 52 + 110 * drop**2 if t < caught else 116 + sag - 4, 8 * min(drop, 0.7) ** 2)
    for x, side in ((164, 1), (256, -1)):
        person(canvas, (x, 174), (240, 130, 40), height=58, reach=side * 1.9)
        canvas.disc(x, 119, 6, YELLOW)  # a helmet
    for i in range(9):
        x0, x1 = 178 + 7 * i, 178 + 7 * (i + 1)
        y0, y1 = (136 + sag * math.sin(math.pi * k / 9) for k in (i, i + 1))
        canvas.line((x0, y0), (x1, y1), 1.5, DARK)
        canvas.line((x0, y0 - 5), (x1, y1), 0.7, DARK)
    for x in (130, 290):  # the barrier
        canvas.rectangle(x, 152, 4, 26, GREY)
        for k in range(4):
            canvas.rectangle(x - 12 + 7 * k, 152, 7, 7, RED if k % 2 else WHITE)
    place = max(300.0, 236 - 24 * (t - begin - 0.75))
    person(canvas, (place, 173), RED, step=7 * t if place > 300 else 0.0, reach=0.0)
    return canvas
