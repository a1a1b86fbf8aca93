"""Asks a model all unanswered questions about one video. Every error becomes a record, and the run goes on.

Knows videos, views, keys and records; knows no results file, no other video and no other worker.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

import numpy as np

from ..errors import AdapterError, AnswerPending, ModelGone, NoFrames, OutOfMemory, VideoError, ViewUnavailable
from ..journal.spending import ASKING, SPENT
from ..records import Moment, Sample
from ..records.answers import Answer, Event, Manifest
from ..records.base import View, canonical_json, changes_pictures, cuts_moments
from ..registry import no_exit, place_of_code
from ..untrusted import parse_json
from ..video import Frames, Video
from ..video.pictures import PictureView
from . import ending, severity
from .adapter import Adapter
from .deaths import UnderWay
from .plan import VideoQuestions
from .prefetch import Prefetcher, stopwatch
from .result_records import (
    KeyedSample,
    PreparedVideo,
    ResultRecord,
    ViewQuestions,
    answer,
    checked,
    event,
    failure,
    identity,
    key,
    not_shown,
    reused,
    seen_frames,
)
from .views import removed_spans

if TYPE_CHECKING:
    from numpy.typing import NDArray

Mode = Literal["exact", "fast"]


@dataclass(frozen=True)
class Settings:
    """How a run is carried out. Only `mode` can change an answer, and it is part of every key.

    `memory` bounds the decoded frames in memory, in bytes; `decoders` is how many videos are decoded at the same time;
    `deadline` is the time one video may take to decode, in seconds; `isolate` decodes in a separate process, so that a
    decoder may crash or hang without ending the run. All of these apply to each worker.
    """

    mode: Mode = "exact"
    memory: int = 1 << 30
    decoders: int = 1
    deadline: float = 60.0
    isolate: bool = False
    retry_errors: bool = False


@dataclass(frozen=True)
class Job:
    """A video to ask about. `settled` are the keys of its questions that need not be asked again.

    `begun` is the model's description under which the run already has answers; None where it has none. `offered` are
    answers of other files, by key. `spent` is what the run has cost before, as `Adapter.count_spent` takes it.
    """

    group: VideoQuestions
    settled: frozenset[str] = frozenset()
    begun: Mapping[str, Any] | None = None
    offered: Mapping[str, Answer] = field(default_factory=dict)
    spent: Mapping[str, float] = field(default_factory=dict)


class Inference:
    """Asks one adapter the questions of the run that a manifest describes."""

    def __init__(self, adapter: Adapter, manifest: Manifest, views: Sequence[View], settings: Settings) -> None:
        self.adapter, self.views, self.settings = adapter, views, settings
        self.manifest = manifest
        self.under_way: UnderWay | None = None  # of a process whose death ends the run
        self._loaded = False
        self._settled = False  # whether the model's description is final
        self._counted = False  # whether the model knows what was spent before

    def videos(self) -> Prefetcher[Job, PreparedVideo]:
        """Return a prefetcher that prepares videos in the background, within the limits of the settings."""
        return Prefetcher(
            self.prepare,
            limit=self.settings.memory,
            threads=self.settings.decoders,
            patience=3 * self.settings.deadline,
        )

    # In the background

    def prepare(self, job: Job, reserve: Callable[[int], None]) -> PreparedVideo:
        """Open a video and decode, in one pass, the frames of all its views that have unanswered questions."""
        with no_exit(AdapterError, place_of_code(self.adapter)):
            return self._prepare_noted(job, reserve)

    def _prepare_noted(self, job: Job, reserve: Callable[[int], None]) -> PreparedVideo:
        if self.under_way is None:
            return self._prepare(job, reserve, self.settings.isolate)
        isolate = self.settings.isolate or self.under_way.is_suspect(job.group.video)
        self.under_way.note("open", job.group.video, len(job.settled))
        try:
            return self._prepare(job, reserve, isolate)
        finally:
            self.under_way.note("opened", job.group.video, len(job.settled))

    def _prepare(self, job: Job, reserve: Callable[[int], None], isolate: bool) -> PreparedVideo:
        seconds = stopwatch()
        if job.begun is not None and not self._settled:
            self.adapter.adopt(job.begun)
            self.manifest = self.manifest.settled(job.begun, {})
            self._settled = True
        video = Video(job.group.media, deadline=self.settings.deadline, isolate=isolate)
        sha256 = ""
        try:
            if job.group.fault:
                raise job.group.fault
            sha256 = video.sha256
            if self.under_way:
                self.under_way.check(job.group.video, job.group.media, len(job.settled))
        except VideoError as error:
            return PreparedVideo(video, sha256, self._rounds_of_broken(job, sha256, error), seconds())
        found = [self._with_frames(self._round(job, view, video, sha256), video) for view in self.views]
        rounds, indices = tuple(round_ for round_, _ in found), np.unique(np.concatenate([some for _, some in found]))
        warnings: tuple[str, ...] = ()
        try:
            if len(indices):
                reserve(len(indices) * video.frame_bytes)
                video.preload(indices)
            asked = [one.shown for one in rounds if one.questions and isinstance(one.shown, Video)]
            of_model = [warning for shown in asked for warning in self.adapter.warnings(shown)]
            warnings = tuple(dict.fromkeys([*(video.warnings if asked else ()), *of_model]))
        except VideoError as error:  # views that had failed before keep their own error
            rounds = tuple(replace(one, shown=error) if isinstance(one.shown, Video) else one for one in rounds)
        return PreparedVideo(video, sha256, rounds, seconds(), warnings)

    def _round(self, job: Job, view: View, video: Video, sha256: str) -> ViewQuestions:
        samples = job.group.asked(view)
        removed: tuple[Moment, ...] = ()
        shown: Video | Exception = video
        try:
            if samples and cuts_moments(view):
                first = float(video.timestamps[0])
                removed = removed_spans(view, job.group.moments, video.duration, first)
                shown = _cut_out(video, removed)
        except VideoError as error:
            shown = error
        questions = self._open(job, view, removed, sha256)
        return ViewQuestions(
            view,
            removed,
            tuple((key, sample) for key, sample in questions if key not in job.offered),
            shown,
            tuple(reused(job.offered[key], sample) for key, sample in questions if key in job.offered),
        )

    def _with_frames(self, round_: ViewQuestions, whole: Video) -> tuple[ViewQuestions, NDArray[np.int64]]:
        """Return a view's questions with the indices of the frames they need; an error takes the place of the view.

        Pictures are changed here: frames are shuffled among those that the model looks at.
        """
        if round_.questions and isinstance(round_.shown, Video):
            try:
                shown = round_.shown
                wanted = self._wanted(shown, round_.questions, whole.duration)
                if changes_pictures(round_.view):
                    shown = PictureView(shown, round_.view, among=wanted)
                return replace(round_, shown=shown), shown.source_indices(wanted)
            except Exception as error:  # of the model or of the file: only this view fails
                round_ = replace(round_, shown=error)
        return round_, np.empty(0, dtype=np.int64)

    def _wanted(self, shown: Video, questions: Sequence[KeyedSample], duration: float) -> NDArray[np.int64]:
        """Return the indices of the frames that some questions about a view need, those of its parts among them."""
        found: list[NDArray[np.int64]] = []
        apart = [severity.by_parts(self.adapter, sample) for _, sample in questions]
        if not all(apart):
            found.append(np.asarray(self.adapter.frame_indices(shown), dtype=np.int64))
        if any(apart):
            places = shown.source_indices(np.arange(shown.n_frames))
            for part in severity.parts_of(shown, duration):
                wanted = part.shown.source_indices(self.adapter.frame_indices(part.shown))
                found.append(np.searchsorted(places, wanted).astype(np.int64))
        return np.concatenate(found) if len(found) != 1 else found[0]

    def _rounds_of_broken(self, job: Job, sha256: str, error: Exception) -> tuple[ViewQuestions, ...]:
        return tuple(ViewQuestions(view, (), self._open(job, view, (), sha256), error) for view in self.views)

    def _open(self, job: Job, view: View, removed: Sequence[Moment], sha256: str) -> tuple[KeyedSample, ...]:
        """Return the questions still to be asked, with their keys."""
        keyed = ((self._key(sample, view, removed, sha256), sample) for sample in job.group.asked(view))
        return tuple(question for question in keyed if question[0] not in job.settled)

    def _key(self, sample: Sample, view: View, removed: Sequence[Moment], sha256: str) -> str:
        return key(identity(self.manifest.spec, sample.task), sample, view, removed, sha256)

    # With the model

    def settle(self, job: Job, prepared: PreparedVideo | Exception) -> Iterator[ResultRecord]:
        """Yield the records of a prepared video as they come: answers, and errors where a view could not be shown.

        Raises the error of a model that cannot be loaded, and `ModelGone`.
        """
        with no_exit(AdapterError, place_of_code(self.adapter)):
            yield from self._settle_video(job, prepared)

    def _settle_video(self, job: Job, prepared: PreparedVideo | Exception) -> Iterator[ResultRecord]:
        if isinstance(prepared, Exception):
            for round_ in self._rounds_of_broken(job, "", prepared):
                yield from not_shown(round_, prepared)
            return
        asked = False
        try:
            self._count_spent(job)
            together = self.settings.mode == "fast" or self.adapter.independent
            size = len(job.group.samples) if together else 1
            for round_ in prepared.rounds:
                yield from round_.reused
                if isinstance(round_.shown, Exception):
                    yield from not_shown(round_, round_.shown)
                elif round_.questions:
                    self._load()
                    asked = asked or self._note_asked("ask", job)
                    size = yield from self._ask(round_, round_.shown, prepared, size)
            if prepared.warnings:
                yield event("warnings", video=job.group.video, warnings=prepared.warnings)
        finally:
            if asked:
                self._note_asked("asked", job)
            prepared.video.close()

    def _note_asked(self, step: Literal["ask", "asked"], job: Job) -> bool:
        if self.under_way:
            self.under_way.note(step, job.group.video, len(job.settled))
        return True

    def _count_spent(self, job: Job) -> None:
        if not self._counted:
            self._counted = True
            self.adapter.count_spent(job.spent)

    def _spent(self, video: str, calls: Mapping[str, str]) -> Iterator[Event]:
        """Yield what was spent since the last time, on `calls` that were to be asked or on others."""
        usage = self.adapter.usage()
        if usage or calls:
            yield event(SPENT, video=video, **calls, **usage)

    def _load(self) -> None:
        if not self._loaded:
            self.adapter.load()
            self._loaded = True

    def _ask(
        self, round_: ViewQuestions, shown: Video, prepared: PreparedVideo, size: int
    ) -> Generator[ResultRecord, None, int]:
        """Ask one view's questions in batches of `size`; return the batch size for the video's next view.

        A batch that fails is asked again one question at a time, so that the others still get answers. A batch that
        needs too much memory is asked again in batches of half the size.
        """
        asked = sum(len(some.questions) for some in prepared.rounds)
        batches = _cut(round_.questions, size)
        if self.adapter.independent and not self._settled:  # what all the others take is known from the first
            batches = [*_cut(round_.questions[:1], 1), *_cut(round_.questions[1:], size)]
        while batches:
            batch = batches.pop(0)
            try:
                with ending.uninterrupted():
                    yield from self._answers(batch, round_, shown, prepared, asked)
            except ModelGone:
                raise
            except AnswerPending:
                batches = [*(_cut(batch, 1) if len(batch) > 1 else ()), *batches]
            except Exception as error:  # a failing question must not end the run
                if len(batch) == 1:
                    sample = batch[0][1]
                    now_key = self._key(sample, round_.view, round_.removed, prepared.sha256)
                    yield failure(now_key, sample, round_.view, "answer", error)
                elif _is_out_of_memory(error):
                    size = len(batch) // 2
                    detail = {"video": batch[0][1].video, "view": round_.view, "asked": len(batch), "next": size}
                    yield event("out_of_memory", **detail)
                    batches = _cut([*batch, *itertools.chain(*batches)], size)
                else:
                    batches = [*_cut(batch, 1), *batches]
        return size

    def _answers(
        self, batch: Sequence[KeyedSample], round_: ViewQuestions, shown: Video, prepared: PreparedVideo, asked: int
    ) -> Iterator[ResultRecord]:
        """Ask a batch and yield the answers, preceded by the manifest where the first answer changes it.

        What asking may cost is yielded before, and what it did cost before the answers, so that no answer is in a file
        that lacks its cost. `asked` is how many questions share the time that decoding the video took.
        """
        seconds = stopwatch()
        name, samples = batch[0][1].video, [sample for _, sample in batch]
        calls = {}
        if estimate := severity.estimated_usage(self.adapter, shown, samples, prepared.video.duration):
            calls = {"calls": uuid4().hex[:12]}
            yield event(ASKING, video=name, **calls, **estimate)
        seen: list[Frames] = []
        shown.on_frames = seen.append
        try:
            with no_exit(AdapterError, place_of_code(self.adapter)):
                texts = checked(self._texts(shown, samples, prepared.video.duration), len(batch))
        except Exception:
            yield from self._spent(name, calls)
            raise
        time = {"decode": round(prepared.seconds / asked, 3), "answer": round(seconds() / len(batch), 3)}
        frames = seen_frames(seen)
        settled = self._settle()  # before keys are made: they hold what was really asked for
        keys = [self._key(sample, round_.view, round_.removed, prepared.sha256) for _, sample in batch]
        yield from settled
        yield from self._spent(name, calls)
        for made, (_, sample), text in zip(keys, batch, texts, strict=True):
            yield answer(made, sample, round_, text, prepared, frames, time)

    def _texts(self, shown: Video, samples: Sequence[Sample], duration: float) -> list[str]:
        """Return the model's texts for some samples about a view: those asked part by part, and the others together."""
        apart = [severity.by_parts(self.adapter, sample) for sample in samples]
        whole = [sample for sample, alone in zip(samples, apart, strict=True) if not alone]
        questions = [severity.question_about(self.adapter, sample, shown, duration) for sample in whole]
        texts = self.adapter.answer_many(shown, questions) if questions else []
        if not any(apart):
            return texts
        said = iter(checked(texts, len(whole)))
        return [
            severity.ask_by_parts(self.adapter, shown, sample, duration) if alone else next(said)
            for sample, alone in zip(samples, apart, strict=True)
        ]

    def _settle(self) -> list[ResultRecord]:
        """Return the manifest if the first answer changed the model's description; else nothing."""
        if self._settled:
            return []
        self._settled = True
        description, served = parse_json(canonical_json(self.adapter.describe())), self.adapter.served()
        if not served and canonical_json(description) == canonical_json(self.manifest.spec["description"]):
            return []
        self.manifest = self.manifest.settled(description, {"served": served} if served else {})
        return [self.manifest]


def _cut_out(video: Video, removed: Sequence[Moment]) -> Video:
    try:
        return video.without(removed)
    except NoFrames:
        raise ViewUnavailable("cutting the annotated moments leaves no frame") from None


def _cut(questions: Sequence[KeyedSample], size: int) -> list[Sequence[KeyedSample]]:
    return [questions[start : start + size] for start in range(0, len(questions), size)]


def _is_out_of_memory(error: Exception) -> bool:
    torch = sys.modules.get("torch")  # an error of torch can only come from an imported torch
    return isinstance(error, (MemoryError, OutOfMemory)) or (
        torch is not None and isinstance(error, torch.OutOfMemoryError)
    )
