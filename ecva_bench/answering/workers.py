"""A pool of workers with one queue of videos and one writer of the results file.

An `Engine` starts the workers, as processes or on other machines; this module knows neither. The videos of a worker
that dies go back into the queue. Workers do not wait for each other: there is no collective operation.
"""

from __future__ import annotations

import queue
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Protocol, Self

from ..errors import EcvaError, ModelGone, ResultsError, SpecMismatch, UsageError, WorkerLost
from ..journal.manifests import differences
from ..journal.spending import Spending
from ..journal.writer import Journal, end_of, writer
from ..libraries import quiet
from ..records.answers import Answer, End, Event, Manifest
from . import ending
from .adapter import Adapter
from .inference import Job, Settings
from .plan import Plan
from .prefetch import Prefetcher
from .result_records import PreparedVideo, ResultRecord, event, failures
from .runner import Runner, RunProgress, jobs, write

DEATHS_OF_A_VIDEO = 2  # after so many workers died while asking about a video, it is given up
DEATHS_AT_A_PLACE = 3  # after so many workers in a row died without finishing a video, the place is given up


@dataclass(frozen=True)
class Ready:
    """A worker has loaded the run; `manifest` says how it makes the answers.

    `settles` is whether its first answer may change that, as where an endpoint rejects what is asked for.
    """

    manifest: Manifest
    settles: bool = False


@dataclass(frozen=True)
class Wrote:
    """A record of a worker, for the results file."""

    record: ResultRecord


@dataclass(frozen=True)
class Finished:
    """A worker has finished the first of the videos it was given."""


@dataclass(frozen=True)
class Refused:
    """The run cannot be carried out, by this worker or any other."""

    error: EcvaError


@dataclass(frozen=True)
class Died:
    """A worker is dead. This is its last message."""

    why: str


Message = Ready | Wrote | Finished | Refused | Died
Send = Callable[[Message], None]


class Worker:
    """Answers a run's questions, in whatever process it runs. Once it is `Ready`, any thread may call `submit`."""

    def __init__(self, prepare: Callable[[], Runner]) -> None:
        self._prepare = prepare
        self._videos: Prefetcher[Job, PreparedVideo]

    def submit(self, job: Job) -> None:
        """Give it another video."""
        self._videos.submit(job)

    def end(self) -> None:
        """End it once the answers under way are given."""
        ending.request()
        self._videos.close()

    def work(self) -> Iterator[Message]:
        """Yield its messages, until it is to end or the run cannot be carried out."""
        try:
            with quiet(), self._prepare() as runner:
                self._videos = runner.inference.videos()
                yield Ready(runner.manifest, settles=type(runner.adapter).adopt is not Adapter.adopt)
                for job, prepared in self._videos:
                    for record in runner.inference.settle(job, prepared):
                        yield Wrote(record)
                    yield Finished()
        except EcvaError as error:
            yield Refused(error)
        except KeyboardInterrupt:  # as asked for: `end`
            return


class WorkerHandle(Protocol):
    """A worker as the pool sees it. The methods must not block."""

    def submit(self, job: Job) -> None:
        """Give it another video; a dead worker ignores it."""

    def end(self) -> None:
        """Have it end once the answers under way are given; a dead worker ignores it."""

    def stop(self) -> None:
        """Stop it at once, whatever it is doing, with all that it has started."""


class Engine(Protocol):
    """What starts workers: processes of this machine, or actors of a cluster."""

    places: tuple[str, ...]

    def start(self, place: str, send: Send) -> WorkerHandle:
        """Start a worker at a place. Its messages go to `send`, in order and from any thread; the last is `Died`."""


@dataclass(eq=False)
class _Slot:
    """A place, its worker and the videos given to it: it asks about the first and prepares the others."""

    place: str
    handle: WorkerHandle | None = None
    ready: bool = False
    deaths: int = 0
    held: list[Job] = field(default_factory=list)
    spending: Spending = field(default_factory=Spending)  # of all its workers


