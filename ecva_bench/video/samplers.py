"""Which frames of a video a model is shown: pure functions on numbers, one formula each, under one name each.

Knows frame counts, seconds and spans; knows no file. Every function returns int64 indices on the timeline it was
given, in temporal order (but `clip_ends`, whose clips may overlap), and repeats indices where a video has fewer frames
than were asked for. The paper's models differ only in these formulas and their counts, so an adapter names one formula
and a count. Formulas were checked against index tables made with the models' own programs.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Literal

import numpy as np

from ..errors import UsageError
from ..records import Moment
from ..wording import counted
from .clock import Float64, Int64

Sampler = Callable[..., Int64]


def linspace(n_frames: int, count: int, *, nearest: bool = False, last: bool = True) -> Int64:
    """Return `count` indices spread evenly from the first frame to the last, both included.

    The fraction is cut off (Video-LLaVA with 8 frames), or rounded half to even with `nearest` (Qwen-VL). Without
    `last`, the last frame is left out of more than `count` (VILA with 8). `n_frames` and `count` are at least 1.

    >>> import ecva_bench as eb
    >>> eb.samplers.linspace(100, 4)
    array([ 0, 33, 66, 99])
    """
    _check(n_frames, count)
    places = np.linspace(0, n_frames - (1 if last or n_frames <= count else 2), count)
    return (np.round(places) if nearest else places).astype(np.int64)


def midpoints(n_frames: int, count: int, *, rounded: Literal["middles", "bounds", "steps"] = "middles") -> Int64:
    """Return the middle frame of each of `count` equal segments between the first frame and the last.

    The models differ in what they round to whole frames (half to even, but for `middles`: half upwards):
    `middles`, the middles themselves: VideoLLaMA 2 since 1.5, with 8 or 16.
    `bounds`, the segments' bounds, whose mean is then cut off: Video-ChatGPT with 100 and ST-LLM with 64, both with
    at most `n_frames`; VideoLLaMA 2 before 1.5.
    `steps`, the whole lengths that are added to the first middle, which is cut off: VideoChat2 with 16, mPLUG-Owl
    with 4.

    >>> import ecva_bench as eb
    >>> eb.samplers.midpoints(100, 4)
    array([12, 37, 62, 87])
    """
    _check(n_frames, count)
    length, segments = (n_frames - 1) / count, np.arange(count + 1)
    if rounded == "middles":
        return np.round(length * (segments[:-1] + 0.5) + 1e-6).astype(np.int64)
    bounds = np.round(length * segments).astype(np.int64)
    return (bounds[:-1] + bounds[1:]) // 2 if rounded == "bounds" else int(length / 2) + bounds[:-1]


def starts(n_frames: int, count: int, *, whole: bool = False) -> Int64:
    """Return the first frame of each of `count` equal segments, `i * (n_frames / count)` cut off.

    TimeChat with 96, and at most `n_frames`. The length is in floating point, as there: where a segment begins at a
    whole number, it may be the frame before (54 of 96 segments of 208 frames). With `whole`, segments are a whole
    number of frames long, none where there are fewer than `count` (Otter with 16).

    >>> import ecva_bench as eb
    >>> eb.samplers.starts(100, 4)
    array([ 0, 25, 50, 75])
    """
    _check(n_frames, count)
    segments = np.arange(count, dtype=np.int64)
    return segments * (n_frames // count) if whole else (segments * (n_frames / count)).astype(np.int64)


def clip_ends(n_frames: int, count: int, *, frame_rate: float, seconds: float) -> Int64:
    """Return the first and the last frame of each of `count` clips spread evenly, clip by clip: `2 * count` indices.

    Clips are `seconds` long, or as long as the video, and may overlap. PandaGPT with 5 of 2 s. `frame_rate` is in
    frames per second. Seconds are fractions until they become frames, as there: a frame may hang on the last bit.

    >>> import ecva_bench as eb
    >>> eb.samplers.clip_ends(100, 2, frame_rate=10.0, seconds=2.0)
    array([ 0, 19, 80, 99])
    """
    _check(n_frames, count)
    step = Fraction(max(n_frames / frame_rate - seconds, 0.0)) / max(count - 1, 1)
    times = [(k * step, k * step + Fraction(seconds)) for k in range(count)]
    bounds = [(math.ceil(frame_rate * start), math.ceil(frame_rate * stop)) for start, stop in times]
    return np.array([(start, min(stop, n_frames) - 1) for start, stop in bounds], dtype=np.int64).flatten()


def at_fps(positions: Sequence[float] | Float64, fps: float, cap: int | None = None) -> Int64:
    """Return every s-th frame, s being the average frame rate over `fps`, rounded; at most `cap`, spread evenly.

    `positions` are the seconds of all frames on the timeline shown. Chat-UniVi with 1 frame a second and a cap of
    64 or 100; LLaMA-VID with 1 and no cap. The step is in frames, as in those models, half to even (12 at 12.5 frames a
    second): for steps even in time on a variable frame rate, ask `Video.frames` for instants.

    >>> import ecva_bench as eb
    >>> eb.samplers.at_fps([0.0, 0.5, 1.0, 1.5, 2.0], 1.0)
    array([0, 2, 4])
    """
    times = np.asarray(positions, dtype=np.float64)
    _check(len(times), 1 if cap is None else cap)
    if not fps > 0:
        raise UsageError(f"cannot sample {fps} frames a second", remedy="ask for more than 0")
    rate = (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 0.0
    step = round(round(rate / fps, 3))  # a rate reckoned from timestamps is off by a little
    every = np.arange(0, len(times), max(1, step), dtype=np.int64)
    if cap is None or len(every) <= cap:
        return every
    return every[linspace(len(every), cap)]


def dense(timestamps: Sequence[float] | Float64, spans: Sequence[Moment], count: int) -> Int64:
    """Return `count` indices spread evenly over the frames inside the spans (`start <= t < end`).

    `timestamps` are the seconds of all frames on the original timeline. Overlapping spans count once. Where no
    frame lies inside, the frames on screen when the spans begin stand for them. AnomShield looks so at the spans
    that its first pass found.

    >>> import ecva_bench as eb
    >>> eb.samplers.dense([0.0, 0.5, 1.0, 1.5, 2.0], [eb.Moment(start=0.5, end=1.6)], 2)
    array([1, 3])
    """
    times = np.asarray(timestamps, dtype=np.float64)
    _check(len(times), count)
    if not spans:
        raise UsageError("cannot sample densely without a span", remedy="give at least one moment")
    inside = np.zeros(len(times), dtype=np.bool_)
    for span in spans:
        inside |= (span.start <= times) & (times < span.end)
    if not inside.any():
        begun = np.searchsorted(times, [span.start for span in spans], side="right") - 1
        inside[np.maximum(begun, 0)] = True
    chosen = np.flatnonzero(inside).astype(np.int64)
    return chosen[linspace(len(chosen), count)]


SAMPLERS: dict[str, Sampler] = {
    "at_fps": at_fps,
    "clip_ends": clip_ends,
    "dense": dense,
    "linspace": linspace,
    "midpoints": midpoints,
    "starts": starts,
}


def get(name: str) -> Sampler:
    """Return the sampler called `name`; `UsageError` with the nearest name if there is none.

    >>> import ecva_bench as eb
    >>> eb.samplers.get("midpoints")(100, 4)
    array([12, 37, 62, 87])
    """
    if name in SAMPLERS:
        return SAMPLERS[name]
    near = difflib.get_close_matches(name, SAMPLERS, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise UsageError(f"no sampler is called {name!r}", remedy=f"{hint}available: {', '.join(SAMPLERS)}")


def _check(n_frames: int, count: int) -> None:
    if n_frames < 1 or count < 1:
        raise UsageError(
            f"cannot take {count} of {counted(n_frames, 'frame')}",
            remedy="both must be at least 1; check the video first",
        )
