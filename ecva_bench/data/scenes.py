"""What happens in the clips of the `mini` split: one function per scene, a picture as a function of time.

A scene is driven by its annotated moments: before a moment ordinary life goes on, inside it the anomaly is to be
seen. So the annotations are true by construction. Knows nothing of files, codecs and texts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from ..records import Moment
from .canvas import SKIN, Canvas, Colour, animal, car, car_from_above, flames, person

WIDTH, HEIGHT = 320, 240
ASPHALT: Colour = (86, 88, 92)
PAVEMENT: Colour = (168, 164, 156)
GRASS: Colour = (104, 142, 84)
BRICK: Colour = (158, 112, 92)
NIGHT: Colour = (24, 28, 46)
WHITE: Colour = (232, 232, 228)
RED: Colour = (188, 44, 40)
BLUE: Colour = (48, 84, 168)
GREEN: Colour = (58, 124, 82)
GREY: Colour = (124, 126, 132)
YELLOW: Colour = (236, 196, 60)
DARK: Colour = (44, 44, 50)

Scene = Callable[[float, Sequence[Moment]], Canvas]


def part(t: float, start: float, end: float) -> float:
    """Return how much of the span from `start` to `end` is over at `t`, from 0 to 1."""
    return min(max((t - start) / (end - start), 0.0), 1.0)


def _between(a: float, b: float, share: float) -> float:
    return a + (b - a) * share


def _street() -> Canvas:
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


def _passer_by(canvas: Canvas, t: float, start_x: float, speed: float, colour: Colour = GREEN) -> None:
    person(canvas, (start_x + speed * t, 172), colour, height=44, step=6 * t)


def collision(t: float, moments: Sequence[Moment]) -> Canvas:
    """Seen from above, a blue car runs a crossing and hits a red one; both spin away and smoke."""
    begin, end = moments[0].start, moments[0].end
    canvas = Canvas(WIDTH, HEIGHT, GRASS)
    canvas.rectangle(0, 88, WIDTH, 64, ASPHALT)
    canvas.rectangle(128, 0, 64, HEIGHT, ASPHALT)
    for x in (*range(4, 120, 28), *range(200, WIDTH, 28)):
        canvas.rectangle(x, 119, 14, 2, WHITE)
    car_from_above(canvas, (360 - 90 * t, 104), GREY, angle=math.pi)
    before = min(t, begin)
    slide = 1 - (1 - part(t, begin, end)) ** 2
    red = (148 + 46 * (before - begin) + 70 * slide, 136 + 52 * slide)
    blue = (164 + 20 * slide, 118 + 72 * (before - begin) + 66 * slide)
    car_from_above(canvas, red, RED, angle=4.4 * slide)
    car_from_above(canvas, blue, BLUE, angle=math.pi / 2 - 3.1 * slide)
    if t >= begin:
        for i in range(14):
            reach = 78 * slide * (0.4 + 0.6 * ((i * 7) % 14) / 14)
            canvas.disc(158 + reach * math.cos(i * 0.9), 130 + reach * math.sin(i * 0.9), 2, WHITE)
        canvas.disc(*red, 14 + 20 * slide, (196,) * 3, 0.45)
    return canvas


def bicycle(t: float, moments: Sequence[Moment]) -> Canvas:
    """A parked car's door opens in front of a cyclist, who is thrown over it onto the road."""
    begin, end = moments[0].start, moments[0].end
    canvas = _street()
    _passer_by(canvas, t, 300, -22)
    car(canvas, (226, 196), GREY, length=84)
    if t >= begin - 0.15:
        canvas.polygon([(206, 172), (196, 176), (196, 200), (206, 192)], (80, 82, 90))
    flight = part(t, begin, _between(begin, end, 0.45))
    x = min(184.0, 184 + 44 * (t - begin))
    for wheel in (-13, 13):
        canvas.disc(x + wheel, 208 - 16 * flight * (wheel < 0), 9, DARK)
        canvas.disc(x + wheel, 208 - 16 * flight * (wheel < 0), 7, ASPHALT)
    canvas.line((x - 13, 208 - 16 * flight), (x + 9, 194), 1.5, RED)
    rider = (x + 84 * flight, 204 - 58 * math.sin(math.pi * flight) + 20 * flight)
    person(canvas, rider, YELLOW, height=46, step=9 * min(t, begin), reach=0.9, lean=0.3 + 1.35 * flight)
    return canvas


