"""Two scored runs side by side: their values paired by sample id, and the reasons why they cannot be compared.

Only answers to full videos are paired, since a score on an edited video does not measure quality.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from ..errors import UsageError
from ..records.annotations import question_of, sample_parts
from ..records.base import Record
from ..records.scores import Scores, Summary, signature_parts
from ..records.twins import original_of
from ..statistics.paired import PairedDifferences
from ..wording import counted
from .values import sample_values, scored_values

# owed: what both were asked, an answer that is missing at its worst value. all: so too, but runs over other samples, or
# with other answers missing, are refused. intersection: what both answered.
On = Literal["owed", "all", "intersection"]
VIEW = "full"
IDS_SHOWN = 3


class NothingShared(UsageError):
    """Two runs have nothing that could be compared."""


class Mismatch(Record):
    """A difference that forbids comparing two runs; `where` names the task or metric."""

    field: Literal[
        "dataset",
        "videos",
        "protocol",
        "prompts",
        "parts",
        "samples",
        "coverage",
        "metrics",
        "scorer",
        "unscored",
        "qualification",
    ]
    where: str
    base: str
    new: str

    @property
    def text(self) -> str:
        """The mismatch in one line."""
        return f"{self.field} of {self.where}: {self.sides}"

    @property
    def sides(self) -> str:
        """What the two runs have."""
        return f"{self.base} in the base, {self.new} in the new run"


# Those that leave the two runs with different sets of scored samples, which an intersection mends.
OF_SETS = ("parts", "samples", "coverage", "metrics", "unscored")


@dataclass(frozen=True)
class PairedColumn:
    """One column over the samples that have a value in both runs: by sample id, in the column's own unit.

    `summary` is the new run's; it has the column's name and unit. `apart` is how many samples only one of the runs has.
    """

    summary: Summary
    base: Mapping[str, float]
    new: Mapping[str, float]
    video: Mapping[str, str]
    apart: int = 0

    @property
    def name(self) -> str:
        """Task and column, as `cause/rougeL`."""
        return f"{self.summary.task}/{self.summary.column}"

    @cached_property
    def gains(self) -> dict[str, float]:
        """How much better the new run is, by sample id; where lower values are better, that is base less new."""
        sign = 1 if self.summary.higher_is_better else -1
        return {sample: sign * (self.new[sample] - value) for sample, value in self.base.items()}

    @cached_property
    def video_gains(self) -> dict[str, float]:
        """The mean gain of each video."""
        found: dict[str, list[float]] = defaultdict(list)
        for sample, gain in self.gains.items():
            found[self.video[sample]].append(gain)
        return {video: mean(gains) for video, gains in found.items()}

    @property
    def differences(self) -> PairedDifferences:
        """The gains by clip, to be resampled: twins are drawn with the clip they belong to."""
        clips = [original_of(self.video[sample]) for sample in self.gains]
        return PairedDifferences(list(self.gains.values()), clips)


def mismatches(*, base: Scores, new: Scores, names: Collection[str], on: On = "all") -> list[Mismatch]:
    """Return the differences that forbid comparing two runs on the columns of these names (`task/column`).

    Unless `all` are compared, the runs may have scored different samples, but in the same way.
    """
    tasks = sorted({name.partition("/")[0] for name in names})
    found = [*_of_making(base=base, new=new, tasks=tasks), *_of_scorers(base=base, new=new, names=names)]
    if on == "all":
        found += [
            *_of_parts(base=base, new=new),
            *_of_coverage(base=base, new=new, tasks=tasks),
            *_of_columns(base=base, new=new, names=names),
        ]
    return found


def disqualified(*, base: Scores, new: Scores, names: Collection[str]) -> list[Mismatch]:
    """Return the columns of these names that a judge gave which does not tell right answers from wrong ones."""
    first, second = _summaries(base), _summaries(new)
    told = {True: "the judge failed its controls", False: "nothing against the judge"}
    found = []
    for name in names:
        failed = [name in some and some[name].disqualified for some in (first, second)]
        if any(failed):
            found.append(Mismatch(field="qualification", where=name, base=told[failed[0]], new=told[failed[1]]))
    return found


def column_names(
    *, base: Scores, new: Scores, metrics: Collection[str] = (), tasks: Collection[str] = (), on: On = "all"
) -> list[str]:
    """Return the columns to compare, as `task/column`, in the order of the base's file.

    `metrics` are columns, or a task's column as `task/column`; empty means all. Columns of either run are included, so
    that one which a run lacks is noticed; only columns of both unless `all` are compared. Raises `NothingShared` for a
    metric or task that is in neither, and where no column is left.
    """
    first, second = _summaries(base), _summaries(new)
    there = [name for name in dict.fromkeys([*first, *second]) if on == "all" or (name in first and name in second)]
    for metric in metrics:
        if not any(metric in (name, _column(name)) for name in there):
            known = ", ".join(dict.fromkeys(_column(name) for name in there)) or "none"
            raise NothingShared(f"no metric {metric!r} was scored", base.header.name, f"available: {known}")
    for task in tasks:
        if not any(name.startswith(f"{task}/") for name in there):
            raise NothingShared(f"no answer to the task {task!r} was scored", base.header.name, "leave out --task")
    chosen = [
        name
        for name in there
        if (not metrics or name in metrics or _column(name) in metrics)
        and (not tasks or name.partition("/")[0] in tasks)
    ]
    if not chosen:
        raise NothingShared(
            "the two runs share no metric", f"{base.header.name}, {new.header.name}", "score both alike"
        )
    return chosen


def pairs(*, base: Scores, new: Scores, names: Iterable[str], on: On = "all") -> list[PairedColumn]:
    """Return the columns of these names, paired by sample id; those without a common sample are left out.

    A sample without an answer has the column's worst value, unless only the `intersection` is compared: then it is
    left out, as is one that either run's scorer gave no value.
    """
    first, second = _summaries(base), _summaries(new)
    videos = {question_of(score.id): score.video for scores in (base, new) for score in scores.scores}
    found = []
    for name in names:
        if name in first and name in second:
            one, other = _values(base, first[name], on), _values(new, second[name], on)
            ids = sorted(one.keys() & other.keys())
            video = {sample: videos.get(sample, sample_parts(sample).video) for sample in ids}
            if ids:
                values = ({i: one[i] for i in ids}, {i: other[i] for i in ids})
                found.append(PairedColumn(second[name], *values, video, len(one.keys() ^ other.keys())))
    return found


def mean(values: Collection[float]) -> float:
    """Return the mean of at least one value."""
    return math.fsum(values) / len(values)


def _summaries(scores: Scores) -> dict[str, Summary]:
    there = (one for one in scores.summaries if one.view == VIEW and not one.balanced)  # its mean is no sum of pairs
    return {f"{one.task}/{one.column}": one for one in there}


def _values(scores: Scores, summary: Summary, on: On) -> dict[str, float]:
    return scored_values(scores, summary) if on == "intersection" else sample_values(scores, summary)


def _of_making(*, base: Scores, new: Scores, tasks: Sequence[str]) -> list[Mismatch]:
    """Return how the two runs differ in annotations, videos, protocol and prompts."""
    one, other = base.header, new.header
    found = []
    if one.dataset_sha256 != other.dataset_sha256:
        hashes = (one.dataset_sha256[:12] or "unknown", other.dataset_sha256[:12] or "unknown")
        found.append(Mismatch(field="dataset", where="the annotations", base=hashes[0], new=hashes[1]))
    if apart := [video for video, sha in one.videos.items() if other.videos.get(video, sha) != sha]:
        hashes = (one.videos[apart[0]], other.videos[apart[0]])
        found.append(Mismatch(field="videos", where=f"the files ({_ids(apart)})", base=hashes[0], new=hashes[1]))
    if one.protocol != other.protocol:
        found.append(Mismatch(field="protocol", where="all metrics", base=one.protocol, new=other.protocol))
    asked = [{coverage.task for coverage in scores.coverage} for scores in (base, new)]
    for task in (task for task in tasks if all(task in some for some in asked)):
        prompts = [header.prompts.get(task) for header in (one, other)]
        # Of answers made elsewhere it may be unknown on both sides; a run of ours that does not say it hides it.
        hidden = not all(prompts) and not (one.imported and other.imported)
        if hidden or prompts[0] != prompts[1]:
            shown = [", ".join(sha[:12] for sha in hashes or ()) or "unknown" for hashes in prompts]
            found.append(Mismatch(field="prompts", where=task, base=shown[0], new=shown[1]))
        # Of two models it is their families' own affair.
        added = [header.asked_with.get(task, {}) for header in (one, other)]
        if one.model == other.model and added[0] != added[1]:
            shown = [
                ", ".join(f"with {name}: {text.strip()}" for name, text in some.items()) or "alone" for some in added
            ]
            found.append(Mismatch(field="prompts", where=task, base=shown[0], new=shown[1]))
    return found


def _of_scorers(*, base: Scores, new: Scores, names: Iterable[str]) -> list[Mismatch]:
    """Return the parts in which the signatures of scorers differ: judge, prompts, settings, version."""
    first, second = _summaries(base), _summaries(new)
    signatures = {
        (first[name].task, first[name].scorer): (first[name].signature, second[name].signature)
        for name in names
        if name in first and name in second
    }
    found = []
    for (task, scorer), (one, other) in signatures.items():
        ours, theirs = set(signature_parts(one)), set(signature_parts(other))
        if ours != theirs:
            parts = [" ".join(sorted(some)) or "nothing" for some in (ours - theirs, theirs - ours)]
            found.append(Mismatch(field="scorer", where=f"{task}/{scorer}", base=parts[0], new=parts[1]))
    return found


def _of_parts(*, base: Scores, new: Scores) -> list[Mismatch]:
    """Return whether one run lacks parts that the other has."""
    one, other = (lacking.text if (lacking := scores.header.lacking) else "whole" for scores in (base, new))
    return [] if one == other else [Mismatch(field="parts", where="the run", base=one, new=other)]


def _of_coverage(*, base: Scores, new: Scores, tasks: Sequence[str]) -> list[Mismatch]:
    """Return in which tasks the runs owe other samples, or left others unanswered."""
    one, other = ({c.task: c for c in scores.coverage if c.view == VIEW} for scores in (base, new))
    found = []
    for task in tasks:
        if task not in one or task not in other:
            continue  # every metric of the task is one that a run lacks
        if one[task].samples_sha256 != other[task].samples_sha256 or one[task].owed != other[task].owed:
            owed = [
                f"{counted(coverage[task].owed, 'sample')} ({coverage[task].samples_sha256[:12]})"
                for coverage in (one, other)
            ]
            found.append(Mismatch(field="samples", where=task, base=owed[0], new=owed[1]))
        elif set(one[task].all_absent) != set(other[task].all_absent):
            shown = [f"{c[task].answers_given} of {c[task].answers_owed} answered" for c in (one, other)]
            apart = sorted(set(one[task].all_absent) ^ set(other[task].all_absent))
            found.append(Mismatch(field="coverage", where=f"{task} ({_ids(apart)})", base=shown[0], new=shown[1]))
    return found


def _of_columns(*, base: Scores, new: Scores, names: Iterable[str]) -> list[Mismatch]:
    """Return the columns that one run lacks, or in which the runs have values for other samples."""
    first, second = _summaries(base), _summaries(new)
    uneven = {
        mismatch.where.partition(" ")[0]
        for mismatch in _of_coverage(base=base, new=new, tasks=sorted({*map(_task, names)}))
    }
    found = []
    for name in names:
        if name not in first or name not in second:
            shown = ["there" if name in summaries else "not scored" for summaries in (first, second)]
            found.append(Mismatch(field="metrics", where=name, base=shown[0], new=shown[1]))
        elif _task(name) not in uneven:
            one, other = _values(base, first[name], "all"), _values(new, second[name], "all")
            apart = sorted(one.keys() ^ other.keys())
            if apart:
                counts = [f"{len(values)} scored" for values in (one, other)]
                found.append(Mismatch(field="unscored", where=f"{name} ({_ids(apart)})", base=counts[0], new=counts[1]))
    return found


def _task(name: str) -> str:
    return name.partition("/")[0]


def _column(name: str) -> str:
    return name.partition("/")[2]


def _ids(ids: Sequence[str]) -> str:
    return ", ".join(ids[:IDS_SHOWN]) + (f" and {len(ids) - IDS_SHOWN} more" if len(ids) > IDS_SHOWN else "")
