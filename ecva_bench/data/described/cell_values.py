"""What the cells of a column say: a text, a class, whether there is an anomaly.

No function raises for any value, but `DataError` where a description says two things of one.
"""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from ...errors import DataError
from ...records import Label
from ..cells import Note
from ..json_forms import cell_text
from .description import ClassKeys, DetectionKeys
from .tables import Row
from .times import as_number

# What a spreadsheet program leaves in a table where a formula failed, and a formula that was never computed.
_CELL_ERRORS = frozenset(("#NAME?", "#REF!", "#VALUE!", "#DIV/0!", "#N/A", "#NULL!", "#NUM!"))
_FORMULA = re.compile(r"[=@]\s*[A-Za-z][A-Za-z0-9.]*\(")
_SIGNS = re.compile(r"[\s_-]+")

NoteOn = Callable[[int, str, Note], None]  # place among the rows that are read together, field, what was found


def column_getter(name: str | None) -> Callable[[Sequence[Row]], list[Any]]:
    """Return what takes the cells of a column out of rows, None where there is none; `a.b` leads into records."""
    if name is None:
        return lambda rows: [None] * len(rows)
    if "." not in name:
        return lambda rows: [row.get(name) for row in rows]
    parts = name.split(".")

    def get(row: Row) -> Any:
        if name in row:
            return row[name]
        value: Any = row
        for part in parts:
            if isinstance(value, dict):
                value = value.get(part)
            elif isinstance(value, list) and part.isascii() and part.isdecimal() and int(part[:6]) < len(value):
                value = value[int(part[:6])]
            else:
                return None
        return value

    return lambda rows: [get(row) for row in rows]


class Fillers:
    """What stands in cells where nothing is given: `missing` marks, and `placeholders`, such as error texts.

    `numbers` are the marks that are numbers.
    """

    def __init__(self, missing: Iterable[str | int | float], placeholders: Sequence[str]) -> None:
        marks = tuple(missing)
        self._texts = frozenset(str(mark).strip() for mark in marks) | {""}
        self.numbers = frozenset(found for mark in marks if (found := as_number(mark)) is not None)
        self._placeholder = patterns(placeholders) if placeholders else None

    def is_missing(self, value: object) -> bool:
        """Say whether a value means that there is none; NaN does."""
        if isinstance(value, str):
            text = value.strip()
            if text in self._texts:
                return True
            return bool(self.numbers) and text[0] in "+-.0123456789" and as_number(text) in self.numbers
        if value is None or value != value:
            return True
        return bool(self.numbers) and not isinstance(value, bool) and as_number(value) in self.numbers

    def given(self, cells: Iterable[Any]) -> list[str | None]:
        """Return the texts of cells, also of numbers; None for one that is missing, or holds no text."""
        marks = self._texts
        return [
            cell
            if isinstance(cell, str) and cell[:1].isalpha() and cell.strip() not in marks
            else None
            if self.is_missing(cell)
            else cell_text(cell)
            for cell in cells
        ]

    def texts(self, cells: Sequence[Any], field: str, note_on: NoteOn) -> list[str | None]:
        """Return the texts of cells exactly as they are written, None where one holds none."""
        marks = self._texts
        placeholder = self._placeholder
        return [
            cell
            if isinstance(cell, str)
            and cell[:1].isalpha()
            and "\ufffd" not in cell
            and cell.strip() not in marks
            and not (placeholder and placeholder(cell))
            else self._text(cell, partial(note_on, place, field))
            for place, cell in enumerate(cells)
        ]

    def _text(self, cell: Any, note: Callable[[Note], None]) -> str | None:
        if cell is None:
            return None
        if self.is_missing(cell):
            note(Note("text-missing", "kept", str(cell)))
            return None
        found = cell_text(cell)
        if found is None:
            note(Note("cell-not-text", "excluded", json.dumps(cell, default=str)[:200]))
            return None
        if not isinstance(cell, str):
            note(Note("text-not-text", "repaired", repr(cell), found))
        elif found.strip() in _CELL_ERRORS:
            note(Note("cell-error", "excluded", found))
            return None
        elif found[0] in "=@" and _FORMULA.match(found):
            note(Note("cell-formula", "excluded", found[:200]))
            return None
        elif self._placeholder is not None and self._placeholder(found):
            note(Note("text-placeholder", "excluded", found[:200]))
            return None
        if "\ufffd" in found:
            note(Note("text-damaged", "kept", found[:200]))
        return found


def patterns(written: Iterable[str]) -> Callable[[str], bool]:
    """Return what says whether a text fits one of some patterns: `*` is any text, `?` any character, case is equal."""
    found = [fnmatch.translate(pattern.strip()) for pattern in written]
    if not found:
        return lambda text: False
    matcher = re.compile("|".join(found), re.IGNORECASE)
    return lambda text: matcher.match(text.strip()) is not None


