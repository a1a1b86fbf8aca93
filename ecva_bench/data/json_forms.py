"""The two JSON forms in which annotations go round: one row per video and task.

`{instruction, visual_input, output, task, ID}` as the authors publish CUVA, `{video_name, task, answer}` as other
harnesses use it. Knows rows and their fields; what the texts mean is known to `rows.py` and `cells.py`.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import DataError
from ..names import Name, ids_of, media_of, of_number
from ..untrusted import parse_json
from .rows import AnnotationTable, RawRow

# Names of tasks, in lower case, and the column each fills.
TASK_COLUMNS = {
    "classification": "label",
    "timestamp": "moments",
    "description": "description",
    "cause": "cause",
    "reason": "cause",
    "result": "effect",
    "effect": "effect",
    "outcome": "effect",
}


class _JsonRow(NamedTuple):
    """A row in either form: its video as it is named, its task, and its answer as it was and as text."""

    source: str
    task: str
    written: Any
    answer: str


def read_json_rows(content: bytes, path: Path, table: AnnotationTable) -> None:
    """Take the rows of a JSON file into a table; `DataError` where none can be used, with the reason of the first."""
    rows = parse_json_file(content, path)
    if not isinstance(rows, list):
        raise DataError("the JSON is not a list of rows", path, "check the file")
    read_rows(rows, path, table)


def read_rows(rows: list[Any], path: Path, table: AnnotationTable) -> None:
    """Take rows as JSON has them into a table; `DataError` where none can be used, with the reason of the first."""
    found = [_json_row(row) for row in rows]
    ids = ids_of((row.source for row in found if isinstance(row, _JsonRow)), path)
    media = media_of(ids)
    cells: dict[str, dict[str, str]] = {}
    for number, row in enumerate(found, start=1):
        if isinstance(row, str):
            written = json.dumps(rows[number - 1], ensure_ascii=False, default=str)[:200]
            table.report(f"row {number}", "row", "row-broken", "excluded", written)
            continue
        video = ids[row.source]
        column = TASK_COLUMNS.get(row.task.strip().lower())
        if column is None:
            table.report(video, "row", "task-unknown", "excluded", row.task)
        elif column in cells.setdefault(video, {}):
            table.report(video, column, "duplicate-row", "excluded", row.answer)
        else:
            cells[video][column] = row.answer
            if row.written != row.answer:
                table.report(video, column, "text-not-text", "repaired", repr(row.written), row.answer)
    for video, columns in cells.items():
        if columns:
            table.add(RawRow(video=video, media=media[video], **columns))
    if not table.annotations:
        first = next((f"row {n}: {row}" for n, row in enumerate(found, start=1) if isinstance(row, str)), "")
        fields = next((f"; its columns are {', '.join(row)}" for row in rows if isinstance(row, dict) and row), "")
        remedy = "see the layouts in the help of `ecva-bench data check`"
        raise DataError(f"no row can be used ({first or 'none says anything'}){fields}", path, remedy)


def row_places(rows: list[Any], path: Path) -> dict[tuple[str, str], int]:
    """Return where in a list of rows the first one of a video and a column is."""
    found = {place: row for place, one in enumerate(rows) if isinstance(row := _json_row(one), _JsonRow)}
    ids = ids_of((row.source for row in found.values()), path)
    places: dict[tuple[str, str], int] = {}
    for place, row in found.items():
        places.setdefault((ids[row.source], TASK_COLUMNS.get(row.task.strip().lower(), "")), place)
    return places


def parse_json_file(content: bytes, path: Path) -> Any:
    """Return the value of a JSON text in UTF-8, its texts well-formed; `DataError` saying where it breaks off."""
    try:
        return parse_json(content, lenient=True)
    except ValueError as error:
        what = f"this is neither a workbook nor whole JSON ({error}){_table_columns(content)}"
        remedy = "get the file again; a data set of your own is read by your function: ./file.py:NAME:FILE"
        raise DataError(what, path, remedy) from error


def _table_columns(content: bytes) -> str:
    """Return in words the columns of a table in text (CSV, TSV), as its first line names them; empty if it is none."""
    first = content.decode("utf-8-sig", errors="replace").lstrip().partition("\n")[0]
    if first[:1] in ("{", "[", "<") or not any(sign in first for sign in ",\t;"):
        return ""
    return f"; it may be a table with the columns {first.strip():.300}"


def cell_text(value: Any) -> str | None:
    """Return a text, or a number as JSON writes it; None for anything else: null, true, an object, a list."""
    if isinstance(value, str):
        return value
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return json.dumps(value) if is_number else None


def describe_field(row: dict[str, Any], *fields: str) -> str:
    """Return in words what a row holds in the first of some fields that it has, for a message."""
    field = next((field for field in fields if field in row), None)
    if field is None:
        return f"it has no {' or '.join(fields)}"
    return f"its {field} is {json.dumps(row[field], ensure_ascii=False):.60}"


def _json_row(row: Any) -> _JsonRow | str:
    """Return a row in either form, or why it is broken."""
    if not isinstance(row, dict):
        return "it is no object"
    # Beside a name `ID` is the number of the row: it names the video only where no field for a name is there.
    names = [name for name in ("visual_input", "video_name", "video") if name in row]
    source = next((row[name] for name in names if row[name]), None) if names else row.get("ID")
    source = source if isinstance(source, str) else of_number(source)
    if not (source and Name.of(source).stem):
        shown = describe_field(row, *(names or ("visual_input", "video_name", "ID")))
        return f"{shown}, where the name of a video is expected"
    task, written = row.get("task"), row.get("output", row.get("answer"))
    if not isinstance(task, str):
        return f"{describe_field(row, 'task')}, where the name of a task is expected"
    answer = cell_text(written)
    if answer is None:
        return f"{describe_field(row, 'output', 'answer')}, where a text is expected"
    return _JsonRow(source, task, written, answer)
