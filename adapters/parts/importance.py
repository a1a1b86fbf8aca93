"""A-Guardian's frames (CUVA, arXiv 2405.00181): more of them where a video is said to be important.

Spans are the first and the last frame of what is important, both included. Knows frame numbers, and the form of the
authors' file of moments; imports no torch.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from ecva_bench.errors import AdapterError

Moments = dict[str, list[tuple[float, float]]]
Span = tuple[int, int]

_PLACES = ((0.17, 0.83), (0.33, 0.67), (0.5, 0.5), (0.67, 0.33), (0.83, 0.17))  # shares of a span's two ends
_OFFSETS = (0.3, 0.6)  # of every second


def read_moments(path: Path) -> tuple[Moments, str]:
    """Return the moments of a file in seconds by video name, and the hex SHA-256 of its bytes.

    It holds lists of `{"video_name": …, "answer": [start, end]}`, or null in the place of a list. Raises `AdapterError`
    where it cannot be read so.
    """
    found: Moments = {}
    try:
        content = path.read_bytes()
        for entry in (entry for group in json.loads(content) for entry in group or ()):
            start, end = entry["answer"]
            found.setdefault(str(entry["video_name"]), []).append((float(start), float(end)))
    except (OSError, ValueError, KeyError, TypeError) as error:
        remedy = 'write lists of {"video_name": 1, "answer": [5, 9]}, in seconds'
        raise AdapterError(f"the moments cannot be read ({error})", path, remedy) from None
    return found, hashlib.sha256(content).hexdigest()


def spans_of(moments: Iterable[Sequence[float]], fps: float) -> list[Span]:
    """Return moments in seconds as spans, each once, in order; seconds and frame rate are cut off to whole numbers."""
    rate = int(round(fps, 3))
    return list(dict.fromkeys((int(start) * rate, int(end) * rate) for start, end in moments))


def exchanged(indices: Sequence[int], spans: Iterable[Span], seed: int) -> list[int]:
    """Return as many indices, in order: some outside all spans, drawn at random, given up for five in each (mode 1)."""
    spans = list(spans)
    free = [index for index in indices if not any(first <= index <= last for first, last in spans)]
    wanted = sorted({round(first * a + last * b) for first, last in spans for a, b in _PLACES})
    given_up = random.Random(seed).sample(free, min(len(wanted), len(free)))
    kept = list(indices)
    for index in given_up:
        kept.remove(index)
    return sorted([*kept, *wanted[: len(given_up)]])


def added(indices: Iterable[int], spans: Iterable[Span], fps: float) -> list[int]:
    """Return the indices and two more for every second of the spans, each once, in order (mode 2)."""
    more = [
        int(np.round(first + fps * second)) + round(fps * offset)
        for first, last in spans
        for second in range(round((last - first) / fps))
        for offset in _OFFSETS
    ]
    return sorted({*indices, *more})
