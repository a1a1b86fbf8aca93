"""From raw rows to annotations and findings: the one place where what is usable is decided.

Knows rows, whatever file they came from, and no file format. Rows are joined by video id, never by position.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields

from ..reading.text import join_descriptions
from ..records import Annotation, Label, Moment
from ..records.annotations import Finding, Review
from ..records.base import Action
from ..taxonomy import Taxonomy
from ..untrusted import id_problem
from ..wording import counted
from .cells import Note, parse_key_sentences, parse_label, parse_moments, parse_segments, parse_text


@dataclass(frozen=True)
class RawRow:
    """The raw cells of one row. `None` is a cell its file does not have, which is no finding; `""` an empty one."""

    video: str
    media: str
    label: str | None = None
    moments: str | None = None
    description: str | None = None
    cause: str | None = None
    effect: str | None = None
    key_sentences: str | None = None


COLUMNS = tuple(column.name for column in fields(RawRow))[2:]


@dataclass
class AnnotationTable:
    """Annotations as they are put together; `findings` grow as rows come in."""

    taxonomy: Taxonomy
    annotations: dict[str, Annotation] = field(default_factory=dict)
    excluded: dict[str, Annotation] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def add(self, row: RawRow) -> None:
        """Take in a row of the first round."""
        if self._is_unusable(row):
            return
        if row.video in self.annotations or row.video in self.excluded:
            self._report(row.video, "row", [Note("duplicate-row", "excluded", _brief(row))])
            return
        for name in COLUMNS:
            if (cell := getattr(row, name)) and "\ufffd" in cell:
                self._report(row.video, name, [Note("text-damaged", "kept", cell)])
        annotation, notes = annotate(row, self.taxonomy)
        if _is_empty(annotation):
            self._report(row.video, "row", [Note("no-anomaly", "excluded", _brief(row))])
            self._report(row.video, "label", notes.get("label", ()))
            self.excluded[row.video] = annotation.model_copy(
                update={"description": _stripped(row.description), "cause": row.cause, "effect": row.effect}
            )
        else:
            self.annotations[row.video] = annotation
            for name, found in notes.items():
                self._report(row.video, name, found)

    def review(self, row: RawRow) -> None:
        """Take in a row of the second round: its class and moments."""
        if self._is_unusable(row):
            return
        known = self.annotations.get(row.video)
        if known is None or known.review is not None:
            rule = "review-without-row" if known is None else "duplicate-row"
            self._report(row.video, "review", [Note(rule, "excluded", _brief(row))])
            return
        unused = [text for text in (row.description, row.cause, row.effect, row.key_sentences) if text]
        if unused:
            self._report(row.video, "review", [Note("review-text-unused", "excluded", " | ".join(unused))])
        label, moments, notes = _coded(row, self.taxonomy)
        for name, found in notes.items():
            self._report(row.video, f"review.{name}", found)
        self.annotations[row.video] = known.model_copy(update={"review": Review(label=label, moments=moments)})

    def _is_unusable(self, row: RawRow) -> bool:
        """Whether a row has no usable name of a video, which is then reported."""
        problem = id_problem(row.video) or id_problem(row.media)
        if problem:
            self.report(f"{row.video:.60}", "row", "id-unusable", "excluded", f"{problem}: {row.video:.60}")
        return bool(problem)

    def report(self, video: str, name: str, rule: str, action: Action, before: str, after: str = "") -> None:
        """Record what a rule did to a row or cell on its way into the table."""
        self._report(video, name, [Note(rule, action, before, after)])

    def _report(self, video: str, name: str, notes: Iterable[Note]) -> None:
        self.findings += [
            Finding(video=video, field=name, rule=note.rule, action=note.action, before=note.before, after=note.after)
            for note in notes
        ]


def annotate(row: RawRow, taxonomy: Taxonomy) -> tuple[Annotation, dict[str, list[Note]]]:
    """Return a row as an annotation, and the notes on each of its cells.

    The description keeps the text of its cell but for the outer brackets, as the authors' evaluation does, so
    that several segments keep an inner `][`; cause and effect are the cells' texts exactly.
    """
    label, moments, notes = _coded(row, taxonomy)
    texts: dict[str, str | None] = {}
    for name in ("description", "cause", "effect"):
        cell = getattr(row, name)
        texts[name], notes[name] = (None, []) if cell is None else parse_text(cell)
    sentences: tuple[str, ...] = ()
    if row.key_sentences is not None:
        sentences, notes["key_sentences"] = parse_key_sentences(row.key_sentences)
    if row.description is not None and texts["description"] is not None:
        segments, notes["description"] = parse_segments(row.description)
        texts["description"] = whole = _stripped(row.description) if segments else None
        if whole and (joined := join_descriptions(whole)) != whole:
            notes["description"].append(Note("descriptions-joined", "kept", whole, joined))
        if moments and len(segments) != len(moments):
            before = f"{counted(len(moments), 'moment')}, {counted(len(segments), 'description')}"
            notes["description"].append(Note("moments-descriptions", "kept", before))
    annotation = Annotation(
        video=row.video,
        media=row.media,
        label=label,
        moments=moments,
        description=texts["description"],
        cause=texts["cause"],
        effect=texts["effect"],
        key_sentences=sentences,
    )
    return annotation, notes


def _is_empty(annotation: Annotation) -> bool:
    """Say whether nothing is annotated: no text, no moment and no class."""
    texts = (annotation.description, annotation.cause, annotation.effect)
    return not any(texts) and not annotation.moments and annotation.label is None


def _coded(row: RawRow, taxonomy: Taxonomy) -> tuple[Label | None, tuple[Moment, ...], dict[str, list[Note]]]:
    notes: dict[str, list[Note]] = {}
    label: Label | None = None
    moments: tuple[Moment, ...] = ()
    if row.label is not None:
        label, notes["label"] = parse_label(row.label)
        if label is not None and not taxonomy.knows(label):
            notes["label"].append(Note("class-impossible", "excluded", row.label))
            label = None
    if row.moments is not None:
        moments, notes["moments"] = parse_moments(row.moments)
    return label, moments, notes


def _stripped(description: str | None) -> str | None:
    return None if description is None else description.strip().strip("[]")


def _brief(row: RawRow) -> str:
    """Return what a row says, shortened, to show a reader which one is meant."""
    cells = ((name, getattr(row, name)) for name in COLUMNS)
    return ", ".join(f"{name}: {cell.strip()[:40]}" for name, cell in cells if cell is not None)
