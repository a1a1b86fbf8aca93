"""One kind of row by what its description says: from a row to what it says of a video."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ...names import of_number, relative
from ...records import Moment
from ...records.annotations import LONGEST_NAME, TASK_NAMES
from ...untrusted import id_problem, parse_json
from ..cells import Note
from .assembling import TEXTS, Asked, Assembly, RowContent
from .cell_values import (
    ClassReader,
    DetectionReader,
    Fillers,
    column_getter,
    options_in,
    patterns,
    read_key,
    without_letters,
)
from .description import ChoiceKeys, RowsKeys, TimesKeys
from .tables import KEY, Row
from .times import as_number, read_span, spans_in


class RowReader:
    """Reads the rows of one kind. `needed` are the columns that a file must have."""

    def __init__(self, keys: RowsKeys, codes: Mapping[str, int]) -> None:
        """Take up what the description says, and the code of every class by its name."""
        self.keys = keys
        self._fillers = Fillers(keys.missing, keys.placeholders)
        self._where = [
            (column_getter(column), patterns((wanted,) if isinstance(wanted, str) else wanted))
            for column, wanted in keys.where.items()
        ]
        self._id = column_getter(keys.id or "")
        self._media = column_getter(keys.media) if keys.media else None
        self._texts = [(name, column_getter(column)) for name in TEXTS if (column := getattr(keys, name))]
        self._class = None if keys.classification is None else ClassReader(keys.classification, codes)
        self._detection = None if keys.detection is None else DetectionReader(keys.detection)
        self._sentence = None if keys.grounding is None else column_getter(keys.grounding.sentence)
        self._sentence_name = _optional(keys.grounding.name if keys.grounding else None)
        self._times = None if keys.times is None else _TimesReader(keys.times, self._fillers)
        self._choice = None if keys.choice is None else _ChoiceReader(keys.choice, self._fillers)
        self.needed = _columns_of(keys)

    def fits(self, row: Row) -> bool:
        """Say whether a row is of this kind."""
        return not self._where or all(fit(_shown(get(row))) for get, fit in self._where)

    def read(self, row: Row, number_: int, assembly: Assembly) -> None:
        """Take what a row says into an assembly, with findings for what cannot be used."""
        name = self.name(row)
        if self.keys.leave_out is not None:
            assembly.note(name or f"row {number_}", "row", Note("row-left-out", "excluded", self.keys.leave_out))
            return
        if name is None:
            written = json.dumps(row, ensure_ascii=False, default=str)[:200]
            assembly.note(f"row {number_}", "row", Note("row-broken", "excluded", written))
            return
        if ".." in name and ".." in name.replace("\\", "/").split("/"):
            assembly.note(name, "row", Note("name-outside", "repaired", name[:200], relative(name)[:200]))
        for part in self._parts(row, name, assembly) if self.keys.each else (row,):
            assembly.add(name, self._entry(part, name, assembly))

    def name(self, row: Row) -> str | None:
        """Return the name of the video that a row is of; None where it names none."""
        value = self._id(row)
        if isinstance(value, str):
            return value if value.strip(" \t./\\") and not self._fillers.is_missing(value) else None
        return of_number(value)

    def _parts(self, row: Row, name: str, assembly: Assembly) -> Iterator[Row]:
        """Yield a row for each of the things that a row lists side by side."""
        lists = [row.get(column) for column in self.keys.each]
        if not all(isinstance(one, list) for one in lists) or len({len(one or ()) for one in lists}) != 1:
            counts = ", ".join(
                f"{column}: {len(one) if isinstance(one, list) else 'no list'}"
                for column, one in zip(self.keys.each, lists, strict=True)
            )
            assembly.note(name, "row", Note("lists-uneven", "excluded", counts))
            return
        for values in zip(*(one or () for one in lists), strict=True):
            yield {**row, **dict(zip(self.keys.each, values, strict=True))}

    def _entry(self, row: Row, name: str, assembly: Assembly) -> RowContent:
        def note(column: str, found: Note) -> None:
            assembly.note(name, column, found)

        entry = RowContent()
        if self._media is not None and isinstance(media := self._media(row), str) and relative(media):
            entry.media = relative(media)
        for column, get in self._texts:
            setattr(entry, column, self._fillers.text(get(row), column, note))
        if self._detection is not None:
            entry.anomalous = self._detection.anomalous(row, self._fillers, note)
        if self._class is not None:
            quiet = entry.anomalous is False  # a normal video needs no class
            entry.label = self._class.label(row, self._fillers, _silent if quiet else note)
        moments: list[Moment] = []
        if self._times is not None:
            moments = self._times.moments(row, name, assembly, expected=entry.anomalous is not False)
        if self._sentence is not None:
            sentence = self._fillers.text(self._sentence(row), "grounding", note)
            if sentence is not None and moments:
                called = _query_name(self._sentence_name(row))
                entry.queries.append(Asked("grounding", called, sentence, moments=tuple(moments)))
        else:
            entry.moments = moments
        if self._choice is not None and (query := self._choice.query(row, name, assembly)) is not None:
            entry.queries.append(query)
        return entry


class _TimesReader:
    def __init__(self, keys: TimesKeys, fillers: Fillers) -> None:
        self._keys, self._fillers = keys, fillers
        self._columns = [column_getter(name) for name in (keys.spans, keys.start, keys.end) if name is not None]
        self._fps = column_getter(keys.fps) if isinstance(keys.fps, str) else None
        self._rate = as_number(keys.fps)

    def moments(self, row: Row, name: str, assembly: Assembly, *, expected: bool) -> list[Moment]:
        values = [get(row) for get in self._columns]
        spans = spans_in(values[0]) if self._keys.spans is not None else (values,)
        fps = self._rate if self._fps is None else as_number(self._fps(row))
        found: list[Moment] = []
        noted = False
        for span in spans:
            moment, notes = read_span(span, self._keys.unit, fps, self._fillers.is_missing)
            for note in notes:
                noted = True
                assembly.note(name, "moments", note)
            if moment is not None:
                found.append(moment)
        if expected and not (noted or found):
            assembly.note(name, "moments", Note("moments-missing", "kept", ", ".join(map(str, values))[:200]))
        return found


class _ChoiceReader:
    def __init__(self, keys: ChoiceKeys, fillers: Fillers) -> None:
        self._keys, self._fillers = keys, fillers
        self._question, self._answer = column_getter(keys.question), column_getter(keys.answer)
        self._name = _optional(keys.name)
        columns = (keys.options,) if isinstance(keys.options, str) else keys.options
        self._options = [column_getter(column) for column in columns]

    def query(self, row: Row, name: str, assembly: Assembly) -> Asked | None:
        def note(column: str, found: Note) -> None:
            assembly.note(name, column, found)

        question = self._fillers.text(self._question(row), "choice", note)
        if question is None:
            return None
        written = self._listed(row)
        options = without_letters(written)
        if options != written:
            shown = [" | ".join(texts.values())[:200] for texts in (written, options)]
            note("choice", Note("lettered-options", "repaired", *shown))
        if len(options) < 2:
            note("choice", Note("options-few", "excluded", " | ".join(options.values())[:200]))
            return None
        if not self._keys.always and len(set(options.values())) < len(options):
            note("choice", Note("options-repeated", "kept", " | ".join(options.values())[:200]))
        value = self._answer(row)
        place: int | None = None
        if self._fillers.is_missing(value):
            note("choice", Note("key-missing", "kept", "" if value is None else str(value)))
        elif (place := read_key(value, options, self._keys, note)) is None:
            return None
        right = None if place is None else list(options).index(place)
        return Asked("choice", _query_name(self._name(row)), question, tuple(options.values()), right)

    def _listed(self, row: Row) -> dict[int, str]:
        if self._keys.always:
            return dict(enumerate(self._keys.always))
        values: Any = [get(row) for get in self._options]
        if isinstance(self._keys.options, str):
            values = values[0]
            if isinstance(values, str):
                try:
                    values = parse_json(values, lenient=True)
                except ValueError:
                    values = []
        return options_in(values if isinstance(values, list) else [], self._fillers)


def _optional(column: str | None) -> Callable[[Row], object]:
    return (lambda row: None) if column is None else column_getter(column)


def _query_name(value: object) -> str:
    """Return a name from a column as one that can end a sample's id; empty where it cannot."""
    if value is None:
        return ""
    name = _shown(value).strip().replace("/", "-").replace("@", "-")
    return "" if name in TASK_NAMES or id_problem(name, LONGEST_NAME) else name


def _silent(column: str, note: Note) -> None:
    """Record nothing."""


def _shown(value: object) -> str:
    return "" if value is None else str(value)


def _columns_of(keys: RowsKeys) -> set[str]:
    """Return the columns that a description names."""
    found: list[str | None] = [keys.id, keys.media, keys.description, keys.cause, keys.effect, *keys.where, *keys.each]
    if keys.times is not None:
        found += [keys.times.spans, keys.times.start, keys.times.end]
        found += [keys.times.fps] if isinstance(keys.times.fps, str) else []
    if keys.classification is not None:
        found.append(keys.classification.column)
    if keys.detection is not None:
        found.append(keys.detection.column)
    if keys.choice is not None:
        options = (keys.choice.options,) if isinstance(keys.choice.options, str) else keys.choice.options
        found += [keys.choice.question, keys.choice.answer, keys.choice.name, *options]
    if keys.grounding is not None:
        found += [keys.grounding.sentence, keys.grounding.name]
    return {name for name in found if name is not None} - {KEY}
