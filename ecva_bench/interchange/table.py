"""A file's rows as columns, which go by dotted names.

`doc.video` is the video of the document in a row, `answer.1` the first of the texts in its list of answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .columns import NOT_ANSWERS_BELOW, is_known
from .nesting import Row
from .words import bare_name, is_task

_DEEPEST = 3  # of a dotted name: doc.meta.video
_SAMPLES = 64  # of an answer, that have names: answer.1, answer.2
_SHOWN = 12  # columns that a message names

Flat = Mapping[str, Any]  # a row's fields by their dotted names


@dataclass
class Columns:
    """The columns of a file's rows, by dotted names. A `table` has a line of headings, or should have."""

    path: Path
    rows: Sequence[Row]
    table: bool = False
    flat: list[Flat] = field(init=False)
    names: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.flat = [
            dict(_flat(row.fields))
            if any(isinstance(one, list | Mapping) for one in row.fields.values())
            else row.fields
            for row in self.rows
        ]
        self.names = list(dict.fromkeys(name for row in self.flat for name in row))

    def called(self, names: Iterable[str], *, below: bool = True) -> list[str]:
        """Return the columns of these bare names; those of documents and metadata only where `below` is set."""
        wanted = frozenset(names)
        found = [column for column in self.names if bare_name(column.rpartition(".")[2]) in wanted]
        return [column for column in found if below or not _is_below(column)]

    def values(self, column: str) -> list[Any]:
        """Return what the column holds in each row, None where it has nothing."""
        return [row.get(column) for row in self.flat]

    def choices(self, columns: Sequence[str]) -> str:
        """Return columns in words, each with its first value."""
        firsts = ((column, next((v for v in self.values(column) if v not in (None, "")), "")) for column in columns)
        return ", ".join(f"`{column}` ({str(value)!r:.40})" for column, value in firsts)

    @property
    def without_headings(self) -> str:
        """What to type where the first line of a table is no line of headings; empty where it is one."""
        headed = not self.table or any(map(is_known, self.names)) or any(map(is_task, self.names))
        return "" if headed else ", or, as the first line is no heading: --map video=1,answer=2"

    def all_choices(self) -> str:
        """Return the columns of the file in words."""
        more = f" and {len(self.names) - _SHOWN} more" if len(self.names) > _SHOWN else ""
        return self.choices(self.names[:_SHOWN]) + more


def _flat(fields: Mapping[str, Any], prefix: str = "", depth: int = 1) -> Iterable[tuple[str, Any]]:
    for name, value in fields.items():
        dotted = f"{prefix}{name}"
        yield dotted, value
        if isinstance(value, list) and 1 < len(value) <= _SAMPLES and all(isinstance(one, str) for one in value):
            yield from ((f"{dotted}.{place}", one) for place, one in enumerate(value, start=1))
        if isinstance(value, Mapping) and depth < _DEEPEST:
            yield from _flat(value, f"{dotted}.", depth + 1)


def _is_below(column: str) -> bool:
    return bool({bare_name(part) for part in column.split(".")[:-1]} & NOT_ANSWERS_BELOW)
