"""The results file: one JSON record per line, appended and synced by one writer, readable after any crash.

The first line is the run's manifest, then answers, errors and events in the order they happened, then an end
record if the run came to its end. A key is answered once; of two records with one key the first answer counts.
Knows the format only: nothing of videos, models or scores.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import socket
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from pydantic import ValidationError

from .errors import ResultsBusy, ResultsError, SpecMismatch
from .reading.text import parse_json, said
from .records import (
    RESULTS_SCHEMA,
    Answer,
    End,
    Event,
    Failure,
    Manifest,
    Record,
    Results,
    View,
    canonical_json,
)

_TYPES: dict[str, type[Record]] = {
    "run": Manifest,
    "answer": Answer,
    "error": Failure,
    "event": Event,
    "end": End,
}


# How the first line of every results file begins, its keys being sorted.
_MANIFEST_BEGINS = b'{"environment":{'
_MAKE_ROOM = "make room and run the same command again: what is written is kept"


def now() -> str:
    """Return the time as results files hold it: UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Journal:
    """The only writer of one results file. Use as a context manager; the file is locked while it is open.

    A file that exists is taken up where it stands: a torn last line is set aside in `<file>.torn`, and
    `answered` (the video of each) and `failed` tell what it already holds, by key, and `state` by sample id and view,
    of which `empty` and `cut_off` are those of such answers; `spent`, by name, what all of it has cost; `manifest`, how
    its answers are made.
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
        self.state: dict[tuple[str, View], Literal["answer", "error"]] = {}
        self.empty: set[tuple[str, View]] = set()
        self.cut_off: set[tuple[str, View]] = set()
        self.spent: dict[str, float] = {}
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

    def append(self, record: Answer | Failure | Event | End | Manifest) -> None:
        """Write one record and wait until it is on disk."""
        self._write(_line(record))
        self._remember(record)

    def settle(self, manifest: Manifest) -> None:
        """Put a manifest in the place of the first line, before the first answer; after it there can be no other.

        Raises `SpecMismatch` where the answers that are there were made otherwise.
        """
        if self.answered:
            if shown := differences(self.manifest, manifest):
                what = f"the answers that are there were made with other settings ({shown})"
                raise SpecMismatch(what, self.path, "run the same command again, or begin another with --out")
            return
        environment = {**manifest.environment, **self.manifest.environment}  # who writes is as it was
        self.manifest = manifest.model_copy(update={"run": self.manifest.run, "environment": environment})
        rest = self.path.read_bytes().partition(b"\n")[2]
        os.ftruncate(self._file, 0)
        self._write(_line(self.manifest) + rest)

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
        records = list(_parse(self.path))
        if records:
            self.manifest = _manifest(self.path, records)
            _check_spec(self.path, _as_requested(self.manifest), _as_requested(manifest))
        elif not _MANIFEST_BEGINS.startswith(self.path.read_bytes()[: len(_MANIFEST_BEGINS)]):
            raise ResultsError("the file is there and is no results file", self.path, "name another with --out")
        # Only now, so that a file that is not ours, or of another run, is left as it is.
        torn = _set_aside_torn_tail(self._file, self.path)
        if not records:
            self.append(manifest)
            return
        for record in records:
            self._remember(record)
        self.event("resumed", answered=len(self.answered), torn_bytes=torn, **writer())

    def _remember(self, record: Record) -> None:
        match record:
            case Answer():
                self.answered[record.key] = record.video
                self.failed.pop(record.key, None)
                place = (record.id, record.view)
                self.state[place] = "answer"
                for places, belongs in ((self.empty, not said(record.answer)), (self.cut_off, record.cut_off)):
                    (places.add if belongs else places.discard)(place)
            case Event(event="spent"):
                for name, amount in record.detail.items():
                    if isinstance(amount, int | float):
                        self.spent[name] = self.spent.get(name, 0) + amount
            case Failure() if record.key not in self.answered:
                self.failed[record.key] = record
                self.state.setdefault((record.id, record.view), "error")


def read(path: Path) -> Results:
    """Return what a results file holds, joined by sample id and view.

    Of several answers to one sample and view (the video file changed in between) the newest counts; the others,
    and answers to samples the run did not ask, are `extra`. Raises `ResultsError` where the file is none.
    """
    records = list(_parse(path))
    manifest = _manifest(path, records)
    newest: dict[tuple[str, View], Answer] = {}
    extra: list[Answer] = []
    keys: set[str] = set()
    failures: dict[tuple[str, View], Failure] = {}
    owed = {(sample, view) for view, samples in manifest.expects.items() for sample in samples}
    for record in records:
        if isinstance(record, Answer) and record.key not in keys:
            keys.add(record.key)
            place = (record.id, record.view)
            if place not in owed:
                extra.append(record)
                continue
            if place in newest:
                extra.append(newest[place])
            newest[place] = record
        elif isinstance(record, Failure):
            failures[record.id, record.view] = record
    return Results(
        name=path.stem,
        source=str(path),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        model=str(manifest.spec.get("model", "unknown")),
        expects=manifest.expects,
        answers=tuple(newest.values()),
        extra=tuple(extra),
        failures=tuple(failure for place, failure in failures.items() if place not in newest),
        spec=manifest.spec,
    )


def merge(paths: Sequence[Path], target: Path) -> Manifest:
    """Write the union of the shards of one run to a new file and return its manifest.

    Raises `SpecMismatch` where they are not shards of one run, `ResultsError` where `target` exists.
    """
    if target.exists():
        raise ResultsError("the file to merge into exists", target, "name a new file")
    shards = [(path, list(_parse(path))) for path in paths]
    manifests = [_manifest(path, records) for path, records in shards]
    for (path, _), manifest in zip(shards[1:], manifests[1:], strict=True):
        _check_spec(path, _unsharded(manifests[0]), _unsharded(manifest))
    union = _unsharded(manifests[0]).model_copy(
        update={
            "expects": {
                view: tuple(sorted({i for m in manifests for i in m.expects.get(view, ())}))
                for view in manifests[0].expects
            },
            "unasked": {key: why for m in manifests for key, why in m.unasked.items()},
            "t": now(),
        }
    )
    records = [record for _, found in shards for record in found]
    answers = {record.key: record for record in reversed(records) if isinstance(record, Answer)}
    failures = {r.key: r for r in records if isinstance(r, Failure) and r.key not in answers}
    kept: list[Answer | Failure] = sorted(
        [*answers.values(), *failures.values()], key=lambda record: (record.id, record.view)
    )
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    with Journal(part, union) as journal:
        for record in kept:
            journal.append(record)
        journal.append(end_of(union, journal))
    part.rename(target)
    return union


def end_of(manifest: Manifest, journal: Journal) -> End:
    """Return the end record of a run: what was owed against what the journal holds."""
    owed = [(sample, view) for view, samples in manifest.expects.items() for sample in samples]
    states = Counter(journal.state.get(place, "missing") for place in owed)
    return End(
        status="complete" if states["answer"] == len(owed) else "incomplete",
        answers=states["answer"],
        errors=states["error"],
        missing=states["missing"],
        empty=len(journal.empty.intersection(owed)),
        cut_off=len(journal.cut_off.intersection(owed)),
        t=now(),
    )


def writer() -> dict[str, Any]:
    """Return who writes: host and process id."""
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
    for record in reversed(list(_parse(path))):
        who = record.environment if isinstance(record, Manifest) else getattr(record, "detail", {})
        if "pid" in who:
            return f"process {who['pid']} on {who.get('host', 'an unnamed host')}"
    return "another process"


def _line(record: Record) -> bytes:
    return f"{canonical_json(record.model_dump(mode='json', by_alias=True, exclude_none=True))}\n".encode()


def _as_requested(manifest: Manifest) -> Manifest:
    """Return a manifest with the settings that a resumed run repeats: as asked for, and not as they could be had."""
    return manifest.model_copy(update={"spec": {**manifest.spec, **manifest.requested}})


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


def _parse(path: Path) -> Iterator[Record]:
    """Yield the records of whole lines; skip types of a newer minor version and a torn tail."""
    if not path.is_file():
        raise ResultsError("there is no results file", path, "check the path, or write one with `ecva-bench run`")
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.endswith(b"\n"):
                return
            yield from _parse_line(line, path, number)


def _parse_line(line: bytes, path: Path, number: int) -> Iterable[Record]:
    try:
        data = parse_json(line)
        kind = _TYPES.get(data["type"])
        return [kind.model_validate(data)] if kind else []
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        reason = str(error).partition("\n")[0]
        raise ResultsError(
            f"line {number} is no record ({reason})", path, "restore it from a copy, or delete that line"
        ) from error


def _manifest(path: Path, records: Sequence[Record]) -> Manifest:
    if not records or not isinstance(records[0], Manifest):
        raise ResultsError("the first line is no run manifest", path, "is this a results file?")
    manifest = records[0]
    if manifest.schema_ != RESULTS_SCHEMA:
        raise ResultsError(
            f"the file has schema {manifest.schema_!r}, this version reads {RESULTS_SCHEMA!r}",
            path,
            "use the version of ecva-bench that wrote it",
        )
    return manifest


def _unsharded(manifest: Manifest) -> Manifest:
    selection = {k: v for k, v in manifest.spec.get("selection", {}).items() if k != "shard"}
    return manifest.model_copy(update={"spec": {**manifest.spec, "selection": {**selection, "shard": None}}})


def differences(there: Manifest, here: Manifest) -> str:
    """Return in words where the settings of two runs differ; nothing where they are the same run."""
    old, new = _flat(there.spec), _flat(here.spec)
    differing = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
    return "; ".join(f"{key} is {old.get(key)!r} there and {new.get(key)!r} here" for key in differing[:8])


def _check_spec(path: Path, held: Manifest, asked: Manifest) -> None:
    if shown := differences(held, asked):
        raise SpecMismatch(
            f"the file belongs to a run with other settings ({shown})",
            path,
            "repeat those, or use another --out",
        )


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(value, dict) or not value:
        return {prefix: value}
    parts = (_flat(item, f"{prefix}.{key}" if prefix else str(key)) for key, item in value.items())
    return {name: item for part in parts for name, item in part.items()}
