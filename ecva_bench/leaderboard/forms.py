"""A table as plain text, Markdown, CSV and JSON. Each form is a pure function; whatever a cell holds stays text."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Any

from ..untrusted import one_line
from .table import LEGEND, Cell, Table

TABLES_SCHEMA = "ecva.tables/1"
_MARKDOWN_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~&$])")  # GitHub sets what stands between dollars as a formula
GAP = 2  # blanks between two columns of text
_FORMULA_START = ("=", "+", "-", "@", "\t", "\r", "\n")


def as_text(table: Table, width: int | None = None) -> str:
    """Return the table for a terminal: columns aligned, numbers to the right.

    With a `width`, a table that is wider stands in several parts, each with the column that says what a row is of, and
    title and notes are wrapped.
    """
    texts = [table.header, *(tuple(map(table.shown, row)) for row in table.rows)]
    lines = [tuple(map(one_line, line)) for line in texts]
    widths = [max(len(line[i]) for line in lines) for i in range(len(table.header))]
    head, notes = [one_line(table.title)], ["", *map(one_line, table.notes)] if table.notes else []
    if width:
        head, notes = ([part for line in some for part in wrap(line, width) or [""]] for some in (head, notes))
    body = [line for part in _parts(widths, table.key, width) for line in _aligned(lines, widths, table.numeric, part)]
    return "".join(f"{line.rstrip()}\n" for line in [*head, *body, *notes])


def _parts(widths: Sequence[int], key: int, width: int | None) -> Iterator[list[int]]:
    """Yield the columns of each part of a table: all of them, or as many as there is room for, the key in each."""
    part, used = list[int](), 0
    for column, own in enumerate(widths):
        apart = key not in part and column > key
        if part and width and used + own + GAP + (widths[key] + GAP if apart else 0) > width:
            yield sorted({key, *part})
            part, used = [key], widths[key] + GAP
        if column not in part:
            part.append(column)
            used += own + GAP
    yield part if key in part else sorted({key, *part})


def _aligned(
    lines: Sequence[Sequence[str]], widths: Sequence[int], numeric: Sequence[bool], part: Sequence[int]
) -> list[str]:
    body = [
        (" " * GAP).join(f"{line[i]:>{widths[i]}}" if numeric[i] else f"{line[i]:<{widths[i]}}" for i in part)
        for line in lines
    ]
    return ["", body[0], (" " * GAP).join("-" * widths[i] for i in part), *body[1:]]


def as_markdown(table: Table) -> str:
    """Return the table in GitHub's Markdown, every text escaped; best cells bold, ties in italics."""
    rows = [
        [_escape(text) for text in table.header],
        ["---:" if right else "---" for right in table.numeric],
        *([_markdown_cell(cell, table.shown(cell)) for cell in row] for row in table.rows),
    ]
    lines = [f"## {_escape(table.title)}", "", *(f"| {' | '.join(row)} |" for row in rows)]
    legend = [LEGEND.format(best="Bold", tie="italics")] if table.has("best") else []
    notes = [f"- {_escape(note)}" for note in [*legend, *table.notes]]
    return "\n".join([*lines, "", *notes, ""] if notes else [*lines, ""])


def as_csv(table: Table) -> str:
    """Return header and rows as CSV (RFC 4180): numbers where a cell has one, and their intervals as columns.

    A text that a spreadsheet would run as a formula gets an apostrophe before it.
    """
    bounded = [any(row[i].interval is not None for row in table.rows) for i in range(len(table.header))]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    header: list[str] = []
    for name, has_interval in zip(table.header, bounded, strict=True):
        header += [name, f"{name} low", f"{name} high"] if has_interval else [name]
    writer.writerow([_inert(name) for name in header])
    for row in table.rows:
        fields: list[str] = []
        for cell, has_interval in zip(row, bounded, strict=True):
            fields.append(repr(cell.value) if cell.value is not None else _inert(cell.text))
            if has_interval:
                fields += [repr(bound) for bound in cell.interval] if cell.interval else ["", ""]
        writer.writerow(fields)
    return out.getvalue()


def as_json(tables: Sequence[Table]) -> str:
    """Return tables as one JSON text (schema `ecva.tables/1`): of each cell what it has, the text always."""
    content = {"schema": TABLES_SCHEMA, "tables": [_table_object(table) for table in tables]}
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _table_object(table: Table) -> dict[str, Any]:
    rows = [[_cell_object(cell) for cell in row] for row in table.rows]
    return {"title": table.title, "header": table.header, "rows": rows, "notes": table.notes}


def _cell_object(cell: Cell) -> dict[str, Any]:
    found: dict[str, Any] = {"text": cell.text}
    if cell.value is not None:
        found["value"] = cell.value
    if cell.interval is not None:
        found["interval"] = cell.interval
    if cell.marks:
        found["marks"] = sorted(cell.marks)
    if cell.remark:
        found["remark"] = cell.remark
    if cell.links:
        found["links"] = dict(cell.links)
    return found


def _markdown_cell(cell: Cell, shown: str) -> str:
    text = ", ".join(f"[{_escape(name)}](<{href}>)" for name, href in cell.links) or _escape(shown)
    stars = "**" if "best" in cell.marks else "*" if "tie" in cell.marks else ""
    return f"{stars}{text}{stars}"


def _escape(text: str) -> str:
    return _MARKDOWN_SPECIAL.sub(r"\\\1", one_line(text))


def _inert(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA_START) else text
