"""A-Guardian's frames (CUVA, arXiv 2405.00181): more of them where a video is said to be important.

Spans are the first and the last frame of what is important, both included. Knows frame numbers; imports no torch.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

import numpy as np

FrameSpan = tuple[int, int]

_PLACES = ((0.17, 0.83), (0.33, 0.67), (0.5, 0.5), (0.67, 0.33), (0.83, 0.17))  # shares of a span's two ends
_OFFSETS = (0.3, 0.6)  # of every second


def frame_spans(moments: Iterable[Sequence[float]], fps: float) -> list[FrameSpan]:
    """Return moments in seconds as spans, each once, in order; seconds and frame rate are cut off to whole numbers."""
    rate = int(round(fps, 3))
    return list(dict.fromkeys((int(start) * rate, int(end) * rate) for start, end in moments))


def exchanged(indices: Sequence[int], spans: Iterable[FrameSpan], seed: int) -> list[int]:
    """Return as many indices, in order: some outside all spans, drawn at random, given up for five in each (mode 1)."""
    spans = list(spans)
    free = [index for index in indices if not any(first <= index <= last for first, last in spans)]
    wanted = sorted({round(first * a + last * b) for first, last in spans for a, b in _PLACES})
    given_up = random.Random(seed).sample(free, min(len(wanted), len(free)))
    kept = list(indices)
    for index in given_up:
        kept.remove(index)
    return sorted([*kept, *wanted[: len(given_up)]])


def added(indices: Iterable[int], spans: Iterable[FrameSpan], fps: float) -> list[int]:
    """Return the indices and two more for every second of the spans, each once, in order (mode 2)."""
    more = [
        int(np.round(first + fps * second)) + round(fps * offset)
        for first, last in spans
        for second in range(round((last - first) / fps))
        for offset in _OFFSETS
    ]
    return sorted({*indices, *more})
