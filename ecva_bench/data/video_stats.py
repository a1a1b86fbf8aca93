"""What the videos of a dataset are like: lengths, frames, rates, sound, and where in them their moments lie."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

from ..errors import VideoAmbiguous
from ..records import Annotation, Moment
from ..video.probing import Probe, probe
from .dataset import Dataset
from .spreads import Bin, Spread, histogram, spread

LENGTH_EDGES = (0, 5, 10, 20, 30, 60, 120, 300, 600)  # seconds, of moments and videos
POSITION_BINS = 10


@dataclass(frozen=True)
class VideoStats:
    """The files that can be read, `n` of them, and `unusable` others. Seconds, but for `hours`, the length of all.

    `frame_rates` counts videos by their average rate, to a tenth; `with_audio` is a share of the videos. `anomalous`
    is the share of a video's time that its moments cover, over videos with moments; `coverage` says for each tenth of a
    video what share of these is anomalous in its middle, None where there are none.
    """

    n: int
    unusable: int
    hours: float
    seconds: Spread | None
    lengths: tuple[Bin, ...]
    frames: int
    frame_rates: dict[float, int]
    variable_rates: int
    with_audio: float
    anomalous: Spread | None
    coverage: tuple[float, ...] | None


def video_stats(dataset: Dataset, progress: Callable[[int, int, int], None] | None = None) -> VideoStats:
    """Return the statistics of a dataset's video files; a file that cannot be decoded is counted and left out.

    `progress` is called with (videos done, videos in all, unusable videos).
    """
    found: list[tuple[Annotation, Probe]] = []
    for done, annotation in enumerate(dataset.annotations, start=1):
        with suppress(VideoAmbiguous):
            facts = probe(dataset.media_path(annotation))
            if facts.error is None:
                found.append((annotation, facts))
        if progress is not None:
            progress(done, len(dataset.annotations), done - len(found))
    seconds = [facts.duration for _, facts in found]
    with_moments = [(annotation.moments, facts.duration) for annotation, facts in found if annotation.moments]
    return VideoStats(
        n=len(found),
        unusable=len(dataset.annotations) - len(found),
        hours=sum(seconds) / 3600,
        seconds=spread(seconds),
        lengths=histogram(seconds, LENGTH_EDGES),
        frames=sum(facts.frames for _, facts in found),
        frame_rates=dict(sorted(Counter(round(facts.frame_rate, 1) for _, facts in found).items())),
        variable_rates=sum(facts.variable_frame_rate for _, facts in found),
        with_audio=sum(facts.has_audio for _, facts in found) / len(found) if found else 0.0,
        anomalous=spread(covered(moments, duration) / duration for moments, duration in with_moments if duration),
        coverage=_coverage(with_moments),
    )


def covered(moments: Iterable[Moment], duration: float) -> float:
    """Return how many seconds of a video its moments cover, overlaps counted once."""
    total, reached = 0.0, 0.0
    for start, end in sorted((moment.start, min(moment.end, duration)) for moment in moments):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total


def _coverage(videos: list[tuple[tuple[Moment, ...], float]]) -> tuple[float, ...] | None:
    """Return for each tenth of a video the share of videos whose moments cover its middle."""
    if not videos:
        return None
    counts = [
        sum(
            any(moment.start <= (place + 0.5) / POSITION_BINS * duration <= moment.end for moment in moments)
            for moments, duration in videos
        )
        for place in range(POSITION_BINS)
    ]
    return tuple(count / len(videos) for count in counts)
