"""Clips to train on: the scenes of `mini` and of its twins, drawn at other times, in other colours, otherwise filmed.

All of a clip follows from its seed and number. Only the frames that a model is shown are drawn, straight from the
scene: no video file is written. Knows scenes; knows no words and no network.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...data.canvas import Colour
from ...data.scenes import HEIGHT, SCENES, TWINS, WIDTH, Scene, base
from ...records import Moment
from .kinds import SceneKind, kinds

if TYPE_CHECKING:
    from numpy.typing import NDArray

COLOURS: Mapping[str, Colour] = {
    "red": base.RED,
    "blue": base.BLUE,
    "green": base.GREEN,
    "grey": base.GREY,
    "yellow": base.YELLOW,
    "white": base.WHITE,
    "black": base.DARK,
    "orange": (234, 124, 36),
    "purple": (124, 62, 150),
    "brown": (118, 78, 46),
}
RATES = (12, 15, 20, 24, 25, 30)  # frames a second
DURATIONS = (6.0, 13.0)  # seconds
ORIGINALS = 0.6  # share of clips in which the anomaly is to be seen as in the scenes of `mini`
KEPT = 0.35  # how often a thing keeps the colour that its scene gives it


@dataclass(frozen=True)
class Look:
    """How a clip is filmed. `shift` is in pixels, `gain` and `offset` are of the levels of red, green and blue."""

    mirrored: bool
    zoom: float
    shift: tuple[float, float]
    gain: tuple[float, float, float]
    offset: float


@dataclass(frozen=True)
class TrainingClip:
    """A clip to train on. Times in seconds; `colours` are those of the things that texts name by letters.

    `times` is the kind that its moments are of: its own, or where it is a twin, its original's.
    """

    number: int
    kind: SceneKind
    times: SceneKind
    moments: tuple[Moment, ...]
    duration: float
    frame_rate: int
    colours: Mapping[str, str]
    repainted: tuple[tuple[Colour, Colour], ...]
    look: Look

    @property
    def n_frames(self) -> int:
        """Frames that the clip would have as a file."""
        return round(self.duration * self.frame_rate)

    def frames(self, indices: Sequence[int] | NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return frames by their numbers, uint8 [T, H, W, 3], RGB; a number may come more than once."""
        draw = _SCENES[self.kind.name]
        drawn = {i: self._filmed(draw(i / self.frame_rate, self.moments).pixels) for i in {*map(int, indices)}}
        return np.stack([drawn[int(i)] for i in indices])

    def _filmed(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        look = self.look
        columns = _places(WIDTH, look.zoom, look.shift[0])
        rows = _places(HEIGHT, look.zoom, look.shift[1])
        levels = pixels.astype(np.uint32)
        codes = (levels[..., 0] << 16 | levels[..., 1] << 8 | levels[..., 2])[
            rows[:, None], columns[::-1] if look.mirrored else columns
        ]
        painted = [(codes == (old[0] << 16 | old[1] << 8 | old[2]), new) for old, new in self.repainted]
        for place, new in painted:
            codes[place] = new[0] << 16 | new[1] << 8 | new[2]
        table = np.clip(np.rint(np.arange(256)[:, None] * np.array(look.gain) + look.offset), 0, 255).astype(np.uint8)
        return np.stack([table[:, i][codes >> (16 - 8 * i) & 255] for i in range(3)], axis=-1)


_SCENES: dict[str, Scene] = {**SCENES, **TWINS}


def training_clip(seed: int, number: int) -> TrainingClip:
    """Return the clip of a number; the same for the same seed, and one of its own for each number."""
    chance = random.Random(f"ecva-bench training clip {seed}/{number}")
    named = kinds()
    originals = chance.random() < ORIGINALS
    kind = named[chance.choice(sorted(SCENES if originals else TWINS))]
    rate = chance.choice(RATES)
    duration = round(chance.uniform(*DURATIONS) * rate) / rate
    times = named[kind.original]
    moments = _moments(chance, times, duration)
    colours, repainted = _painted(chance, kind)
    gain = chance.uniform(0.84, 1.14)
    look = Look(
        mirrored=chance.random() < 0.5,
        zoom=chance.uniform(0.95, 1.12),
        shift=(chance.uniform(-14, 14), chance.uniform(-9, 9)),
        gain=(gain * chance.uniform(0.96, 1.04), gain * chance.uniform(0.96, 1.04), gain * chance.uniform(0.96, 1.04)),
        offset=chance.uniform(-10, 10),
    )
    return TrainingClip(number, kind, times, moments, duration, rate, colours, repainted, look)


def _moments(chance: random.Random, original: SceneKind, duration: float) -> tuple[Moment, ...]:
    """Return the moments of a clip, in tenths of a second."""
    shortest, longest = original.length
    if original.parts == 2:
        lengths = [chance.uniform(shortest, longest) for _ in range(2)]
        gap = chance.uniform(1.2, 3.0)
        start = chance.uniform(1.2, max(1.3, duration - sum(lengths) - gap - 0.4))
        second = min(start + lengths[0] + gap, duration - lengths[1])
        pairs = [(start, start + lengths[0]), (second, second + lengths[1])]
    else:
        length = min(chance.uniform(shortest, longest), duration - original.earliest - 0.5)
        latest = duration - length
        start = latest if original.to_end and chance.random() < 0.6 else chance.uniform(original.earliest, latest - 0.2)
        pairs = [(start, start + length)]
    return tuple(Moment(start=round(a, 1), end=min(round(b, 1), duration)) for a, b in pairs)


def _painted(chance: random.Random, kind: SceneKind) -> tuple[dict[str, str], tuple[tuple[Colour, Colour], ...]]:
    """Return the names of the colours that things have in a clip, all different, and the colours to be replaced."""
    taken: dict[str, str] = {}
    for letter, usual in kind.colours.items():
        free = [name for name in COLOURS if name not in taken.values()]
        taken[letter] = usual if usual in free and chance.random() < KEPT else chance.choice(free)
    replaced = []
    for letter, usual in kind.colours.items():
        new = COLOURS[taken[letter]]
        jitter = tuple(min(255, max(0, level + chance.randint(-10, 10))) for level in new)
        replaced.append((COLOURS[usual], (jitter[0], jitter[1], jitter[2])))
    return taken, tuple(replaced)


def _places(size: int, zoom: float, shift: float) -> NDArray[np.int64]:
    """Return the row or column of the drawing that each of the picture's shows; the edge goes on outside."""
    places = (np.arange(size) + 0.5 - size / 2) / zoom + size / 2 + shift - 0.5
    found: NDArray[np.int64] = np.clip(np.rint(places), 0, size - 1).astype(np.int64)
    return found
