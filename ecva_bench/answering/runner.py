"""The runner: asks a plan's questions, one video at a time, and writes every answer at once.

A video is decoded once for all its questions and views, in the background while the model works on the one before.
This runner is one worker, in this process; see `workers` for several.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from types import TracebackType
from typing import Self

from ..errors import AdapterError, ModelGone, VideoFatal
from ..journal.manifests import sample_views
from ..journal.writer import Journal, end_of
from ..records.answers import Answer, End, Failure, Manifest, mark_trained
from ..registry import no_exit, place_of_code
from .adapter import Adapter
from .deaths import UnderWay
from .inference import Inference, Job, Settings
from .plan import Plan
from .result_records import ResultRecord

RunProgress = Callable[[int, int, int], None]


class Runner:
    """Runs one plan with one adapter. Used as a context manager, it closes the adapter at the end."""

    def __init__(self, adapter: Adapter, plan: Plan, manifest: Manifest, settings: Settings) -> None:
        self.adapter, self.plan, self.manifest, self.settings = adapter, plan, manifest, settings
        self.inference = Inference(adapter, manifest, plan.views, settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with no_exit(AdapterError, place_of_code(self.adapter)):
            self.adapter.close()

    def run(self, journal: Journal, progress: RunProgress | None = None) -> End:
        """Ask everything that the journal does not contain yet; write and return the end record.

        `progress` is called after every video with (samples settled, samples owed, failures). An interrupt from
        the keyboard is recorded as an event and raised again, and so is `ModelGone`.
        """
        fatal = {failure.video for failure in journal.failed.values() if failure.error == VideoFatal.code}
        given_up = frozenset() if self.settings.retry_errors else frozenset(fatal)
        try:
            with UnderWay(journal.path, given_up) as self.inference.under_way:
                self._ask(journal, progress)
                while self._collect():
                    self._ask(journal, progress)
        except KeyboardInterrupt:
            journal.event("interrupted")
            raise
        except ModelGone as gone:
            journal.event("stopped", why=str(gone))
            raise
        end = end_of(journal)
        journal.append(end)
        return end

    def _collect(self) -> bool:
        with no_exit(AdapterError, place_of_code(self.adapter)):
            return self.adapter.collect()

    def _ask(self, journal: Journal, progress: RunProgress | None) -> None:
        """Ask every question that is open."""
        videos = self.inference.videos()
        videos.submit(*jobs(self.plan, journal, self.settings.retry_errors))
        videos.close()
        settled = 0
        for job, prepared in videos:
            for record in self.inference.settle(job, prepared):
                write(journal, record)
            settled += self.plan.owed_of(job.group)
            if progress:
                progress(settled, self.plan.owed, journal.errors)


def jobs(plan: Plan, journal: Journal, retry_errors: bool) -> list[Job]:
    """Return a job per video of a plan. What the journal contains is settled, except failures to be tried again."""
    settled: dict[str, set[str]] = defaultdict(set)
    for key, video in journal.answered.items():
        settled[video].add(key)
    for key, unasked in journal.unasked.items():
        settled[unasked.video].add(key)
    for key, failure in journal.failed.items():
        if not (failure.retryable or retry_errors):
            settled[failure.video].add(key)
    offered: dict[str, dict[str, Answer]] = defaultdict(dict)
    for key, answer in journal.reusable.items():
        offered[answer.video][key] = answer
    begun = journal.manifest.spec.get("description") if journal.answered or journal.reusable else None
    owed, spent = sample_views(journal.manifest.expects), journal.usage
    return [
        Job(group.asked_also(owed), frozenset(settled[group.video]), begun, offered[group.video], spent)
        for group in plan.groups
    ]


def write(journal: Journal, record: ResultRecord) -> None:
    """Write a record, marked where its model was trained on the video; a manifest replaces the one in the file."""
    if isinstance(record, Manifest):
        journal.settle(record)
    elif isinstance(record, Answer | Failure):
        journal.append(mark_trained(record, journal.manifest.trained_on))
    else:
        journal.append(record)
