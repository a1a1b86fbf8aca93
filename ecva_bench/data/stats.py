"""What a dataset is like: classes, lengths of texts, lengths and places of moments (the paper's Fig. 4).

Returns plain records; printing is the command line's.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from ..errors import VideoAmbiguous
from ..records import Annotation
from ..taxonomy import Taxonomy
from .dataset import Dataset

LENGTH_EDGES = (0, 5, 10, 20, 30, 60, 120, 300, 600)
POSITION_BINS = 10
LONGEST_KEY_SENTENCE = 7


@dataclass(frozen=True)
class Spread:
    """How numbers are spread; quartiles by linear interpolation."""

    n: int
    minimum: float
    lower: float
    median: float
    upper: float
    maximum: float
    mean: float


@dataclass(frozen=True)
class Bin:
    """A bar of a histogram: how many numbers lie in [start, end); `end` is None for the open last bar."""

    start: float
    end: float | None
    count: int


@dataclass(frozen=True)
class Stats:
    """Lengths of texts in words, of moments in seconds.

    `lengths` counts moments by length. `coverage` says, where video durations are known, for each tenth of a
    video what share of the videos is anomalous there; `starts` and `ends` are in seconds.
    """

    dataset: str
    videos: int
    classes: tuple[tuple[str, str, int], ...]
    unlabelled: int
    severities: dict[int, int]
    words: dict[str, Spread]
    key_sentences_too_long: float
    moments_per_video: dict[int, int]
    durations: Spread | None
    lengths: tuple[Bin, ...]
    starts: Spread | None
    ends: Spread | None
    start_at_zero: float
    coverage: tuple[float, ...] | None

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as plain values for JSON."""
        return asdict(self)


def dataset_stats(dataset: Dataset, progress: Callable[[int, int, int], None] | None = None) -> Stats:
    """Return the statistics of a dataset's usable annotations.

    Video durations are probed where the video folder is known (a file that cannot be decoded is left out);
    `progress` is then called with (videos done, videos in all, unusable videos).
    """
    annotations = dataset.annotations
    moments = [moment for annotation in annotations for moment in annotation.moments]
    sentences = [sentence for annotation in annotations for sentence in annotation.key_sentences]
    labels = [annotation.label for annotation in annotations if annotation.label is not None]
    texts: dict[str, list[str | None]] = {
        "description": [annotation.description for annotation in annotations],
        "cause": [annotation.cause for annotation in annotations],
        "effect": [annotation.effect for annotation in annotations],
        "key sentence": list(sentences),
    }
    words = {name: spread(len(text.split()) for text in cells if text) for name, cells in texts.items()}
    durations = [moment.duration for moment in moments]
    too_long = sum(len(sentence.split()) > LONGEST_KEY_SENTENCE for sentence in sentences)
    return Stats(
        dataset=dataset.name,
        videos=len(annotations),
        classes=tuple(_classes(annotations, dataset.taxonomy)),
        unlabelled=len(annotations) - len(labels),
        severities=dict(sorted(Counter(label.severity for label in labels if label.severity).items())),
        words={name: found for name, found in words.items() if found is not None},
        key_sentences_too_long=too_long / len(sentences) if sentences else 0.0,
        moments_per_video=dict(sorted(Counter(len(annotation.moments) for annotation in annotations).items())),
        durations=spread(durations),
        lengths=histogram(durations, LENGTH_EDGES),
        starts=spread(moment.start for moment in moments),
        ends=spread(moment.end for moment in moments),
        start_at_zero=sum(moment.start == 0 for moment in moments) / len(moments) if moments else 0.0,
        coverage=_coverage(dataset, progress),
    )


def spread(numbers: Iterable[float]) -> Spread | None:
    """Return how numbers are spread, or None if there are none."""
    values = sorted(float(number) for number in numbers)
    if not values:
        return None
    lower, median, upper = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
    return Spread(len(values), values[0], lower, median, upper, values[-1], statistics.fmean(values))


def histogram(numbers: Sequence[float], edges: Sequence[float]) -> tuple[Bin, ...]:
    """Return the counts of numbers between neighbouring edges and, as last bar, from the last edge on."""
    ends: list[float | None] = [*edges[1:], None]
    return tuple(
        Bin(start, end, sum(start <= number and (end is None or number < end) for number in numbers))
        for start, end in zip(edges, ends, strict=True)
    )


def _classes(annotations: Sequence[Annotation], taxonomy: Taxonomy) -> Iterable[tuple[str, str, int]]:
    """Yield (code, name, videos) of every class and sub-class that occurs, in the order of the taxonomy."""
    labels = [annotation.label for annotation in annotations if annotation.label is not None]
    majors = Counter(label.major for label in labels)
    subs = Counter((label.major, label.sub) for label in labels if label.sub is not None)
    for entry in taxonomy.classes:
        if majors[entry.code]:
            yield str(entry.code), entry.name, majors[entry.code]
        for sub, name in enumerate(entry.subclasses, start=1):
            if subs[entry.code, sub]:
                yield f"{entry.code}-{sub}", name, subs[entry.code, sub]


def _coverage(dataset: Dataset, progress: Callable[[int, int, int], None] | None) -> tuple[float, ...] | None:
    """Return for each tenth of a video the share of videos whose moments cover its middle."""
    if dataset.videos is None:
        return None
    from ..video.probing import probe

    covered = [0] * POSITION_BINS
    seen = failed = 0
    with_moments = [annotation for annotation in dataset.annotations if annotation.moments]
    for done, annotation in enumerate(with_moments, start=1):
        found = None
        with suppress(VideoAmbiguous):
            found = probe(dataset.media_path(annotation))
        if found is not None and found.error is None:
            seen += 1
            for place in range(POSITION_BINS):
                at = (place + 0.5) / POSITION_BINS * found.duration
                covered[place] += any(moment.start <= at <= moment.end for moment in annotation.moments)
        else:
            failed += 1
        if progress is not None:
            progress(done, len(with_moments), failed)
    return tuple(count / seen for count in covered) if seen else None
