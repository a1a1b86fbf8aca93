"""The one writer of a results file."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from ..errors import ResultsError, SpecMismatch
from ..reading.text import final_answer
from ..records.answers import Answer, End, Event, Failure, Manifest, Unasked
from ..records.base import Record, canonical_json
from ..records.seals import START, checked_lines, checksum_of, sealed_lines
from ..untrusted import scrubbed_json, secrets
from .growing import open_growing, set_aside_torn_tail
from .lines import MANIFEST_BEGINS, parse_records
from .makers import Makers, Versions, packages_of
from .manifests import (
    SampleView,
    as_requested,
    check_agreement,
    differences,
    joined,
    keyed,
    manifest_of,
    sample_views,
)
from .spending import Spending

_AT_ONCE = 1000  # records of a file that is written at once
_MORE_THAN_A_SEAL = 64  # bytes


def now() -> str:
    """Return the time as results files hold it: UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Journal:
    """The only writer of one results file. Use as a context manager; the file is locked while it is open.

    A file that exists is continued, sealed or not as it is: an incomplete last line is moved to `<file>.torn`, and the
    file owes what it owed and what the run adds. What the file contains is in `answered` (the video of each), `failed`
    and `unasked`, by key, and in `state`, by sample id and view; `empty` and `cut_off` are the sample ids and views of
    such answers. `reusable` are answers of other files that it did not contain, by key. `makers` are the packages and
    the models that gave the answers; `manifest` says how the answers are made and which are owed.
    """

    def __init__(self, path: Path, manifest: Manifest, reuse: Sequence[Path] = ()) -> None:
        """Open or create `path` for the run of `manifest`, which may take answers of the files `reuse`.

        Raises `ResultsBusy` where another process writes it, `SpecMismatch` where it, or a file to reuse, belongs to a
        run that makes its answers in another way, `ResultsError` where it is no results file or cannot be written.
        """
        self.path = path
        self.manifest = manifest
        self.answered: dict[str, str] = {}
        self.failed: dict[str, Failure] = {}
        self.unasked: dict[str, Unasked] = {}
        self.reusable: dict[str, Answer] = {}
        self.state: dict[SampleView, Literal["answer", "error", "unasked"]] = {}
        self.empty: set[SampleView] = set()
        self.cut_off: set[SampleView] = set()
        self._spending = Spending()
        self.makers = Makers()
        self._packages = packages_of(manifest.environment)  # that give answers now
        self._packages_of: dict[str, list[Versions]] = {}  # of answers of other files, by key
        self._last_seal = START
        self._secrets = secrets()
        offered = {file: list(parse_records(file)) for file in reuse}  # before a file is made for a run that is refused
        self._file = open_growing(path, "results file", holder=lambda: _holder(path))
        try:
            self._take_up(manifest)
            for file, records in offered.items():
                self._offer(file, records)
        except BaseException:
            self._file.close()
            raise

    @property
    def usage(self) -> dict[str, float]:
        """What the file has cost so far, over all its runs: requests, tokens and USD by name; see `Spending.total`."""
        return self._spending.total

    @property
    def errors(self) -> int:
        """How many answers could not be had so far."""
        return sum(state == "error" for state in self.state.values())

    @property
    def unsettled(self) -> list[Failure]:
        """The newest failure of every sample and view; what a later run settled is not among them."""
        newest: dict[SampleView, Failure] = {}
        for failure in sorted(self.failed.values(), key=lambda failure: failure.t):
            newest[failure.id, failure.view] = failure
        return [failure for place, failure in newest.items() if self.state.get(place) == "error"]

    def append(self, record: Answer | Failure | Unasked | Event | End | Manifest) -> None:
        """Write one record; see `GrowingFile` for when it is on disk. Of an end, wait until all is."""
        if isinstance(record, Answer):
            for name, detail in self.makers.changes(record, self._packages_of.get(record.key, self._packages)):
                self.event(name, **detail)
        self.extend([record])
        if isinstance(record, End):
            self.sync()

    def extend(self, records: Sequence[Answer | Failure | Unasked | Event | End | Manifest]) -> None:
        """Write several records together."""
        lines = self._lines(map(self._json, records), self._last_seal)
        with _undisturbed():
            self._file.append(b"".join(lines))
            for line, record in zip(lines, records, strict=True):
                self._last_seal = checksum_of(line)
                self._remember(record)

    def settle(self, manifest: Manifest) -> None:
        """Write down a model's description before the first answer. Once there are answers, it must be the same.

        Raises `SpecMismatch` where existing answers were made with other settings.
        """
        if self.answered:
            if shown := differences(self.manifest, manifest):
                what = f"the answers in the file were made with other settings ({shown})"
                raise SpecMismatch(what, self.path, "run the same command again, or begin another with --out")
            return
        environment = {**manifest.environment, **self.manifest.environment}  # the first writer's host and process stay
        spec = {**self.manifest.spec, "description": manifest.spec["description"]}
        settled = {"spec": spec, "requested": manifest.requested, "environment": environment}
        self.manifest = self.manifest.model_copy(update=settled)
        with self.path.open("rb") as lines:
            others = [line.record for line in checked_lines(lines, self.path) if not _is_manifest(line.record)]
        written = self._lines([self._json(self.manifest), *others], START)
        with _undisturbed():
            self._file.replace(b"".join(written))
            self._last_seal = checksum_of(written[-1])

    def sync(self) -> None:
        """Wait until all is on disk."""
        self._file.sync()

    def _lines(self, records: Iterable[bytes], before: bytes) -> list[bytes]:
        """Return the lines of some records, sealed where the file is; `before` is the seal of the line before them."""
        return list(sealed_lines(records, before) if self.manifest.sealed else (one + b"\n" for one in records))

    def _json(self, record: Record) -> bytes:
        """Return a record as JSON; whatever was said to a model, or by it, the keys of the environment are not."""
        text = canonical_json(record.model_dump(mode="json", by_alias=True, exclude_none=True))
        return scrubbed_json(text, self._secrets).encode()

    def event(self, name: str, **detail: Any) -> None:
        """Append something that happened to the run as a whole."""
        self.append(Event(event=name, detail=detail, t=now()))

    def close(self) -> None:
        """Wait until all is on disk, and release the lock and the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _take_up(self, manifest: Manifest) -> None:
        records = list(parse_records(self.path))
        if records:
            self.manifest = manifest_of(self.path, records)
            check_agreement(self.path, as_requested(self.manifest), as_requested(manifest))
        elif not MANIFEST_BEGINS.startswith(self.path.read_bytes()[: len(MANIFEST_BEGINS)]):
            raise ResultsError("the file exists and is no results file", self.path, "name another with --out")
        # Only now, so that a file of another run, or of another program, stays unchanged.
        torn = set_aside_torn_tail(self._file)
        if not records:
            self.manifest = manifest.model_copy(update={"sealed": True})
            self.append(self.manifest)
            return
        self._last_seal = checksum_of(_last_line_end(self.path))
        for record in records:
            self._remember(record)
        grown = joined(self.manifest, manifest)
        if grown is not self.manifest:
            self.manifest = grown.model_copy(update={"t": manifest.t})
            self.append(self.manifest)
        now_here = {**manifest.environment, **writer()}
        self.event("resumed", answered=len(self.answered), torn_bytes=torn, **now_here)

    def _offer(self, file: Path, records: Sequence[Record]) -> None:
        """Make the answers of another file reusable; as its model was granted its settings, so they are here."""
        there = manifest_of(file, records)
        answers = [record for record in records if isinstance(record, Answer)]
        shown = differences(keyed(as_requested(there)), keyed(as_requested(self.manifest)))
        if not shown and answers and not (self.answered or self.reusable):
            if there.requested:
                self.settle(self.manifest.settled(there.spec["description"], {}))
        elif not shown and answers:
            shown = differences(keyed(there), keyed(self.manifest))
        if shown:
            raise SpecMismatch(f"no answer of the file can be taken: {shown}", file, "leave it out of --reuse")
        self.reusable |= {answer.key: answer for answer in answers if answer.key not in self.answered}
        self._packages_of |= dict.fromkeys((answer.key for answer in answers), Makers(records).packages)

    def _remember(self, record: Record) -> None:
        self.makers.take(record)
        match record:
            case Answer():
                self.answered[record.key] = record.video
                self.failed.pop(record.key, None)
                place = (record.id, record.view)
                self.state[place] = "answer"
                for places, belongs in ((self.empty, not final_answer(record.answer)), (self.cut_off, record.cut_off)):
                    (places.add if belongs else places.discard)(place)
            case Event():
                self._spending.add(record)
            case Unasked() if record.key not in self.answered:
                self.unasked[record.key] = record
                self.failed.pop(record.key, None)
                if self.state.get((record.id, record.view)) != "answer":
                    self.state[record.id, record.view] = "unasked"
            case Failure() if record.key not in self.answered:
                self.failed[record.key] = record
                self.state.setdefault((record.id, record.view), "error")


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Have signals wait for what is inside.

    An interrupt between a line and what is known of it would leave a file whose next line follows another than the one
    before it. SIGALRM is one too: it ends what an earlier signal did not.
    """
    if threading.current_thread() is not threading.main_thread():  # which alone hears signals
        yield
        return
    waiting: list[int] = []
    interrupts = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    handlers = {number: signal.getsignal(number) or signal.SIG_DFL for number in interrupts}
    for number in handlers:
        signal.signal(number, lambda come, _: waiting.append(come))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for heard in map(signal.Signals, waiting):
            handler = handlers[heard]
            if callable(handler):
                handler(heard, None)  # not raised anew: who counts signals has heard it
            else:
                signal.raise_signal(heard)


