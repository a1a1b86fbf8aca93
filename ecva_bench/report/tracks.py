"""The tracks under a video: spans, instants and curves on its one time axis, in seconds of the original timeline.

How a track is drawn is decided by the page's scripts.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..reading.curves import SCALE
from ..reading.spans.reader import Span, read_spans
from ..reading.units import TimeUnit
from ..records import Annotation, Moment
from ..records.answers import Answer
from ..records.readings import Reading


def frame_tracks(answers: Iterable[Answer]) -> list[dict[str, Any]]:
    """Return what a model was shown of one video: a track per view and choice of frames.

    A track is {view, tasks, times, cut}: the tasks asked over these frames, their times, and the spans (start, end)
    cut out of this view. Answers that name no frame have a track only where something was cut.
    """
    tracks: dict[tuple[object, ...], dict[str, Any]] = {}
    for answer in answers:
        times = answer.frames.timestamps if answer.frames else ()
        cut = as_spans(answer.removed)
        if times or cut:
            track: dict[str, Any] = {"view": answer.view, "tasks": [], "times": times, "cut": cut}
            tracks.setdefault((answer.view, times, cut), track)["tasks"].append(answer.task)
    return list(tracks.values())


def predicted_spans(answers: Iterable[Answer], unit: TimeUnit | None) -> tuple[Span, ...]:
    """Return the spans a model's answer about time names on the full video; empty where it cannot be read.

    `unit` is that of bare numbers, as in `read_spans`.
    """
    for answer in answers:
        if (answer.task, answer.view) == ("timestamp", "full"):
            return read_spans(answer.answer, unit=unit, duration=answer.duration).spans
    return ()


def predicted_severities(reading: Reading) -> dict[str, Any]:
    """Return the curve that an answer about severity names: {segments: (start, end, from 0 to 1), unparsed: spans}.

    Empty where it was not read.
    """
    if not (reading.severities or reading.unparsed):
        return {}
    named = zip(reading.spans, reading.severities, strict=True)
    segments = [(*span, round(severity / SCALE, 3)) for span, severity in named]
    return {"segments": segments, "unparsed": reading.unparsed}


def as_spans(moments: Iterable[Moment]) -> tuple[Span, ...]:
    """Return moments as (start, end)."""
    return tuple((moment.start, moment.end) for moment in moments)


def axis_end(annotation: Annotation | None, answers: Iterable[Answer]) -> float:
    """Return where the time axis of a video must end to show all that was annotated, cut or seen; 0 if nothing was."""
    ends = [0.0]
    if annotation:
        ends += [moment.end for moment in annotation.moments]
        ends += [seconds for seconds, _ in annotation.severity_curve]
    for answer in answers:
        ends += [answer.duration or 0.0]
        ends += [moment.end for moment in (*answer.moments, *answer.removed)]
        ends += answer.frames.timestamps[-1:] if answer.frames else ()
    return max(ends)