def taken_part(value: object, pattern: str | None) -> str | None:
    """Return a cell, or the items of a list, as text, or what a pattern's group takes of it; None for what is none."""
    if isinstance(value, list):
        texts = [cell_text(one) for one in value]
        text = None if None in texts else ", ".join(filter(None, texts))
    else:
        text = cell_text(value)
    if text is None or pattern is None:
        return text
    found = re.search(pattern, text)
    return found[1] if found else None


class ClassReader:
    """Classes by what is written for them."""

    def __init__(self, keys: ClassKeys, codes: Mapping[str, int], fillers: Fillers) -> None:
        """Take up the keys and the code of every class by its name."""
        self._cells, self._pattern, self._fillers = column_getter(keys.column), keys.pattern, fillers
        self._labels = {written: Label(major=codes[name]) for written, name in keys.names.items()}
        self._alike = {folded(text): label for text, label in self._labels.items()}

    def labels(self, rows: Sequence[Row], normal: Sequence[bool], note_on: NoteOn) -> list[Label | None]:
        """Return the class that each row names, None, with a finding, where it names none that is listed.

        There are no findings on a normal video, which needs no class.
        """
        whole = self._labels if self._pattern is None else {}
        return [
            whole[cell]
            if isinstance(cell, str) and cell in whole
            else self._label(cell, _silent if quiet else partial(note_on, place, "label"))
            for place, (cell, quiet) in enumerate(zip(self._cells(rows), normal, strict=True))
        ]

    def _label(self, cell: Any, note: Callable[[Note], None]) -> Label | None:
        if self._fillers.is_missing(cell):
            return None
        if isinstance(cell, list) and len(cell) > 1:
            note(Note("class-several", "repaired", json.dumps(cell, default=str)[:200], str(cell[0])))
        if isinstance(cell, list):
            cell = cell[0] if cell else None
        text = taken_part(cell, self._pattern)
        if text is None or not text.strip():
            return None
        if (label := self._labels.get(text)) is not None:
            return label
        label = self._alike.get(folded(text))
        found = (
            Note("class-irregular", "repaired", text[:200]) if label else Note("class-unknown", "excluded", text[:200])
        )
        note(found)
        return label


class DetectionReader:
    """Whether there is an anomaly, by what is written."""

    def __init__(self, keys: DetectionKeys, fillers: Fillers) -> None:
        self._cells, self._pattern, self._fillers = column_getter(keys.column), keys.pattern, fillers
        self._normal, self._anomalous = _Ranked(keys.normal), _Ranked(keys.anomalous)
        self._known: dict[str, bool | None] = {}

    def anomalous(self, rows: Sequence[Row], note_on: NoteOn) -> list[bool | None]:
        """Return whether each row says that there is an anomaly; None, with a finding, where it does not tell.

        `DataError` where a text fits patterns of both; the text itself goes before a pattern, and `*` comes last.
        """
        return [self._judged(cell, place, note_on) for place, cell in enumerate(self._cells(rows))]

    def _judged(self, cell: Any, place: int, note_on: NoteOn) -> bool | None:
        text = taken_part(cell, self._pattern)
        if text is not None:
            if text not in self._known:
                self._known[text] = self._decided(text, self._fillers.is_missing(text))
            if (found := self._known[text]) is not None:
                return found
        note_on(place, "anomalous", Note("detection-unclear", "excluded", str(text or cell or "")[:200]))
        return None

    def _decided(self, text: str, is_missing: bool) -> bool | None:
        normal, anomalous = self._normal.fit(text), (None if is_missing else self._anomalous.fit(text))
        if normal is None or anomalous is None:
            return None if normal is anomalous else normal is None
        if normal[0] == anomalous[0]:
            what = f"{text[:200]!r} fits {normal[1]!r} of normal and {anomalous[1]!r} of anomalous"
            raise DataError(what, "detection", "write patterns of which one fits, or the text itself")
        return anomalous[0] < normal[0]


class _Ranked:
    """Patterns by rank: the text itself (0) goes before one with `*`, `?` or `[` (1), and that before `*` alone (2)."""

    def __init__(self, written: Sequence[str]) -> None:
        ranked = [(2 if one.strip() == "*" else int(any(sign in one for sign in "*?[")), one) for one in written]
        self._patterns = [(rank, one, patterns((one,))) for rank, one in sorted(ranked, key=lambda pair: pair[0])]

    def fit(self, text: str) -> tuple[int, str] | None:
        """Return the rank and the pattern of the first that fits a text; None where none does."""
        return next(((rank, one) for rank, one, fits in self._patterns if fits(text)), None)


def _silent(note: Note) -> None:
    """Record nothing."""


def folded(text: str) -> str:
    """Return a text in which case, signs between words and a last full stop make no difference."""
    return _SIGNS.sub(" ", text).strip().casefold().rstrip(".")