def end_of(journal: Journal) -> End:
    """Return the end record of a file: the answers it owes, compared with those it has."""
    manifest = journal.manifest
    owed = sample_views(manifest.expects)
    states = Counter(journal.state.get(place, "missing") for place in owed)
    whole = not (states["error"] or states["missing"] or manifest.lacking)
    return End(
        status="complete" if whole else "incomplete",
        answers=states["answer"],
        errors=states["error"],
        missing=states["missing"],
        empty=len(journal.empty & owed),
        cut_off=len(journal.cut_off & owed),
        unasked=states["unasked"],
        t=now(),
    )


def write_results(
    target: Path,
    manifest: Manifest,
    records: Sequence[Answer | Failure | Unasked | Event],
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> None:
    """Write a results file at once, whole or not at all, with an end record behind the `records`.

    `progress` is told how many records are written, and of how many.
    """
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    try:
        with Journal(part, manifest) as journal:
            for start in range(0, len(records), _AT_ONCE):
                journal.extend(records[start : start + _AT_ONCE])
                progress(min(start + _AT_ONCE, len(records)), len(records))
            journal.append(end_of(journal))
        part.rename(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _is_manifest(line: bytes) -> bool:
    return line.startswith(MANIFEST_BEGINS)


def writer() -> dict[str, Any]:
    """Return the host and the process id of the writer."""
    return {"host": socket.gethostname(), "pid": os.getpid()}


def _holder(path: Path) -> str:
    for record in reversed(list(parse_records(path))):
        who = record.environment if isinstance(record, Manifest) else getattr(record, "detail", {})
        if "pid" in who:
            return f"process {who['pid']} on {who.get('host', 'an unnamed host')}"
    return "another process"


def _last_line_end(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _MORE_THAN_A_SEAL))
        return file.read()
