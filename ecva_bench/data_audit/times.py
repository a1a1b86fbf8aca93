"""Annotated times: spans beyond the end of their videos, and minutes and seconds that were read as seconds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from ..data import Dataset
from ..data.check import MOMENT_TOLERANCE
from ..records import Moment
from ..statistics.binomial import binomial_tail
from ..wording import counted
from .findings import DIGITS_P, DataFinding, finding_of

_Span = tuple[str, Moment]  # a video, and a span of it

_ABOVE_59 = 0.4  # of the last two digits of seconds: 60 to 99 are 40 of 100


def find_in_times(dataset: Dataset, durations: Mapping[str, float]) -> list[DataFinding]:
    """Return what is wrong with the spans of each task; `durations` are the seconds of the videos that are known."""
    tasks: dict[str, list[_Span]] = defaultdict(list)
    for annotation in dataset.annotations:
        tasks["timestamp"] += [(annotation.video, moment) for moment in annotation.moments]
        for query in annotation.queries:
            tasks[query.task] += [(annotation.video, moment) for moment in query.moments]
    findings = []
    for task, spans in tasks.items():
        instant = [(video, span.start == span.end) for video, span in spans]
        shown = (_told(video, span) for video, span in spans if span.start == span.end)
        findings += finding_of("times-instant", dataset.name, instant, shown, task=task)
        known = [(video, span) for video, span in spans if video in durations]
        beyond = [(video, span.end > durations[video] + MOMENT_TOLERANCE) for video, span in known]
        late = (
            f"{_told(video, span)} of {durations[video]:.1f} s"
            for (video, span), (_, hit) in zip(known, beyond, strict=True)
            if hit
        )
        findings += finding_of("times-beyond-video", dataset.name, beyond, late, task=task)
        findings += _digits(dataset.name, task, spans)
    return findings


def _digits(dataset: str, task: str, spans: Sequence[_Span]) -> list[DataFinding]:
    """Return the finding that seconds above 59 are as good as never seen in times of a minute and more.

    One time a span, its end; equal ones of a video count once. Where seconds are seconds, 60 to 99 make up at least 40
    of 100 last digits: more, where many times lie between 60 and 99.
    """
    ends = sorted({(video, span.end) for video, span in spans if span.end >= 60})
    if not ends:
        return []
    above = sum(end % 100 >= 60 for _, end in ends)
    chance = binomial_tail(above, len(ends), _ABOVE_59)
    if chance >= DIGITS_P:
        return []
    cases = [(video, end % 100 < 60) for video, end in ends]
    shown = (f"{video}: {end:g}" for video, end in ends if end % 100 < 60)
    late = counted(len(ends), "end")
    text = f"of {late} from 60 s on, {above} have last two digits above 59; by chance: p = {chance:.1g}"
    (found,) = finding_of("times-mmss", dataset, cases, shown, task=task, text=text)
    return [found.model_copy(update={"p_value": chance})]


def _told(video: str, span: Moment) -> str:
    return f"{video}: {span.start:g} to {span.end:g} s"
