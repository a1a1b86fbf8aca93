"""Compare two scored runs: answers paired by question, resampled by video, p-values corrected for multiple tests.

A difference is the new run less the base, with the sign changed where lower is better, so that a minus is always
worse. Reads no files.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from operator import not_

from pydantic import Field

from ..errors import UsageError
from ..records.answers import Lacking
from ..records.base import Record
from ..records.scores import Scores
from ..records.training import TrainedShare
from ..statistics.comparisons import holm
from ..statistics.paired import PAIRED_DRAWS, detectable_effect, paired_bootstraps
from ..wording import counted, versions
from .pairing import OF_SETS, Mismatch, On, PairedColumn, column_names, mean, mismatches, pairs
from .sheet import lacking_text, number_cell, warnings_of
from .shortfalls import Shortfall, shortfalls
from .table import Cell, Table
from .unjudgeable import both_on_the_same, unjudgeable_texts

ALPHA = 0.05
MOVERS = 10
UNMOVED = "no video moved"


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
            warnings=tuple(text for text in warnings_of(header) if text != lacking_text(header)),
            libraries=header.libraries,
            trained_on=header.trained_on,
        )


class Effect(Record):
    """The difference of two runs in one column over `n` samples about `videos` videos, in the column's own unit.

    `interval` is the 95 % paired bootstrap interval over videos, not corrected; `p_holm` is the two-sided p-value,
    corrected for all columns compared. `detectable` is the smallest true difference that this number of videos detects
    in 80 % of cases, without correction. With too few videos, `interval` and `detectable` are None and the p-values 1;
    `detectable` is also None where all videos have the same gain.
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
    one run has more empty answers, or more that were cut off.
    """

    base: Side
    new: Side
    on: On
    seed: int
    draws: int
    mismatches: tuple[Mismatch, ...]
    shortfalls: tuple[Shortfall, ...]
    effects: tuple[Effect, ...]
    movers: tuple[Mover, ...]
    unread: tuple[Unread, ...] = ()
    unjudgeable: tuple[str, ...] = Field(default=(), exclude_if=not_)


def compare_scores(
    *,
    base: Scores,
    new: Scores,
    metrics: Sequence[str] = (),
    tasks: Sequence[str] = (),
    on: On = "all",
    seed: int = 0,
    draws: int = PAIRED_DRAWS,
) -> Comparison:
    """Return how `new` differs from `base`, column by column, and the videos that moved most.

    `metrics` are columns (`rougeL`) or one task's column (`cause/rougeL`); empty means all, and so for `tasks`. Raises
    `UsageError` where the runs scored different samples, unless only their `intersection` is compared, and where a
    column was computed in two ways.
    """
    names = column_names(base=base, new=new, metrics=metrics, tasks=tasks, on=on)
    base, new = both_on_the_same(base=base, new=new)
    found = mismatches(base=base, new=new, names=names, on=on)
    sides = f"{base.header.name}, {new.header.name}"
    unequal = [mismatch for mismatch in found if mismatch.field in OF_SETS]
    if unequal:
        remedy = "compare what both have with --on intersection"
        raise UsageError(f"the two runs did not score the same samples ({_some(unequal)})", sides, remedy)
    otherwise = [mismatch for mismatch in found if mismatch.field in ("protocol", "scorer")]
    if otherwise:
        raise UsageError(f"the two runs were scored in different ways ({_some(otherwise)})", sides, "score both alike")
    paired = pairs(base=base, new=new, names=names, on=on)
    if not paired:
        raise UsageError("no sample was scored in both runs", sides, "compare runs over the same videos")
    return Comparison(
        base=Side.of(base),
        new=Side.of(new),
        on=on,
        seed=seed,
        draws=draws,
        mismatches=tuple(found),
        shortfalls=tuple(shortfalls(base=base, new=new, names=names)),
        effects=effects(paired, seed=seed, draws=draws),
        movers=movers(paired),
        unjudgeable=tuple(unjudgeable_texts((pair.name, pair.summary) for pair in paired)),
        unread=tuple(unread(base=base, new=new, tasks=sorted({pair.summary.task for pair in paired}))),
    )


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


def comparison_tables(found: Comparison) -> list[Table]:
    """Return what a comparison found as tables: the differences, then the videos that moved most."""
    compared = {"all": "all samples, one without an answer at its worst value", "intersection": "what both answered"}
    notes = [
        "difference: new less base, a minus is worse, with its 95 % interval",
        f"paired by question over {compared[found.on]}",
        f"bootstrap over videos, seed {found.seed}, {found.draws} draws; p corrected after Holm for "
        f"{counted(len(found.effects), 'comparison')}",
        f"detectable: the true difference that so many videos show in 80 % of cases, at {100 * ALPHA:g} %, uncorrected",
        *(
            f"{one.task} not read: base {_counts(one.base)} of {one.base_of}, new {_counts(one.new)} of {one.new_of}"
            for one in found.unread
        ),
        *notes_on(base=found.base, new=found.new),
        *found.unjudgeable,
        *(f"beware: {mismatch.text}" for mismatch in found.mismatches),
        *(f"beware: {one.name}: {one.sides}" for one in found.shortfalls),
        *([] if found.movers else [UNMOVED]),
    ]
    differences = Table(
        title=f"{found.new.model} ({found.new.name}) against {found.base.model} ({found.base.name})",
        header=("metric", "unit", "base", "new", "difference", "p (Holm)", "detectable", "n", "videos"),
        rows=tuple(_effect_row(effect) for effect in found.effects),
        notes=tuple(notes),
    )
    return [differences, *([movers_table(found.movers)] if found.movers else [])]


def movers_table(found: Sequence[Mover]) -> Table:
    """Return the videos that moved most as a table; there is at least one."""
    return Table(
        title=f"The {counted(len(found), 'video')} that moved most" if len(found) > 1 else "The video that moved",
        header=("video", "move", "most in", "base", "new"),
        rows=tuple(
            (
                Cell(one.video),
                Cell(f"{one.move:.2f}", one.move),
                Cell(one.name),
                number_cell(one.base, one.unit, one.decimals),
                number_cell(one.new, one.unit, one.decimals),
            )
            for one in found
        ),
        notes=("move: mean over metrics, in units of the metric's usual (root mean square) move",),
    )


def notes_on(*, base: Side, new: Side) -> list[str]:
    """Return notes on two runs: which parts of them are absent, and what changed under them and between them."""
    sides = (base, new)
    notes = [f"beware: {side.name} is not the whole run: {side.lacking.text}" for side in sides if side.lacking]
    notes += [f"{side.name}: {text}" for side in sides for text in side.warnings]
    if all(side.libraries for side in sides) and base.libraries != new.libraries:
        ran = [versions(side.libraries) for side in sides]
        notes.append(f"beware: metrics ran on {ran[0]} in the base, on {ran[1]} in the new run")
    told = [side.trained_on for side in sides]
    if len({one.questions for one in told if one}) > 1 or (None in told and any(one and one.questions for one in told)):
        shown = ["unknown" if one is None else str(one) for one in told]
        notes.append(f"beware: trained on the videos of: {shown[0]} in the base, {shown[1]} in the new run")
    return notes


def p_cell(p: float) -> Cell:
    """Return the cell of a p-value with four decimals; a smaller one is shown as <0.0001, never as 0."""
    return Cell("<0.0001" if p < 0.5e-4 else f"{p:.4f}", p)


def _counts(by_reason: Mapping[str, int]) -> str:
    total = sum(by_reason.values())
    return f"{total} ({', '.join(f'{count} {reason}' for reason, count in by_reason.items())})" if total else "0"


def _some(found: Sequence[Mismatch]) -> str:
    """Return the text of the first mismatch, and how many more there are."""
    return found[0].text + (f", and {len(found) - 1} more" if len(found) > 1 else "")


def _effect_row(one: Effect) -> tuple[Cell, ...]:
    return (
        Cell(one.name),
        Cell(one.unit),
        number_cell(one.base, one.unit, one.decimals),
        number_cell(one.new, one.unit, one.decimals),
        number_cell(one.difference, one.unit, one.decimals, one.interval),
        p_cell(one.p_holm),
        number_cell(one.detectable, one.unit, one.decimals),
        Cell(str(one.n), one.n),
        Cell(str(one.videos), one.videos),
    )
