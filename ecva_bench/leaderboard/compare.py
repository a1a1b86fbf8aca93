"""Compare scored runs two by two: answers paired by question, resampled by video, p-values corrected for their number.

A difference is the new run less the base, with the sign changed where lower is better, so that a minus is always
worse. Reads no files.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations
from operator import not_
from typing import NamedTuple

from pydantic import Field

from ..errors import UsageError
from ..records.answers import Lacking
from ..records.base import Record
from ..records.scores import Scores
from ..records.training import TrainedShare
from ..statistics.comparisons import holm
from ..statistics.paired import PAIRED_DRAWS, detectable_effect, paired_bootstraps
from .groups import RANKED_BY
from .pairing import (
    OF_SETS,
    Mismatch,
    NothingShared,
    On,
    PairedColumn,
    column_names,
    disqualified,
    mean,
    mismatches,
    pairs,
)
from .run_notes import lacking_text, samples_text, warnings_of
from .shortfalls import Shortfall, shortfalls
from .unjudgeable import both_on_the_same, unjudgeable_texts

ALPHA = 0.05
MOVERS = 10
ALL = "all"  # instead of metrics: every column


class Side(Record):
    """One of two runs: the name of its results file, their hash, the model, and the parts of it that are absent.

    `warnings` are further things to be known of it; `libraries` are those that its networks of metrics ran on.
    `trained_on` says of how many questions the model was trained on the video, where that is known.
    """

    name: str
    model: str
    results_sha256: str
    lacking: Lacking | None = Field(default=None, exclude_if=not_)
    warnings: tuple[str, ...] = Field(default=(), exclude_if=not_)
    libraries: dict[str, tuple[str, ...]] = Field(default_factory=dict, exclude_if=not_)
    trained_on: TrainedShare | None = Field(default=None, exclude_if=lambda found: found is None)

    @classmethod
    def of(cls, scores: Scores) -> Side:
        """Return the run that scores belong to."""
        header = scores.header
        return cls(
            name=header.name,
            model=header.model,
            results_sha256=header.results_sha256,
            lacking=header.lacking,
            warnings=(
                *(text for text in warnings_of(header) if text != lacking_text(header)),
                *filter(None, [samples_text(scores.coverage)]),
            ),
            libraries=header.libraries,
            trained_on=header.trained_on,
        )


class Effect(Record):
    """The difference of two runs in one column over `n` samples about `videos` videos, in the column's own unit.

    `interval` is the 95 % paired bootstrap interval over videos, not corrected; `p` is the two-sided p-value, and
    `p_holm` the same corrected for all columns of all pairs of runs compared. `detectable` is the smallest true
    difference that this number of videos detects in 80 % of cases, without correction. With too few videos, `interval`
    and `detectable` are None and the p-values 1; `detectable` is also None where all videos have the same gain.
    """

    name: str
    unit: str
    decimals: int
    n: int
    videos: int
    base: float
    new: float
    difference: float
    interval: tuple[float, float] | None
    p: float
    p_holm: float
    detectable: float | None


class Mover(Record):
    """A video whose scores changed. `move` is the mean size of the change over columns, in units of their usual one.

    `name` is the column that moved most, from `base` to `new`, means over the video's samples in that column's unit.
    """

    video: str
    move: float
    name: str
    unit: str
    decimals: int
    base: float
    new: float


class Unread(Record):
    """How many answers to one task could not be read, by reason; `base_of` and `new_of` are all full-video answers."""

    task: str
    base_of: int
    new_of: int
    base: dict[str, int]
    new: dict[str, int]


class Comparison(Record):
    """Two runs compared. `mismatches` are differences in how they were made that make the figures doubtful.

    `unjudgeable` says which samples count for neither, for the judge gives no verdict on the reference either, and
    `unread` counts the answers that could not be read, in tasks that have any; `shortfalls` are the tasks of which
    one run has more empty answers, or more that were cut off. `tests` is for how many comparisons p-values are
    corrected, and `apart` how many samples of a column only one of the runs has.
    """

    base: Side
    new: Side
    on: On
    seed: int
    draws: int
    tests: int
    mismatches: tuple[Mismatch, ...]
    shortfalls: tuple[Shortfall, ...]
    effects: tuple[Effect, ...]
    movers: tuple[Mover, ...]
    unread: tuple[Unread, ...] = ()
    unjudgeable: tuple[str, ...] = Field(default=(), exclude_if=not_)
    apart: dict[str, int] = Field(default_factory=dict, exclude_if=not_)


def compare_runs(
    runs: Sequence[Scores],
    *,
    metrics: Sequence[str] = (),
    tasks: Sequence[str] = (),
    on: On = "owed",
    seed: int = 0,
    draws: int = PAIRED_DRAWS,
) -> list[Comparison]:
    """Return how each run differs from every one before it, column by column, and the videos that moved most.

    `metrics` are columns (`rougeL`), one task's column (`cause/rougeL`) or `all`; empty means the one of each task by
    which leaderboards rank. Empty `tasks` are all. Two runs that share nothing are left out where each shares something
    with another. Raises `UsageError` where a run shares nothing with any, or, on `all`, scored other samples, and where
    a column was computed in two ways.
    """
    found = _pairs(runs, metrics=metrics, tasks=tasks, on=on)
    changes = iter(effects([one for pair in found for one in pair.columns], seed=seed, draws=draws))
    tests = sum(len(pair.columns) for pair in found)
    return [
        Comparison(
            base=Side.of(pair.base),
            new=Side.of(pair.new),
            on=on,
            seed=seed,
            draws=draws,
            tests=tests,
            mismatches=tuple(pair.mismatches),
            shortfalls=tuple(shortfalls(base=pair.base, new=pair.new, names=[one.name for one in pair.columns])),
            effects=tuple(next(changes) for _ in pair.columns),
            movers=movers(pair.columns),
            unjudgeable=tuple(unjudgeable_texts((one.name, one.summary) for one in pair.columns)),
            unread=tuple(
                unread(base=pair.base, new=pair.new, tasks=sorted({one.summary.task for one in pair.columns}))
            ),
            apart={one.name: one.apart for one in pair.columns if one.apart},
        )
        for pair in found
    ]


class _Pair(NamedTuple):
    base: Scores
    new: Scores
    mismatches: list[Mismatch]
    columns: list[PairedColumn]


def _pairs(runs: Sequence[Scores], *, metrics: Sequence[str], tasks: Sequence[str], on: On) -> list[_Pair]:
    """Return all pairs of runs that share something; `NothingShared` where that leaves out a run."""
    found, reasons, left = [], dict[int, NothingShared](), set(range(len(runs)))
    for first, second in combinations(range(len(runs)), 2):
        try:
            found.append(_pair(base=runs[first], new=runs[second], metrics=metrics, tasks=tasks, on=on))
            left -= {first, second}
        except NothingShared as reason:
            reasons[second] = reasons[first] = reason
    if not found:
        raise reasons[0]
    if left:
        names = ", ".join(runs[place].header.name for place in sorted(left))
        raise UsageError(
            "a run shares no sample or metric with any other", names, "leave it out, or score it like the others"
        )
    return found


def _pair(*, base: Scores, new: Scores, metrics: Sequence[str], tasks: Sequence[str], on: On) -> _Pair:
    """Return two runs with their columns paired; `UsageError` where they cannot be compared."""
    names = column_names(base=base, new=new, metrics=() if ALL in metrics else metrics, tasks=tasks, on=on)
    names = names if metrics else _one_of_each_task(names)
    sides = f"{base.header.name}, {new.header.name}"
    if base.header.dataset_sha256 != new.header.dataset_sha256 and not pairs(base=base, new=new, names=names, on=on):
        raise NothingShared("no sample was scored in both runs", sides, "compare runs over the same videos")
    base, new = both_on_the_same(base=base, new=new)
    found = mismatches(base=base, new=new, names=names, on=on)
    unequal = [mismatch for mismatch in found if mismatch.field in OF_SETS]
    if unequal:
        remedy = "compare what both were asked with --on owed, or what both answered with --on intersection"
        raise UsageError(f"the two runs did not score the same samples ({_some(unequal)})", sides, remedy)
    otherwise = [mismatch for mismatch in found if mismatch.field in ("protocol", "scorer")]
    if otherwise:
        raise UsageError(f"the two runs were scored in different ways ({_some(otherwise)})", sides, "score both alike")
    found += disqualified(base=base, new=new, names=names)
    paired = pairs(base=base, new=new, names=names, on=on)
    if not paired:
        raise NothingShared("no sample was scored in both runs", sides, "compare runs over the same videos")
    return _Pair(base, new, found, paired)


def _one_of_each_task(names: Sequence[str]) -> list[str]:
    """Return for each task the first column there by which leaderboards rank, else its first; in the paper's order."""
    columns: dict[str, list[str]] = defaultdict(list)
    for name in names:
        columns[name.partition("/")[0]].append(name.partition("/")[2])
    ranked = [task for task in (*RANKED_BY, *columns) if task in columns]
    return [
        f"{task}/{next((one for one in RANKED_BY.get(task, ()) if one in columns[task]), columns[task][0])}"
        for task in dict.fromkeys(ranked)
    ]


