"""The audit of data sets: every rule on each set, then what sets share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ..data import Dataset
from ..data.durations import stated_durations
from ..data.rules import FINDING_RULES
from .constant_texts import blind_texts
from .duplicates import find_files, find_texts, find_videos, video_files
from .findings import DATA_RULES, BlindScore, DataAudit, DataFinding, DatasetAudit, finding_of
from .labels import NAME, balances, blind_choices, blind_classes, blind_detection
from .questions import Asked, find_in_questions, option_lengths, questions_with_options
from .spans import blind_spans
from .texts import FIELDS, find_in_texts
from .times import find_in_times


def audit_datasets(datasets: Sequence[Dataset], progress: Callable[[int, int], None] | None = None) -> DataAudit:
    """Return what an audit finds in data sets, each on its own and between every two.

    Where the folder of a set's videos is known, their durations and bytes are read too. `progress` is called with
    (steps done, steps in all).
    """
    named = _named(datasets)
    audits: list[DatasetAudit] = []
    findings: list[DataFinding] = []
    for done, dataset in enumerate(named):
        durations = _durations(dataset)
        tasks = questions_with_options(dataset)
        blind = (
            *blind_choices(tasks),
            *blind_detection(dataset),
            *blind_classes(dataset),
            *blind_spans(dataset, durations),
            *blind_texts(dataset),
        )
        audits.append(_of_one(dataset, tasks, blind, durations))
        findings += _blind_findings(dataset, blind)
        findings += find_in_questions(dataset.name, tasks)
        findings += find_in_times(dataset, durations)
        findings += find_in_texts(dataset)
        findings += _of_the_reader(dataset)
        if progress is not None:
            progress(done + 1, len(named) + 1)
    findings += find_texts(named)
    findings += find_videos(named, [dataset.name for dataset in datasets])
    findings += find_files(named)
    if progress is not None:
        progress(len(named) + 1, len(named) + 1)
    order = {name: place for place, name in enumerate(dataset.name for dataset in named)}
    findings.sort(key=lambda found: (not found.above, order[found.dataset], list(DATA_RULES).index(found.rule)))
    rules = {rule: entry.meaning for rule, entry in DATA_RULES.items() if any(f.rule == rule for f in findings)}
    return DataAudit(datasets=tuple(audits), findings=tuple(findings), rules=rules)


def _named(datasets: Sequence[Dataset]) -> list[Dataset]:
    """Return the sets under names that tell them apart: with the file's where several have one name."""
    counts = Counter(dataset.name for dataset in datasets)
    called = [one.name if counts[one.name] == 1 else f"{one.name} ({Path(one.source).name})" for one in datasets]
    again = Counter(called)
    numbered = [name if again[name] == 1 else f"{name} #{n}" for n, name in enumerate(called, start=1)]
    return [replace(dataset, name=name) for dataset, name in zip(datasets, numbered, strict=True)]


def _durations(dataset: Dataset) -> Mapping[str, float]:
    """Return the seconds of a set's videos, by id, as far as there are files that state them."""
    files = video_files(dataset)
    stated = stated_durations(files.values())
    return {video: stated[path] for video, path in files.items() if path in stated}


def _of_one(
    dataset: Dataset,
    tasks: Mapping[str, Sequence[Asked]],
    blind: tuple[BlindScore, ...],
    durations: Mapping[str, float],
) -> DatasetAudit:
    asked = Counter(query.task for one in dataset.annotations for query in one.queries)
    asked.update(field for one in dataset.annotations for field in FIELDS if getattr(one, field))
    asked["classification"] += sum(one.label is not None for one in dataset.annotations)
    asked["timestamp"] += sum(bool(one.moments) for one in dataset.annotations)
    asked["detection"] += sum(one.anomalous is not None for one in dataset.annotations)
    notes = []
    if dataset.videos is None:
        notes.append("videos: no folder is known, so no length and no file was compared (--videos DIR)")
    else:
        notes.append(f"videos: {len(durations)} of {len(dataset.annotations)} have a file that states its length")
    return DatasetAudit(
        name=dataset.name,
        source=dataset.source,
        sha256=dataset.sha256,
        videos=len(dataset.annotations),
        questions={task: count for task, count in sorted(asked.items()) if count},
        blind=blind,
        balances=tuple(balances(dataset, tasks)),
        lengths=tuple(option_lengths(tasks)),
        notes=tuple(notes),
    )


def _blind_findings(dataset: Dataset, blind: Sequence[BlindScore]) -> list[DataFinding]:
    """Return one finding for each task in which a blind rule is above its limit: the best of them."""
    findings = []
    for task, by_name in dict.fromkeys((score.task, score.rule == NAME.name) for score in blind):
        above = [one for one in blind if one.above and (one.task, one.rule == NAME.name) == (task, by_name)]
        if above:
            best = max(above, key=lambda score: score.value)
            shown = [f"{score.rule} {100 * score.value:.1f} %" for score in sorted(above, key=lambda one: -one.value)]
            findings.append(
                DataFinding(
                    rule="name-tells" if by_name else "blind-rule",
                    dataset=dataset.name,
                    task=task,
                    n=round(best.value * best.n),
                    of=best.n,
                    share=best.interval,
                    text=f"{best.metric}, chance {100 * best.chance:.1f} %",
                    examples=tuple(shown),
                )
            )
    return findings


def _of_the_reader(dataset: Dataset) -> list[DataFinding]:
    """Return what the reader of the file repaired or left out, by its rules."""
    videos = [one.video for one in (*dataset.annotations, *dataset.excluded)]
    found: list[DataFinding] = []
    for action in ("repaired", "excluded"):
        rules = dict.fromkeys(one.rule for one in dataset.findings if one.action == action)
        for rule in rules:
            some = [one for one in dataset.findings if (one.rule, one.action) == (rule, action)]
            hit = {one.video for one in some}
            cases = [(video, video in hit) for video in dict.fromkeys([*videos, *hit])]
            shown = (f"{one.video}: {one.field} {one.before[:60]!r}" for one in some)
            text = f"{rule}: {FINDING_RULES.get(rule, '')}".rstrip(": ")
            found += finding_of(action, dataset.name, cases, shown, text=text)
    return found