class WorkerPool:
    """Runs one plan with many workers. Use as a context manager, which starts and stops them."""

    def __init__(self, engine: Engine, plan: Plan, settings: Settings) -> None:
        self.plan = plan
        self._engine, self._settings = engine, settings
        self._slots = [_Slot(place) for place in engine.places]
        self._inbox: queue.SimpleQueue[tuple[_Slot, Message]] = queue.SimpleQueue()
        self._manifest: Manifest | None = None
        self._before: list[ResultRecord] = []  # records to write once there is a journal
        self._todo: deque[Job] = deque()
        self._died_at: Counter[str] = Counter()  # how many workers, by video
        self._settled = 0
        self._settles = False  # whether the first answer may change how all are asked for
        self._spent_before: dict[str, float] = {}
        self._journal: Journal

    def __enter__(self) -> Self:
        for slot in self._slots:
            self._start(slot)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for slot in self._slots:
            if slot.handle:
                slot.handle.stop()

    @property
    def manifest(self) -> Manifest:
        """The manifest of the first worker that is ready: only a worker knows what it runs on."""
        while self._manifest is None:
            self._before.extend(self._hear(*self._inbox.get()))
        return self._manifest

    def run(self, journal: Journal, progress: RunProgress | None = None) -> End:
        """Have the workers ask everything that the journal does not contain yet; write and return the end record.

        The same as `Runner.run`, except for the order of the answers. Raises `WorkerLost` where no worker is left, and
        the `EcvaError` that a worker ended with.
        """
        self._journal = journal
        self._spent_before = journal.usage
        self._todo.extend(jobs(self.plan, journal, self._settings.retry_errors))
        reported = 0
        try:
            for record in self._before:
                write(journal, record)
            while self._todo or any(slot.held for slot in self._slots):
                self._hand_out()
                heard = self._inbox.get()
                with ending.uninterrupted():
                    for record in self._hear(*heard):
                        self._write(record)
                if progress and self._settled > reported:
                    reported = self._settled
                    progress(reported, self.plan.owed, journal.errors)
        except KeyboardInterrupt:
            self._await_answers()
            journal.event("interrupted")
            raise
        except EcvaError as error:
            if not isinstance(error, ResultsError) or isinstance(error, SpecMismatch):  # the file can be written
                self._write_arrived()
            if isinstance(error, ModelGone | WorkerLost):
                journal.event("stopped", why=str(error))
            raise
        end = end_of(journal)
        journal.append(end)
        return end

    def _write_arrived(self) -> None:
        """Write what other workers have sent, which may have cost money, but what cannot stand in the file."""
        while not self._inbox.empty():
            _, message = self._inbox.get()
            if isinstance(message, Wrote):
                with suppress(SpecMismatch):
                    self._write(message.record)

    def _await_answers(self) -> None:
        """Write the answers under way, as far as they come in time."""
        alive = {slot for slot in self._slots if slot.handle}
        for slot in alive:
            if slot.handle and slot.ready:
                slot.handle.end()
            elif slot.handle:
                slot.handle.stop()
        end = ending.await_others()
        while alive and (left := end - time.monotonic()) > 0:
            with suppress(queue.Empty):
                slot, message = self._inbox.get(timeout=left)
                if isinstance(message, Wrote):
                    self._write(message.record)
                elif isinstance(message, Died):
                    alive.discard(slot)

    def _write(self, record: ResultRecord) -> None:
        if not (isinstance(record, Answer) and record.key in self._journal.answered):
            write(self._journal, record)

    def _start(self, slot: _Slot) -> None:
        slot.handle = self._engine.start(slot.place, lambda message: self._inbox.put((slot, message)))

    def _hand_out(self) -> None:
        """Give every worker one video to ask about and others to prepare meanwhile.

        A video at which a worker died is given alone, so that no other video can be the cause of the next death. Where
        the first answer settles how all are asked for, one worker is to give it before the others ask.
        """
        begun = self._journal.manifest.spec.get("description") if self._journal.answered else None
        for slot in self._slots:
            while slot.handle and slot.ready and self._todo and self._has_room(slot):
                job = self._todo[0]
                job = replace(job, begun=begun or job.begun, spent=self._spent_by(slot))
                if self._settles and job.begun is None and any(o.held for o in self._slots if o is not slot):
                    break
                self._todo.popleft()
                slot.held.append(job)
                slot.handle.submit(job)

    def _spent_by(self, slot: _Slot) -> dict[str, float]:
        """Return what counts against a slot's part of a budget: its part of what was spent before, and its own."""
        own, before = slot.spending.total, self._spent_before
        return {name: before.get(name, 0) / len(self._slots) + own.get(name, 0) for name in before.keys() | own.keys()}

    def _has_room(self, slot: _Slot) -> bool:
        if not slot.held:
            return True
        suspect = self._died_at[slot.held[0].group.video] or self._died_at[self._todo[0].group.video]
        return not suspect and len(slot.held) < 1 + self._settings.decoders

    def _hear(self, slot: _Slot, message: Message) -> Iterator[ResultRecord]:
        """Handle a message, and yield the records to write."""
        match message:
            case Ready(manifest, settles):
                self._compare(slot, manifest)
                slot.ready, self._settles = True, settles
            case Wrote(record):
                if isinstance(record, Event):
                    slot.spending.add(record)
                yield record
            case Finished():
                slot.deaths = 0
                self._settled += self.plan.owed_of(slot.held.pop(0).group)
            case Refused(error):
                raise error
            case Died(why):
                yield from self._replace(slot, why)

    def _compare(self, slot: _Slot, manifest: Manifest) -> None:
        """Take the first worker's manifest as the run's. Raise where another differs, or does not use its device."""
        if manifest.expects != self.plan.expects:
            remedy = "give all workers the same annotations"
            raise SpecMismatch("a worker would ask other questions than were planned", slot.place, remedy)
        if slot.place.startswith("cuda") and manifest.spec.get("description", {}).get("device") == "cpu":
            remedy = "give --devices cpu, or install a torch that can use the GPU"
            raise UsageError("a worker would compute on the CPU", slot.place, remedy)
        if self._manifest is None:
            environment = {**manifest.environment, **writer(), "workers": list(self._engine.places)}
            if (host := manifest.environment.get("host")) not in (None, environment["host"]):
                environment["described_on"] = host  # the machine whose platform and packages these are
            self._manifest = manifest.model_copy(update={"environment": environment})
        elif shown := differences(self._manifest, manifest):
            remedy = "give all workers the same packages, files and kind of device"
            raise SpecMismatch(f"a worker would make another run ({shown})", slot.place, remedy)
        elif manifest.environment.get("packages") != self._manifest.environment.get("packages"):
            what = f"a worker has other packages ({manifest.environment.get('packages')})"
            raise SpecMismatch(what, slot.place, "install the same ones for all workers")

    def _replace(self, slot: _Slot, why: str) -> Iterator[ResultRecord]:
        """Queue the videos of a worker that died again, and start another worker."""
        held, slot.held = slot.held, []
        slot.handle, slot.ready, slot.deaths = None, False, slot.deaths + 1
        yield event("worker_lost", place=slot.place, why=why, video=held[0].group.video if held else None)
        if held:
            yield from self._give_back(held, why)
        if slot.deaths < DEATHS_AT_A_PLACE:
            self._start(slot)
            return
        yield event("place_given_up", place=slot.place)
        if not any(other.handle for other in self._slots):
            raise WorkerLost("no worker is left", why, "see its output, then run again: all written answers are used")

    def _give_back(self, held: Sequence[Job], why: str) -> Iterator[ResultRecord]:
        """Put videos back at the head of the queue, but give up the first one if two workers died at it."""
        first = held[0].group
        self._died_at[first.video] += 1
        if self._died_at[first.video] == DEATHS_OF_A_VIDEO:
            held = held[1:]
            self._settled += self.plan.owed_of(first)
            error = WorkerLost(f"{DEATHS_OF_A_VIDEO} workers died at this video ({why})", first.media, "run again")
            for failure in failures(first, self.plan.views, self._journal.manifest.spec, error):
                if self._journal.state.get((failure.id, failure.view)) not in ("answer", "unasked"):
                    yield failure
        # Answers that dead workers have written need not be asked for again.
        open_now = {job.group.video: job for job in jobs(self.plan, self._journal, self._settings.retry_errors)}
        self._todo.extendleft(open_now[job.group.video] for job in reversed(held))
