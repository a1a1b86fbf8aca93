"""The arithmetic of CUVA's released curve code (folder `Curve`, of 2024), faults included, each of them named.

Values are raw similarities: their level is that of the scores' sum, and a threshold on them means nothing. Frames are
numbers of the whole video from 0. Works on plain numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..errors import DataError

Array = npt.NDArray[np.floating]
Values = Callable[[list[int]], Array]  # the values at some frames

EVERY = 30  # frames, whatever the frame rate
THRESHOLD = 0.35  # of a peak
MOST_SENTENCES = 5
_FINE = 10  # frames about a peak
_SINGLE = 0.005  # by how much a single peak tops the peaks beside it

END_FAULT = "a peak at the last frame looked at asks for a frame after the end, where the released program ends"
ZERO_FAULT = "a peak at the first frame looked at adds frame 0, which is never read: later values are of other frames"
MEAN_FAULT = "the mean of a group of peaks is taken at the peaks' ordinals, not at their places"
NO_FRAME_FAULT = "no frame is taken of a video of at most 30 frames"
RATE_FAULT = "every 30th frame is taken whatever the frame rate is"
POSITION_FAULT = "sentences have scores by position, for nothing ranks them"


class Group(NamedTuple):
    """Frames of peaks that lie near each other, and the value that all of them get."""

    frames: list[int]
    mean: float


@dataclass(frozen=True)
class Merged:
    """The released curve: values [T] at frames [T], and which faults the program met on the way."""

    frames: list[int]
    values: list[float]
    faults: tuple[str, ...]


def rank_scores(ranks: Sequence[float]) -> list[float]:
    """Return 0.6 less a tenth of each rank (0.5, 0.4, …), not a sum of 1; `DataError` above 5 sentences."""
    if len(ranks) > MOST_SENTENCES:
        what = f"the released code has scores for {MOST_SENTENCES} sentences, and there are {len(ranks)}"
        raise DataError(what, remedy="leave --protocol cuva-2024 out")
    return [round(0.6 - 0.1 * rank, 6) for rank in ranks]


def coarse_frames(n_frames: int) -> list[int]:
    """Return every 30th frame from 30 on; none of at most 30 frames."""
    return list(range(EVERY, n_frames, EVERY))


def fine_frames(n_frames: int, coarse_peaks: Sequence[int]) -> list[int]:
    """Return the coarse frames and ten about each of the coarse peaks, given by their ordinals from 0.

    As the program lists them: 0 is among them that is never read, and the number of frames, which is no frame.
    """
    near = (np.linspace(max(0, EVERY * k), min(EVERY * (k + 2), n_frames), _FINE) for k in coarse_peaks)
    return sorted({*coarse_frames(n_frames), *(int(number) for numbers in near for number in numbers)})


def find_peaks(values: Sequence[float] | Array, threshold: float = THRESHOLD) -> list[int]:
    """Return where values lie above both neighbours and the threshold; before the first is 0, after the last none."""
    around = [0.0, *map(float, values), -np.inf]
    return [k for k in range(len(values)) if around[k] < around[k + 1] > max(around[k + 2], threshold)]


def softmax_curve(cosines: Array, scores: Sequence[float]) -> Array:
    """Return the values [T] of Clip_curve.py for cosines [sentences, T], or of Clip_curve_zjy.py for dot products.

    A softmax over the sentences, so that each frame spends 1 on them whether or not one fits; then each sentence's row
    is divided by its length over time. NaN throughout where a sentence wins no frame.
    """
    scaled = 100 * cosines
    shares = np.exp(scaled - scaled.max(axis=0))
    shares = shares / shares.sum(axis=0)
    with np.errstate(invalid="ignore"):
        rows = shares / np.linalg.norm(shares, axis=1, keepdims=True)
    found: Array = np.asarray(scores, dtype=cosines.dtype) @ rows
    return found


def cosine_curve(cosines: Array, scores: Sequence[float]) -> Array:
    """Return the values [T] of main.py: cosines [sentences, T] weighted by the scores."""
    found: Array = np.asarray(scores, dtype=np.float64) @ cosines
    return found


def single_peaks(values: Sequence[float] | Array, peaks: Sequence[int]) -> list[int]:
    """Return the peaks that top both peaks beside them by more than 0.005; the first and the last never do."""
    inner = zip(peaks, peaks[1:], peaks[2:], strict=False)
    return [k for before, k, after in inner if min(values[k] - values[before], values[k] - values[after]) > _SINGLE]


def peak_groups(values: Sequence[float] | Array, frames: Sequence[int], peaks: Sequence[int]) -> list[Group]:
    """Return the groups of two or more peaks, single ones left out, fewer than 30 frames apart, with their means."""
    single = set(single_peaks(values, peaks))
    runs: list[list[int]] = []
    for k in (k for k in peaks if k not in single):
        if runs and frames[k] - frames[runs[-1][-1]] < EVERY:
            runs[-1].append(k)
        else:
            runs.append([k])
    ordinal = {k: place for place, k in enumerate(peaks)}
    return [
        Group([frames[k] for k in run], sum(float(values[ordinal[k]]) for k in run) / len(run))
        for run in runs
        if len(run) > 1
    ]


def released_curve(n_frames: int, values_at: Values) -> Merged:
    """Return the curve of main.py: coarse values, with single peaks and groups of peaks of the fine ones put in.

    Where the program ends or takes values for those of other frames, the coarse curve stands alone.
    """
    coarse = coarse_frames(n_frames)
    if not coarse:
        raise DataError(NO_FRAME_FAULT, remedy="leave --protocol cuva-2024 out")
    values = values_at(coarse)
    fine = fine_frames(n_frames, find_peaks(values))
    stopped = [fault for met, fault in ((fine[-1] >= n_frames, END_FAULT), (fine[0] == 0, ZERO_FAULT)) if met]
    if stopped:
        return Merged(coarse, [float(value) for value in values], tuple(stopped))
    at_fine = values_at(fine)
    merged = dict(zip(coarse, map(float, values), strict=True))
    peaks = find_peaks(at_fine)
    groups = peak_groups(at_fine, fine, peaks)
    put_in = {fine[k]: float(at_fine[k]) for k in single_peaks(at_fine, peaks)}
    put_in |= {frame: group.mean for group in groups for frame in group.frames}
    frames = sorted({**put_in, **merged})
    both = {**put_in, **merged}  # a coarse frame keeps its value
    return Merged(frames, [both[frame] for frame in frames], (MEAN_FAULT,) if groups else ())
