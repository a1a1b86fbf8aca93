"""Many workers, one queue of videos, one writer: what a worker does, and who hands out the videos.

Knows nothing of processes or machines: an `Engine` hires workers wherever it has places for them. A worker that dies
gives its videos back. Nobody waits for anybody: answers need no collective operation.
"""

from __future__ import annotations

import queue
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

from .. import journal as results
from ..errors import EcvaError, ModelGone, SpecMismatch, UsageError, WorkerLost
from ..journal import Journal, end_of
from ..records import Answer, End, Manifest
from .asking import Job, Settings
from .plan import Plan
from .prefetch import Prefetcher
from .runner import Progress, Runner, jobs, write
from .written import Prepared, Written, event, failures, identity

DEATHS_OF_A_VIDEO = 2  # workers that died at it, after which it is not given to another
DEATHS_AT_A_PLACE = 3  # workers in a row that finished no video, after which no other is hired there


@dataclass(frozen=True)
class Ready:
    """A worker has read what it is to ask, and says how it makes the run."""

    manifest: Manifest


@dataclass(frozen=True)
class Wrote:
    """A worker has something for the results file."""

    record: Written


@dataclass(frozen=True)
class Finished:
    """A worker has settled the video that it was given first."""


@dataclass(frozen=True)
class Refused:
    """The request cannot be met, by this worker or any other."""

    error: EcvaError


@dataclass(frozen=True)
class Gone:
    """A worker is dead. Nothing is heard of it after this."""

    why: str


Message = Ready | Wrote | Finished | Refused | Gone
Tell = Callable[[Message], None]


class Worker:
    """Makes a run's answers, wherever it is put. `submit` may be called from another thread once it is `Ready`."""

    def __init__(self, prepare: Callable[[], Runner]) -> None:
        self._prepare = prepare
        self._videos: Prefetcher[Job, Prepared]

    def submit(self, job: Job) -> None:
        """Give it another video."""
        self._videos.submit(job)

    def work(self) -> Iterator[Message]:
        """Yield what it has to say, until it is ended from outside or refuses."""
        try:
            with self._prepare() as runner:
                self._videos = runner.asker.videos()
                yield Ready(runner.manifest)
                for job, prepared in self._videos:
                    for record in runner.asker.settle(job, prepared):
                        yield Wrote(record)
                    yield Finished()
        except EcvaError as error:
            yield Refused(error)


class Hand(Protocol):
    """A worker as seen from here. What it does must not block."""

    def submit(self, job: Job) -> None:
        """Give it another video; one that is dead takes it in silence."""

    def dismiss(self) -> None:
        """End it at once, whatever it does."""


class Engine(Protocol):
    """Somewhere workers can be."""

    places: tuple[str, ...]

    def hire(self, place: str, tell: Tell) -> Hand:
        """Start a worker at a place; what it says is told, in order and from any thread, and last that it is gone."""


@dataclass(eq=False)
class _Desk:
    """A worker's place, who is there, and the videos it holds: the first is asked about, the others are prepared."""

    place: str
    hand: Hand | None = None
    ready: bool = False
    deaths: int = 0
    held: list[Job] = field(default_factory=list)


