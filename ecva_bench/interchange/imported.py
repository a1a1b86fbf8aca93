"""Answers made elsewhere as a run: what it owes, what it holds, and what is not known of it.

A run of ours knows prompts, frames and settings; of answers made elsewhere these are unknown, and are left out and
never made up. `spec["imported"]` says which files they came from and which columns were taken.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..data import Dataset
from ..data.durations import shown_durations
from ..errors import ResultsError, UsageError
from ..journal.lines import results_file
from ..journal.manifests import sample_views
from ..journal.writer import now, write_results
from ..records.annotations import repeat_id, sample_parts
from ..records.answers import Answer, Failure, Manifest, Results, SampleAnnotation, mark_trained
from ..records.base import VIEWS, View, cuts_moments, sha256_of
from ..records.training import TrainedOn
from ..samples import unasked as why_unasked
from ..tasks import TASKS, packaged_prompts
from ..version import __version__
from .items import items_of
from .joining import Joined, join
from .kinds import refuse_annotations
from .lookup import Lookup
from .mapping import field_map
from .notes import ReadFile, count_of, models_of, notes_of
from .opening import AnswerFile, open_answers
from .sources import AnswerSource
from .table import Columns
from .words import without_task


@dataclass(frozen=True)
class Imported:
    """Answers made elsewhere as a run: its manifest, its records, and what is to be said of them."""

    manifest: Manifest
    answers: tuple[Answer, ...]
    failures: tuple[Failure, ...]
    notes: tuple[str, ...]
    model: str
    files: tuple[AnswerFile, ...]

    def results(self) -> Results:
        """Return the run as a results file of it would be read; of one file, under its name and hash."""
        owed = sample_views(self.manifest.expects)
        first, hashes = self.files[0], [file.sha256 for file in self.files]
        answers = {(answer.id, answer.view): answer for answer in self.answers}
        order = [(sample, view) for view, samples in self.manifest.expects.items() for sample in samples]
        return Results(
            name=first.stem,
            source=str(first.path),
            sha256=hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest(),
            model=self.model,
            expects=self.manifest.expects,
            annotated=self.manifest.annotated,
            answers=tuple(answers[place] for place in order if place in answers),
            extra=tuple(answer for answer in self.answers if (answer.id, answer.view) not in owed),
            failures=tuple(one for one in self.failures if (one.id, one.view) in owed),
            unasked={},
            spec=self.manifest.spec,
            trained_on=self.manifest.trained_on,
        )

    def marked(self, trained_on: TrainedOn) -> Imported:
        """Return the run with the answers marked that are about videos the model was trained on."""
        return replace(
            self,
            manifest=self.manifest.model_copy(update={"trained_on": trained_on}),
            answers=tuple(mark_trained(one, trained_on) for one in self.answers),
            failures=tuple(mark_trained(one, trained_on) for one in self.failures),
        )

    @property
    def results_file(self) -> Path:
        """Where the run goes unless a file is named, as a run of ours would."""
        return results_file(self.model, self.manifest.spec["dataset"]["name"])

    def write(self, out: Path, progress: Callable[[int, int], None]) -> None:
        """Write the run to a new results file; `ResultsError` where the file is there or cannot be written."""
        if out.exists():
            raise ResultsError("the file to import into exists", out, "name a new file with --out")
        write_results(out, self.manifest, [*self.answers, *self.failures], progress)


def import_answers(
    sources: Sequence[AnswerSource],
    dataset: Dataset,
    *,
    model: str | None = None,
    given: Mapping[str, str] | None = None,
) -> Imported:
    """Return the answers of files as one run over a data set.

    `given` are columns by field (`video`, `answer`, `task`, `view`) where they are not to be found by their names.
    Without `model` it is named as the files say, or after the first. Raises `UsageError` for files of another kind,
    that can be understood in two ways or hold no answer, with what to type, and `DataError` for damaged ones, for names
    that do not tell videos apart, and for answers that contradict each other.
    """
    given = dict(given or {})
    headed = not (given and all(column.isdecimal() for column in given.values()))
    lookup = Lookup(dataset)
    opened = [_open(source, dataset, headed=headed) for source in sources]
    _check_given(given, [columns for _, columns in opened])
    read = [_read(source, *one, lookup, given) for source, one in zip(sources, opened, strict=True)]
    if not any(item.text is not None for one in read for item in one.found.items):
        raise _nothing(read)
    joined = join([(one.file.path, one.found.items) for one in read], lookup)
    files = tuple(one.file for one in read)
    models = models_of(read)
    name = model or (models[0] if len(models) == 1 else without_task(files[0].stem))
    manifest = _manifest(read, joined, lookup, name)
    return Imported(
        manifest=manifest,
        answers=_lasting(joined.answers, dataset),
        failures=tuple(joined.failures),
        notes=tuple(notes_of(read, joined, manifest, lookup)),
        model=name,
        files=files,
    )


def _lasting(answers: Sequence[Answer], dataset: Dataset) -> tuple[Answer, ...]:
    """Return answers, those about severity with their videos' durations where the files are at hand.

    Others do not need them, and files of answers do not tell them.
    """
    severities = {answer.video for answer in answers if answer.task == "severity"}
    lasts = shown_durations(dataset, severities) if severities else {}
    return tuple(
        answer.model_copy(update={"duration": lasts[answer.video]})
        if answer.task == "severity" and answer.video in lasts
        else answer
        for answer in answers
    )


def _open(source: AnswerSource, dataset: Dataset, *, headed: bool) -> tuple[AnswerFile, Columns]:
    file = open_answers(source.path, headed=headed)
    if file.sha256 == dataset.sha256:
        refuse_annotations(source.path, dataset.source)
    return file, Columns(file.path, file.rows, table=file.form in ("table", "workbook"))


def _check_given(given: Mapping[str, str], files: Sequence[Columns]) -> None:
    """Raise `UsageError` for a column of the user's that no file has."""
    for name, column in given.items():
        if not any(column in columns.names for columns in files):
            what = f"there is no column {column!r} for the {name}; there are {files[0].all_choices()}"
            raise UsageError(what, files[0].path, f"name one of these with --map {name}=COLUMN")


