"""The gate: is a new run worse than its base by more than is tolerated?

Contains the rules of the verdicts, and nothing about files, pages or continuous integration. The tests are one-sided,
by paired bootstrap over videos, with Holm's correction over all metrics and tasks. A gain is new less base, with the
sign changed where lower is better. With d the tolerance, and U and L the corrected one-sided 95 % bounds of the true
gain:

    FAIL          U < -d               shown to be worse than tolerated
    WARN          U < 0, not FAIL      shown to be worse, but perhaps within the tolerance
    PASS          L >= -d              shown to be no worse than tolerated
    INCONCLUSIVE  neither              too few videos to decide
    INVALID       the two runs cannot be compared: data set, prompts, judge or coverage differ, or the judge
                  does not tell right answers from wrong ones

If the new run has more answers that are empty or were cut off than the base, that is a WARN too, and so is another
share of answers without a verdict of the judge; it is counted, not tested.

Run a gate once: repeating it until it passes makes the test meaningless.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from operator import not_

from pydantic import Field

from ..errors import UsageError
from ..records.base import Record
from ..records.scores import Scores
from ..statistics.comparisons import holm
from ..statistics.paired import PAIRED_DRAWS, PairedBootstrap, clusters_needed, detectable_drop, paired_bootstraps
from .compare import Mover, Side, movers
from .groups import RANKED_BY
from .pairing import Mismatch, On, PairedColumn, column_names, disqualified, mean, mismatches, pairs
from .shortfalls import Shortfall, shortfalls
from .unjudgeable import both_on_the_same, unjudgeable_texts
from .verdict import GateVerdict, worst

# A run that is no worse shall fail in at most 5 % of cases. The bootstrap keeps a level only on average, for skewed
# differences move it either way, so the tests are made at 4 %.
LEVEL = 0.04
WORST_VIDEOS = 3
ALL = "all"


class ClassGain(Record):
    """The mean gain over the `n` videos of one anomaly class."""

    name: str
    gain: float
    n: int


class Check(Record):
    """The verdict on one column, as `cause/gated`, over `n` samples about `videos` videos, in the column's own unit.

    `interval` is the gain's 95 % bootstrap interval, not corrected. `tolerated` is the margin asked for, or the noise
    floor of the calibration where that is larger. The p-values are corrected; their null hypotheses are: no worse than
    tolerated, no loss, worse than tolerated. `worst` are the videos that lost most.
    `needed` is how many videos it takes to show that nothing has changed; None where the check is decided, or no number
    of videos could decide it. `tolerable` is the smallest margin that the present videos can decide.
    """

    name: str
    unit: str
    decimals: int
    verdict: GateVerdict
    n: int
    videos: int
    base: float
    new: float
    gain: float
    interval: tuple[float, float] | None
    tolerated: float
    p_tolerated: float
    p_no_loss: float
    p_worse: float
    worst: tuple[str, ...]
    worst_class: ClassGain | None = None
    needed: int | None = None
    tolerable: float | None = None


class Gate(Record):
    """What a gate found; `floors` are the noise floors by column, measured on the runs for calibration.

    `shortfalls` are the tasks of which the new run has more empty answers, or more that were cut off, than the base,
    and the columns in which the judge gave verdicts on another share of the answers. `unjudgeable` says which samples
    count for neither run, for the judge gives no verdict on the reference either.
    """

    verdict: GateVerdict
    base: Side
    new: Side
    on: On
    level: float
    seed: int
    draws: int
    margins: dict[str, float]
    calibration: tuple[Side, ...]
    floors: dict[str, float]
    mismatches: tuple[Mismatch, ...]
    shortfalls: tuple[Shortfall, ...]
    checks: tuple[Check, ...]
    movers: tuple[Mover, ...]
    unjudgeable: tuple[str, ...] = Field(default=(), exclude_if=not_)


def gate(
    *,
    base: Scores,
    new: Scores,
    margins: Mapping[str, float] | None = None,
    calibration: Sequence[Scores] = (),
    metrics: Sequence[str] = (),
    on: On = "all",
    classes: Mapping[str, str] | None = None,
    seed: int = 0,
    draws: int = PAIRED_DRAWS,
) -> Gate:
    """Return the verdict on `new` against `base`.

    `metrics` are columns (`gated`), or one task's column (`cause/gated`); none: those leaderboards rank by; "all":
    every one. `margins` are the tolerated losses by column, or task's column, in the column's own unit (0.005 is
    half a percentage point); for other columns no loss is tolerated. `calibration` are further runs of the base's
    system: a margin below the difference between these runs is raised to it. `classes` are the videos' classes,
    by name. Raises `UsageError` for a metric that is in neither run, or a margin that fits none or is negative.
    """
    names = _chosen(base=base, new=new, metrics=metrics, on=on)
    allowed = dict(margins or {})
    _check_margins(allowed, names)
    base, new = both_on_the_same(base=base, new=new)
    found = mismatches(base=base, new=new, names=names, on=on)
    found += disqualified(base=base, new=new, names=names)
    paired = [] if found else pairs(base=base, new=new, names=names, on=on)
    if not (found or paired):
        found = [Mismatch(field="samples", where="all tasks", base="no common sample", new="no common sample")]
    floors = {} if found else noise_floors([base, *calibration], names, on=on)
    tolerated = [max(_margin(allowed, pair.name), floors.get(pair.name, 0.0)) for pair in paired]
    checks = _checks(paired, tolerated, classes or {}, seed, draws)
    rises = tuple(one for one in shortfalls(base=base, new=new, names=names) if one.rose or one.what == "unjudged")
    verdicts: list[GateVerdict] = [check.verdict for check in checks]
    verdicts += ["WARN"] * len(rises)
    return Gate(
        verdict="INVALID" if found else worst(verdicts),
        base=Side.of(base),
        new=Side.of(new),
        on=on,
        level=LEVEL,
        seed=seed,
        draws=draws,
        margins=allowed,
        calibration=tuple(Side.of(run) for run in calibration),
        floors=floors,
        mismatches=tuple(found),
        shortfalls=rises,
        checks=checks,
        movers=movers(paired),
        unjudgeable=tuple(unjudgeable_texts((pair.name, pair.summary) for pair in paired)),
    )


def read_margins(items: Iterable[str]) -> dict[str, float]:
    """Return margins by metric from texts such as `gated=0.005`; `UsageError` for another."""
    margins = {}
    for item in items:
        metric, _, text = item.partition("=")
        try:
            margins[metric] = float(text)
        except ValueError:
            raise UsageError(f"{item!r} is not a margin", remedy="write metric=loss, such as gated=0.005") from None
    return margins


def noise_floors(runs: Sequence[Scores], names: Sequence[str], *, on: On = "all") -> dict[str, float]:
    """Return by column the largest difference between the means of two runs of one system; empty for a single run.

    Raises `UsageError` where two of them cannot be compared.
    """
    floors: dict[str, float] = defaultdict(float)
    for one, other in itertools.combinations(runs, 2):
        one, other = both_on_the_same(base=one, new=other)
        if apart := mismatches(base=one, new=other, names=names, on=on):
            what = f"the runs for calibration cannot be compared ({apart[0].text})"
            raise UsageError(what, f"{one.header.name}, {other.header.name}", "repeat the base's run")
        for pair in pairs(base=one, new=other, names=names, on=on):
            floors[pair.name] = max(floors[pair.name], abs(mean(pair.gains.values())))
    return dict(floors)


def verdict_of(*, p_tolerated: float, p_no_loss: float, p_worse: float, level: float = LEVEL) -> GateVerdict:
    """Return the verdict of the corrected p-values of a column, after the rules above."""
    if p_tolerated <= level:
        return "FAIL"
    if p_no_loss <= level:
        return "WARN"
    return "PASS" if p_worse <= level else "INCONCLUSIVE"


def _chosen(*, base: Scores, new: Scores, metrics: Sequence[str], on: On) -> list[str]:
    """Return the names of the columns to check; by default one per task: the first of `RANKED_BY` that was scored."""
    if metrics:
        return column_names(base=base, new=new, metrics=() if ALL in metrics else metrics, on=on)
    there = column_names(base=base, new=new, on=on)
    by_task: dict[str, list[str]] = defaultdict(list)
    for name in there:
        by_task[name.partition("/")[0]].append(name)
    return [
        next((f"{task}/{column}" for column in RANKED_BY.get(task, ()) if f"{task}/{column}" in names), names[0])
        for task, names in by_task.items()
    ]


def _check_margins(margins: Mapping[str, float], names: Sequence[str]) -> None:
    for metric, margin in margins.items():
        if not any(metric in (name, name.partition("/")[2]) for name in names):
            raise UsageError(
                f"the margin for {metric!r} names no metric that is checked", remedy=f"checked are {', '.join(names)}"
            )
        if not (margin >= 0 and math.isfinite(margin)):
            raise UsageError(f"{margin} is not a margin of {metric!r}", remedy="give the tolerated loss, 0 or more")


def _margin(margins: Mapping[str, float], name: str) -> float:
    return margins.get(name, margins.get(name.partition("/")[2], 0.0))


def _checks(
    paired: Sequence[PairedColumn], tolerated: Sequence[float], classes: Mapping[str, str], seed: int, draws: int
) -> tuple[Check, ...]:
    resampled = paired_bootstraps([pair.differences for pair in paired], seed=seed, draws=draws)
    margins = list(zip(resampled, tolerated, strict=True))
    corrected = zip(
        holm([one.p_at_least(-margin) for one, margin in margins]),
        holm([one.p_at_least(0.0) for one in resampled]),
        holm([one.p_below(-margin) for one, margin in margins]),
        strict=True,
    )
    return tuple(
        _check(pair, one, margin, p_values, classes, LEVEL / len(paired))
        for pair, (one, margin), p_values in zip(paired, margins, corrected, strict=True)
    )


def _check(
    pair: PairedColumn,
    resampled: PairedBootstrap,
    tolerated: float,
    p_values: tuple[float, float, float],
    classes: Mapping[str, str],
    level: float,
) -> Check:
    p_tolerated, p_no_loss, p_worse = p_values
    verdict = verdict_of(p_tolerated=p_tolerated, p_no_loss=p_no_loss, p_worse=p_worse)
    needed, tolerable = _what_decides(resampled, tolerated, level) if verdict == "INCONCLUSIVE" else (None, None)
    losses = sorted((gain, video) for video, gain in pair.video_gains.items() if gain < 0)
    return Check(
        name=pair.name,
        unit=pair.summary.unit,
        decimals=pair.summary.decimals,
        verdict=verdict,
        n=resampled.n,
        videos=resampled.clusters,
        base=mean(pair.base.values()),
        new=mean(pair.new.values()),
        gain=resampled.mean,
        interval=resampled.interval(),
        tolerated=tolerated,
        p_tolerated=p_tolerated,
        p_no_loss=p_no_loss,
        p_worse=p_worse,
        worst=tuple(video for _, video in losses[:WORST_VIDEOS]),
        worst_class=_worst_class(pair, classes),
        needed=needed,
        tolerable=tolerable,
    )


def _what_decides(found: PairedBootstrap, tolerated: float, level: float) -> tuple[int | None, float | None]:
    """Return how many videos this tolerance needs to be decided, and the smallest tolerance these videos can decide."""
    if not found.error or found.least_p > level:
        return None, None
    needed = clusters_needed(found.error, found.clusters, tolerated, alpha=level) if tolerated else None
    return needed, detectable_drop(found.error, alpha=level)


def _worst_class(pair: PairedColumn, classes: Mapping[str, str]) -> ClassGain | None:
    """Return the class that lost most; None where none lost, or no class is known."""
    gains: dict[str, list[float]] = defaultdict(list)
    for video, gain in pair.video_gains.items():
        if video in classes:
            gains[classes[video]].append(gain)
    means = [ClassGain(name=name, gain=mean(found), n=len(found)) for name, found in gains.items()]
    lowest = min(means, key=lambda one: (one.gain, one.name), default=None)
    return lowest if lowest and lowest.gain < 0 else None