def pedestrian_falls(t: float, moments: Sequence[Moment]) -> Canvas:
    """A walker slips on an icy patch, falls backwards, lies there and struggles to get up."""
    begin, end = moments[0].start, moments[0].end
    canvas = _street()
    canvas.polygon([(140, 176), (154, 168), (214, 168), (226, 176)], (206, 226, 236))
    car(canvas, (420 - 60 * t, 222), BLUE, roll=-5 * t)
    fall = part(t, begin, begin + 0.5)
    rise = part(t, end - 0.9, end)
    walked = min(t, begin) + max(0.0, t - end)
    struggle = 0.12 * math.sin(9 * t) if begin + 0.5 < t < end - 0.9 else 0.0
    lean = -1.5 * fall * (1 - rise) + struggle
    x = 170 + 34 * (walked - begin) + 22 * fall
    person(canvas, (x, 173), RED, height=52, step=7 * walked, reach=0.3 + 1.5 * fall * (1 - rise), lean=lean)
    return canvas


def falling_object(t: float, moments: Sequence[Moment]) -> Canvas:
    """An air conditioner comes off a wall and bursts on the pavement beside a walker, who jumps back."""
    begin, end = moments[0].start, moments[0].end
    canvas = _street()
    _passer_by(canvas, t, -40, 30, BLUE)
    landed = begin + 0.75
    drop = part(t, begin, landed) ** 2
    if t < landed:
        tilt = 8 * drop
        y = 52 + 110 * drop
        canvas.polygon([(196, y - tilt), (224, y + tilt), (224, y + 18 + tilt), (196, y + 18 - tilt)], WHITE)
        canvas.disc(210, y + 9, 6, GREY)
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


def building_fire(t: float, moments: Sequence[Moment]) -> Canvas:
    """Fire breaks out of one window, spreads over the front of the house and dies down at last."""
    begin, end = moments[0].start, moments[0].end
    canvas = Canvas(WIDTH, HEIGHT, (168, 190, 212))
    canvas.rectangle(70, 30, 180, 180, BRICK)
    canvas.rectangle(0, 208, WIDTH, 32, PAVEMENT)
    person(canvas, (-10 + 24 * t, 228), GREEN, height=40, step=6 * t)
    windows = [(90 + 52 * column, 46 + 54 * row) for row in range(3) for column in range(3)]
    burning = part(t, begin, _between(begin, end, 0.7))
    dying = 1 - part(t, _between(begin, end, 0.8), end)
    for x, y in windows:
        distance = math.hypot(x - 90, y - 154) / 160
        alight = t >= begin and burning >= distance
        canvas.rectangle(x, y, 34, 34, (40, 32, 30) if alight else (96, 116, 138))
        if alight and dying > 0:
            growth = part(burning, distance, distance + 0.25)
            flames(canvas, (x + 17, y + 34), 34, (26 + 34 * growth) * dying, t + distance, smoke=dying)
    return canvas


def forest_fire(t: float, moments: Sequence[Moment]) -> Canvas:
    """Fire runs through a wood from left to right and leaves black trunks behind."""
    begin, end = moments[0].start, moments[0].end
    canvas = Canvas(WIDTH, HEIGHT, (186, 202, 210))
    canvas.rectangle(0, 150, WIDTH, 90, GRASS)
    canvas.polygon([(0, 150), (90, 96), (210, 150)], (120, 142, 128))
    front = _between(-20, 330, part(t, begin, end + 0.4)) if t >= begin else -100
    for i in range(13):
        x, y = 10 + i * 25, 196 + 16 * math.sin(2.3 * i)
        sway = 2 * math.sin(1.6 * t + i)
        canvas.rectangle(x - 3, y - 40, 6, 42, DARK if x < front else (96, 72, 52))
        if x >= front - 26:
            canvas.polygon([(x - 17, y - 26), (x + sway, y - 92), (x + 17, y - 26)], (46, 96, 62))
        if front - 80 < x < front:
            flames(canvas, (x, y), 28, 92, t + i)
    for i in range(3):
        canvas.line(((40 * t + 90 * i) % 380 - 30, 40 + 12 * i), ((40 * t + 90 * i) % 380 - 22, 37 + 12 * i), 1, DARK)
    return canvas


