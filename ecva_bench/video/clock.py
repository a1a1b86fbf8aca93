"""When frames come on screen, in whole ticks of the container's clock, so that seconds are exact quotients.

Knows numbers only.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Clock:
    """When each frame comes on screen, in ticks of the stream's clock."""

    time_base: Fraction  # seconds per tick
    ticks: Int64  # [n_frames], strictly increasing
    last_duration: int  # ticks the last frame stays on screen
    late: Fraction  # seconds from the player's time zero to the first frame

    def durations(self) -> Int64:
        """Return the ticks each frame stays on screen, [n_frames]."""
        return np.append(np.diff(self.ticks), self.last_duration)

    def seconds(self, ticks: Int64, after: Fraction = Fraction(0)) -> Float64:
        """Return numbers of ticks, and `after` seconds before them, as seconds: one correctly rounded division each."""
        before = after / self.time_base
        finer = ticks * before.denominator + before.numerator
        return finer * self.time_base.numerator / (self.time_base.denominator * before.denominator)


def distinct(times: list[int | None], count: int) -> Int64 | None:
    """Return the times in order if there are `count` of them, all known and no two equal; else None."""
    known = {time for time in times if time is not None}
    return np.array(sorted(known), dtype=np.int64) if len(times) == len(known) == count else None


def typical_duration(ticks: Int64, time_base: Fraction, rate: Fraction) -> int:
    """Return the median ticks between frames; of a single frame, one frame at the nominal rate."""
    if len(ticks) > 1:
        return int(np.median(np.diff(ticks)))
    return max(1, round(1 / rate / time_base))
