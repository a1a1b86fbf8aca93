"""The runner: asks a plan's questions, one video at a time, and writes every answer down at once.

A video is decoded once for all its questions and views, in the background while the model works on the one
before. Whatever goes wrong with one video or one question becomes an error record, and the run goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..errors import AdapterError, EcvaError, VideoError
from ..journal import Journal, end_of, now
from ..records import Answer, End, Failure, Manifest, Moment, Sample, SeenFrames, View, sha256_of
from ..video import Frames, Video
from .adapter import Adapter, Told
from .plan import Group, Plan
from .prefetch import Prefetcher, stopwatch
from .views import removed_spans

Mode = Literal["exact", "fast"]
Progress = Callable[[int, int, int], None]


@dataclass(frozen=True)
class Settings:
    """How a run goes about its work. Only `mode` can change an answer, and it is part of every key.

    `memory` bounds the decoded frames waiting, in bytes; `deadline` is the time one video may take to decode, in
    seconds; `isolate` decodes in a process of its own, which survives a crashing or hanging decoder.
    """

    mode: Mode = "exact"
    memory: int = 1 << 30
    workers: int = 1
    deadline: float = 60.0
    isolate: bool = False
    retry_errors: bool = False


@dataclass(frozen=True)
class Round:
    """The questions still to be asked about one view, by key, and the view itself or why it cannot be shown."""

    view: View
    removed: tuple[Moment, ...]
    questions: dict[str, Sample]
    shown: Video | Exception


@dataclass(frozen=True)
class Prepared:
    """A video opened, hashed, decoded and cut as its open questions need it."""

    video: Video
    sha256: str
    rounds: tuple[Round, ...]
    seconds: float
    warnings: tuple[str, ...] = ()


class Runner:
    """Runs one plan with one adapter."""

    def __init__(self, adapter: Adapter, plan: Plan, manifest: Manifest, settings: Settings) -> None:
        """Take keys' ingredients from `manifest.spec`: model, description, decoder and mode."""
        self.adapter, self.plan, self.manifest, self.settings = adapter, plan, manifest, settings
        self._loaded = False
        self._identity = {name: manifest.spec[name] for name in ("model", "description", "decoder", "mode")}

    def run(self, journal: Journal, progress: Progress | None = None) -> End:
        """Ask everything the journal does not hold yet; write and return the end record.

        `progress` is called after every video with (samples settled, samples owed, failures). An interrupt from
        the keyboard is written down as an event and let through.
        """

        def prepare(group: Group, reserve: Callable[[int], None]) -> Prepared:
            return self._prepare(group, journal, reserve)

        videos = Prefetcher(
            self.plan.groups,
            prepare,
            limit=self.settings.memory,
            workers=self.settings.workers,
            patience=3 * self.settings.deadline,
        )
        settled = 0
        try:
            for group, prepared in videos:
                self._settle(group, prepared, journal)
                settled += sum(len(self._samples(group, view)) for view in self.plan.views)
                if progress:
                    progress(settled, self.plan.owed, len(journal.failed))
        except KeyboardInterrupt:
            journal.event("interrupted")
            raise
        end = end_of(self.manifest, journal)
        journal.append(end)
        return end

    def key(self, sample: Sample, view: View, removed: Sequence[Moment], video_sha256: str) -> str:
        """Return the identity of an answer: a hash of everything that determines it."""
        return sha256_of(
            {
                **self._identity,
                "id": sample.id,
                "video_sha256": video_sha256,
                "view": view,
                "removed": [[span.start, span.end] for span in removed],
                "question": sample.question,
            }
        )

    def _prepare(self, group: Group, journal: Journal, reserve: Callable[[int], None]) -> Prepared:
        """Open a video and decode, in one pass, the frames of all its views that have open questions."""
        seconds = stopwatch()
        video = Video(group.media, deadline=self.settings.deadline, isolate=self.settings.isolate)
        try:
            sha256 = video.sha256
        except VideoError as error:
            return Prepared(video, "", self._rounds_of_broken(group, "", error, journal), seconds())
        try:
            rounds = tuple(self._round(group, view, video, sha256, journal) for view in self.plan.views)
            wanted = [
                round_.shown.source_indices(np.asarray(self.adapter.frame_indices(round_.shown), dtype=np.int64))
                for round_ in rounds
                if round_.questions and isinstance(round_.shown, Video)
            ]
            indices = np.unique(np.concatenate(wanted)) if wanted else np.empty(0, dtype=np.int64)
            if len(indices):
                reserve(len(indices) * video.frame_bytes)
                video.preload(indices)
            warnings = video.warnings if any(round_.questions for round_ in rounds) else ()
        except VideoError as error:
            return Prepared(video, sha256, self._rounds_of_broken(group, sha256, error, journal), seconds())
        return Prepared(video, sha256, rounds, seconds(), warnings)

    def _round(self, group: Group, view: View, video: Video, sha256: str, journal: Journal) -> Round:
        samples = self._samples(group, view)
        removed: tuple[Moment, ...] = ()
        shown: Video | Exception = video
        try:
            if view != "full" and samples:
                removed = removed_spans(view, samples[0].moments, video.duration)
                shown = video.without(removed)
        except VideoError as error:
            shown = error
        return Round(view, removed, self._open(samples, view, removed, sha256, journal), shown)

    def _rounds_of_broken(self, group: Group, sha256: str, error: Exception, journal: Journal) -> tuple[Round, ...]:
        return tuple(
            Round(view, (), self._open(self._samples(group, view), view, (), sha256, journal), error)
            for view in self.plan.views
        )

    def _samples(self, group: Group, view: View) -> list[Sample]:
        return [sample for sample in group.samples if view == "full" or sample.moments]

    def _open(
        self, samples: Sequence[Sample], view: View, removed: Sequence[Moment], sha256: str, journal: Journal
    ) -> dict[str, Sample]:
        """Return what is still to be asked: neither answered nor failed for good."""
        keyed = {self.key(sample, view, removed, sha256): sample for sample in samples}
        return {key: sample for key, sample in keyed.items() if not self._is_settled(key, journal)}

    def _is_settled(self, key: str, journal: Journal) -> bool:
        failure = journal.failed.get(key)
        for_good = failure is not None and not (failure.retryable or self.settings.retry_errors)
        return key in journal.answered or for_good

    def _settle(self, group: Group, prepared: Prepared | Exception, journal: Journal) -> None:
        """Turn a prepared video into answers, and whatever could not be prepared into failures."""
        if isinstance(prepared, Exception):
            rounds = self._rounds_of_broken(group, "", prepared, journal)
        else:
            rounds = prepared.rounds
        try:
            for round_ in rounds:
                if isinstance(prepared, Prepared) and isinstance(round_.shown, Video):
                    self._ask(round_, round_.shown, prepared, journal)
                elif isinstance(round_.shown, Exception):
                    for key, sample in round_.questions.items():
                        journal.append(_failure(key, sample, round_.view, "prepare", round_.shown))
        finally:
            if isinstance(prepared, Prepared):
                if prepared.warnings:
                    journal.event("warnings", video=group.video, warnings=prepared.warnings)
                prepared.video.close()

    def _ask(self, round_: Round, shown: Video, prepared: Prepared, journal: Journal) -> None:
        """Ask one view's questions: one by one in exact mode, together in fast mode.

        Questions that fail together are asked again one by one, so that one of them costs itself only. A model that
        cannot be loaded ends the run.
        """
        if round_.questions and not self._loaded:
            self.adapter.load()
            self._loaded = True
        one_by_one = [{key: sample} for key, sample in round_.questions.items()]
        batches = [round_.questions] if self.settings.mode == "fast" and len(one_by_one) > 1 else one_by_one
        for batch in batches:
            if not self._ask_batch(batch, round_, shown, prepared, journal):
                for single in one_by_one:
                    self._ask_batch(single, round_, shown, prepared, journal)

    def _ask_batch(
        self, batch: dict[str, Sample], round_: Round, shown: Video, prepared: Prepared, journal: Journal
    ) -> bool:
        """Write the answers of a batch, or the failure of a single question; False where a larger batch failed."""
        seen: list[Frames] = []
        shown.on_frames = seen.append
        seconds = stopwatch()
        try:
            texts = self.adapter.answer_many(shown, [sample.question for sample in batch.values()])
            _check(texts, len(batch))
        except Exception as error:  # a failing question must not end the run
            if len(batch) > 1:
                return False
            for key, sample in batch.items():
                journal.append(_failure(key, sample, round_.view, "answer", error))
            return True
        asked = sum(len(some.questions) for some in prepared.rounds)
        time = {"decode": round(prepared.seconds / asked, 3), "answer": round(seconds() / len(batch), 3)}
        for (key, sample), text in zip(batch.items(), texts, strict=True):
            journal.append(_answer(key, sample, round_, text, prepared, _seen(seen), time))
        return True


