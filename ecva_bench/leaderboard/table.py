"""A table as data, and the forms it is written in: plain text, Markdown, CSV. Each form is a pure function.

Knows cells and nothing of scores. HTML and LaTeX are two more functions of the same `Table`.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass

_MARKDOWN_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~])")
_FORMULA_START = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True)
class Cell:
    """What a reader sees, and the number behind it in the same unit, with its interval where it has one.

    An empty cell is shown as a dash, and left empty in CSV.
    """

    text: str = ""
    value: float | None = None
    interval: tuple[float, float] | None = None

    @property
    def full_text(self) -> str:
        """The text with the interval behind it, in the text's own number of decimals."""
        if self.interval is None:
            return self.text or "-"
        decimals = len(self.text.partition(".")[2])
        low, high = (f"{bound:.{decimals}f}" for bound in self.interval)
        return f"{self.text} [{low}, {high}]"


@dataclass(frozen=True)
class Table:
    """A title, a header, rows as wide as the header, and notes that belong under the table."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()


def as_text(table: Table) -> str:
    """Return the table for a terminal: columns aligned, numbers to the right."""
    lines = [table.header, *(tuple(_plain(cell.full_text) for cell in row) for row in table.rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(table.header))]
    numeric = _numeric(table)
    body = [
        "  ".join(
            f"{text:>{width}}" if right else f"{text:<{width}}"
            for text, width, right in zip(line, widths, numeric, strict=True)
        )
        for line in lines
    ]
    body.insert(1, "  ".join("-" * width for width in widths))
    notes = ["", *map(_plain, table.notes)] if table.notes else []
    return "".join(f"{line.rstrip()}\n" for line in [_plain(table.title), "", *body, *notes])


def as_markdown(table: Table) -> str:
    """Return the table in GitHub's Markdown, every text escaped."""
    rows = [
        [_escape(text) for text in table.header],
        ["---:" if right else "---" for right in _numeric(table)],
        *([_escape(cell.full_text) for cell in row] for row in table.rows),
    ]
    lines = [f"## {_escape(table.title)}", "", *(f"| {' | '.join(row)} |" for row in rows)]
    notes = [f"- {_escape(note)}" for note in table.notes]
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


def _numeric(table: Table) -> list[bool]:
    """Return which columns hold a number in some row."""
    return [any(row[i].value is not None for row in table.rows) for i in range(len(table.header))]


def _plain(text: str) -> str:
    """Return the text on one line and without control characters, which a terminal would obey."""
    return "".join(character if character.isprintable() else " " for character in text)


def _escape(text: str) -> str:
    return _MARKDOWN_SPECIAL.sub(r"\\\1", _plain(text))


def _inert(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA_START) else text
