"""What is to be said of an import, in words: what was read from where, and what of it cannot be used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..journal.manifests import sample_views
from ..records.annotations import question_of, sample_parts
from ..records.answers import Answer, Manifest
from ..wording import counted
from .columns import VIDEO_NAMES
from .items import FileItems
from .joining import Joined, near
from .lookup import Lookup
from .mapping import FieldMap
from .opening import AnswerFile
from .table import Columns
from .words import bare_name

_NAMED = 3  # places and names that a note lists


@dataclass(frozen=True)
class ReadFile:
    """A file that was read: its columns, which are what, and its items."""

    file: AnswerFile
    columns: Columns
    fields: FieldMap
    found: FileItems


def notes_of(read: Sequence[ReadFile], joined: Joined, manifest: Manifest, lookup: Lookup) -> list[str]:
    """Return in words what was read, from where, and what of it cannot be used."""
    notes = [_read_note(one) for one in read]
    if len(models := models_of(read)) > 1:
        notes.append(f"the answers are by {counted(len(models), 'model')}, and one run here: {_some(models)}")
    for one in read:
        notes += [f"{one.file.path.name}: {what}: {count_of(rows)}" for what, rows in one.found.aside.items()]
        if one.fields.aside:
            named = ", ".join(f"`{column}`" for column in one.fields.aside)
            what = "to take one as a task's answers: --map cause=COLUMN"
            notes.append(f"{one.file.path.name}: columns left aside: {named}; {what}")
        if _counts(one):
            what = f"`{one.fields.video}` counts from 1, as rows do: it was taken for the videos' numbers"
            notes.append(f"{one.file.path.name}: {what}")
    if joined.failures:
        lacks = _some(failure.message for failure in joined.failures)
        notes.append(f"{counted(len(joined.failures), 'error')}, of rows without an answer: {lacks}")
    if joined.repeated:
        notes.append(f"{counted(joined.repeated, 'row')} with an answer that is there word for word, counted once")
    if joined.strangers:
        names = list(joined.strangers)
        meant = near(names[0], [each.media for each in lookup.annotations.values()])
        what = f"set aside: the answers to {counted(len(names), 'video')} not in {lookup.dataset.source}"
        notes.append(f"{what}: {_some(map(repr, names))}{meant}")
    if joined.owed is not None:
        notes.append(f"owed: {counted(len(joined.owed), 'question')}, which the rows say the run was asked")
    owed = sample_views(manifest.expects)
    unowed = [a for a in joined.answers if (a.id, a.view) not in owed and a.video in lookup.annotations]
    if unowed:
        some = _some(f"{answer.id} ({answer.view})" for answer in unowed)
        notes.append(f"set aside: {counted(len(unowed), 'answer')} to what is not annotated: {some}")
    there = Counter((answer.task, answer.view) for answer in joined.answers)
    for view, samples in manifest.expects.items():
        questions = {question_of(sample) for sample in samples}
        answered = {question_of(answer.id) for answer in joined.answers if answer.view == view}
        counts = Counter(sample_parts(question).task for question in questions)
        lacking = Counter(sample_parts(question).task for question in questions - answered)
        for task, count in sorted(counts.items()):
            if lacking[task] and there[task, view]:
                notes.append(f"{task} ({view}): no answer to {lacking[task]:,} of {counted(count, 'question')}")
    texts = [answer for answer in joined.answers if answer.task in ("description", "cause", "effect")]
    if len(texts) > 1 and all(_same(answer) for answer in texts):
        notes.append("every answer is the annotator's own text: is this a file of annotations?")
    return notes


def models_of(read: Sequence[ReadFile]) -> list[str]:
    """Return the names of the models that the files say they are by, as a whole or row by row."""
    return list(
        dict.fromkeys(name for one in read for name in ([one.file.model] if one.file.model else one.fields.models))
    )


def _read_note(read: ReadFile) -> str:
    file, fields, found = read.file, read.fields, read.found
    answers = sum(item.text is not None for item in found.items)
    video = (
        f"video by the annotator's text in `{fields.video}`" if fields.by_reference else f"video from `{fields.video}`"
    )
    columns = ", ".join(f"`{column}`{f' ({task})' if task else ''}" for task, column in fields.answers.items())
    parts = [video, f"answer from {columns}", found.task_by, f"view from `{fields.view}`" if fields.view else ""]
    rows = f"{counted(answers, 'answer')} of {counted(len(file.rows), 'row')}"
    return f"read {file.path.name} ({file.form}): {rows}: {', '.join(filter(None, parts))}"


def _counts(read: ReadFile) -> bool:
    """Return whether the column of the videos is an id that counts the rows from 1."""
    names = list(dict.fromkeys(item.name for item in read.found.items))
    is_id = bare_name(read.fields.video.rpartition(".")[2]) in VIDEO_NAMES[1]
    return is_id and len(names) > 1 and [name.lstrip("0") for name in names] == [str(n + 1) for n in range(len(names))]


def _same(answer: Answer) -> bool:
    return bool(answer.answer.strip()) and answer.answer.strip() == answer.reference.strip()


def count_of(places: Sequence[str]) -> str:
    """Return how many rows are at some places, and the first of these."""
    return f"{counted(len(places), 'row')} ({_some(places)})"


def _some(items: Iterable[str]) -> str:
    found = list(items)
    return ", ".join(found[:_NAMED]) + (", …" if len(found) > _NAMED else "")
