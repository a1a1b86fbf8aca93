"""What all scenes share: the size of the picture, colours, and how times become shares of a movement."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...records import Moment
from ..canvas import Canvas, Colour

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

# (seconds from the start, moments of the anomaly) -> picture. A twin is given the moments of its original.
Scene = Callable[[float, Sequence[Moment]], Canvas]


def part(t: float, start: float, end: float) -> float:
    """Return how much of the span from `start` to `end` is over at `t`, from 0 to 1."""
    return min(max((t - start) / (end - start), 0.0), 1.0)


def between(a: float, b: float, share: float) -> float:
    """Return the number that lies at `share` of the way from `a` to `b`."""
    return a + (b - a) * share
