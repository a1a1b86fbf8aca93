"""Scenes with fire, each with its twins."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from ...records import Moment
from ..canvas import SKIN, Canvas, Colour, flames, person
from .base import BLUE, BRICK, DARK, GRASS, GREEN, HEIGHT, NIGHT, PAVEMENT, RED, WHITE, WIDTH, YELLOW, between, part


def _house_front(t: float, sky: Colour = (168, 190, 212), wall: Colour = BRICK, pavement: Colour = PAVEMENT) -> Canvas:
    """The front of a house without its windows, and a person who walks by."""
    canvas = Canvas(WIDTH, HEIGHT, sky)
    canvas.rectangle(70, 30, 180, 180, wall)
    canvas.rectangle(0, 208, WIDTH, 32, pavement)
    person(canvas, (-10 + 24 * t, 228), GREEN, height=40, step=6 * t)
    return canvas


def _windows() -> Iterator[tuple[float, float, float]]:
    """Yield x and y of each window, and its distance from the first on the ground floor, at most about 1."""
    for row in range(3):
        for column in range(3):
            x, y = 90 + 52 * column, 46 + 54 * row
            yield x, y, math.hypot(x - 90, y - 154) / 160


def building_fire(t: float, moments: Sequence[Moment]) -> Canvas:
    """Fire breaks out of one window, spreads over the front of the house and dies down at last."""
    begin, end = moments[0].start, moments[0].end
    canvas = _house_front(t)
    burning = part(t, begin, between(begin, end, 0.7))
    dying = 1 - part(t, between(begin, end, 0.8), end)
    for x, y, distance in _windows():
        alight = t >= begin and burning >= distance
        canvas.rectangle(x, y, 34, 34, (40, 32, 30) if alight else (96, 116, 138))
        if alight and dying > 0:
            growth = part(burning, distance, distance + 0.25)
            flames(canvas, (x + 17, y + 34), 34, (26 + 34 * growth) * dying, t + distance, smoke=dying)
    return canvas


def building_fire_normal(t: float, moments: Sequence[Moment]) -> Canvas:
    """Nothing happens at the house that the person walks past."""
    canvas = _house_front(t)
    for x, y, _ in _windows():
        canvas.rectangle(x, y, 34, 34, (96, 116, 138))
    return canvas


def building_fire_context(t: float, moments: Sequence[Moment]) -> Canvas:
    """At dusk lamps are lit in one room after another, as fast as the fire spreads, and put out at last."""
    begin, end = moments[0].start, moments[0].end
    canvas = _house_front(t, sky=(70, 72, 108), wall=(104, 76, 70), pavement=(96, 94, 100))
    lit = part(t, begin, between(begin, end, 0.7))
    for x, y, distance in _windows():
        on = begin <= t < end and lit >= distance
        canvas.rectangle(x, y, 34, 34, (252, 214, 130) if on else (52, 58, 84))
        if on:
            canvas.rectangle(x, y, 8, 34, (206, 120, 84))  # curtains
            canvas.rectangle(x + 26, y, 8, 34, (206, 120, 84))
            canvas.disc(x + 17, y + 6, 4, WHITE)
        canvas.rectangle(x + 16, y, 2, 34, (60, 50, 50))
    return canvas


def _wood(t: float, sky: Colour = (186, 202, 210), ground: Colour = GRASS, hill: Colour = (120, 142, 128)) -> Canvas:
    """The ground on which the trees stand, and a hill behind them."""
    canvas = Canvas(WIDTH, HEIGHT, sky)
    canvas.rectangle(0, 150, WIDTH, 90, ground)
    canvas.polygon([(0, 150), (90, 96), (210, 150)], hill)
    return canvas


def _trees(t: float) -> Iterator[tuple[int, float, float, float]]:
    """Yield number, x and y of each tree's foot, and how far its top sways."""
    for i in range(13):
        yield i, 10 + i * 25, 196 + 16 * math.sin(2.3 * i), 2 * math.sin(1.6 * t + i)


def _front(t: float, moments: Sequence[Moment]) -> float:
    """Return the x up to which the wood has been run through; far to the left before the moment begins."""
    begin, end = moments[0].start, moments[0].end
    return between(-20, 330, part(t, begin, end + 0.4)) if t >= begin else -100


def _birds(canvas: Canvas, t: float) -> None:
    for i in range(3):
        canvas.line(((40 * t + 90 * i) % 380 - 30, 40 + 12 * i), ((40 * t + 90 * i) % 380 - 22, 37 + 12 * i), 1, DARK)


def forest_fire(t: float, moments: Sequence[Moment]) -> Canvas:
    """Fire runs through a wood from left to right and leaves black trunks behind."""
    canvas = _wood(t)
    front = _front(t, moments)
    for i, x, y, sway in _trees(t):
        canvas.rectangle(x - 3, y - 40, 6, 42, DARK if x < front else (96, 72, 52))
        if x >= front - 26:
            canvas.polygon([(x - 17, y - 26), (x + sway, y - 92), (x + 17, y - 26)], (46, 96, 62))
        if front - 80 < x < front:
            flames(canvas, (x, y), 28, 92, t + i)
    _birds(canvas, t)
    return canvas


def forest_fire_normal(t: float, moments: Sequence[Moment]) -> Canvas:
    """The wood stands in the wind, and birds fly over it."""
    canvas = _wood(t)
    for _, x, y, sway in _trees(t):
        canvas.rectangle(x - 3, y - 40, 6, 42, (96, 72, 52))
        canvas.polygon([(x - 17, y - 26), (x + sway, y - 92), (x + 17, y - 26)], (46, 96, 62))
    _birds(canvas, t)
    return canvas