def burglary(t: float, moments: Sequence[Moment]) -> Canvas:
    """At night a masked man breaks a window, climbs in, searches by torch light and leaves with a bag."""
    begin, end = moments[0].start, moments[0].end
    canvas = Canvas(WIDTH, HEIGHT, NIGHT)
    canvas.disc(274, 34, 13, (220, 220, 200))
    canvas.rectangle(90, 60, 150, 140, (70, 62, 66))
    canvas.polygon([(76, 60), (165, 22), (254, 60)], (54, 40, 42))
    canvas.rectangle(0, 196, WIDTH, 44, (40, 54, 44))
    broken = t >= begin + 0.3
    canvas.rectangle(118, 100, 52, 52, (12, 12, 18) if broken else (58, 70, 98))
    car(canvas, (-80 + 110 * t, 232), GREY, length=60, roll=8 * t)
    inside, out = begin + 1.0, end - 1.2
    if t < inside:
        x = _between(20, 130, part(t, begin - 1.4, begin))
        if t >= begin - 1.4:
            person(canvas, (x, 204), DARK, step=8 * t, reach=1.6 if t >= begin else 0.3)
        if begin + 0.3 <= t < begin + 0.6:
            canvas.disc(144, 126, 24, WHITE, 0.8)
    elif t < out:
        canvas.disc(144 + 20 * math.sin(5 * t), 126 + 14 * math.sin(3.4 * t), 13, (250, 238, 170))
        canvas.disc(208 + 6 * math.sin(5 * t), 126, 10, (120, 112, 92), 0.6)
    elif t < end:
        x = _between(140, -20, part(t, out, end))
        canvas.disc(x + 18, 184, 13, (120, 92, 58))
        person(canvas, (x, 204), DARK, step=14 * t, reach=0.7, lean=-0.2)
    return canvas


def flood(t: float, moments: Sequence[Moment]) -> Canvas:
    """Brown water rises in a street until the parked car floats off; then it falls a little."""
    begin, end = moments[0].start, moments[0].end
    canvas = _street()
    for i in range(40):
        x, y = (i * 53 + 20 * t) % WIDTH, (i * 37 + 260 * t) % HEIGHT
        canvas.line((x, y), (x - 2, y + 8), 0.6, (200, 210, 218))
    rise = part(t, begin, end)
    level = 236 - 76 * rise if t >= begin else 236
    afloat = max(0.0, 200 - level) / 40
    drift = 70 * max(0.0, rise - 0.45)
    car(canvas, (130 + drift, 214 - 26 * afloat), RED, length=88, angle=0.14 * math.sin(3 * t) * afloat)
    if t < begin + 0.6:
        _passer_by(canvas, t, 60, 42, BLUE)
    crest = [(x, level + 4 * rise * math.sin(0.07 * x + 6 * t)) for x in range(0, WIDTH + 1, 20)]
    for (x0, y0), (x1, y1) in pairwise(crest):
        canvas.polygon([(x0, y0), (x1, y1), (x1, HEIGHT), (x0, HEIGHT)], (132, 108, 74), 0.85)
    for i in range(6):
        x = (i * 61 + 90 * max(0.0, t - begin)) % WIDTH
        canvas.rectangle(x, level + 10 + 5 * i, 12, 3, (96, 76, 52))
    return canvas


