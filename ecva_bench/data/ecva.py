"""ECVA and CUVA: the authors' workbook, and the two JSON forms in which their annotations go round.

The workbook has three sheets: the first round, the second round (a review of class and moments) and examples.
The JSON forms hold one row per video and task: `{instruction, visual_input, output, task, ID}` as the authors
publish CUVA, `{video_name, task, answer}` as other harnesses use it. The form is found by the file's content.
Knows files and columns; what the cells mean is known to `rows.py` and `cells.py`.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from ..errors import DataError, UsageError
from ..records import Annotation
from ..taxonomy import load_taxonomy
from .dataset import Dataset
from .rows import Row, Table, annotate

WORKBOOK = b"PK"  # the first bytes of a zip archive, which an .xlsx file is
FIRST_ROUND, SECOND_ROUND, EXAMPLES = "一轮标注", "二轮标注", "示例"

# A column of the workbook is known by the first word that stands in its heading.
HEADINGS = {
    "label": "X1",
    "cause": "reason",
    "effect": "result",
    "moments": "moment",
    "description": "description",
    "key_sentences": "key sentences",
}

# Names of tasks in the JSON forms, in lower case, and the column each fills.
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


def load_ecva(path: Path | None, videos: Path | None = None) -> Dataset:
    """Return ECVA as annotated in a workbook or JSON file; `DataError` if it cannot be read at all."""
    return _load("ecva", path, videos)


def load_cuva(path: Path | None, videos: Path | None = None) -> Dataset:
    """Return CUVA as annotated in a JSON file or workbook; `DataError` if it cannot be read at all."""
    return _load("cuva", path, videos)


def _load(name: str, path: Path | None, videos: Path | None) -> Dataset:
    if path is None:
        raise UsageError(f"{name} needs its annotation file", remedy=f"write {name}:PATH, or get it with data fetch")
    if videos is not None and not videos.is_dir():
        raise DataError("there is no such folder of videos", videos, "check the path")
    content = read_bytes(path)
    table = Table(load_taxonomy("cuva"))
    examples: list[Annotation] = []
    if content.startswith(WORKBOOK):
        _read_workbook(content, path, table, examples)
    else:
        _read_json(content, path, table)
    if not table.annotations:
        raise DataError("no row can be used", path, "see the layouts in the help of `ecva-bench data check`")
    return Dataset(
        name=name,
        source=str(path),
        sha256=hashlib.sha256(content).hexdigest(),
        taxonomy=table.taxonomy,
        annotations=tuple(sorted(table.annotations.values(), key=lambda annotation: annotation.video)),
        excluded=tuple(sorted(table.excluded.values(), key=lambda annotation: annotation.video)),
        findings=tuple(sorted(table.findings, key=lambda finding: finding.video)),
        examples=tuple(examples),
        videos=videos,
    )


def form_of(path: Path) -> str:
    """Return the dataset a file is taken for by its content: a workbook is ECVA's, JSON is CUVA's."""
    return "ecva" if read_bytes(path).startswith(WORKBOOK) else "cuva"


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes; `DataError` where there is no such file, or an empty one."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"the file cannot be read ({error.strerror})", path, "check the path") from error
    if not content.strip():
        raise DataError("the file is empty", path, "get it again")
    return content


def parse_json(content: bytes, path: Path) -> Any:
    """Return the value of a JSON text in UTF-8; `DataError` saying where it breaks off, or holds half a character."""
    try:
        value = json.loads(content.decode("utf-8-sig"))
        json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair could not be written down again
        return value
    except (UnicodeError, json.JSONDecodeError, RecursionError) as error:
        raise DataError(f"this is neither a workbook nor whole JSON ({error})", path, "get the file again") from error


def _read_workbook(content: bytes, path: Path, table: Table, examples: list[Annotation]) -> None:
    import openpyxl

    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheets = {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets}
    except Exception as error:  # a damaged workbook shows itself as whatever the parser stumbles over
        raise DataError(f"the workbook is damaged ({error})", path, "get the file again") from error
    if FIRST_ROUND not in sheets:
        found = ", ".join(sheets) or "none"
        raise DataError(f"no sheet is called {FIRST_ROUND} (first round); found: {found}", path, "check the file")
    for row in _sheet_rows(sheets[FIRST_ROUND], FIRST_ROUND, path, table):
        table.add(row)
    for row in _sheet_rows(sheets.get(SECOND_ROUND, []), SECOND_ROUND, path, table):
        table.review(row)
    for row in _sheet_rows(sheets.get(EXAMPLES, []), EXAMPLES, path, table):
        annotation, _ = annotate(row, table.taxonomy)
        examples.append(annotation)


def _sheet_rows(sheet: list[tuple[Any, ...]], title: str, path: Path, table: Table) -> Iterator[Row]:
    """Yield the rows of a sheet that are about a video. Empty rows, and the template row, are no data."""
    if not sheet:
        return
    places = _columns(sheet[0], title, path)
    for number, row in enumerate(sheet[1:], start=2):
        cells = row + (None,) * (len(sheet[0]) - len(row))
        video = cells[0]
        if video == "example" or not any(cells):
            continue
        if not isinstance(video, int):
            part = isinstance(video, str) and re.fullmatch(r"[0-9]+-[0-9]+", video)
            rule, name = ("row-of-a-cut-video", video) if part else ("row-broken", f"row {number}")
            written = " ".join(str(cell) for cell in cells if cell is not None)
            table.report(name, f"row of {title}", rule, "excluded", written)
            continue
        texts: dict[str, str | None] = {
            name: _text(cells[place], f"{video:05}", name, table) for name, place in places.items()
        }
        for written in filter(None, cells[len(HEADINGS) + 1 :] if title != EXAMPLES else ()):
            table.report(f"{video:05}", f"row of {title}", "annotator-note", "kept", str(written))
        if title == SECOND_ROUND:
            texts = {name: text or None for name, text in texts.items()}
        yield Row(video=f"{video:05}", media=f"{video:05}.mp4", **texts)


def _columns(headings: tuple[Any, ...], title: str, path: Path) -> dict[str, int]:
    if headings[:1] != ("video_id",):
        raise DataError(f"the first column of sheet {title} is not video_id", path, "check the file")
    places = {}
    for name, word in HEADINGS.items():
        found = [place for place, heading in enumerate(headings) if word in str(heading).partition("（")[0]]
        if not found:
            raise DataError(f"sheet {title} has no column {word!r}", path, "check the file")
        places[name] = found[0]
    return places


def _text(cell: Any, video: str, name: str, table: Table) -> str:
    if cell is None or isinstance(cell, str):
        return cell or ""
    table.report(video, name, "text-not-text", "repaired", repr(cell), str(cell))
    return str(cell)


def _read_json(content: bytes, path: Path, table: Table) -> None:
    rows = parse_json(content, path)
    if not isinstance(rows, list):
        raise DataError("the JSON is not a list of rows", path, "check the file")
    cells: dict[str, dict[str, str]] = {}
    media: dict[str, str] = {}
    for number, row in enumerate(rows, start=1):
        found = _json_row(row)
        if found is None:
            table.report(f"row {number}", "row", "row-broken", "excluded", json.dumps(row, ensure_ascii=False)[:200])
            continue
        source, task, answer = found
        video = PurePosixPath(source.replace("\\", "/")).stem
        column = TASK_COLUMNS.get(task.strip().lower())
        if column is None:
            table.report(video, "row", "task-unknown", "excluded", task)
        elif column in cells.setdefault(video, {}):
            table.report(video, column, "duplicate-row", "excluded", answer)
        else:
            cells[video][column] = answer
            name = PurePosixPath(source.replace("\\", "/")).name
            media.setdefault(video, name if PurePosixPath(name).suffix else f"{name}.mp4")
    for video, texts in cells.items():
        if texts:
            table.add(Row(video=video, media=media[video], **texts))


def _json_row(row: Any) -> tuple[str, str, str] | None:
    """Return the video file, task and answer of a row in either form, or None if it is broken."""
    if not isinstance(row, dict):
        return None
    source = row.get("visual_input") or row.get("video_name") or row.get("ID")
    task, answer = row.get("task"), row.get("output", row.get("answer"))
    if isinstance(source, int) and not isinstance(source, bool):
        source = f"{source:05}"
    if not (isinstance(source, str) and isinstance(task, str) and isinstance(answer, str) and source.strip()):
        return None
    return source.strip(), task, answer
