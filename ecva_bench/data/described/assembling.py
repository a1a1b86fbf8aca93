"""From rows to annotations and findings, by what a description says the columns mean. Knows no file format.

Rows of one video are joined: each fills what the ones before it left open. What is there twice and differs is a
finding, and the first row counts.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from ...errors import DataError
from ...names import ids_of, media_of
from ...records import Annotation, Label, Moment
from ...records.annotations import Finding, Query
from ...untrusted import id_problem
from ..cells import Note
from .times import Span

TEXTS = ("description", "cause", "effect")


class RowQuery(NamedTuple):
    """A query before it has its number; `name` is empty where it has none of its own."""

    task: str
    name: str
    text: str
    options: tuple[str, ...] = ()
    answer: int | None = None
    spans: tuple[Span, ...] = ()

    @property
    def asked(self) -> Hashable:
        """What no other query of the video has: the task and the name, or, where it has none of its own, all of it."""
        return (self.task, self.name) if self.name else self


@dataclass(slots=True)
class RowContent:
    """What one row says of a video, or what several say together. `media` is its file, where it is not its name."""

    media: str | None
    description: str | None
    cause: str | None
    effect: str | None
    label: Label | None
    anomalous: bool | None
    spans: list[Span]
    queries: list[RowQuery]

    def says_nothing(self) -> bool:
        """Whether nothing is annotated."""
        texts = self.description or self.cause or self.effect
        return not (texts or self.label or self.spans or self.queries) and self.anomalous is None

    def fingerprint(self) -> int:
        """Return a number that is equal for rows that say the same of a video."""
        label = self.label.major if self.label else 0
        return hash((self.description, self.cause, self.effect, label, self.anomalous, *self.spans, *self.queries))


class _Known(NamedTuple):
    """What the rows so far say of a video that several are of: their fingerprints, and what they ask."""

    prints: set[int]
    asked: set[Hashable]


class RowRead(NamedTuple):
    """What a row, or a part of one, was read as; `content` is None where it says nothing of a video."""

    number: int
    name: str  # of the video as it is written, or `row 7` where none is
    content: RowContent | None
    notes: Sequence[tuple[str, Note]]  # each with the field that it is on


def remark(number: int, name: str | None, note: Note) -> RowRead:
    """Return a row of which there is nothing but a note."""
    return RowRead(number, name or f"row {number}", None, (("row", note),))


@dataclass
class Assembly:
    """Annotations as they are put together from rows."""

    entries: dict[str, RowContent] = field(default_factory=dict)
    noted: list[tuple[str, str, Note]] = field(default_factory=list)
    _several: dict[str, _Known] = field(default_factory=dict)

    def note(self, video: str, name: str, note: Note) -> None:
        """Record what a rule did to a field of a video, or of a row without one."""
        self.noted.append((video, name, note))

    def take(self, rows: Iterable[RowRead]) -> None:
        """Take in what rows say, in the order of their numbers."""
        for _, name, content, notes in sorted(rows, key=itemgetter(0)):
            for column, note in notes:
                self.note(name, column, note)
            if content is not None:
                known = self.entries.setdefault(name, content)
                if known is not content:
                    self._add(name, known, content)

    def _add(self, name: str, known: RowContent, content: RowContent) -> None:
        """Take in another row of a video."""
        if name not in self._several:
            self._several[name] = _Known({known.fingerprint()}, {query.asked for query in known.queries})
        prints, asked = self._several[name]
        print_ = content.fingerprint()
        if print_ in prints:
            self.note(name, "row", Note("duplicate-row", "excluded", "a row before says the very same"))
            return
        prints.add(print_)
        self._join(name, known, content, asked)

    def _join(self, name: str, known: RowContent, entry: RowContent, asked: set[Hashable]) -> None:
        """Join what a row says to what is known of its video; what is among the `asked` is not asked again."""
        for query in entry.queries:
            if query.asked in asked:
                written = f"{query.name}: {query.text}" if query.name else query.text
                self.note(name, query.task, Note("duplicate-row", "excluded", written[:200]))
            else:
                asked.add(query.asked)
                known.queries.append(query)
        for column in (*TEXTS, "label", "anomalous", "media"):
            value = getattr(entry, column)
            if getattr(known, column) is None:
                setattr(known, column, value)
            elif value is not None and value != getattr(known, column):
                self.note(name, column, Note("duplicate-row", "excluded", _written(value)))
        known.spans += entry.spans

    def annotations(self, where: Path) -> tuple[list[Annotation], list[Annotation], list[Finding]]:
        """Return usable annotations, those that say nothing, and all findings, each by video; they are taken out.

        Raises `DataError` where two names may mean one video and do not tell which.
        """
        ids = ids_of(self.entries, where)
        self._join_same(ids)
        self._several = {}
        media = media_of(ids)
        usable: list[Annotation] = []
        empty: list[Annotation] = []
        for name in sorted(self.entries, key=ids.__getitem__):
            video, entry = ids[name], self.entries.pop(name)
            file = entry.media or media[video]
            if problem := id_problem(video) or id_problem(file):
                self.note(f"{video:.60}", "row", Note("id-unusable", "excluded", f"{problem}: {video:.60}"))
                continue
            annotation = self._annotation(video, file, entry)
            if entry.says_nothing():
                self.note(video, "row", Note("no-anomaly", "excluded", ""))
                empty.append(annotation)
            else:
                usable.append(annotation)
        findings = [
            Finding.unchecked({"video": ids.get(name, name), "field": column, **note._asdict()})
            for name, column, note in self.noted
        ]
        return usable, empty, sorted(findings, key=lambda finding: finding.video)

    def _join_same(self, ids: Mapping[str, str]) -> None:
        """Join what is known under several names of one video, under the first of them."""
        first: dict[str, str] = {}
        for name, video in ids.items():
            known = first.setdefault(video, name)
            if known is not name:
                self._add(known, self.entries[known], self.entries.pop(name))

    def _annotation(self, video: str, media: str, entry: RowContent) -> Annotation:
        spans = entry.spans if len(entry.spans) < 2 else sorted(set(entry.spans))
        if spans and entry.anomalous is False:
            written = " ".join(f"{start:g}-{end:g} s" for start, end in spans)
            self.note(video, "moments", Note("moments-of-normal", "excluded", written[:200]))
            spans = []
        for start, end in spans:
            if start == end:
                self.note(video, "moments", Note("moment-instant", "kept", f"{start:g} s"))
        return Annotation.unchecked(
            {
                "video": video,
                "media": media,
                "label": entry.label,
                "moments": _moments(spans),
                "description": entry.description,
                "cause": entry.cause,
                "effect": entry.effect,
                "anomalous": entry.anomalous,
                "queries": _numbered(entry.queries) if entry.queries else (),
            }
        )


def _moments(spans: Iterable[Span]) -> tuple[Moment, ...]:
    return tuple([Moment.unchecked({"start": start, "end": end}) for start, end in spans])


def _numbered(queries: Sequence[RowQuery]) -> tuple[Query, ...]:
    """Return queries, each with a name: its own, or its number among those of its task, or the next that is free."""
    if len(queries) == 1:
        return (_query(queries[0], queries[0].name or "1"),)
    taken = {(asked.task, asked.name) for asked in queries}
    counts: dict[str, int] = {}
    found: list[Query] = []
    for query in queries:
        task, name = query.task, query.name
        counts[task] = number = counts.get(task, 0) + 1
        while not name:
            name = "" if (task, str(number)) in taken else str(number)
            number += 1
        taken.add((task, name))
        found.append(_query(query, name))
    return tuple(found)


def _query(asked: RowQuery, name: str) -> Query:
    task, _, text, options, answer, spans = asked
    moments = _moments(spans) if spans else ()
    return Query.unchecked(
        {"task": task, "name": name, "text": text, "options": options, "answer": answer, "moments": moments}
    )


def _written(value: object) -> str:
    return value.code if isinstance(value, Label) else str(value)[:200]


def require_columns(needed: set[str], there: set[str], where: Path) -> None:
    """Raise `DataError`, which names the columns that are there, where one that is needed is in no row."""
    import difflib

    for name in sorted(needed):
        if name not in there and name.partition(".")[0] not in there:
            near = difflib.get_close_matches(name, there, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            what = f"no row has a column {name!r}; {hint}there are {', '.join(sorted(there))[:600] or 'none'}"
            raise DataError(what, where, "check the file, or what the description calls the column")
