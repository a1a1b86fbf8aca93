"""From a file to its rows, each a mapping with the place where it stands. The form is found by the content."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..data.ecva import read_bytes
from ..errors import DataError, UsageError
from ..files import parquet
from ..records.base import sha256_of_file
from ..untrusted import parse_json
from .containers import LARGEST, archive_rows, table_rows
from .kinds import json_reason, refuse_other_kind, refuse_other_rows
from .nesting import KEY, Row, model_in, rows_of

_ZIP = b"PK"
_GZIP = b"\x1f\x8b"
# A line of `id: text`; the colon of a path or of a time has no space behind it.
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")  # with its end, as csv wants it
_NOT_BLANK = re.compile(r"\S[^\n]*")
_LINE_OF_ID = re.compile(r"\s*([^\s,;|:\"{]+)\s*:\s+(\S.*)")
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_DELIMITERS = "\t,;|"
_FIELD_LIMIT = 1 << 27  # characters of a cell


@dataclass(frozen=True)
class AnswerFile:
    """A file as opened: its rows, the name of its form, its hash, and the model that it says it is by, if any."""

    path: Path
    form: str
    sha256: str
    rows: tuple[Row, ...]
    model: str = ""

    @property
    def stem(self) -> str:
        """The name of the file without its suffix, `m` for `m.csv.gz`."""
        return stem_of(self.path)


def open_answers(path: Path, *, headed: bool = True) -> AnswerFile:
    """Return the rows of a file of answers; a table without headings is read as such where it is not `headed`.

    Raises `UsageError` for a file of another kind, with what to type, and `DataError` for a damaged one.
    """
    if path.is_dir():
        return _texts(path)
    content = read_bytes(path)
    sha256, is_packed = hashlib.sha256(content).hexdigest(), content.startswith(_GZIP)
    if is_packed:
        content = _unpacked(content, path)
    refuse_other_kind(path, content[:4096])
    model = ""
    if content.startswith(_ZIP):
        form, rows = archive_rows(content, path, headed=headed)
    elif content.startswith(parquet.MAGIC) and not is_packed:
        numbered = enumerate(parquet.rows(path), start=1)
        form, rows = "parquet", [Row(row, f"row {number}") for number, row in numbered]
    else:
        text = _decoded(content, path)
        del content  # large files are held once
        if text.lstrip()[:1] in ("{", "["):
            form, rows, model = _json(text, path)
        elif lines := _lines_of_ids(text):
            form, rows = "lines of id: text", lines
        else:
            form, rows = "table", _table(text, path, headed=headed)
    if rows:
        refuse_other_rows(path, rows[0].fields)
    else:
        raise DataError("the file holds no row", path, "name the file of the answers")
    return AnswerFile(path, form, sha256, tuple(rows), model)


def stem_of(path: Path) -> str:
    """Return the name of a file without its suffix, nor that of what is packed in it."""
    return Path(path.stem).stem if path.suffix.lower() == ".gz" else path.stem


def _unpacked(content: bytes, path: Path) -> bytes:
    """Return what is in a gzip file; `UsageError` where it would become too large, `DataError` where it is damaged."""
    try:
        with gzip.open(io.BytesIO(content)) as packed:
            unpacked = packed.read(LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"the gzip file is damaged ({error})", path, "get the file again") from error
    if len(unpacked) > LARGEST:
        raise UsageError("the file would become too large to read", path, "name a smaller file, such as one a task")
    return unpacked


def _texts(folder: Path) -> AnswerFile:
    """Return the rows of a folder with a text a video, `00001.txt`; `UsageError` for another folder."""
    files = [file for file in sorted(folder.iterdir()) if file.name[0] != "."]
    if not files or any(file.suffix.lower() != ".txt" for file in files):
        refuse_other_kind(folder, b"")
    rows = tuple(Row({KEY: file.stem, "answer": _decoded(file.read_bytes(), file)}, file.name) for file in files)
    return AnswerFile(folder, "folder of texts", sha256_of_file(folder), rows)


def _decoded(content: bytes, path: Path) -> str:
    unmarked = "utf-16-le" if content[1:2] == b"\0" and content[:1] != b"\0" else "utf-8"
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), unmarked)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        what = f"the file is no text in UTF-8 or UTF-16 (byte {error.start} is {content[error.start]:#04x})"
        raise DataError(what, path, "save it as UTF-8 (in Excel: CSV UTF-8), and name that") from None
    if "\0" in text:
        raise DataError("the file is neither a text nor a table", path, "name a JSON, CSV, TSV, XLSX or parquet file")
    return text


def _json(text: str, path: Path) -> tuple[str, list[Row], str]:
    """Return form, rows and model of one JSON value, or of JSON lines."""
    try:
        value = parse_json(text, lenient=True)
    except ValueError as error:
        return "JSON lines", list(_lines(text, path, error)), ""
    refuse_other_rows(path, value)
    return "JSON", rows_of(value), model_in(value)


def _lines(text: str, path: Path, reason: Exception) -> Iterator[Row]:
    """Yield the rows of JSON lines; `DataError` naming the first line that is no JSON object."""
    lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    for place, (number, line) in enumerate(lines):
        try:
            value = parse_json(line, lenient=True)
        except ValueError as error:
            if not place:  # one value over several lines, which breaks off
                what = f"the JSON breaks off or is damaged ({json_reason(reason)}, {_place(reason)})"
                raise DataError(what, path, "get the file again") from None
            if place == len(lines) - 1:  # its writer was stopped there
                yield Row({}, f"line {number}, which breaks off")
                return
            what = f"line {number} is no JSON ({json_reason(error)})"
            raise DataError(what, path, "get the file again") from None
        if not isinstance(value, dict):
            raise DataError(f"line {number} is no JSON object", path, "write one object a line, with video and answer")
        if not place:
            refuse_other_rows(path, value)
        found = rows_of([value])[0]
        yield Row(found.fields, f"line {number}")


def _place(error: Exception) -> str:
    return f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else "too deeply nested"


def _lines_of_ids(text: str) -> list[Row]:
    """Return the rows of a text each of whose lines is `id: text`, none of another text."""
    first = _NOT_BLANK.search(text)
    if first is None or not _LINE_OF_ID.fullmatch(first[0]):
        return []
    lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    found = [(number, _LINE_OF_ID.fullmatch(line)) for number, line in lines]
    rows = [Row({KEY: match[1], "answer": match[2].rstrip()}, f"line {number}") for number, match in found if match]
    return rows if len(rows) == len(lines) else []


def _table(text: str, path: Path, *, headed: bool) -> list[Row]:
    """Return the rows of a text table; the delimiter is that of its first line."""
    head = next((line[0].rstrip("\r\n") for line in _LINE.finditer(text) if line[0].strip()), "")
    delimiter = max(_DELIMITERS, key=lambda mark: (head.count(mark), -_DELIMITERS.index(mark)))
    if not head.count(delimiter):
        what = f"the file is neither JSON nor a table; it begins with {head[:40]!r}"
        raise DataError(what, path, "name a JSON, CSV, TSV, XLSX or parquet file, or the file of a run")
    csv.field_size_limit(_FIELD_LIMIT)
    reader = csv.reader((line[0] for line in _LINE.finditer(text)), delimiter=delimiter)
    lines: list[tuple[int, Any]] = []
    try:
        for cells in reader:
            if delimiter == "|":  # a table of Markdown, with a rule below its headings
                cells = [cell.strip() for cell in cells]
            if delimiter != "|" or any(cell.strip(":-") for cell in cells):
                lines.append((reader.line_num, cells))
    except csv.Error as error:
        raise DataError(f"line {reader.line_num} is no row of a table ({error})", path, "save the table anew") from None
    return table_rows(lines, "", headed=headed)
