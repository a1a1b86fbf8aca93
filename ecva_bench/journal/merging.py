"""Joins the parts of one run, or runs that agree, into one file, which owes all that they owe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from pathlib import Path

from ..errors import ResultsError
from ..records.answers import Answer, Event, Failure, Lacking, Manifest, Unasked
from ..records.base import Record, canonical_json
from ..wording import counted
from .lines import parse_records, results_file
from .manifests import (
    Expected,
    SampleView,
    as_requested,
    check_agreement,
    joined,
    lacking,
    manifest_of,
    sample_views,
    union,
    unsharded,
)
from .writer import now, write_results, writer


@dataclass(frozen=True)
class _Part:
    """One file of a run: its records, and which parts of the run it has."""

    path: Path
    records: Sequence[Record]

    @cached_property
    def manifest(self) -> Manifest:
        return manifest_of(self.path, self.records)

    @cached_property
    def lacking(self) -> Lacking | None:
        return lacking(self.manifest)

    @cached_property
    def held(self) -> tuple[int, ...]:
        """The numbers of the parts it has; none where the run is not divided."""
        away = self.lacking
        return tuple(n for n in range(1, away.of + 1) if n not in away.parts) if away else ()

    @cached_property
    def owed(self) -> set[SampleView]:
        """What this file itself owes: a file merged from some parts also lists what the others owe."""
        if not self.manifest.lacking:
            return sample_views(self.manifest.expects)
        return {(r.id, r.view) for r in self.records if isinstance(r, Answer | Failure | Unasked)}

    @property
    def name(self) -> str:
        return str(Lacking(parts=self.held, of=self.lacking.of)) if self.lacking else "the whole run"

    @property
    def whole(self) -> Expected:
        """What all parts together owe, if this one knows it; else nothing."""
        return self.manifest.whole if self.lacking else self.manifest.expects


def merged_file(paths: Sequence[Path]) -> Path:
    """Return what the union of some results files is called unless the user names it: as the whole run would be."""
    first = manifest_of(paths[0], list(parse_records(paths[0])))
    model = first.name or str(first.spec.get("model", "merged"))
    return results_file(model, str(first.spec.get("dataset", {}).get("name", "results")))


def merge_results(paths: Sequence[Path], target: Path, incomplete: bool = False) -> Manifest:
    """Write the union of the parts of one run, or of runs that agree, to a new file and return its manifest.

    Raises `ResultsError` where parts or answers are missing, unless an `incomplete` file is wanted. Such a file owes
    the missing answers, as far as the parts know them, and is resumed by the command of the whole run. Raises
    `SpecMismatch` where two files make their answers in different ways, and `ResultsError` where `target` exists or
    answers contradict each other.
    """
    if target.exists():
        raise ResultsError("the file to merge into exists", target, "name a new file with --out")
    parts = [_Part(path, list(parse_records(path))) for path in paths]
    first = _alike(parts)
    whole = _whole(parts)
    away = _absent(parts, whole)
    if away and not incomplete:
        remedy = "name its file too, or merge what is there with --incomplete, to be resumed without --shard"
        raise ResultsError(away.text, ", ".join(str(part.path) for part in parts), remedy)
    run = reduce(joined, (unsharded(part.manifest) for part in parts), unsharded(first.manifest)).model_copy(
        update={
            "expects": whole or _joined(parts),
            "whole": whole if away else {},
            "lacking": away,
            "environment": {**writer(), "parts": [part.manifest.environment for part in parts]},
            "t": now(),
        }
    )
    answers, others = _settled(parts)
    if not incomplete:
        _check_finished(parts, run, {(r.id, r.view) for r in (*answers.values(), *others.values())})
    write_results(target, run, [*_events(parts), *_in_order(answers, others)])
    return run


def _alike(parts: Sequence[_Part]) -> _Part:
    """Return a part whose settings are the run's, settled with its first answer; `SpecMismatch` where parts differ."""
    for part in parts[1:]:
        own, first = (unsharded(as_requested(one.manifest)) for one in (part, parts[0]))
        check_agreement(part.path, own, first, _one_run(parts[0]))
    settled = [part for part in parts if any(isinstance(record, Answer) for record in part.records)]
    for part in settled[1:]:
        own, first = (unsharded(one.manifest) for one in (part, settled[0]))
        check_agreement(part.path, own, first, _one_run(settled[0]))
    return settled[0] if settled else parts[0]