def _check(texts: list[str], asked: int) -> None:
    if len(texts) != asked or not all(isinstance(text, str) for text in texts):
        raise AdapterError(f"the model returned {texts!r:.200}", f"{asked} questions", "it must return one str each")


def _seen(frames: Sequence[Frames]) -> SeenFrames | None:
    if not frames:
        return None
    shown = {float(t) for some in frames for t in some.timestamps}
    return SeenFrames(
        n=len(shown),
        timestamps=tuple(round(t, 6) for t in sorted(shown)),
        substituted=tuple(sorted({index for some in frames for index in some.substituted})),
        corrupt=tuple(sorted({index for some in frames for index in some.corrupt})),
    )


def _answer(
    key: str,
    sample: Sample,
    round_: Round,
    text: str,
    prepared: Prepared,
    frames: SeenFrames | None,
    time: dict[str, float],
) -> Answer:
    return Answer(
        key=key,
        id=sample.id,
        video=sample.video,
        task=sample.task,
        view=round_.view,
        removed=round_.removed,
        answer=str(text),
        steps=text.steps if isinstance(text, Told) else None,
        reference=sample.reference,
        key_sentences=sample.key_sentences,
        moments=sample.moments,
        label=sample.label,
        duration=round(prepared.video.duration, 6),
        video_sha256=prepared.sha256,
        prompt_sha256=sample.prompt_sha256,
        frames=frames,
        time=time,
        t=now(),
    )


def _failure(key: str, sample: Sample, view: View, stage: str, error: Exception) -> Failure:
    return Failure(
        key=key,
        id=sample.id,
        video=sample.video,
        task=sample.task,
        view=view,
        stage=stage,
        error=error.code if isinstance(error, VideoError) else type(error).__name__,
        message=str(error)[:2000],
        retryable=error.retryable if isinstance(error, VideoError) else not isinstance(error, EcvaError),
        t=now(),
    )
