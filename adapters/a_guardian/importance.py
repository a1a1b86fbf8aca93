"""A-Guardian's frames (CUVA, arXiv 2405.00181): more of them where a video is said to be important.

Spans are the first and the last frame of what is important, both included. Knows frame numbers, and the form of the
authors' file of moments, by the names of the videos; imports no torch.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ecva_bench.errors import AdapterError
from ecva_bench.names import Name, Names, ids_of, media_of, of_number
from ecva_bench.untrusted import parse_json

FrameSpan = tuple[int, int]

_PLACES = ((0.17, 0.83), (0.33, 0.67), (0.5, 0.5), (0.67, 0.33), (0.83, 0.17))  # shares of a span's two ends
_OFFSETS = (0.3, 0.6)  # of every second


class Moments:
    """The moments of a file, in seconds, by the names it has for the videos; `sha256` is the hex hash of its bytes."""

    def __init__(self, path: Path, sha256: str, found: Sequence[tuple[str, tuple[float, float]]]) -> None:
        """Take up (name of the video, moment) of every entry; `DataError` where a name may mean either of two."""
        self.sha256 = sha256
        self._path = path
        self._asked: dict[str, str] = {}
        self._moments: dict[str, list[tuple[float, float]]] = {}
        ids = ids_of((name for name, _ in found), path)
        self._names = Names(media_of(ids).items())
        for name, moment in found:
            self._moments.setdefault(ids[name], []).append(moment)

    def of(self, video: str | Path) -> list[tuple[float, float]]:
        """Return the moments of a video file, none where the file says nothing of it.

        Raises `AdapterError` where they may be another video's, one that was asked about before or one of the file.
        """
        found = self._names.find(str(video))
        if not found:
            return []
        if len(found) > 1:
            raise _error(f"the moments of {video} may be those of {found[0]!r} or of {found[1]!r}", self._path)
        first = self._asked.setdefault(found[0], str(video))
        if first != str(video):
            raise _error(f"the moments of {found[0]!r} may be those of {first} or of {video}", self._path)
        return self._moments[found[0]]

    def check(self, videos: Iterable[str]) -> None:
        """Raise `AdapterError` where it cannot be told of which of the videos of a run moments are."""
        for video in videos:
            self.of(video)
        self._asked.clear()  # by names; by paths from now on


def read_moments(path: Path) -> Moments:
    """Return the moments of a file: lists of `{"video_name": …, "answer": [start, end]}`, or null in place of a list.

    Raises `AdapterError` where it cannot be read so, naming the entry.
    """
    try:
        content = path.read_bytes()
        entries = [entry for group in parse_json(content) for entry in group or ()]
    except (OSError, ValueError, TypeError) as error:
        raise _error(f"the moments cannot be read ({error})", path) from None
    found = []
    for number, entry in enumerate(entries, start=1):
        try:
            found.append(_entry(entry))
        except (ValueError, KeyError, TypeError) as error:
            why = f"no {error}" if isinstance(error, KeyError) else error
            raise _error(f"the moments cannot be read (entry {number}, {entry!r:.80}: {why})", path) from None
    return Moments(path, hashlib.sha256(content).hexdigest(), found)


def _entry(entry: Any) -> tuple[str, tuple[float, float]]:
    start, end = map(float, entry["answer"])
    named = entry["video_name"]
    name = named if isinstance(named, str) else of_number(named)
    if not (name and Name.of(name).stem):
        raise ValueError("it names no video")
    return name, (start, end)


def _error(what: str, path: Path) -> AdapterError:
    remedy = 'write lists of {"video_name": "day/1.mp4", "answer": [5, 9]}, in seconds, names as the files have them'
    return AdapterError(what, path, remedy)


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