def leaving_lane(t: float, moments: Sequence[Moment]) -> Canvas:
    """From above, following the traffic: a white car swerves over the lines and scrapes the crash barrier."""
    begin, end = moments[0].start, moments[0].end
    canvas = Canvas(WIDTH, HEIGHT, GRASS)
    canvas.rectangle(0, 40, WIDTH, 160, ASPHALT)
    canvas.rectangle(0, 36, WIDTH, 5, (190, 194, 198))
    canvas.rectangle(0, 199, WIDTH, 5, (190, 194, 198))
    for lane in (93, 146):
        for i in range(8):
            canvas.rectangle((i * 48 - 200 * t) % 384 - 40, lane, 24, 3, WHITE)
    for i in range(5):
        canvas.disc((i * 90 - 200 * t) % 450 - 60, 18, 12, (72, 110, 62))
        canvas.disc((i * 90 + 40 - 200 * t) % 450 - 60, 226, 10, (72, 110, 62))
    car_from_above(canvas, (236 + 8 * math.sin(0.8 * t), 172), BLUE)
    car_from_above(canvas, (70 + 6 * math.sin(0.6 * t), 172), GREEN)
    share = part(t, begin, end)
    swerve = math.sin(3 * math.pi * share) * math.sin(math.pi * share)
    y = 120 - 66 * swerve
    car_from_above(canvas, (150, y), WHITE, angle=-0.6 * math.cos(3 * math.pi * share) * math.sin(math.pi * share))
    if y > 172:
        for i in range(9):
            canvas.disc(150 - 10 * i - 30 * ((7 * t + 0.31 * i) % 1), 190 + 3 * (i % 4), 2, YELLOW)
    return canvas


def vandalism(t: float, moments: Sequence[Moment]) -> Canvas:
    """A hooded person beats the glass of a bus shelter with a bar until it shatters, and runs."""
    begin, end = moments[0].start, moments[0].end
    canvas = _street()
    car(canvas, (-60 + 52 * t, 224), YELLOW, roll=6 * t)
    canvas.rectangle(176, 92, 110, 6, DARK)
    canvas.rectangle(180, 96, 4, 78, DARK)
    canvas.rectangle(278, 96, 4, 78, DARK)
    broken = _between(begin, end, 0.6)
    if t < broken:
        canvas.polygon([(186, 100), (276, 100), (276, 168), (186, 168)], (176, 212, 226), 0.7)
        for i in range(int(9 * part(t, begin, broken))):
            canvas.line((200, 128), (200 + 46 * math.cos(i * 2.1), 128 + 32 * math.sin(i * 2.1)), 0.8, WHITE)
    else:
        for i in range(28):
            dropped = min(170.0, 104 + (i * 29) % 60 + 190 * (t - broken) ** 2)
            canvas.rectangle(188 + (i * 37) % 84, dropped, 5, 4, (206, 230, 238))
    flight = part(t, end - 0.6, end)
    x = min(160.0, 160 + 40 * (t - begin)) - 150 * flight
    swing = 1.2 + 1.1 * math.sin(10 * t) if begin <= t < end - 0.6 else 0.3
    canvas.line((x + 6, 138), (x + 6 + 30 * math.sin(swing), 138 + 30 * math.cos(swing)), 2, (70, 60, 50))
    person(canvas, (x, 173), DARK, height=52, step=8 * min(t, begin) + 60 * flight, reach=swing)
    return canvas


def fight(t: float, moments: Sequence[Moment]) -> Canvas:
    """Two men talk, then trade blows until one lies on the ground."""
    begin, end = moments[0].start, moments[0].end
    canvas = _street()
    _passer_by(canvas, t, -60, 26)
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
    return canvas


def wild_boar(t: float, moments: Sequence[Moment]) -> Canvas:
    """A wild boar charges a walker from the left, and once more from the right."""
    canvas = Canvas(WIDTH, HEIGHT, (182, 206, 222))
    canvas.rectangle(0, 120, WIDTH, 120, GRASS)
    canvas.polygon([(0, 214), (0, 186), (WIDTH, 180), (WIDTH, 208)], (176, 158, 124))
    for i in range(7):
        canvas.rectangle(18 + 48 * i, 84, 7, 50, (92, 70, 52))
        canvas.disc(22 + 48 * i + 2 * math.sin(1.3 * t + i), 72, 24, (62, 108, 66))
    lean, reach, x = 0.0, 0.3, 30 + 22 * min(t, moments[0].start + 0.8)
    for moment, side in zip(moments, (1, -1), strict=False):
        share = part(t, moment.start, moment.end)
        if 0 < share < 1:
            animal(canvas, (x + side * _between(-190, 190, share), 206), (74, 58, 50), side * 52, step=16 * t)
            hit = math.sin(math.pi * part(share, 0.4, 1.0))
            lean, reach = side * 1.3 * hit, 0.3 + 2 * hit
    walking = t < moments[0].start + 0.8
    person(canvas, (x, 204), YELLOW, height=58, step=6 * t if walking else 0.0, reach=reach, lean=lean)
    return canvas


