"""What is wrong with the lines of a results file, and the file without them.

A line that was changed since it was written, or is no record, is moved to `<file>.quarantined`: its question is owed
again. The other lines stay as they are, sealed anew where the file is sealed, and an event says what was done.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from shlex import quote
from typing import NamedTuple

from ..errors import ResultsError
from ..records.answers import Answer, Event, Failure, Manifest
from ..records.base import Record, canonical_json
from ..records.seals import FAULTS, RecordLine, examined_lines, has_seal, sealed_lines
from ..untrusted import parse_json
from ..wording import counted
from .growing import open_growing
from .lines import absent, parse_line, parse_records
from .manifests import manifest_of, sample_views
from .results import REPAIRED
from .writer import now

_NAMED = 20  # lines that the event names
_SHOWN = 80  # characters of a line
_ASKED = Answer | Failure
_ANEW = "begin the whole run anew with --out OTHER, end it with Ctrl-C after the first answer"


class Damage(NamedTuple):
    """What is wrong at a line, and what it reads as; `bad` where the line itself is, and not what stood before it."""

    what: str
    reads: str
    bad: bool


class _Judged(NamedTuple):
    line: RecordLine
    record: Record | None  # None also where its type is of a newer version
    damage: Damage | None

    @property
    def kept(self) -> bool:
        return self.line.complete and not (self.damage and self.damage.bad)


def damages(path: Path) -> list[Damage]:
    """Return what is wrong with the lines of a results file; an incomplete last line alone is not, a kill leaves one.

    Raises `ResultsError` where there is no such file, or its line ends alone were changed.
    """
    return [one.damage for one in _judged(path) if one.damage]


def quarantine(path: Path, manifest: Path | None = None) -> int:
    """Move the bad lines of a results file to `<file>.quarantined`, and return their number.

    `manifest` is a results file of the same run, which owes all that this one has, and whose manifest is taken where no
    line of this one has it any more. Nothing is lost: bad lines are written to the other file before they are taken out
    of this one. Raises `ResultsBusy` where a run writes the file, and `ResultsError` where it has no manifest, holds
    several runs or cannot be written, or the other file is of another or a shorter run.
    """
    if not path.is_file():
        raise absent(path)
    file = open_growing(path, "results file", holder=lambda: "a run", otherwise=None)
    try:
        judged = list(_judged(path))
        kept, away = [one for one in judged if one.kept], [one.line for one in judged if not one.kept]
        manifests = [one.record for one in kept if isinstance(one.record, Manifest)]
        first = manifests[0] if manifests else _manifest_of_other(path, kept, manifest)
        manifest_of(path, [first, *manifests])
        content = [_with_seals(one, first.sealed) for one in kept]
        if not kept or kept[0].record is not first:
            content.insert(0, _json(first))
        faults = sum(one.damage is not None for one in judged)
        detail = {"faults": faults, "quarantined": len(away), "lines": [line.number for line in away[:_NAMED]]}
        content.append(_json(Event(event=REPAIRED, detail=detail, t=now())))
        if away:
            _set_aside(path.with_name(f"{path.name}.quarantined"), away)
        file.replace(b"".join(sealed_lines(content) if first.sealed else (one + b"\n" for one in content)))
    finally:
        file.close()
    return len(away)


def _judged(path: Path) -> Iterator[_Judged]:
    """Yield the lines of a file; it is a sealed one where it says so, or where most of its lines have seals."""
    if not path.is_file():
        raise absent(path)
    with path.open("rb") as lines:
        first = lines.readline()
        if first.endswith(b"\r\n"):  # all lines would be bad, and none of them is
            what = "its line ends were changed to those of Windows, as Git's core.autocrlf does"
            raise ResultsError(what, path, f"change them back with: sed -i 's/\\r$//' {quote(str(path))}")
        says_so = _says_sealed(first)
        seals = [has_seal(line) for line in lines]
        lines.seek(0)
        for line in examined_lines(lines, sealed=says_so or 2 * sum(seals) > len(seals)):
            what = FAULTS[line.fault].format(line=line.number) if line.fault else ""
            bad, record = line.fault not in (None, "gap", "joined"), None
            if line.complete and not bad:
                try:
                    record = next(iter(parse_line(line, path)), None)
                except ResultsError as error:
                    what, bad = error.what, True
            yield _Judged(line, record, Damage(what, _reading(line), bad) if what else None)


def _says_sealed(line: bytes) -> bool:
    try:
        return parse_json(line).get("sealed") is True
    except (ValueError, AttributeError):
        return False


def _reading(line: RecordLine) -> str:
    """Return what a line reads as, as far as it can be read."""
    try:
        data = parse_json(line.record)
        parts = [data[name] for name in ("type", "id", "view", "event", "answer", "message", "reason") if name in data]
        return " ".join(map(str, parts))[:_SHOWN]
    except (ValueError, KeyError, TypeError):
        return line.content[:_SHOWN].decode(errors="replace").strip()


def _manifest_of_other(path: Path, kept: Sequence[_Judged], other: Path | None) -> Manifest:
    """Return the manifest of another file of the same run, which owes all that is kept, and gives it the same keys."""
    if other is None:
        raise ResultsError("no line says any more what run it is", path, f"{_ANEW}, and name that file with --manifest")
    records = list(parse_records(other))
    found = manifest_of(other, records)
    here, there = (
        {(one.id, one.view): one.key for one in some if isinstance(one, _ASKED)}
        for some in ((one.record for one in kept), records)
    )
    if apart := [sample for sample in here.keys() & there.keys() if here[sample] != there[sample]]:
        what = f"it is of another run: {min(apart)[0]} has another key there"
        raise ResultsError(what, other, "name a file that the same command wrote, with another --out")
    if missing := here.keys() - sample_views(found.expects):
        asked, owed = counted(len(here), "question"), len(here) - len(missing)
        what = f"it is of a shorter run: of {asked} in {path.name} it owes {owed}"
        raise ResultsError(what, other, f"{_ANEW}, and name that one")
    return found


def _with_seals(one: _Judged, sealed: bool) -> bytes:
    """Return a record as JSON; a manifest says whether its file is sealed."""
    if isinstance(one.record, Manifest) and one.record.sealed != sealed:
        return _json(one.record.model_copy(update={"sealed": sealed}))
    return one.line.record


def _json(record: Record) -> bytes:
    return canonical_json(record.model_dump(mode="json", by_alias=True, exclude_none=True)).encode()


def _set_aside(target: Path, lines: Sequence[RecordLine]) -> None:
    try:
        with target.open("ab") as aside:
            for line in lines:
                aside.write(line.content if line.complete else line.content + b"\n")
            aside.flush()
            os.fsync(aside.fileno())
    except OSError as error:
        what = f"the bad lines cannot be set aside ({error.strerror})"
        raise ResultsError(what, target, "make room, and run the same command again") from error
