"""What single cells of a row say: a text, a class, options and their key.

No function raises for any value, but `DataError` where a description says two things of one.
"""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from ...errors import DataError
from ...records import Label
from ...records.annotations import LETTERS
from ..cells import Note
from ..json_forms import cell_text
from .description import ChoiceKeys, ClassKeys, DetectionKeys
from .times import as_number

# What a spreadsheet program leaves in a table where a formula failed, and a formula that was never computed.
_CELL_ERRORS = frozenset(("#NAME?", "#REF!", "#VALUE!", "#DIV/0!", "#N/A", "#NULL!", "#NUM!"))
_FORMULA = re.compile(r"[=@]\s*[A-Za-z][A-Za-z0-9.]*\(")
_LETTER = re.compile(r"\(?([A-Za-z])\)?\s*[.:)]?")
_LETTER_AND_TEXT = re.compile(r"\(?([A-Za-z])\)?\s*[.:)]\s*(\S.*)", re.DOTALL)
_SIGNS = re.compile(r"[\s_-]+")

NoteOn = Callable[[str, Note], None]  # field, what was found


def column_getter(name: str) -> Callable[[dict[str, Any]], Any]:
    """Return what takes the value of a column out of a row, None where there is none; `a.b` leads into records."""
    if "." not in name:
        return lambda row: row.get(name)
    parts = name.split(".")

    def get(row: dict[str, Any]) -> Any:
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

    return get


class Fillers:
    """What stands in cells where nothing is given: `missing` marks, and `placeholders`, such as error texts."""

    def __init__(self, missing: Iterable[str | int | float], placeholders: Sequence[str]) -> None:
        marks = tuple(missing)
        self._texts = frozenset(str(mark).strip() for mark in marks) | {""}
        self._numbers = frozenset(found for mark in marks if (found := as_number(mark)) is not None)
        self._placeholder = patterns(placeholders) if placeholders else None

    def is_missing(self, value: object) -> bool:
        """Say whether a value means that there is none; NaN does."""
        if isinstance(value, str):
            text = value.strip()
            if text in self._texts:
                return True
            return bool(self._numbers) and text[0] in "+-.0123456789" and as_number(text) in self._numbers
        if value is None or value != value:
            return True
        return bool(self._numbers) and not isinstance(value, bool) and as_number(value) in self._numbers

    def text(self, value: Any, column: str, note: NoteOn) -> str | None:
        """Return the text of a cell exactly as it is written, None where it holds none."""
        ordinary = self._placeholder is None and isinstance(value, str) and value[:1].isalpha()
        if ordinary and "\ufffd" not in value and value.strip() not in self._texts:
            return str(value)
        if value is None:
            return None
        if self.is_missing(value):
            note(column, Note("text-missing", "kept", str(value)))
            return None
        found = value if isinstance(value, str) else cell_text(value)
        if found is None:
            note(column, Note("cell-not-text", "excluded", json.dumps(value, default=str)[:200]))
            return None
        if not isinstance(value, str):
            note(column, Note("text-not-text", "repaired", repr(value), found))
        elif found.strip() in _CELL_ERRORS:
            note(column, Note("cell-error", "excluded", found))
            return None
        elif found[0] in "=@" and _FORMULA.match(found):
            note(column, Note("cell-formula", "excluded", found[:200]))
            return None
        elif self._placeholder is not None and self._placeholder(found):
            note(column, Note("text-placeholder", "excluded", found[:200]))
            return None
        if "\ufffd" in found:
            note(column, Note("text-damaged", "kept", found[:200]))
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

    def __init__(self, keys: ClassKeys, codes: Mapping[str, int]) -> None:
        """Take up the keys and the code of every class by its name."""
        self._get, self._pattern = column_getter(keys.column), keys.pattern
        self._codes = {written: codes[name] for written, name in keys.names.items()}
        self._alike = {_alike(text): code for text, code in self._codes.items()}

    def label(self, row: dict[str, Any], fillers: Fillers, note: NoteOn) -> Label | None:
        """Return the class that a row names, None, with a finding, where it names none that is listed."""
        value = self._get(row)
        if isinstance(value, str) and self._pattern is None and (code := self._codes.get(value)) is not None:
            return _label(code)
        if fillers.is_missing(value):
            return None
        if isinstance(value, list) and len(value) > 1:
            note("label", Note("class-several", "repaired", json.dumps(value, default=str)[:200], str(value[0])))
        if isinstance(value, list):
            value = value[0] if value else None
        text = taken_part(value, self._pattern)
        if text is None or not text.strip():
            return None
        if (code := self._codes.get(text)) is not None:
            return _label(code)
        code = self._alike.get(_alike(text))
        if code is None:
            note("label", Note("class-unknown", "excluded", text[:200]))
            return None
        note("label", Note("class-irregular", "repaired", text[:200]))
        return _label(code)


