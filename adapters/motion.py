"""Where and how strongly the picture changes, put into words and into a predicted span: a floor that looks.

No learning and no language understanding: frame differences on a coarse grey picture. A model that does not
beat it has not been shown to understand anything about time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ecva_bench.answering import Baseline, Question
from ecva_bench.reading.curves import cell_centres, segments_of_cells, severity_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecva_bench.video import Frames, Video

RATE = 4.0
CAP = 96
WIDTH = 96
SMOOTHING = 4  # differences, that is one second


@dataclass(frozen=True)
class Change:
    """The strongest change of a video: its span in seconds shown, how far it stands out, and where it lies."""

    start: float
    end: float
    strength: str
    place: str


class Motion(Baseline):
    """Answers from frame differences; classification gets the most frequent class, for it sees no classes."""

    def frame_indices(self, video: Video) -> NDArray[np.int64]:
        """Return four frames a second, at most 96, spread evenly."""
        from ecva_bench.video import samplers

        return samplers.at_fps(video.positions, RATE, CAP)

    def answer(self, video: Video, question: str) -> str:
        """Return the measured change in words that fit the question's task."""
        return self.answer_many(video, [question])[0]

    def answer_many(self, video: Video, questions: Sequence[str]) -> list[str]:
        """Measure the video once and phrase the result for each question."""
        frames = video.frames_at(self.frame_indices(video))
        change = strongest_change(frames.pixels, frames.positions)
        tasks = [Question.of(question).task for question in questions]
        return [_severities(frames, video) if task == "severity" else _phrase(change, task) for task in tasks]

    def describe(self) -> dict[str, Any]:
        """Return the frame rule and the picture size the differences are taken on."""
        return {"frames": {"rule": "at_fps", "fps": RATE, "cap": CAP}, "width": WIDTH, "version": 1}


def strongest_change(pixels: NDArray[np.uint8], seconds: NDArray[np.float64]) -> Change:
    """Return the span around the largest frame difference in which it stays above half its excess.

    `pixels` is uint8 [T, H, W, 3], `seconds` float64 [T]. Differences are averaged over a second; the excess is taken
    over the median difference, so that steady motion (traffic, waves, a panning camera) does not count.
    """
    if len(pixels) < 2:
        return Change(float(seconds[0]), float(seconds[0]), "slight", "centre")
    maps = _changes(pixels)
    level = _level(maps)
    usual = float(np.median(level))
    excess = level - usual
    peak = int(excess.argmax())
    above = excess >= excess[peak] / 2
    first = peak - int(np.argmin(above[peak::-1])) + 1 if not above[: peak + 1].all() else 0
    last = peak + int(np.argmin(above[peak:])) - 1 if not above[peak:].all() else len(above) - 1
    ratio = float(level[peak]) / (usual + 1e-3)
    strength = "strong" if ratio > 3 else "clear" if ratio > 1.5 else "slight"
    return Change(
        float(seconds[first]), float(seconds[last + 1]), strength, _place(maps[first : last + 1].mean(axis=0))
    )


def _changes(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return how much each place of a coarse grey picture differs from the one before: float32 [T - 1, H, W]."""
    step = max(1, pixels.shape[2] // WIDTH)
    maps: NDArray[np.float32] = np.abs(np.diff(pixels[:, ::step, ::step].mean(axis=3, dtype=np.float32), axis=0))
    return maps


def _level(maps: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return how much whole pictures change, averaged over a second: float64 [T - 1]."""
    width = min(SMOOTHING, len(maps))
    return np.convolve(maps.mean(axis=(1, 2)), np.ones(width) / width, mode="same")


def _severities(frames: Frames, video: Video) -> str:
    """Return the level of change over a video's cells, from its lowest, which is 0, to its highest, which is 10.

    Frames are at their seconds on the original timeline, which a cut leaves as it is.
    """
    end = max(video.duration, float(frames.timestamps[-1]))
    centres = cell_centres(end)
    if len(frames) < 2:
        return severity_text(segments_of_cells(np.zeros(len(centres)), end))
    level = _level(_changes(frames.pixels))
    between = (frames.timestamps[1:] + frames.timestamps[:-1]) / 2
    values = np.interp(centres, between, (level - level.min()) / (float(np.ptp(level)) or 1.0))
    return severity_text(segments_of_cells(values, end))


def _place(change: NDArray[np.float32]) -> str:
    """Name the third of the picture, across and down, in which the change is centred."""
    rows = np.average(np.arange(change.shape[0]), weights=change.sum(axis=1) + 1e-6) / change.shape[0]
    columns = np.average(np.arange(change.shape[1]), weights=change.sum(axis=0) + 1e-6) / change.shape[1]
    down = "upper" if rows < 1 / 3 else "lower" if rows > 2 / 3 else ""
    across = "left" if columns < 1 / 3 else "right" if columns > 2 / 3 else ""
    corner = f"{down} {across}".strip()
    return corner if down and across else f"{corner} part" if corner else "centre"


def _phrase(change: Change, task: str) -> str:
    span = f"between {change.start:.1f} and {change.end:.1f} seconds"
    match task:
        case "classification":
            return "[5]"
        case "timestamp" | "grounding":
            return f"[{change.start:.1f}, {change.end:.1f}]"
        case "detection":
            return "No" if change.strength == "slight" else "Yes"
        case "choice":
            return "A"
        case "cause":
            return f"Something moved suddenly in the {change.place} of the picture {span}."
        case "effect":
            return f"After a {change.strength} change {span}, the {change.place} of the picture looks different."
        case _:
            return f"There is a {change.strength} sudden movement in the {change.place} of the picture {span}."