def _one_run(first: _Part) -> str:
    """Return the remedy where a file differs from the first, which is `here`."""
    return f"merge files of one run alone ('here' is {first.path})"


def _whole(parts: Sequence[_Part]) -> Expected:
    """Return what all parts together owe, empty where no part knows it."""
    if not any(part.whole for part in parts):
        return {}
    return reduce(union, [*(part.whole for part in parts), *(part.manifest.expects for part in parts)])


def _absent(parts: Sequence[_Part], whole: Expected) -> Lacking | None:
    """Return the parts that are in none of the files and owe something, as far as that is known."""
    if not any(part.lacking for part in parts):
        return None
    if whole and {place for part in parts for place in part.owed} == sample_views(whole):
        return None
    divided = {part.lacking.of: part for part in reversed(parts) if part.lacking}
    if len(divided) > 1:
        one, other = list(divided.values())[:2]
        what = f"{other.name} and {one.name} are of two divisions of the run, and not all of it is there"
        raise ResultsError(what, f"{other.path}, {one.path}", "merge all parts of one division")
    (of,) = divided
    held = {number for part in parts for number in part.held}
    away = tuple(number for number in range(1, of + 1) if number not in held)
    return Lacking(parts=away, of=of) if away else None


def _joined(parts: Sequence[_Part]) -> Expected:
    """Return what the parts owe, sorted."""
    views = dict.fromkeys(view for part in parts for view in part.manifest.expects)
    return {view: tuple(sorted({i for part in parts for i in part.manifest.expects.get(view, ())})) for view in views}


def _settled(parts: Sequence[_Part]) -> tuple[dict[str, Answer], dict[str, Failure | Unasked]]:
    """Return the answers, and the failures of other questions, by key; `ResultsError` where two files contradict."""
    answers: dict[str, Answer] = {}
    others: dict[str, Failure | Unasked] = {}
    of: dict[str, _Part] = {}
    for part in parts:
        for record in part.records:
            if isinstance(record, Failure | Unasked):
                others[record.key] = record
            elif isinstance(record, Answer):
                there = answers.setdefault(record.key, record)
                if of.setdefault(record.key, part) is not part and there.answer != record.answer:
                    what = f"{of[record.key].name} is there twice, with two answers to {record.id} ({record.view})"
                    raise ResultsError(what, f"{of[record.key].path}, {part.path}", "name one of the two files")
    return answers, {key: record for key, record in others.items() if key not in answers}


def _check_finished(parts: Sequence[_Part], run: Manifest, settled: set[SampleView]) -> None:
    for part in parts:
        owed = sample_views(part.manifest.expects)
        if missing := len(owed - settled):
            what = f"{part.name} is unfinished, without {missing:,} of {counted(len(owed), 'answer')}"
            remedy = "run its command again, or merge what is there with --incomplete"
            raise ResultsError(what, part.path, remedy)
    owed = sample_views(run.expects)
    if missing := len(owed - settled):
        what = f"one part was extended and another was not, without {missing:,} of {counted(len(owed), 'answer')}"
        remedy = "extend all parts, or merge what is there with --incomplete"
        raise ResultsError(what, ", ".join(str(part.path) for part in parts), remedy)


def _events(parts: Sequence[_Part]) -> list[Event]:
    """Return the events of the parts, each once, without those of resuming."""
    found = [r for part in parts for r in part.records if isinstance(r, Event) and r.event != "resumed"]
    return list({canonical_json(event.model_dump(mode="json")): event for event in found}.values())


def _in_order(answers: dict[str, Answer], others: dict[str, Failure | Unasked]) -> list[Answer | Failure | Unasked]:
    return sorted([*answers.values(), *others.values()], key=lambda record: (record.id, record.view))
