"""From rows to annotations and findings, by what a description says the columns mean. Knows no file format.

Rows of one video are joined: each fills what the ones before it left open. What is there twice and differs is a
finding, and the first row counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import NamedTuple

from ...errors import DataError
from ...names import ids_of, media_of
from ...records import Annotation, Label, Moment
from ...records.annotations import Finding, Query
from ...untrusted import id_problem
from ..cells import Note

TEXTS = ("description", "cause", "effect")


class Asked(NamedTuple):
    """A query before it has its number; `name` is empty where it has none of its own."""

    task: str
    name: str
    text: str
    options: tuple[str, ...] = ()
    answer: int | None = None
    moments: tuple[Moment, ...] = ()


@dataclass(slots=True)
class RowContent:
    """What one row says of a video, or what several say together. `media` is its file, where it is not its name."""

    media: str | None = None
    description: str | None = None
    cause: str | None = None
    effect: str | None = None
    label: Label | None = None
    anomalous: bool | None = None
    moments: list[Moment] = field(default_factory=list)
    queries: list[Asked] = field(default_factory=list)

    def says_nothing(self) -> bool:
        """Whether nothing is annotated."""
        texts = self.description or self.cause or self.effect
        return not (texts or self.label or self.moments or self.queries) and self.anomalous is None

    def fingerprint(self, name: str) -> int:
        """Return a number that is equal for rows that say the same of the same video."""
        spans = [(one.start, one.end) for one in self.moments]
        asked = [(*query[:5], *((one.start, one.end) for one in query.moments)) for query in self.queries]
        label = self.label.major if self.label else 0
        texts = (self.description, self.cause, self.effect)
        return hash((name, texts, label, self.anomalous, *spans, *asked))


@dataclass
class Assembly:
    """Annotations as they are put together from rows."""

    entries: dict[str, RowContent] = field(default_factory=dict)
    noted: list[tuple[str, str, Note]] = field(default_factory=list)
    _seen: set[int] = field(default_factory=set)
    _asked: set[tuple[str, str, str]] = field(default_factory=set)

    def note(self, video: str, name: str, note: Note) -> None:
        """Record what a rule did to a field of a video, or of a row without one."""
        self.noted.append((video, name, note))

    def add(self, name: str, entry: RowContent) -> None:
        """Take in what a row says of the video that it calls `name`."""
        print_ = entry.fingerprint(name)
        if print_ in self._seen:
            self.note(name, "row", Note("duplicate-row", "excluded", "a row before says the very same"))
            return
        self._seen.add(print_)
        entry.queries = [query for query in entry.queries if self._is_new(name, query)]
        known = self.entries.setdefault(name, entry)
        if known is not entry:
            self._join(name, known, entry)

    def _is_new(self, name: str, query: Asked) -> bool:
        """Say whether no query of the same video has this one's name; a finding says where one has."""
        if query.name and (called := (name, query.task, query.name)) in self._asked:
            self.note(name, query.task, Note("duplicate-row", "excluded", f"{query.name}: {query.text}"[:200]))
            return False
        if query.name:
            self._asked.add(called)
        return True

    def _join(self, name: str, known: RowContent, entry: RowContent) -> None:
        for column in (*TEXTS, "label", "anomalous", "media"):
            value = getattr(entry, column)
            if getattr(known, column) is None:
                setattr(known, column, value)
            elif value is not None and value != getattr(known, column):
                self.note(name, column, Note("duplicate-row", "excluded", _written(value)))
        known.moments += entry.moments
        known.queries += entry.queries

    def annotations(self, where: Path) -> tuple[list[Annotation], list[Annotation], list[Finding]]:
        """Return usable annotations, those that say nothing, and all findings, each by video; they are taken out.

        Raises `DataError` where two names may mean one video and do not tell which.
        """
        self._seen, self._asked = set(), set()
        ids = ids_of(self.entries, where)
        media = media_of(ids)
        joined: dict[str, RowContent] = {}
        for name in list(self.entries):
            entry = self.entries.pop(name)
            known = joined.setdefault(ids[name], entry)
            if known is not entry:
                self._asked = {(name, query.task, query.name) for query in known.queries}
                entry.queries = [query for query in entry.queries if self._is_new(name, query)]
                self._join(name, known, entry)
        usable: list[Annotation] = []
        empty: list[Annotation] = []
        for video in sorted(joined):
            entry = joined.pop(video)
            file = entry.media or media[video]
            if problem := id_problem(video) or id_problem(file):
                self.note(f"{video:.60}", "row", Note("id-unusable", "excluded", f"{problem}: {video:.60}"))
                continue
            (empty if entry.says_nothing() else usable).append(self._annotation(video, file, entry))
        findings = [
            Finding.unchecked({"video": ids.get(name, name), "field": column, **note._asdict()})
            for name, column, note in self.noted
        ]
        return usable, empty, sorted(findings, key=lambda finding: finding.video)

    def _annotation(self, video: str, media: str, entry: RowContent) -> Annotation:
        moments = tuple(entry.moments)
        if len(moments) > 1:
            moments = tuple({(one.start, one.end): one for one in sorted(moments, key=_by_time)}.values())
        if moments and entry.anomalous is False:
            spans = " ".join(f"{moment.start:g}-{moment.end:g} s" for moment in moments)
            self.note(video, "moments", Note("moments-of-normal", "excluded", spans[:200]))
            moments = ()
        for moment in moments:
            if moment.start == moment.end:
                self.note(video, "moments", Note("moment-instant", "kept", f"{moment.start:g} s"))
        if entry.says_nothing():
            self.note(video, "row", Note("no-anomaly", "excluded", ""))
        return Annotation.unchecked(
            {
                "video": video,
                "media": media,
                "label": entry.label,
                "moments": moments,
                "description": entry.description,
                "cause": entry.cause,
                "effect": entry.effect,
                "key_sentences": (),
                "severity_curve": (),
                "review": None,
                "anomalous": entry.anomalous,
                "queries": tuple(_numbered(entry.queries)),
            }
        )


def _by_time(moment: Moment) -> tuple[float, float]:
    return moment.start, moment.end


def _numbered(queries: Sequence[Asked]) -> Iterator[Query]:
    """Yield queries, each with a name: its own, or its number among those of its task, the next where that is taken."""
    taken = {(asked.task, asked.name) for asked in queries}
    counts: dict[str, int] = {}
    for task, name, text, options, answer, moments in queries:
        counts[task] = counts.get(task, 0) + 1
        if not name:
            name = next(str(number) for number in count(counts[task]) if (task, str(number)) not in taken)
            taken.add((task, name))
        yield Query.unchecked(
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
