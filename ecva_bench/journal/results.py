"""A results file as it is read for scoring."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, cast, get_args

from .. import registry
from ..records.answers import Answer, Doubt, Event, Failure, Manifest, Results, SampleAnnotation, Unasked
from ..records.base import Record, View, sha256_of_file
from ..records.training import TrainedOn
from .lines import parse_records
from .makers import Makers
from .manifests import SampleView, lacking, manifest_of, sample_views
from .spending import Spending

REPAIRED = "repaired"  # the event that says in how many places a file was changed, `faults`, and mended


def read_spent(path: Path) -> dict[str, float]:
    """Return what the answers in a results file have cost, by name: requests, tokens, USD; empty where none is told."""
    spending = Spending()
    for record in parse_records(path):
        if isinstance(record, Event):
            spending.add(record)
    return spending.total


def read_results(path: Path) -> Results:
    """Return the contents of a results file, joined by sample id and view.

    Of several answers to one sample and view (the video file changed in between) the newest counts; the others, and
    answers to samples that the run did not ask, are `extra`. A question about a view that cannot be made of its video
    is not owed. Raises `ResultsError` where the file is no results file.
    """
    records = list(parse_records(path))
    manifest = manifest_of(path, records)
    newest: dict[SampleView, Answer] = {}
    extra: list[Answer] = []
    keys: dict[str, Answer] = {}
    doubts: list[Doubt] = []
    failures: dict[SampleView, Failure] = {}
    impossible: dict[SampleView, str] = {}
    owed = sample_views(manifest.expects)
    for record in records:
        if isinstance(record, Answer) and record.key not in keys:
            keys[record.key] = record
            place = (record.id, record.view)
            if place not in owed:
                extra.append(record)
                continue
            if place in newest:
                extra.append(newest[place])
            newest[place] = record
        elif isinstance(record, Answer):
            first = keys[record.key]
            same = (record.id, record.view, record.answer) == (first.id, first.view, first.answer)
            text = f"{'the same' if same else 'a second, other'} answer under one key; the first counts"
            kind: Literal["duplicate", "second"] = "duplicate" if same else "second"
            doubts.append(Doubt(kind=kind, id=record.id, view=record.view, text=text))
        elif isinstance(record, Failure):
            failures[record.id, record.view] = record
        elif isinstance(record, Unasked):
            impossible[record.id, record.view] = record.reason
    impossible = {place: why for place, why in impossible.items() if place not in newest}
    return Results(
        name=path.stem,
        source=str(path),
        sha256=sha256_of_file(path),
        model=manifest.name or registry.short_name(str(manifest.spec.get("model", "unknown"))),
        expects={
            view: tuple(sample for sample in samples if (sample, view) not in impossible)
            for view, samples in manifest.expects.items()
        },
        answers=tuple(newest.values()),
        extra=tuple(extra),
        failures=tuple(one for place, one in failures.items() if place not in newest and place not in impossible),
        unasked=_by_view(_never_asked(manifest) | impossible),
        annotated=_annotated(manifest, failures.values()),
        lacking=lacking(manifest),
        spec=manifest.spec,
        doubts=tuple(doubts),
        packages=Makers(records).several,
        sealed=manifest.sealed,
        repaired=sum(map(_repaired_faults, records)),
        trained_on=_trained_on(manifest, records),
    )


def _annotated(manifest: Manifest, failures: Iterable[Failure]) -> dict[str, SampleAnnotation]:
    """Return what the file says of samples that may have no answer."""
    texts = {sample: SampleAnnotation(reference=text) for sample, text in manifest.references.items()}
    return texts | manifest.annotated | {one.id: one.annotated for one in failures if one.annotated}


def _trained_on(manifest: Manifest, records: Sequence[Record]) -> TrainedOn | None:
    """Return the videos that the manifest or any record names as trained on; None where nothing is known of it."""
    told = manifest.trained_on
    seen = {one.video for one in records if isinstance(one, Answer | Failure) and one.trained_on}
    if told is None and not seen:
        return None
    known = told or TrainedOn(sha256="")
    return known.model_copy(update={"videos": tuple(sorted({*known.videos, *seen}))})


def _repaired_faults(record: Record) -> int:
    faults = record.detail.get("faults") if isinstance(record, Event) and record.event == REPAIRED else None
    return faults if isinstance(faults, int) else 0


def _never_asked(manifest: Manifest) -> dict[SampleView, str]:
    """Return why views are not asked about, as far as the annotation alone decides it."""
    found: dict[SampleView, str] = {}
    for name, why in manifest.unasked.items():
        sample, _, view = name.rpartition("@")
        if view in get_args(View):
            found[sample, cast(View, view)] = why
    return found


def _by_view(places: dict[SampleView, str]) -> dict[View, dict[str, str]]:
    found: dict[View, dict[str, str]] = defaultdict(dict)
    for (sample, view), why in places.items():
        found[view][sample] = why
    return dict(found)