def _read(
    source: AnswerSource, file: AnswerFile, columns: Columns, lookup: Lookup, given: Mapping[str, str]
) -> ReadFile:
    fields = field_map(columns, given, lookup.find, lookup.by_reference)
    return ReadFile(file, columns, fields, items_of(source, file, columns, fields, lookup))


def _nothing(read: Sequence[ReadFile]) -> UsageError:
    """Return the error for files without one answer: what stands in place of the first, or why rows are of no use."""
    if item := next((item for one in read for item in one.found.items), None):
        remedy = "name the column of the answers with --map answer=COLUMN of `ecva-bench import`"
        for column in (column for one in read for column in one.fields.answers.values()):
            if any(f"{column}.1" in one.columns.names for one in read):
                remedy = f"of several samples take one, here the first: ecva-bench import --map answer={column}.1"
        return UsageError(f"no row holds an answer: {item.where}: {item.lack}", read[0].file.path, remedy)
    why = ", ".join(f"{what}: {count_of(places)}" for what, places in read[0].found.aside.items())
    remedy = "name the columns with --map video=COLUMN,answer=COLUMN,task=COLUMN"
    return UsageError(f"no row is an answer: {why or 'all cells are empty'}", read[0].file.path, remedy)


def _manifest(read: Sequence[ReadFile], joined: Joined, lookup: Lookup, model: str) -> Manifest:
    """Return what the run owes, by view, and how it came here: what its files say, else all that is annotated."""
    dataset = lookup.dataset
    tasks: dict[View, set[str]] = defaultdict(set)
    for task, view in {
        *((one.task, one.view) for one in joined.answers),
        *((one.task, one.view) for one in joined.failures),
    }:
        tasks[view].add(task)
    views: list[View] = [view for view in VIEWS if view in tasks]
    expects: dict[View, tuple[str, ...]] = {}
    unasked: dict[str, str] = {}
    annotated: dict[str, SampleAnnotation] = {}
    answered = {(answer.id, answer.view) for answer in joined.answers}
    for view in views:
        owed = []
        for task in sorted(tasks[view]):
            found: list[Answer | Failure] = [*joined.answers, *joined.failures]
            parts = [sample_parts(answer.id) for answer in found if answer.task == task]
            rotated, repeats = any("@" in one.name for one in parts), 1 + max(one.repeat for one in parts)
            for each in dataset.annotations:
                unasked |= why_unasked(each, TASKS[task])
                for sample, one in lookup.samples(each.video, task).items():
                    asked = [repeat_id(sample, number) for number in range(repeats)]
                    if "@" in sample_parts(sample).name and not rotated:
                        continue
                    if cuts_moments(view) and not each.moments:
                        unasked[f"{sample}@{view}"] = "no annotated moment"
                    else:
                        here = [one for one in asked if joined.owed is None or (one, view) in joined.owed]
                        owed += here
                        missing = (each for each in here if (each, view) not in answered)
                        annotated |= dict.fromkeys(missing, SampleAnnotation.of(one))
        expects[view] = tuple(owed)
    spec: dict[str, Any] = {
        "model": model,
        "baseline": False,
        "imported": {"files": [_described(one) for one in read]},
        "dataset": {"name": dataset.name, "sha256": dataset.sha256},
        "tasks": sorted({task for some in tasks.values() for task in some}),
        "views": views,
        "prompts": _known_prompts(joined.answers),
    }
    return Manifest(
        run=sha256_of(spec)[:16],
        spec=spec,
        expects=expects,
        unasked=unasked,
        annotated=annotated,
        environment={"ecva_bench": __version__},
        t=now(),
    )


def _described(read: ReadFile) -> dict[str, Any]:
    """Return what the manifest says of a file: no path, for that is the machine's."""
    file = read.file
    return {"name": file.path.name, "sha256": file.sha256, "form": file.form, "columns": read.fields.described()}


def _known_prompts(answers: Sequence[Answer]) -> dict[str, dict[str, str]]:
    """Return the prompts of ours, by task, that all of the task's answers say they were asked with."""
    asked: dict[str, set[str]] = defaultdict(set)
    for answer in answers:
        asked[answer.task].add(answer.prompt_sha256)
    ours = {prompt.sha256: prompt for _, prompt in packaged_prompts()}
    found = {}
    for task, hashes in sorted(asked.items()):
        prompt = ours.get(next(iter(hashes))) if len(hashes) == 1 else None
        if prompt:
            found[task] = {"id": prompt.versioned_id, "sha256": prompt.sha256, "text": prompt.text}
    return found
