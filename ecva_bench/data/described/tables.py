"""The rows of an annotation file as dictionaries: CSV, TSV, JSON, JSON lines, parquet, and words between blanks.

Knows formats, and not what columns mean. What cannot be a row is a finding, and the rows after it are read; a file
that cannot be read at all is a `DataError`. Texts are UTF-8.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeGuard

from ...errors import DataError
from ...files import parquet
from ...untrusted import parse_json
from ...wording import counted
from ..cells import Note
from .description import Format, RowKeys

KEY = "@key"  # the column of a record's key
REST = "..."  # behind the last column of a file of words: it takes all that is left of a line

Row = dict[str, Any]
NumberedRow = tuple[int, Row]
Report = Callable[[int, str, Note], None]  # number of the row, what it is called, what was found

_FORMATS: dict[str, Format] = {
    ".csv": "csv", ".tsv": "tsv", ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet",
    ".txt": "words",
}  # fmt: skip
_UTF16 = (b"\xff\xfe", b"\xfe\xff")

_LONGEST_CELL = 1 << 20  # characters
_OTHER_SEPARATORS = ";\t|,"


def read_table(path: Path, keys: RowKeys, report: Report) -> Iterator[NumberedRow]:
    """Yield each row of a file with its number, from 1, in the format that its suffix or the description says."""
    kind = keys.format or _FORMATS.get(path.suffix.lower())
    if kind is None:
        known = ", ".join(_FORMATS)
        raise DataError(f"nothing says what format the file has; known suffixes are {known}", path, "say format = ...")
    try:
        if path.is_dir():
            raise DataError("this is a folder, not a file", path, "name the file")
        if kind == "parquet":
            yield from enumerate(parquet.iter_rows(path), start=1)
        elif kind == "json":
            yield from _of_json(path, keys.records, report)
        else:
            with path.open(encoding="utf-8-sig", newline="" if kind in ("csv", "tsv") else None) as file:
                yield from _of_lines(file, kind, keys.columns, report)
    except UnicodeDecodeError as error:
        raise DataError(_not_utf8(path, error), path, "save it as UTF-8") from error
    except OSError as error:
        raise DataError(f"the file cannot be read ({error.strerror})", path, "check the path") from error
    except csv.Error as error:
        raise DataError(f"the table cannot be read ({error})", path, "mend the file, or get it again") from error


def _of_lines(file: Iterable[str], kind: Format, columns: tuple[str, ...], report: Report) -> Iterator[NumberedRow]:
    if kind == "jsonl":
        return _of_json_lines(file, report)
    if kind == "words":
        return _of_words(file, columns, report)
    csv.field_size_limit(_LONGEST_CELL)  # of all readers of the process: others set their own
    return _of_cells(_cells(file, "\t" if kind == "tsv" else ","), report)


def _cells(file: Iterable[str], separator: str) -> Iterator[list[str]]:
    """Yield the cells of each row; `csv.Error` that says in which line the row begins that cannot be read."""
    reader = csv.reader(file, delimiter=separator, strict=True)
    line = 1
    try:
        for row in reader:
            yield row
            line = reader.line_num + 1
    except csv.Error as error:
        raise csv.Error(f"{error}, in the row that begins in line {line}") from error


def _of_cells(lines: Iterable[list[str]], report: Report) -> Iterator[NumberedRow]:
    cells = iter(lines)
    header = next(cells, [])
    names = _columns(header)
    if len(header) == 1 and (sign := next((one for one in _OTHER_SEPARATORS if one in header[0]), None)):
        raise csv.Error(f"its header is one column, {header[0][:200]!r}: the cells seem to be separated by {sign!r}")
    number = 0
    for line in cells:
        if len(line) == len(names):
            number += 1
            yield number, dict(zip(names, line, strict=True))
        elif line:  # else an empty line
            number += 1
            what = f"{counted(len(line), 'cell')} where the header has {len(names)}: {' | '.join(line):.200}"
            report(number, f"row {number}", Note("row-broken", "excluded", what))


def _of_words(file: Iterable[str], columns: tuple[str, ...], report: Report) -> Iterator[NumberedRow]:
    names = [name.removesuffix(REST) for name in _columns(columns)]
    has_rest = columns[-1].endswith(REST)
    for number, line in enumerate((line for line in file if line.strip()), start=1):
        words = line.split()
        fixed = len(names) - has_rest
        if len(words) < fixed or (len(words) > fixed and not has_rest):
            report(number, f"row {number}", Note("row-broken", "excluded", line.strip()[:200]))
            continue
        row: Row = dict(zip(names, words, strict=False))
        if has_rest:
            row[names[-1]] = words[fixed:]
        yield number, row


def _columns(names: Iterable[str]) -> list[str]:
    """Return names of columns; `csv.Error` where there is none, or one is there twice."""
    found = [sys.intern(name.strip()) for name in names]
    if not any(found):
        raise csv.Error("it names no columns")
    if twice := next((name for name in found if found.count(name) > 1), None):
        raise csv.Error(f"two columns are called {twice!r}")
    return found


def _of_json_lines(file: Iterable[str], report: Report) -> Iterator[NumberedRow]:
    names: list[str] | None = None
    number = 0
    for line in file:
        if not line.strip():
            continue
        number += 1
        try:
            value = _parsed(line)
        except ValueError as error:
            report(number, f"row {number}", Note("row-broken", "excluded", f"{line.strip()[:160]} ({error!s:.60})"))
            continue
        if number == 1 and _is_header(value):
            names, number = _columns(value), 0  # the first line names the columns of the arrays below
        else:
            row = _as_row(value, names, number, report)
            if row is not None:
                yield number, row


def _of_json(path: Path, records: str | None, report: Report) -> Iterator[NumberedRow]:
    with path.open(encoding="utf-8-sig") as file:
        text = file.read()
    repeated: list[str] = []
    try:
        value = _parsed(text, repeated.append)
    except ValueError as error:
        raise DataError(f"this is no whole JSON ({error!s:.200})", path, "get the file again") from error
    for part in (records or "").split(".") if records else ():
        if not isinstance(value, dict) or part not in value:
            there = f"; there are {', '.join(map(str, value))[:300]}" if isinstance(value, dict) else ""
            raise DataError(f"the records do not lie under {records!r}{there}", path, "check the description")
        value = value[part]
    for key in repeated:
        report(0, key, Note("duplicate-row", "excluded", f"the key {key!r} is there twice; the first one counts"))
    if isinstance(value, dict):
        for number, (key, record) in enumerate(value.items(), start=1):
            row = _as_row(record, None, number, report)
            if row is not None:
                yield number, {**row, KEY: key}
    elif isinstance(value, list):
        names = _columns(value[0]) if value and _is_header(value[0]) else None
        for number, record in enumerate(value[1:] if names else value, start=1):
            row = _as_row(record, names, number, report)
            if row is not None:
                yield number, row
    else:
        raise DataError("the JSON holds no records: no list and no object", path, "check the file")


def _is_header(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and bool(value) and all(isinstance(one, str) for one in value)


def _as_row(value: object, names: list[str] | None, number: int, report: Report) -> Row | None:
    """Return a record as a row, None, with a finding, where it cannot be one."""
    if names is None and isinstance(value, dict):
        return value
    if names is not None and isinstance(value, list) and len(value) == len(names):
        return dict(zip(names, value, strict=True))
    written = json.dumps(value, ensure_ascii=False, default=str)[:200]
    report(number, f"row {number}", Note("row-broken", "excluded", written))
    return None


def _parsed(text: str, repeated: Callable[[str], None] | None = None) -> Any:
    """Return the value of a JSON text, its texts well-formed.

    Where `repeated` is given, it is called with each key that an object has twice, of which the first counts.
    """
    return parse_json(text, lenient=True, repeated=repeated)


def _not_utf8(path: Path, error: UnicodeDecodeError) -> str:
    with path.open("rb") as file:
        if file.read(2) in _UTF16:
            return "the file is UTF-16, not UTF-8"
    return f"the file is not UTF-8 (byte 0x{error.object[error.start]:02x}: {error.reason})"