class Crew:
    """Runs one plan with many workers; use as a context manager, within which they are there."""

    def __init__(self, engine: Engine, plan: Plan, settings: Settings) -> None:
        self.plan = plan
        self._engine, self._settings = engine, settings
        self._desks = [_Desk(place) for place in engine.places]
        self._inbox: queue.SimpleQueue[tuple[_Desk, Message]] = queue.SimpleQueue()
        self._manifest: Manifest | None = None
        self._before: list[Written] = []  # what is to be written once there is a journal
        self._todo: deque[Job] = deque()
        self._died_at: Counter[str] = Counter()  # workers, by video
        self._settled = 0
        self._journal: Journal

    def __enter__(self) -> Self:
        for desk in self._desks:
            self._hire(desk)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for desk in self._desks:
            if desk.hand:
                desk.hand.dismiss()

    @property
    def manifest(self) -> Manifest:
        """How the run is made, as the first worker that is ready says: what it runs on is not known here."""
        while self._manifest is None:
            self._before.extend(self._hear(*self._inbox.get()))
        return self._manifest

    def run(self, journal: Journal, progress: Progress | None = None) -> End:
        """Have everything asked that the journal does not hold yet; write and return the end record.

        As `Runner.run`, but for the order of the answers. Raises `WorkerLost` where no worker is left, and whatever
        error of ours a worker ended with.
        """
        self._journal = journal
        self._todo.extend(jobs(self.plan, journal, self._settings.retry_errors))
        told = 0
        try:
            for record in self._before:
                write(journal, record)
            while self._todo or any(desk.held for desk in self._desks):
                self._hand_out()
                for record in self._hear(*self._inbox.get()):
                    self._write(record)
                if progress and self._settled > told:
                    told = self._settled
                    progress(told, self.plan.owed, journal.errors)
        except KeyboardInterrupt:
            journal.event("interrupted")
            raise
        except (ModelGone, WorkerLost) as gone:
            while not self._inbox.empty():  # what others have told meanwhile is answered, and may be paid for
                _, message = self._inbox.get()
                if isinstance(message, Wrote):
                    self._write(message.record)
            journal.event("stopped", why=str(gone))
            raise
        end = end_of(self.manifest, journal)
        journal.append(end)
        return end

    def _write(self, record: Written) -> None:
        if not (isinstance(record, Answer) and record.key in self._journal.answered):
            write(self._journal, record)

    def _hire(self, desk: _Desk) -> None:
        desk.hand = self._engine.hire(desk.place, lambda message: self._inbox.put((desk, message)))

    def _hand_out(self) -> None:
        """Give every worker one video to ask about and others to prepare meanwhile.

        A video at which a worker died is given alone, so that nothing else can be blamed for the next death.
        """
        for desk in self._desks:
            while desk.hand and desk.ready and self._todo and self._has_room(desk):
                job = self._todo.popleft()
                desk.held.append(job)
                desk.hand.submit(job)

    def _has_room(self, desk: _Desk) -> bool:
        if not desk.held:
            return True
        suspect = self._died_at[desk.held[0].group.video] or self._died_at[self._todo[0].group.video]
        return not suspect and len(desk.held) < 1 + self._settings.decoders

    def _hear(self, desk: _Desk, message: Message) -> Iterator[Written]:
        """Do what a message asks for, and yield what is to be written."""
        match message:
            case Ready(manifest):
                self._compare(desk, manifest)
                desk.ready = True
            case Wrote(record):
                yield record
            case Finished():
                desk.deaths = 0
                self._settled += self.plan.owed_of(desk.held.pop(0).group)
            case Refused(error):
                raise error
            case Gone(why):
                yield from self._replace(desk, why)

    def _compare(self, desk: _Desk, manifest: Manifest) -> None:
        """Take the first worker's manifest as the run's; refuse what is another run, or not where it says it is."""
        if manifest.expects != self.plan.expects:
            remedy = "give all workers the same annotations"
            raise SpecMismatch("a worker would ask other questions than were planned", desk.place, remedy)
        if desk.place.startswith("cuda") and manifest.spec.get("description", {}).get("device") == "cpu":
            remedy = "give --devices cpu, or install a torch that can use the GPU"
            raise UsageError("a worker would compute on the CPU", desk.place, remedy)
        if self._manifest is None:
            environment = {**manifest.environment, **results.writer(), "workers": list(self._engine.places)}
            if (host := manifest.environment.get("host")) not in (None, environment["host"]):
                environment["described_on"] = host  # the machine whose platform and packages these are
            self._manifest = manifest.model_copy(update={"environment": environment})
        elif shown := results.differences(self._manifest, manifest):
            remedy = "give all workers the same packages, files and kind of device"
            raise SpecMismatch(f"a worker would make another run ({shown})", desk.place, remedy)

    def _replace(self, desk: _Desk, why: str) -> Iterator[Written]:
        """Give back the videos of a worker that died, and hire another."""
        held, desk.held = desk.held, []
        desk.hand, desk.ready, desk.deaths = None, False, desk.deaths + 1
        yield event("worker_lost", place=desk.place, why=why, video=held[0].group.video if held else None)
        if held:
            yield from self._give_back(held, why)
        if desk.deaths < DEATHS_AT_A_PLACE:
            self._hire(desk)
            return
        yield event("place_given_up", place=desk.place)
        if not any(other.hand for other in self._desks):
            raise WorkerLost("no worker is left", why, "see what it said, then run again: what is written is kept")

    def _give_back(self, held: Sequence[Job], why: str) -> Iterator[Written]:
        """Queue videos again, first of all; but give up the one asked about at its second death."""
        first = held[0].group
        self._died_at[first.video] += 1
        if self._died_at[first.video] == DEATHS_OF_A_VIDEO:
            held = held[1:]
            self._settled += self.plan.owed_of(first)
            error = WorkerLost(f"{DEATHS_OF_A_VIDEO} workers died at this video ({why})", first.media, "run again")
            for failure in failures(first, self.plan.views, identity(self._journal.manifest), error):
                if self._journal.state.get((failure.id, failure.view)) not in ("answer", "unasked"):
                    yield failure
        # What the dead have written need not be asked again.
        open_now = {job.group.video: job for job in jobs(self.plan, self._journal, self._settings.retry_errors)}
        self._todo.extendleft(open_now[job.group.video] for job in reversed(held))