def unread(*, base: Scores, new: Scores, tasks: Sequence[str]) -> Iterator[Unread]:
    """Yield how many answers could not be read, for each task in which some could not."""
    for task in tasks:
        sides = [
            [
                score.reading.status
                for score in one.scores
                if score.reading and (score.task, score.view) == (task, "full")
            ]
            for one in (base, new)
        ]
        kinds = [Counter[str](status for status in side if status != "read") for side in sides]
        counts = [dict(sorted(kind.items())) for kind in kinds]
        if any(counts):
            yield Unread(task=task, base_of=len(sides[0]), new_of=len(sides[1]), base=counts[0], new=counts[1])


def effects(paired: Sequence[PairedColumn], *, seed: int, draws: int = PAIRED_DRAWS) -> tuple[Effect, ...]:
    """Return the difference in every column, with Holm's correction of the p-values for the number of columns."""
    resampled = paired_bootstraps([pair.differences for pair in paired], seed=seed, draws=draws)
    corrected = holm([one.p for one in resampled])
    return tuple(
        Effect(
            name=pair.name,
            unit=pair.summary.unit,
            decimals=pair.summary.decimals,
            n=one.n,
            videos=one.clusters,
            base=mean(pair.base.values()),
            new=mean(pair.new.values()),
            difference=one.mean,
            interval=one.interval(),
            p=one.p,
            p_holm=p_holm,
            detectable=detectable_effect(one.error, alpha=ALPHA) if one.error else None,
        )
        for pair, one, p_holm in zip(paired, resampled, corrected, strict=True)
    )