def shop_robbery(t: float, moments: Sequence[Moment]) -> Canvas:
    """A masked man points a gun at a shopkeeper, takes the money and runs out."""
    begin, end = moments[0].start, moments[0].end
    canvas = Canvas(WIDTH, HEIGHT, (206, 198, 180))
    canvas.rectangle(0, 190, WIDTH, 50, (142, 120, 98))
    canvas.rectangle(8, 70, 44, 122, (110, 132, 150))
    for i in range(24):
        colour = (RED, GREEN, YELLOW, BLUE)[i % 4]
        canvas.rectangle(200 + (i % 8) * 14, 60 + (i // 8) * 26, 10, 18, colour)
    threatened = begin + 0.5 <= t < end - 0.8
    person(canvas, (240, 190), GREEN, height=78, reach=2.6 if threatened else 0.4 + 0.2 * math.sin(2 * t))
    canvas.rectangle(190, 150, 100, 46, (120, 84, 56))
    if t < begin - 0.8:
        person(canvas, (166 - 58 * max(0.0, t - 1), 204), BLUE, height=70, step=6 * max(0.0, t - 1))
    else:
        x = _between(30, 158, part(t, begin - 0.6, begin + 0.4)) - 190 * part(t, end - 0.8, end)
        aim = 1.5 if threatened else 0.5
        person(canvas, (x, 204), DARK, height=74, step=9 * t * (not threatened), reach=aim)
        if threatened:
            jerk = 3 * math.sin(12 * t)
            canvas.rectangle(x + 24, 140 + jerk, 16, 5, DARK)
            money = part(t, begin + 1.2, end - 0.9)
            canvas.disc(_between(226, x + 14, money), 146 - 10 * math.sin(math.pi * money), 9, (150, 136, 96))
    return canvas


def fireworks(t: float, moments: Sequence[Moment]) -> Canvas:
    """In a yard at night a firework tips over and shoots its sparks at the people watching, twice."""
    canvas = Canvas(WIDTH, HEIGHT, NIGHT)
    canvas.rectangle(0, 186, WIDTH, 54, (58, 56, 62))
    canvas.rectangle(210, 84, 110, 104, (64, 52, 54))
    canvas.rectangle(238, 110, 26, 30, (226, 196, 120))
    shooting = next((moment for moment in moments if moment.start <= t < moment.end), None)
    tipped = t >= moments[0].start
    canvas.polygon(
        [(58, 206), (58, 198), (84, 196), (84, 206)] if tipped else [(64, 206), (64, 180), (74, 180), (74, 206)], RED
    )
    canvas.disc(69, 176, 2 + 2 * (math.sin(20 * t) > 0), YELLOW, 0.0 if tipped else 1.0)
    for i in range(3):
        alarm = math.sin(12 * t + i) if shooting else 0.15 * math.sin(2 * t + i)
        back = 26 * part(t, moments[0].start, moments[0].start + 0.6)
        person(
            canvas, (190 + 34 * i + back + 5 * alarm, 208), (BLUE, GREEN, SKIN)[i], height=54,
            step=3 * alarm, reach=1.8 + alarm if shooting else 0.4, lean=0.12 * alarm,
        )  # fmt: skip
    if shooting:
        canvas.disc(88, 200, 40 + 6 * math.sin(30 * t), (120, 84, 40), 0.5)
        for i in range(46):
            age = (2.6 * t + i * 0.377) % 1
            reach, angle = 190 * age, -0.42 + 0.5 * ((i * 17) % 46) / 46
            colour = (YELLOW, (255, 120, 60), WHITE)[i % 3]
            canvas.disc(86 + reach * math.cos(angle), 200 + reach * math.sin(angle) + 26 * age * age, 2.4, colour)
    return canvas


SCENES: dict[str, Scene] = {
    scene.__name__: scene
    for scene in (
        collision, bicycle, pedestrian_falls, falling_object, building_fire, forest_fire, burglary,
        flood, leaving_lane, vandalism, fight, wild_boar, shop_robbery, fireworks,
    )
}  # fmt: skip
