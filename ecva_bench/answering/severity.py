"""How a model is asked for severities: part by part of a video, each shown alone, or once for all parts.

Parts are equal spans of the video. What a model says of each is put together as one answer in the canonical form
(`reading.curves.severity_text`), with its own words in the steps. A baseline answers about the whole video in any case.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..errors import AdapterError, AnswerPending
from ..reading.curves import SCALE, equal_spans, severity_text
from ..reading.thoughts import without_thought
from ..records import Sample
from ..video import Video
from .adapter import Adapter, Baseline, ModelOutput
from .question import Question

if TYPE_CHECKING:
    from numpy.typing import NDArray

PART = 5.0  # seconds that a part lasts, where that gives no more and no fewer parts than these
FEWEST, MOST = 8, 16
DIGITS = "0123456789"
LEAST_MASS = 0.5  # of the digits' probabilities together; with less, the model means to answer something else


class Part(NamedTuple):
    """A part of a video: from which second to which, and the video with all else cut out."""

    start: float
    end: float
    shown: Video


def by_parts(adapter: Adapter, sample: Sample) -> bool:
    """Return whether a model is asked a sample part by part."""
    return sample.asked in ("segments", "likelihood") and not isinstance(adapter, Baseline)


def spans_of(duration: float, timestamps: Sequence[float] | NDArray[np.float64]) -> list[tuple[float, float]]:
    """Return the parts of a video in seconds: 8 to 16 that are as long, one for each 5 seconds.

    A part that would hold no frame is joined to the one before it, whose last picture is still on screen, or, at the
    beginning, to the one behind it. `timestamps` are the seconds of the frames shown.
    """
    wanted = min(MOST, max(FEWEST, math.ceil(duration / PART)))
    seconds = np.asarray(timestamps)
    found: list[tuple[float, float]] = []
    begin = 0.0
    for start, end in equal_spans(duration, wanted):
        if bool(((start <= seconds) & (seconds < end)).any()):
            found.append((begin, end))
            begin = end
        elif found:
            found[-1] = (found[-1][0], end)
            begin = end
    return found


def parts_of(video: Video, duration: float) -> list[Part]:
    """Return the parts of a video, or of an edit of one, that lasts so many seconds in all."""
    found = []
    for start, end in spans_of(duration, video.timestamps):
        shown = video.within(start, end)
        shown.on_frames = video.on_frames
        found.append(Part(start, end, shown))
    return found


def question_about(adapter: Adapter, sample: Sample, video: Video, duration: float) -> Question:
    """Return the question of a sample; where its words have a place for the parts of the video, with these.

    A baseline finds what it knows by the question, which has none.
    """
    question = Question.of_sample(sample)
    if sample.asked != "once" or "{spans}" not in question or isinstance(adapter, Baseline):
        return question
    listed = ", ".join(f"{start:g} to {end:g}" for start, end in spans_of(duration, video.timestamps))
    filled = question.replace("{spans}", listed)
    return Question(
        filled,
        task=question.task,
        prompt_id=question.prompt_id,
        options=question.options,
        unit=question.unit,
        repeat=question.repeat,
    )


def ask_by_parts(adapter: Adapter, video: Video, sample: Sample, duration: float) -> ModelOutput:
    """Return a model's answer about all parts of a video.

    Raises what the model raises, and `AdapterError` where its probabilities are no severity. `AnswerPending` is raised
    when every part was asked, so that all of them wait together.
    """
    question, parts = Question.of_sample(sample), parts_of(video, duration)
    said: list[_Said] = []
    pending: AnswerPending | None = None
    for part in parts:
        try:
            said.append((_likely if sample.asked == "likelihood" else _replied)(adapter, part, question))
        except AnswerPending as error:
            pending = error
    if pending:
        raise pending
    text = severity_text((part.start, part.end, one.severity) for part, one in zip(parts, said, strict=True))
    cut_off = any(one.finish == "length" and one.severity is None for one in said)
    served = dict.fromkeys(str(one.steps["served"]) for one in said if "served" in one.steps)
    apart = [{name: value for name, value in one.steps.items() if name != "served"} for one in said]
    steps = {
        "from": sample.asked,
        **({"served": ", ".join(served)} if served else {}),
        "segments": [{"start": part.start, "end": part.end, **more} for part, more in zip(parts, apart, strict=True)],
    }
    return ModelOutput(text, steps, finish="length" if cut_off else "stop")


def estimated_usage(adapter: Adapter, video: Video, samples: Sequence[Sample], duration: float) -> dict[str, Any]:
    """Return what asking some samples will take, as `Adapter.estimated_usage` does; of those by parts, all parts."""
    whole = [question_about(adapter, sample, video, duration) for sample in samples if not by_parts(adapter, sample)]
    found = [adapter.estimated_usage(video, whole)] if whole else []
    for sample in samples:
        if by_parts(adapter, sample):
            asked = [Question.of_sample(sample)]
            found += [adapter.estimated_usage(part.shown, asked) for part in parts_of(video, duration)]
    total: dict[str, Any] = {}
    for one in found:
        total |= {name: total.get(name, 0) + amount for name, amount in one.items()}
    return total


class _Said(NamedTuple):
    """What a model says of one part: a severity from 0 to 10 or None, the steps to it, and why its text ends."""

    severity: float | None
    steps: Mapping[str, Any]
    finish: str = "stop"


def _replied(adapter: Adapter, part: Part, question: Question) -> _Said:
    from ..reading.severities import read_severity  # its patterns take a third of the start of every other run

    reply = adapter.answer_many(part.shown, [question])[0]
    text, _ = without_thought(str(reply))
    more = reply.steps or {} if isinstance(reply, ModelOutput) else {}
    finish = reply.finish if isinstance(reply, ModelOutput) else "stop"
    return _Said(read_severity(text), {"reply": str(reply), **more}, finish)


def _likely(adapter: Adapter, part: Part, question: Question) -> _Said:
    """Return the mean digit by the probabilities of the ten, from 0 to 9, brought to 0 to 10."""
    likely = np.asarray(adapter.first_token_probabilities(part.shown, question, list(DIGITS)), dtype=np.float64)
    name, mass = type(adapter).__name__, float(likely.sum()) if likely.shape == (len(DIGITS),) else float("nan")
    if not (likely.shape == (len(DIGITS),) and np.isfinite(likely).all() and (likely >= 0).all() and mass <= 1 + 1e-3):
        raise AdapterError(f"{name} gave no probability of each digit", f"{likely.tolist()!r:.200}")
    if mass < LEAST_MASS:
        what = f"{name} begins its answer with a digit with a probability of {mass:.2f} only"
        raise AdapterError(what, f"{part.start:g} to {part.end:g} s", "ask for segments: --severity-from segments")
    mean = float((likely * np.arange(len(DIGITS))).sum() / mass)
    severity = SCALE * mean / (len(DIGITS) - 1)
    return _Said(severity, {"mass": round(mass, 6), "digits": [round(float(one), 6) for one in likely]})
