"""What a dataset is like: classes, lengths of texts, lengths and places of moments (the paper's Fig. 4).

Returns plain records; printing is the command line's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from ..records import Annotation
from ..taxonomy import Taxonomy
from .dataset import Dataset
from .spreads import Bin, Spread, histogram, spread
from .video_stats import LENGTH_EDGES, VideoStats, video_stats

LONGEST_KEY_SENTENCE = 7
_SENTENCE_END = re.compile(r"[.!?]+")


@dataclass(frozen=True)
class Stats:
    """Lengths of texts in words, of moments in seconds.

    `per_video` are means over videos: of words, sentences and characters of description, cause and effect together,
    and of words and characters with the key sentences. `lengths` counts moments by length; `starts` and `ends` are in
    seconds. `files` are the statistics of the video files, where their folder is known.
    """

    dataset: str
    videos: int
    classes: tuple[tuple[str, str, int], ...]
    unlabelled: int
    severities: dict[int, int]
    words: dict[str, Spread]
    per_video: dict[str, float]
    key_sentences_too_long: float
    moments_per_video: dict[int, int]
    durations: Spread | None
    lengths: tuple[Bin, ...]
    starts: Spread | None
    ends: Spread | None
    start_at_zero: float
    files: VideoStats | None

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as plain values for JSON."""
        return asdict(self)


def dataset_stats(dataset: Dataset, progress: Callable[[int, int, int], None] | None = None) -> Stats:
    """Return the statistics of a dataset's usable annotations.

    Video files are probed where their folder is known; `progress` is then called with (videos done, videos in all,
    unusable videos).
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
        per_video=_per_video(annotations),
        key_sentences_too_long=too_long / len(sentences) if sentences else 0.0,
        moments_per_video=dict(sorted(Counter(len(annotation.moments) for annotation in annotations).items())),
        durations=spread(durations),
        lengths=histogram(durations, LENGTH_EDGES),
        starts=spread(moment.start for moment in moments),
        ends=spread(moment.end for moment in moments),
        start_at_zero=sum(moment.start == 0 for moment in moments) / len(moments) if moments else 0.0,
        files=video_stats(dataset, progress) if dataset.videos is not None else None,
    )


def _per_video(annotations: Sequence[Annotation]) -> dict[str, float]:
    """Return mean lengths of all that is written about a video. A sentence ends with a stop, or with its text."""
    if not annotations:
        return {}
    texts = [[text for text in (one.description, one.cause, one.effect) if text] for one in annotations]
    whole = [[*own, *one.key_sentences] for own, one in zip(texts, annotations, strict=True)]
    return {
        "words": fmean(sum(len(text.split()) for text in own) for own in texts),
        "sentences": fmean(sum(map(_sentences, own)) for own in texts),
        "characters": fmean(sum(map(len, own)) for own in texts),
        "words with key sentences": fmean(sum(len(text.split()) for text in own) for own in whole),
        "characters with key sentences": fmean(sum(map(len, own)) for own in whole),
    }


def _sentences(text: str) -> int:
    return sum(bool(part.strip()) for part in _SENTENCE_END.split(text))


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
