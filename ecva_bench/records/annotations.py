"""What annotators said of a video, and the questions made of it. Times are seconds on the original timeline."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from operator import not_
from typing import NamedTuple

from pydantic import Field, field_validator, model_validator

from ..untrusted import id_problem
from .base import Action, Record, SampleIdText, TaskName, VideoId

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"  # of the options of a choice, in the order in which they are shown
LONGEST_NAME = 400  # characters of a query's; the id of its sample has the video's and the task's before it
_REPEAT = "@s"  # in the id of a sample, before the number of its repeat
NO_MOMENTS = "none"  # the reference of a timestamp in a normal video


class Moment(Record):
    """An annotated anomalous span: `start` <= `end`, in seconds on the original timeline.

    >>> import ecva_bench as eb

    >>> eb.Moment(start=2.0, end=4.5).duration
    2.5
    """

    start: float = Field(ge=0)
    end: float = Field(ge=0)

    @model_validator(mode="after")
    def _ordered(self) -> Moment:
        if self.start > self.end:
            raise ValueError(f"moment ends ({self.end} s) before it starts ({self.start} s)")
        return self

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.end - self.start


class Label(Record):
    """An anomaly class such as `5-1`: major class, sub-class where one was given, severity 1 to 5 where given.

    >>> import ecva_bench as eb

    >>> eb.Label(major=5, sub=1).code
    '5-1'
    """

    major: int = Field(ge=1)
    sub: int | None = Field(default=None, ge=1)
    severity: int | None = Field(default=None, ge=1, le=5)

    @property
    def code(self) -> str:
        """The code as annotators write it: `5-1`, or `5` without a sub-class."""
        return f"{self.major}" if self.sub is None else f"{self.major}-{self.sub}"


class Finding(Record):
    """What a named rule did to one field of one annotation row. Nothing is changed without one."""

    video: str
    field: str
    rule: str
    action: Action
    before: str
    after: str = ""


class Review(Record):
    """The second annotation round: class and moments as a reviewer left them."""

    label: Label | None = None
    moments: tuple[Moment, ...] = ()


class Query(Record):
    """One of several questions that a data set brings about a video: a multiple choice, or a sentence to locate.

    `name` tells it from the other queries of the same task about the same video. It ends the id of its sample, so it
    has no `/` and no `@`, and is no task's name; it may be empty where there is one query only. `text` is the question,
    or the sentence. `options` are the answers to choose from in the data set's order, and `answer` is the index of the
    right one. `moments` are the spans that the sentence describes.
    """

    task: str
    name: str
    text: str
    options: tuple[str, ...] = Field(default=(), exclude_if=not_)
    answer: int | None = Field(default=None, ge=0)
    moments: tuple[Moment, ...] = Field(default=(), exclude_if=not_)

    @field_validator("name")
    @classmethod
    def _plain_name(cls, name: str) -> str:
        if "/" in name or "@" in name or name in TASK_NAMES:
            raise ValueError(f"{name!r} cannot name a query: it has a / or @, or is a task's name")
        if name and (problem := id_problem(name, LONGEST_NAME)):
            raise ValueError(f"it cannot name a query: {problem}")
        return name


class Annotation(Record):
    """Everything annotators said of one video. `None` or empty: not annotated.

    `severity_curve` holds (seconds, importance in [0, 1]) points of the paper's importance curve. `anomalous` says
    whether there is an anomaly at all, for sets that also have normal videos.

    >>> import ecva_bench as eb

    >>> moments = (eb.Moment(start=2.0, end=4.5),)
    >>> annotation = eb.Annotation(video="one", media="one.mp4", moments=moments, cause="A car brakes too late.")
    >>> annotation.effect is None  # nobody is asked about it
    True
    """

    video: VideoId
    media: VideoId
    label: Label | None = None
    moments: tuple[Moment, ...] = ()
    description: str | None = None
    cause: str | None = None
    effect: str | None = None
    key_sentences: tuple[str, ...] = ()
    severity_curve: tuple[tuple[float, float], ...] = ()
    review: Review | None = None
    anomalous: bool | None = Field(default=None, exclude_if=lambda value: value is None)
    queries: tuple[Query, ...] = Field(default=(), exclude_if=not_)


def format_moments(moments: Iterable[Moment]) -> str:
    """Return moments as text, `[start, end]` each, in seconds: the form our timestamp prompt asks for."""
    return " ".join(f"[{moment.start:g}, {moment.end:g}]" for moment in moments)


def format_curve(points: Iterable[tuple[float, float]]) -> str:
    """Return (seconds, importance) points as text, such as `0:0 3.4:0.2`."""
    return " ".join(f"{seconds:g}:{importance:g}" for seconds, importance in points)


# What the annotation answers to each task, None where it has nothing.
REFERENCES: dict[str, Callable[[Annotation], str | None]] = {
    "description": lambda annotation: annotation.description,
    "cause": lambda annotation: annotation.cause,
    "effect": lambda annotation: annotation.effect,
    "classification": lambda annotation: annotation.label.code if annotation.label else None,
    "timestamp": lambda annotation: (
        format_moments(annotation.moments) or (NO_MOMENTS if annotation.anomalous is False else None)
    ),
    "detection": lambda annotation: None if annotation.anomalous is None else "yes" if annotation.anomalous else "no",
    "severity": lambda annotation: (
        format_curve(annotation.severity_curve)
        or format_moments(annotation.moments)
        or (NO_MOMENTS if annotation.anomalous is False else None)
    ),
}

BY_CLASS = ("detection",)  # tasks whose accuracy is balanced over what the annotation answers

# What is asked by queries alone stands behind.
TASK_NAMES = (*REFERENCES, "choice", "grounding")


class SampleParts(NamedTuple):
    """The parts of a sample's id, `<video>/<task>` or `<video>/<task>/<name>`; `name` is empty in the first.

    `repeat` is which time the same question is asked, from 0.
    """

    video: str
    task: str
    name: str = ""
    repeat: int = 0


def sample_parts(sample: str) -> SampleParts:
    """Return the parts of a sample's id. A video's name may have a `/`, a query's has none and is no task's name."""
    question, mark, number = sample.rpartition(_REPEAT)
    if mark and number.isdecimal() and (parts := _question_parts(question)).task in TASK_NAMES:
        return parts._replace(repeat=int(number))
    return _question_parts(sample)


def repeat_id(sample: str, number: int) -> str:
    """Return the id of a sample that is asked again for the `number`-th time; its own for 0."""
    return f"{sample}{_REPEAT}{number}" if number else sample


def question_of(sample: str) -> str:
    """Return the id of the question that a sample repeats: the id of its first sample, which may be its own."""
    return sample.rpartition(_REPEAT)[0] if _REPEAT in sample and sample_parts(sample).repeat else sample


def _question_parts(sample: str) -> SampleParts:
    head, _, last = sample.rpartition("/")
    task, rotated, turn = last.partition("@")
    if re.fullmatch(r"r\d+", turn) and task in TASK_NAMES:
        return SampleParts(head, task, rotated + turn)
    video, _, task = head.rpartition("/")
    if video and last not in TASK_NAMES and task in TASK_NAMES:
        return SampleParts(video, task, last)
    return SampleParts(head, last)


class Sample(Record):
    """A question about a video, with everything needed to score an answer to it.

    `id` is `<video>/<task>`, with `/<name>` behind it for one of several queries, and with `@r1` where its options are
    shown rotated by one place; `@s1` ends it where the same question is asked again, for the `repeat`-th time.
    `reference` is the annotation's text for the task. `options` are the answers to choose from in the order in which
    they are shown, empty where the answer is free. `curve` are (seconds, importance) points, of the task severity
    alone, and `asked` is the way in which its severities are asked for.

    >>> import ecva_bench as eb

    >>> class Seen(eb.Baseline):
    ...     def study(self, samples):
    ...         self.samples = samples
    ...     def answer(self, video, question):
    ...         return self.samples[0].id
    >>> eb.run(Seen, tasks="cause", limit=1).records[0].answer
    'mini01/cause'
    """

    id: SampleIdText
    video: VideoId
    media: VideoId
    task: TaskName
    question: str
    prompt: str
    prompt_sha256: str
    reference: str
    key_sentences: tuple[str, ...] = ()
    moments: tuple[Moment, ...] = ()
    label: Label | None = None
    review: Review | None = None
    options: tuple[str, ...] = Field(default=(), exclude_if=not_)
    curve: tuple[tuple[float, float], ...] = Field(default=(), exclude_if=not_)
    asked: str = Field(default="", exclude_if=not_)
    repeat: int = Field(default=0, exclude_if=not_)
