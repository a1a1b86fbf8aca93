"""What spans that are the same for every video reach, or that follow from the order of sentences alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from ..blind.choice import BlindRule
from ..blind.folds import another, drawn, folds_of
from ..data import Dataset
from ..records import Moment
from ..scoring.time_spans import iou, total_length
from ..scoring.timestamp import best_constant_span
from .findings import BLIND_MOST, BlindScore, blind_score

_MOST = 10_000  # questions that rules are scored on, and
_TO_LEARN = 1_000  # on which they are learnt

Span = tuple[float, float]


@dataclass(frozen=True)
class _SpanItem:
    """Annotated spans; `place` is the number of the sentence among those of its video, of `sentences`."""

    video: str
    spans: tuple[Span, ...]
    duration: float | None
    place: int = 0
    sentences: int = 1


_CONSTANT = BlindRule("constant span", "the best span from 0 that is the same everywhere", learnt=True)
_MEDIAN = BlindRule("median span", "from the median start to the median end", learnt=True)
_SHARES = BlindRule("median shares", "the same, in shares of the video's length", learnt=True)
_NTH = BlindRule("median of the place", "median start and end of the sentences at the same place", learnt=True)
_WHOLE = BlindRule("whole video", "from the start to the end")
_MIDDLE = BlindRule("middle half", "the middle half of the video")
_ORDER = BlindRule("order of sentences", "sentence k of n: part k of n of the video")


def blind_spans(dataset: Dataset, durations: Mapping[str, float]) -> list[BlindScore]:
    """Return what span rules reach in `timestamp` and in each task that locates sentences.

    `durations` are the seconds of the videos that are known: rules about a video's length are scored on those.
    """
    tasks: dict[str, list[_SpanItem]] = defaultdict(list)
    for one in dataset.annotations:
        tasks["timestamp"].append(_SpanItem(one.video, _plain(one.moments), durations.get(one.video)))
        located: dict[str, list[tuple[Span, ...]]] = defaultdict(list)
        for query in one.queries:
            located[query.task] += [_plain(query.moments)] if query.moments else []
        for task, spans in located.items():
            for place, span in enumerate(spans):
                tasks[task].append(_SpanItem(one.video, span, durations.get(one.video), place, len(spans)))
    scores = []
    for task, items in tasks.items():
        usable = [item for item in items if total_length(item.spans) > 0]
        scores += _scores(task, drawn(usable, [f"{item.video}/{item.place}" for item in usable], _MOST))
    return scores


def _plain(moments: Sequence[Moment]) -> tuple[Span, ...]:
    return tuple((moment.start, moment.end) for moment in moments)


def _scores(task: str, items: Sequence[_SpanItem]) -> list[BlindScore]:
    if len({item.video for item in items}) < 2:
        return []
    found = [
        _score(task, _CONSTANT, items, _elsewhere(items, _constant)),
        _score(task, _MEDIAN, items, _elsewhere(items, _median)),
    ]
    if any(item.sentences > 1 for item in items):
        found.append(_score(task, _NTH, items, _elsewhere(items, _nth)))
    timed = [item for item in items if item.duration]
    if timed:
        found += [
            _score(task, _WHOLE, timed, [_share(item, 0, 1) for item in timed]),
            _score(task, _MIDDLE, timed, [_share(item, 0.25, 0.75) for item in timed]),
            _score(task, _SHARES, timed, _elsewhere(timed, _shares)),
        ]
        if any(item.sentences > 1 for item in timed):
            parts = [_share(item, item.place / item.sentences, (item.place + 1) / item.sentences) for item in timed]
            found.append(_score(task, _ORDER, timed, parts))
    return found


def _score(task: str, rule: BlindRule, items: Sequence[_SpanItem], said: Sequence[Span]) -> BlindScore:
    """Return the mean overlap of a rule's spans; chance is that of another question's spans."""
    values = [iou([span], item.spans) for span, item in zip(said, items, strict=True)]
    videos = [item.video for item in items]
    others = [iou(one.spans, item.spans) for one, item in zip(another(items, videos), items, strict=True)]
    return blind_score(task, rule, "IoU", values, videos, chance=fmean(others), limit=BLIND_MOST)


def _share(item: _SpanItem, start: float, end: float) -> Span:
    length = item.duration or 0.0
    return start * length, end * length


Rule = Callable[[_SpanItem], Span]


def _elsewhere(items: Sequence[_SpanItem], learn: Callable[[Sequence[_SpanItem]], Rule]) -> list[Span]:
    """Return what a rule that was learnt on the videos of other folds says of each item."""
    folds = folds_of(item.video for item in items).tolist()
    rules = {}
    for fold in set(folds):
        rest = [item for item, own in zip(items, folds, strict=True) if own != fold]
        rules[fold] = learn(drawn(rest or items, [f"{item.video}/{item.place}" for item in rest or items], _TO_LEARN))
    return [rules[fold](item) for item, fold in zip(items, folds, strict=True)]


def _constant(items: Sequence[_SpanItem]) -> Rule:
    _, end = best_constant_span([item.spans for item in items])
    return lambda item: (0.0, end)


def _median(items: Sequence[_SpanItem]) -> Rule:
    span = _medians(items)
    return lambda item: span


def _medians(items: Sequence[_SpanItem]) -> Span:
    start = median(min(start for start, _ in item.spans) for item in items)
    return start, max(start, median(max(end for _, end in item.spans) for item in items))


def _nth(items: Sequence[_SpanItem]) -> Rule:
    by_place: dict[int, list[_SpanItem]] = defaultdict(list)
    for item in items:
        by_place[item.place].append(item)
    spans = {place: _medians(some) for place, some in by_place.items()}
    whole = _medians(items)
    return lambda item: spans.get(item.place, whole)


def _shares(items: Sequence[_SpanItem]) -> Rule:
    scaled = [
        _SpanItem(item.video, tuple((a / item.duration, b / item.duration) for a, b in item.spans), None)
        for item in items
        if item.duration
    ]
    start, end = _medians(scaled)
    return lambda item: _share(item, start, end)
