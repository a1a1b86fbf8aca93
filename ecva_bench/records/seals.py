"""Seals: each line of a file of records ends with a checksum of itself and that of the line before.

    {"answer":"A car brakes too late.",…,"type":"answer","seal":"<of the line before>-<of this line>"}

A line's checksum is over all its bytes up to there, so that a line that was changed is named by itself, and lines that
were removed, added or moved by the line behind them. A file has seals on all its lines or on none; its first record
says by its field `sealed` that it has them, so that they cannot be left out. A file that is one JSON object, such as a
submission, has a seal over its canonical JSON.

Seals have no key: they tell damage and careless edits. Whoever changes a file on purpose can compute them anew.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from shlex import quote
from typing import Any, Literal, NamedTuple

from ..errors import SealBroken
from ..untrusted import say
from .base import sha256_of

START = b"0" * 16  # what the first line has for the checksum of the line before
_MARK = b',"seal":"'
_END = b'"}\n'
_OWN = -len(START) - len(_END)  # where a line's own checksum begins, from its end
_TOLD = _OWN - len(b"-") - len(START)  # and that of the line before
_LENGTH = len(_MARK) - _TOLD
_LINE_AND_MORE = re.compile(rb'"seal":"[0-9a-f]{16}-[0-9a-f]{16}"}.', re.DOTALL)

Fault = Literal["changed", "unsealed", "sealed", "gap", "joined", "end"]
FAULTS: dict[Fault, str] = {
    "changed": "line {line} was changed since it was written",
    "unsealed": "line {line} has no seal, as the file's others have: it was changed, or another program wrote it",
    "sealed": "line {line} has a seal, and the first line has none: seals were removed or changed",
    "gap": "line {line} does not follow the line before it: lines were removed, added or moved there",
    "joined": "line {line} is the first line of another file: files are joined with `ecva-bench merge`",
    "end": "the end of line {line} was changed since it was written",
}


class RecordLine(NamedTuple):
    """A line of a file of records: its number, from 1, its bytes, and those of the record, without a seal.

    `fault` is what is wrong with its seal, None where nothing is or where the file has no seals.
    """

    number: int
    content: bytes
    record: bytes
    sealed: bool
    fault: Fault | None = None

    @property
    def complete(self) -> bool:
        """Whether it ends with a line break; the last line of a file that a kill cut off does not."""
        return self.content.endswith(b"\n")


def sealed_line(record: bytes, before: bytes) -> bytes:
    """Return the line of a record, a JSON object with fields; `before` is the seal of the line before it."""
    head = record[:-1] + _MARK + before + b"-"
    return head + _checksum(head) + _END


def checksum_of(line: bytes) -> bytes:
    """Return a sealed line's own checksum, which the line behind it repeats."""
    return line[_OWN : -len(_END)]


def sealed_lines(records: Iterable[bytes], before: bytes = START) -> Iterator[bytes]:
    """Yield the lines of records, each a JSON object; `before` is the seal of the line before the first one."""
    for record in records:
        line = sealed_line(record, before)
        before = checksum_of(line)
        yield line


def has_seal(line: bytes) -> bool:
    """Return whether a line ends as a sealed one does."""
    return line[-_LENGTH:_TOLD] == _MARK and line.endswith(_END)


def examined_lines(lines: Iterable[bytes], sealed: bool | None = None) -> Iterator[RecordLine]:
    """Yield the lines of a file, each with what is wrong with it; whether the file is `sealed` its first line says."""
    before: bytes | None = START  # None behind a line whose own seal cannot be known
    for number, line in enumerate(lines, 1):
        has = has_seal(line)
        sealed = has if sealed is None else sealed
        if not (sealed and has):
            yield RecordLine(number, line, line.removesuffix(b"\n"), sealed, _fault_without(line, sealed, has))
            before = None
            continue
        told, own = line[_TOLD : _TOLD + len(START)], checksum_of(line)
        fault: Fault | None = None
        if own != _checksum(line[:_OWN]):
            fault = "changed"
        elif told != before and before is not None:
            fault = "joined" if told == START else "gap"
        yield RecordLine(number, line, line[:-_LENGTH] + b"}", True, fault)
        before = None if fault == "changed" else own


def checked_lines(lines: Iterable[bytes], where: Path) -> Iterator[RecordLine]:
    """Yield the lines of a file of records; `SealBroken`, which names the line, where it was changed since."""
    for line in examined_lines(lines):
        if line.fault:
            raise seal_broken(FAULTS[line.fault].format(line=line.number), where, line.number)
        yield line


def check_sealed(says_sealed: bool, line: RecordLine, where: Path) -> None:
    """Raise `SealBroken` where a record says that its file is sealed, and it is not; remark a file that never was."""
    if says_sealed and not line.sealed:
        raise seal_broken(f"the file's seals were removed or changed, as line {line.number} tells", where, line.number)
    if not line.sealed:
        _remark_unsealed(where)


def sealed_json(content: dict[str, Any]) -> dict[str, Any]:
    """Return a JSON object that says it is sealed, with its seal."""
    found = {**content, "sealed": True}
    return {**found, "seal": sha256_of(found)}


def check_json(content: dict[str, Any], where: Path) -> dict[str, Any]:
    """Return a JSON object without its seal; `SealBroken` where it was changed since, or its seal was removed."""
    seal = content.get("seal")
    rest = {name: value for name, value in content.items() if name != "seal"}
    if seal is None and content.get("sealed"):
        raise seal_broken("its seal was removed or changed", where)
    if seal is not None and seal != sha256_of(rest):
        raise seal_broken("it was changed since it was written", where)
    return rest


def seal_broken(what: str, where: Path, line: int | None = None) -> SealBroken:
    """Return the error for a file that was changed since it was written, with the line where there are some."""
    return SealBroken(what, where, f"see what is wrong with `ecva-bench repair {quote(str(where))}`", line=line)


@cache  # once for each file
def _remark_unsealed(where: Path) -> None:
    say(f"note: {unsealed_text(where)}", error=True)


def unsealed_text(where: Path) -> str:
    """Return what it means that a file has no seals."""
    return f"{where} is unsealed: a change of it since it was written would not be noticed"


def _fault_without(line: bytes, sealed: bool, has: bool) -> Fault | None:
    """Return what is wrong with a line that has no seal, or is of a file that has none."""
    if not sealed:
        return "sealed" if has else None
    if line.endswith(b"\n"):
        return "unsealed"
    return "end" if _LINE_AND_MORE.search(line) else None  # else a kill cut it off


def _checksum(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest()[: len(START)].encode()