class DetectionReader:
    """Whether there is an anomaly, by what is written."""

    def __init__(self, keys: DetectionKeys) -> None:
        self._get, self._pattern = column_getter(keys.column), keys.pattern
        self._normal, self._anomalous = _Ranked(keys.normal), _Ranked(keys.anomalous)
        self._known: dict[str, bool | None] = {}

    def anomalous(self, row: dict[str, Any], fillers: Fillers, note: NoteOn) -> bool | None:
        """Return whether a row says that there is an anomaly; None, with a finding, where it does not tell.

        `DataError` where a text fits patterns of both; the text itself goes before a pattern, and `*` comes last.
        """
        value = self._get(row)
        text = taken_part(value, self._pattern)
        if text is not None:
            if text not in self._known:
                self._known[text] = self._decided(text, fillers.is_missing(text))
            if (found := self._known[text]) is not None:
                return found
        note("anomalous", Note("detection-unclear", "excluded", str(text or value or "")[:200]))
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


def options_in(values: Sequence[object], fillers: Fillers) -> dict[int, str]:
    """Return options by their place in the file; empty ones are none."""
    found: dict[int, str] = {}
    for place, value in enumerate(values):
        if (
            not fillers.is_missing(value)
            and (text := value if isinstance(value, str) else cell_text(value)) is not None
        ):
            found[place] = text
    return found


def without_letters(options: dict[int, str]) -> dict[int, str]:
    """Return options without their letters, where all begin with theirs, in order: `A. It rains`, `(B) It snows`.

    An option is shown under a letter, and options are shuffled: a letter in its text would tell its place in the file.
    """
    found = {place: _LETTER_AND_TEXT.fullmatch(text.strip()) for place, text in options.items()}
    texts = {place: match[2] for place, match in found.items() if match and match[1].upper() == LETTERS[place % 26]}
    return texts if len(texts) == len(options) else options


def read_key(value: object, options: dict[int, str], form: ChoiceKeys, note: NoteOn) -> int | None:
    """Return the place of the right option; None, with a finding, where the key does not name one."""
    text = (cell_text(value) or "").strip()
    place: int | None = None
    mended = ""
    if form.answer_is == "letter":
        if len(text) == 1 and text in LETTERS:
            place = LETTERS.index(text)
        elif found := _LETTER.fullmatch(text):
            place = ord(found[1].upper()) - ord("A")
        elif found := _LETTER_AND_TEXT.fullmatch(text):
            place = ord(found[1].upper()) - ord("A")
            mended = found[1].upper()
            if _alike(options.get(place, "")) != _alike(found[2]):
                place = None
    elif form.answer_is == "text":
        if text not in options.values() and (found := _LETTER_AND_TEXT.fullmatch(text)):
            text = found[2]  # the letter of an option that has lost its own
        alike = [where for where, option in options.items() if option.strip() == text]
        alike = alike or [where for where, option in options.items() if _alike(option) == _alike(text)]
        place = alike[0] if len(alike) == 1 else None
    else:
        counted = as_number(value)
        whole = counted is not None and counted.is_integer()
        place = int(counted or 0) - (form.answer_is == "index1") if whole else None
    if place not in options:
        note("choice", Note("key-malformed", "excluded", text[:200]))
        return None
    if mended:
        note("choice", Note("key-malformed", "repaired", text[:200], mended))
    return place


@cache
def _label(code: int) -> Label:
    return Label(major=code)


def _alike(text: str) -> str:
    return _SIGNS.sub(" ", text).strip().casefold().rstrip(".")