def forest_fire_context(t: float, moments: Sequence[Moment]) -> Canvas:
    """In winter an avalanche runs through the wood from left to right and breaks the trees off."""
    canvas = _wood(t, ground=(226, 232, 238), hill=(206, 216, 226))
    front = _front(t, moments)
    for i, x, y, sway in _trees(t):
        if x < front - 26:
            canvas.line((x, y), (x + 26, y - 8), 3, (96, 72, 52))  # broken off, it lies in the snow
        else:
            canvas.rectangle(x - 3, y - 40, 6, 42, (96, 72, 52))
            canvas.polygon([(x - 17, y - 26), (x + sway, y - 92), (x + 17, y - 26)], (46, 84, 62))
            canvas.polygon([(x - 6, y - 69), (x + sway, y - 92), (x + 6, y - 69)], WHITE)
        if front - 80 < x < front:
            for k in range(7):
                age = (0.9 * t + k / 7 + 0.13 * i) % 1
                canvas.disc(x - 16 + 34 * age, y - 6 - 80 * age, 11 + 9 * age, (244, 247, 250), 0.85 - 0.5 * age)
    _birds(canvas, t)
    return canvas


def _watchers(canvas: Canvas, t: float, moments: Sequence[Moment], sprayed: bool, back: float = 26) -> None:
    """Draw three people who throw up their arms while they are `sprayed` with something."""
    for i in range(3):
        alarm = math.sin(12 * t + i) if sprayed else 0.15 * math.sin(2 * t + i)
        away = back * part(t, moments[0].start, moments[0].start + 0.6)
        person(
            canvas, (190 + 34 * i + away + 5 * alarm, 208), (BLUE, GREEN, SKIN)[i], height=54,
            step=3 * alarm, reach=1.8 + alarm if sprayed else 0.4, lean=0.12 * alarm,
        )  # fmt: skip


def _spray(canvas: Canvas, t: float, colours: Sequence[Colour]) -> None:
    """Draw drops or sparks that fly from the left at the people."""
    for i in range(46):
        age = (2.6 * t + i * 0.377) % 1
        reach, angle = 190 * age, -0.42 + 0.5 * ((i * 17) % 46) / 46
        place = (86 + reach * math.cos(angle), 200 + reach * math.sin(angle) + 26 * age * age)
        canvas.disc(*place, 2.4, colours[i % len(colours)])


def _yard() -> Canvas:
    """A yard at night, with a lit window in the house."""
    canvas = Canvas(WIDTH, HEIGHT, NIGHT)
    canvas.rectangle(0, 186, WIDTH, 54, (58, 56, 62))
    canvas.rectangle(210, 84, 110, 104, (64, 52, 54))
    canvas.rectangle(238, 110, 26, 30, (226, 196, 120))
    return canvas


def _shooting(t: float, moments: Sequence[Moment]) -> bool:
    return any(moment.start <= t < moment.end for moment in moments)


def fireworks(t: float, moments: Sequence[Moment]) -> Canvas:
    """In a yard at night a firework tips over and shoots its sparks at the people watching, twice."""
    canvas = _yard()
    shooting, tipped = _shooting(t, moments), t >= moments[0].start
    canvas.polygon(
        [(58, 206), (58, 198), (84, 196), (84, 206)] if tipped else [(64, 206), (64, 180), (74, 180), (74, 206)], RED
    )
    canvas.disc(69, 176, 2 + 2 * (math.sin(20 * t) > 0), YELLOW, 0.0 if tipped else 1.0)
    _watchers(canvas, t, moments, shooting)
    if shooting:
        canvas.disc(88, 200, 40 + 6 * math.sin(30 * t), (120, 84, 40), 0.5)
        _spray(canvas, t, (YELLOW, (255, 120, 60), WHITE))
    return canvas


def fireworks_normal(t: float, moments: Sequence[Moment]) -> Canvas:
    """The fuse goes out before the firework is lit, and the people go on standing about."""
    canvas = _yard()
    canvas.polygon([(64, 206), (64, 180), (74, 180), (74, 206)], RED)
    if t < moments[0].start:
        canvas.disc(69, 176, 2 + 2 * (math.sin(20 * t) > 0), YELLOW)
    _watchers(canvas, t, moments, sprayed=False, back=0)
    return canvas


def fireworks_context(t: float, moments: Sequence[Moment]) -> Canvas:
    """On a summer's day a garden hose sprays water at people who want to be cooled, twice."""
    canvas = Canvas(WIDTH, HEIGHT, (158, 204, 236))
    canvas.disc(40, 36, 18, (252, 226, 110))
    canvas.rectangle(0, 186, WIDTH, 54, (112, 168, 84))
    canvas.rectangle(210, 84, 110, 104, (222, 206, 176))
    canvas.rectangle(238, 110, 26, 30, (110, 150, 180))
    for x in (10, 34, 120, 150, 176):
        canvas.disc(x, 190, 3, RED if x % 4 else YELLOW)
    canvas.line((0, 222), (60, 206), 2.5, (40, 120, 70))
    canvas.line((60, 206), (84, 200), 3.5, (40, 44, 50))
    sprayed = _shooting(t, moments)
    _watchers(canvas, t, moments, sprayed)
    if sprayed:
        _spray(canvas, t, ((70, 140, 220), (130, 190, 240), WHITE))
    return canvas