def movers(paired: Sequence[PairedColumn], *, most: int = MOVERS) -> tuple[Mover, ...]:
    """Return the videos whose scores changed most, up or down; videos without a change are left out.

    Columns have units of their own, so a move counts in units of the column's root mean square move over videos.
    """
    moves: dict[str, list[tuple[float, PairedColumn]]] = defaultdict(list)
    for pair in paired:
        usual = math.sqrt(mean([gain * gain for gain in pair.video_gains.values()]))
        for video, gain in pair.video_gains.items():
            moves[video].append((abs(gain) / usual if usual else 0.0, pair))
    moved = {video: mean([move for move, _ in found]) for video, found in moves.items()}
    ranked = sorted((video for video in moved if moved[video] > 0), key=lambda video: (-moved[video], video))
    return tuple(_mover(video, moved[video], max(moves[video], key=lambda move: move[0])[1]) for video in ranked[:most])


def _mover(video: str, move: float, pair: PairedColumn) -> Mover:
    samples = [sample for sample, of in pair.video.items() if of == video]
    return Mover(
        video=video,
        move=move,
        name=pair.name,
        unit=pair.summary.unit,
        decimals=pair.summary.decimals,
        base=mean([pair.base[sample] for sample in samples]),
        new=mean([pair.new[sample] for sample in samples]),
    )


def _some(found: Sequence[Mismatch]) -> str:
    """Return the text of the first mismatch, and how many more there are."""
    return found[0].text + (f", and {len(found) - 1} more" if len(found) > 1 else "")
