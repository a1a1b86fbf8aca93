"""One kind of row by what its description says: from rows to what they say of videos.

Rows come many at a time and are read column by column: each reader is given rows, and returns what it finds in each.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import repeat

from ...names import of_number, relative
from ..cells import Note
from .assembling import TEXTS, RowContent, RowQuery, RowRead, remark
from .cell_values import (
    ClassReader,
    DetectionReader,
    Fillers,
    NoteOn,
    column_getter,
    patterns,
)
from .choices import ChoiceReader, query_name
from .description import GroundingKeys, RowsKeys, TimesKeys
from .tables import KEY, NumberedRow, Row
from .times import Span, SpanReader, as_number, spans_in


class RowReader:
    """Reads the rows of one kind. `needed` are the columns that a file must have."""

    def __init__(self, keys: RowsKeys, codes: Mapping[str, int]) -> None:
        """Take up what the description says, and the code of every class by its name."""
        self.keys = keys
        self._fillers = fillers = Fillers(keys.missing, keys.placeholders)
        self._where = [
            (column_getter(column), patterns((wanted,) if isinstance(wanted, str) else wanted))
            for column, wanted in keys.where.items()
        ]
        self._ids, self._media = column_getter(keys.id), column_getter(keys.media)
        self._texts = {name: column_getter(column) for name in TEXTS if (column := getattr(keys, name))}
        self._class = None if keys.classification is None else ClassReader(keys.classification, codes, fillers)
        self._detection = None if keys.detection is None else DetectionReader(keys.detection, fillers)
        self._times = None if keys.times is None else _TimesReader(keys.times, fillers)
        self._grounding = None if keys.grounding is None else _GroundingReader(keys.grounding, fillers)
        self._choice = None if keys.choice is None else ChoiceReader(keys.choice, fillers)
        self.needed = _columns_of(keys)

    def fitting(self, rows: Sequence[Row]) -> list[bool]:
        """Say of each row whether it is of this kind."""
        fits = [True] * len(rows)
        for get, fit in self._where:
            fits = [known and fit(_shown(cell)) for known, cell in zip(fits, get(rows), strict=True)]
        return fits

    def names(self, rows: Sequence[Row]) -> list[str | None]:
        """Return the name of the video that each row is of; None where it names none."""
        return [self._name(cell) if isinstance(cell, str) else of_number(cell) for cell in self._ids(rows)]

    def _name(self, text: str) -> str | None:
        return text if text.strip(" \t./\\") and not self._fillers.is_missing(text) else None

    def read(self, rows: Sequence[NumberedRow]) -> list[RowRead]:
        """Return what rows say, and findings for what cannot be used."""
        found: list[RowRead] = []
        parts: list[tuple[int, str, Row]] = []
        for (number, row), name in zip(rows, self.names([row for _, row in rows]), strict=True):
            if self.keys.leave_out is not None:
                found.append(remark(number, name, Note("row-left-out", "excluded", self.keys.leave_out)))
                continue
            if name is None:
                written = json.dumps(row, ensure_ascii=False, default=str)[:200]
                found.append(remark(number, name, Note("row-broken", "excluded", written)))
                continue
            if ".." in name and ".." in name.replace("\\", "/").split("/"):
                found.append(remark(number, name, Note("name-outside", "repaired", name[:200], relative(name)[:200])))
            if not self.keys.each:
                parts.append((number, name, row))
            elif uneven := _uneven(row, self.keys.each):
                found.append(remark(number, name, Note("lists-uneven", "excluded", uneven)))
            else:
                sides = zip(*(row[column] for column in self.keys.each), strict=True)
                parts += [(number, name, row | dict(zip(self.keys.each, one, strict=True))) for one in sides]
        noted: defaultdict[int, list[tuple[str, Note]]] = defaultdict(list)
        contents = self._contents(
            [row for _, _, row in parts], lambda place, field, note: noted[place].append((field, note))
        )
        for place, ((number, name, _), content) in enumerate(zip(parts, contents, strict=True)):
            found.append(RowRead(number, name, content, noted.get(place, ())))
        return found

    def _contents(self, rows: Sequence[Row], note_on: NoteOn) -> list[RowContent]:
        nothing = [None] * len(rows)
        texts = {name: self._fillers.texts(get(rows), name, note_on) for name, get in self._texts.items()}
        anomalous = nothing if self._detection is None else self._detection.anomalous(rows, note_on)
        normal = [one is False for one in anomalous]
        labels = nothing if self._class is None else self._class.labels(rows, normal, note_on)
        spans = [[] for _ in rows] if self._times is None else self._times.spans(rows, normal, note_on)
        located = nothing if self._grounding is None else self._grounding.queries(rows, spans, note_on)
        chosen = nothing if self._choice is None else self._choice.queries(rows, note_on)
        media = [relative(cell) or None if isinstance(cell, str) else None for cell in self._media(rows)]
        queries = [list(filter(None, pair)) for pair in zip(located, chosen, strict=True)]
        if self._grounding is not None:
            spans = [[] for _ in rows]  # they are the sentence's
        columns = (media, *(texts.get(name, nothing) for name in TEXTS), labels, anomalous, spans, queries)
        return list(map(RowContent, *columns))


class _TimesReader:
    def __init__(self, keys: TimesKeys, fillers: Fillers) -> None:
        self._in_one_column = keys.spans is not None
        self._reader = SpanReader(keys.unit, fillers.is_missing, fillers.numbers)
        self._columns = [column_getter(name) for name in (keys.spans, keys.start, keys.end) if name is not None]
        self._fps = column_getter(keys.fps) if isinstance(keys.fps, str) else None
        self._rate = as_number(keys.fps)

    def spans(self, rows: Sequence[Row], normal: Sequence[bool], note_on: NoteOn) -> list[list[Span]]:
        """Return the spans of each row; a finding where there are none, unless the video is normal."""
        rates = repeat(self._rate, len(rows)) if self._fps is None else map(as_number, self._fps(rows))
        cells = zip(*(get(rows) for get in self._columns), strict=True)
        found: list[list[Span]] = []
        for place, (values, fps, quiet) in enumerate(zip(cells, rates, normal, strict=True)):
            there: list[Span] = []
            noted = False
            for span in spans_in(values[0]) if self._in_one_column else (values,):
                one, notes = self._reader.read(span, fps)
                if one is not None:
                    there.append(one)
                for note in notes:
                    noted = True
                    note_on(place, "moments", note)
            if not (there or noted or quiet):
                note_on(place, "moments", Note("moments-missing", "kept", ", ".join(map(str, values))[:200]))
            found.append(there)
        return found


class _GroundingReader:
    def __init__(self, keys: GroundingKeys, fillers: Fillers) -> None:
        self._fillers = fillers
        self._sentences, self._names = column_getter(keys.sentence), column_getter(keys.name)

    def queries(self, rows: Sequence[Row], spans: Sequence[list[Span]], note_on: NoteOn) -> list[RowQuery | None]:
        """Return the sentence of each row with its spans, None where one of both is missing."""
        sentences = self._fillers.texts(self._sentences(rows), "grounding", note_on)
        return [
            RowQuery("grounding", query_name(name), sentence, spans=tuple(there)) if sentence and there else None
            for sentence, there, name in zip(sentences, spans, self._names(rows), strict=True)
        ]


def _uneven(row: Row, columns: Sequence[str]) -> str:
    """Say what the columns hold whose lists stand side by side, where they are no lists of one length."""
    lists = [row.get(column) for column in columns]
    lengths = [len(one) if isinstance(one, list) else None for one in lists]
    if None not in lengths and len(set(lengths)) == 1:
        return ""
    return ", ".join(
        f"{column}: {'no list' if length is None else length}" for column, length in zip(columns, lengths, strict=True)
    )


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
