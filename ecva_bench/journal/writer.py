"""The one writer of a results file."""

from __future__ import annotations

import fcntl
import os
import socket
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from ..errors import ResultsBusy, ResultsError, SpecMismatch
from ..reading.text import final_answer
from ..records.answers import Answer, End, Event, Failure, Manifest, Unasked
from ..records.base import Record, View, canonical_json
from .lines import MANIFEST_BEGINS, as_requested, check_spec, differences, manifest_of, parse_records
from .results import SampleView

_AT_ONCE = 1000  # records of a file that is written at once
_MAKE_ROOM = "make room and run the same command again: it goes on from what is written"


def now() -> str:
    """Return the time as results files hold it: UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Journal:
    """The only writer of one results file. Use as a context manager; the file is locked while it is open.

    A file that exists is continued: an incomplete last line is moved to `<file>.torn`. What the file contains is in
    `answered` (the video of each), `failed` and `unasked`, by key, and in `state`, by sample id and view; `empty` and
    `cut_off` are the sample ids and views of such answers. `usage` is the total use of requests, tokens and money, by
    name; `served` are the models that gave the answers, where an endpoint names them; `manifest` says how the answers
    are made and which are owed.
    """

    def __init__(self, path: Path, manifest: Manifest) -> None:
        """Open or create `path` for the run of `manifest`.

        Raises `ResultsBusy` where another process writes it, `SpecMismatch` where it belongs to a run with other
        settings, `ResultsError` where it is no results file or cannot be written.
        """
        self.path = path
        self.manifest = manifest
        self.answered: dict[str, str] = {}
        self.failed: dict[str, Failure] = {}
        self.unasked: dict[str, Unasked] = {}
        self.state: dict[SampleView, Literal["answer", "error", "unasked"]] = {}
        self.empty: set[SampleView] = set()
        self.cut_off: set[SampleView] = set()
        self.usage: dict[str, float] = {}
        self.served: set[str] = set()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            what = f"the results file cannot be written ({error.strerror})"
            raise ResultsError(what, path, "name another with --out") from error
        try:
            _lock(self._file, path)
            self._take_up(manifest)
        except BaseException:
            os.close(self._file)
            raise

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
        """Write one record and wait until it is on disk."""
        self._write(_line(record))
        self._remember(record)

    def extend(self, records: Sequence[Answer | Failure | Unasked | Event]) -> None:
        """Write several records, and wait once until all are on disk."""
        self._write(b"".join(map(_line, records)))
        for record in records:
            self._remember(record)

    def settle(self, manifest: Manifest) -> None:
        """Replace the manifest before the first answer. Once there are answers, its settings must be the same.

        Raises `SpecMismatch` where existing answers were made with other settings.
        """
        if self.answered:
            if shown := differences(self.manifest, manifest):
                what = f"the answers in the file were made with other settings ({shown})"
                raise SpecMismatch(what, self.path, "run the same command again, or begin another with --out")
            return
        environment = {**manifest.environment, **self.manifest.environment}  # the first writer's host and process stay
        self.manifest = manifest.model_copy(update={"run": self.manifest.run, "environment": environment})
        others = [line for line in self.path.read_bytes().splitlines(keepends=True) if not _is_manifest(line)]
        os.ftruncate(self._file, 0)
        self._write(b"".join([_line(self.manifest), *others]))

    def _write(self, content: bytes) -> None:
        try:
            written = os.write(self._file, content)
            os.fsync(self._file)
        except OSError as error:
            raise ResultsError(f"a record cannot be written ({error.strerror})", self.path, _MAKE_ROOM) from error
        if written < len(content):
            raise ResultsError("a record was written in part", self.path, _MAKE_ROOM)

    def event(self, name: str, **detail: Any) -> None:
        """Append something that happened to the run as a whole."""
        self.append(Event(event=name, detail=detail, t=now()))

    def close(self) -> None:
        """Release the lock and the file."""
        os.close(self._file)

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
            check_spec(self.path, as_requested(self.manifest), as_requested(manifest))
        elif not MANIFEST_BEGINS.startswith(self.path.read_bytes()[: len(MANIFEST_BEGINS)]):
            raise ResultsError("the file exists and is no results file", self.path, "name another with --out")
        # Only now, so that a file of another run, or of another program, stays unchanged.
        torn = _set_aside_torn_tail(self._file, self.path)
        if not records:
            self.append(manifest)
            return
        for record in records:
            self._remember(record)
        if _owes(self.manifest) != _owes(manifest):  # the file lacks parts of the run, or knew fewer samples
            owed = {name: getattr(manifest, name) for name in ("expects", "unasked", "whole", "lacking", "t")}
            self.manifest = self.manifest.model_copy(update=owed)
            self.append(self.manifest)
        now_here = {**manifest.environment, **writer()}
        self.event("resumed", answered=len(self.answered), torn_bytes=torn, **now_here)

    def _remember(self, record: Record) -> None:
        match record:
            case Answer():
                self.answered[record.key] = record.video
                self.failed.pop(record.key, None)
                place = (record.id, record.view)
                self.state[place] = "answer"
                self.served |= {record.served} - {""}
                for places, belongs in ((self.empty, not final_answer(record.answer)), (self.cut_off, record.cut_off)):
                    (places.add if belongs else places.discard)(place)
            case Event(event="spent"):
                for name, amount in record.detail.items():
                    if isinstance(amount, int | float):
                        self.usage[name] = self.usage.get(name, 0) + amount
            case Unasked() if record.key not in self.answered:
                self.unasked[record.key] = record
                self.failed.pop(record.key, None)
                if self.state.get((record.id, record.view)) != "answer":
                    self.state[record.id, record.view] = "unasked"
            case Failure() if record.key not in self.answered:
                self.failed[record.key] = record
                self.state.setdefault((record.id, record.view), "error")


def end_of(manifest: Manifest, journal: Journal) -> End:
    """Return the end record of a run: the answers owed, compared with those in the journal."""
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
    with Journal(part, manifest) as journal:
        for start in range(0, len(records), _AT_ONCE):
            journal.extend(records[start : start + _AT_ONCE])
            progress(min(start + _AT_ONCE, len(records)), len(records))
        journal.append(end_of(manifest, journal))
    part.rename(target)


def sample_views(expects: Mapping[View, Sequence[str]]) -> set[SampleView]:
    """Return the sample id and view of each answer owed."""
    return {(sample, view) for view, samples in expects.items() for sample in samples}


def _line(record: Record) -> bytes:
    return f"{canonical_json(record.model_dump(mode='json', by_alias=True, exclude_none=True))}\n".encode()


def _is_manifest(line: bytes) -> bool:
    return line.startswith(MANIFEST_BEGINS)


def _owes(manifest: Manifest) -> tuple[object, ...]:
    return sample_views(manifest.expects), sample_views(manifest.whole), manifest.lacking


def writer() -> dict[str, Any]:
    """Return the host and the process id of the writer."""
    return {"host": socket.gethostname(), "pid": os.getpid()}


def _lock(file: int, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ResultsBusy(
            f"{_holder(path)} is writing this results file",
            path,
            "wait for it, or name another file with --out",
        ) from None


def _holder(path: Path) -> str:
    for record in reversed(list(parse_records(path))):
        who = record.environment if isinstance(record, Manifest) else getattr(record, "detail", {})
        if "pid" in who:
            return f"process {who['pid']} on {who.get('host', 'an unnamed host')}"
    return "another process"


def _set_aside_torn_tail(file: int, path: Path) -> int:
    """Move what follows the last line break to `<file>.torn`; return its length in bytes."""
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    tail = content[whole:]
    if tail:
        with path.with_name(path.name + ".torn").open("ab") as aside:
            aside.write(tail + b"\n")
        os.ftruncate(file, whole)
    return len(tail)
