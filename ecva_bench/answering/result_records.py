"""The records of a results file that asking about a video gives: answers, failures, questions that cannot be asked.

Makes records and their keys; asks no model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import AdapterError, EcvaError, ViewUnavailable
from ..journal.manifests import KEYED
from ..journal.writer import now
from ..reading.thoughts import without_thought
from ..records import Moment, Sample
from ..records.answers import Answer, Event, Failure, Manifest, SampleAnnotation, SeenFrames, Unasked, finish_of
from ..records.base import View, canonical_json, sha256_of
from ..registry.source_files import error_place
from ..untrusted import parse_json, well_formed
from ..video import Frames, Video
from ..wording import counted
from .adapter import ModelOutput
from .plan import VideoQuestions

ResultRecord = Answer | Failure | Unasked | Event | Manifest  # the last at most once, before the first answer
KeyedSample = tuple[str, Sample]  # a key and its sample


@dataclass(frozen=True)
class ViewQuestions:
    """The questions still to be asked about one view; `shown` is the view, or the error that prevents it.

    `reused` are answers that another file has to others of its questions.
    """

    view: View
    removed: tuple[Moment, ...]
    questions: tuple[KeyedSample, ...]
    shown: Video | Exception
    reused: tuple[Answer, ...] = ()


@dataclass(frozen=True)
class PreparedVideo:
    """A video opened, hashed, decoded and cut as its unanswered questions require."""

    video: Video
    sha256: str
    rounds: tuple[ViewQuestions, ...]
    seconds: float
    warnings: tuple[str, ...] = ()


def identity(spec: Mapping[str, Any], task: str) -> dict[str, Any]:
    """Return what the keys of all answers to a task have in common, by the settings of their run."""
    common = {name: spec[name] for name in KEYED if name in spec}  # `code` and `made_with` are of a user's own model
    more = spec.get("prompts", {}).get(task, {}).get("with")
    return {**common, "with": more} if more else common


def key(identity: Mapping[str, Any], sample: Sample, view: View, removed: Sequence[Moment], video_sha256: str) -> str:
    """Return the identity of an answer: a hash of everything that determines it."""
    return sha256_of(
        {
            **identity,
            "id": sample.id,
            "video_sha256": video_sha256,
            "view": view,
            "removed": [[span.start, span.end] for span in removed],
            "question": sample.question,
            **({"asked": sample.asked} if sample.asked else {}),
        }
    )


def failures(
    group: VideoQuestions, views: Sequence[View], spec: Mapping[str, Any], error: EcvaError
) -> Iterator[Failure]:
    """Yield a failure for each question of a run about a video of which none can be asked."""
    for view in views:
        for sample in group.asked(view):
            made = key(identity(spec, sample.task), sample, view, (), "")
            yield failure(made, sample, view, "prepare", error)


def event(name: str, **detail: Any) -> Event:
    """Return a record of something that happened to the run."""
    return Event(event=name, detail=detail, t=now())


def checked(texts: list[str], asked: int) -> list[str]:
    """Return a model's texts, well-formed; `AdapterError` where there is not one per question or steps are no JSON."""
    if not isinstance(texts, list | tuple) or len(texts) != asked:
        raise AdapterError(
            f"the model returned {texts!r:.200}", counted(asked, "question"), "it must return one str each"
        )
    if strange := [text for text in texts if not isinstance(text, str)]:
        raise AdapterError(f"the model returned {strange[0]!r:.200}", remedy="an answer must be a str")
    return [_checked_output(text) if isinstance(text, ModelOutput) else well_formed(text) for text in texts]


def _checked_output(text: ModelOutput) -> ModelOutput:
    try:
        steps = parse_json(canonical_json(text.steps))
    except (TypeError, ValueError) as error:
        what = f"the model's answer cannot be written down ({error})"
        raise AdapterError(what, f"{text!r:.200}", "its steps must be JSON") from None
    return ModelOutput(well_formed(text), steps, finish=text.finish)


def seen_frames(frames: Sequence[Frames]) -> SeenFrames | None:
    """Return the frames that the model was given, each once; None where there were none."""
    if not frames:
        return None
    shown = {float(t) for some in frames for t in some.timestamps}
    return SeenFrames(
        n=len(shown),
        timestamps=tuple(round(t, 6) for t in sorted(shown)),
        substituted=tuple(sorted({index for some in frames for index in some.substituted})),
        corrupt=tuple(sorted({index for some in frames for index in some.corrupt})),
    )


def answer(
    key: str,
    sample: Sample,
    round_: ViewQuestions,
    text: str,
    prepared: PreparedVideo,
    frames: SeenFrames | None,
    time: dict[str, float],
) -> Answer:
    """Return the record of an answer: its reasoning apart, with everything needed to score it."""
    said, thought = without_thought(str(text))
    steps = dict(text.steps or {}) if isinstance(text, ModelOutput) else {}
    if thought:  # an endpoint may have sent a part of it separately
        steps["thought"] = "\n\n".join(part for part in (steps.get("thought"), thought) if part)
    return Answer(
        key=key,
        id=sample.id,
        video=sample.video,
        task=sample.task,
        view=round_.view,
        removed=round_.removed,
        answer=said,
        finish=finish_of(text.finish) if isinstance(text, ModelOutput) else "stop",
        steps=steps or None,
        reference=sample.reference,
        key_sentences=sample.key_sentences,
        moments=sample.moments,
        label=sample.label,
        options=sample.options,
        curve=sample.curve,
        duration=round(prepared.video.duration, 6),
        video_sha256=prepared.sha256,
        prompt_sha256=sample.prompt_sha256,
        frames=frames,
        time=time,
        t=now(),
    )


def reused(answer: Answer, sample: Sample) -> Answer:
    """Return an answer of another file with this run's annotation, which no key holds."""
    of_annotation = ("reference", "key_sentences", "moments", "label", "options", "curve")
    return answer.model_copy(update={name: getattr(sample, name) for name in of_annotation})


def not_shown(round_: ViewQuestions, error: Exception) -> list[Failure | Unasked]:
    """Return a record for each question about a view that cannot be shown; `Unasked` where no such view exists."""
    if isinstance(error, ViewUnavailable):
        return [_unasked(key, sample, round_.view, str(error)) for key, sample in round_.questions]
    return [failure(key, sample, round_.view, "prepare", error) for key, sample in round_.questions]


def _unasked(key: str, sample: Sample, view: View, reason: str) -> Unasked:
    return Unasked(key=key, id=sample.id, video=sample.video, task=sample.task, view=view, reason=reason, t=now())


def failure(key: str, sample: Sample, view: View, stage: str, error: Exception) -> Failure:
    """Return the record of an error, with its code if it is an `EcvaError`, else with the line of a user's file."""
    place = "" if isinstance(error, EcvaError) else error_place(error)
    return Failure(
        key=key,
        id=sample.id,
        video=sample.video,
        task=sample.task,
        view=view,
        stage=stage,
        error=(isinstance(error, EcvaError) and error.code) or type(error).__name__,
        message=f"{error!s:.2000}{place}".encode(errors="replace").decode(),
        retryable=error.retryable if isinstance(error, EcvaError) else True,
        annotated=SampleAnnotation.of(sample),
        t=now(),
    )
