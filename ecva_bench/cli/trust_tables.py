"""Judge audits and meta-evaluations as tables. Shares are in percent, coefficients as they are.

Imported by the commands that print them, when they run.
"""

from __future__ import annotations

from ..leaderboard import Cell, Table
from ..scoring.audit import Audit
from ..scoring.meta import Consistency, MetaEvaluation
from ..statistics import Estimate


def audit_tables(audit: Audit) -> list[Table]:
    """Return what an audit found: expectations first, then what stands behind them."""
    return [_expectations(audit), _controls(audit), _repeat_runs(audit), _length_bias(audit)]


def meta_tables(found: MetaEvaluation) -> list[Table]:
    """Return how scorers and annotators agree with people, per task, and the scorers compared two by two."""
    return [*(_consistency(found, people.task) for people in found.annotators), _comparisons(found)]


def _expectations(audit: Audit) -> Table:
    judge = ", ".join(f"{name} {value}" for name, value in audit.judge.items())
    return Table(
        title=f"What a sound judge does: {judge}; {audit.items} answers about {audit.videos} videos of {audit.results}",
        header=("question", "expectation", "excess, %", "outcome"),
        rows=tuple(
            (Cell(one.prompt), Cell(one.text), _share(one.excess), Cell(one.outcome)) for one in audit.expectations
        ),
        notes=(
            "excess: by how much it is not so, paired by answer, with its 95 % interval over videos; it holds where "
            f"the interval lies below {100 * audit.tolerance:g} %, and fails where it lies above",
            f"{audit.left_out} answers without a text or a reference left out; seed {audit.seed}, {audit.draws} draws",
        ),
    )


def _controls(audit: Audit) -> Table:
    return Table(
        title="Scores of known answers",
        header=("question", "answers", "score, %", "n", "unscored", "votes lost", "of", "what they are"),
        rows=tuple(
            (
                Cell(one.prompt),
                Cell(one.name),
                _share(one.score),
                _count(one.score.n),
                _count(one.unscored),
                _count(one.lost_votes),
                _count(one.votes),
                Cell(one.meaning),
            )
            for one in audit.controls
        ),
        notes=tuple(
            f"{one.prompt}, {one.name}: "
            + ", ".join(f"{100 * n / (one.unscored + one.score.n):.1f} % {why}" for why, n in one.reasons.items())
            for one in audit.controls
            if one.reasons
        ),
    )


def _repeat_runs(audit: Audit) -> Table:
    header = ("question", "items", "runs", "raw", "kappa", "AC1", "alpha nominal", "alpha ordinal", "alpha interval")
    rows = []
    for one in audit.repeat_runs:
        coefficients = [one.raw, one.kappa, one.ac1, *(one.alpha.get(k) for k in ("nominal", "ordinal", "interval"))]
        single, average = one.icc or (None, None)
        rows.append(
            (
                Cell(one.prompt),
                _count(one.items),
                _count(one.runs),
                *(_number(value) for value in (*coefficients, single, average)),
                _number(None if one.score_sd is None else 100 * one.score_sd),
            )
        )
    return Table(
        title="Repeat runs at fixed settings, on the real answers",
        header=(*header, "ICC(2,1)", "ICC(2,k)", "sd of the score, %"),
        rows=tuple(rows),
    )


def _length_bias(audit: Audit) -> Table:
    return Table(
        title="Correlation of the verdict with the answer's length in words",
        header=("question", "answers", "n", "Spearman"),
        rows=tuple(
            (Cell(one.prompt), Cell(one.control), _count(one.n), _number(one.spearman)) for one in audit.length_bias
        ),
        notes=("on shuffled references no answer is right, so there a correlation is bias",),
    )


def _consistency(found: MetaEvaluation, task: str) -> Table:
    people = next(one for one in found.annotators if one.task == task)
    rows = sorted(
        (one for one in found.scorers if one.task == task),
        key=lambda one: -1.0 if one.pairwise.mean is None else one.pairwise.mean,
        reverse=True,
    )
    agreement = ", ".join(
        f"{name} {_number(value).full_text}" for name, value in (("alpha", people.alpha), ("Kendall's W", people.w))
    )
    return Table(
        title=f"Agreement with people, {task}: {people.triples} triples, {people.annotators} annotators, {agreement}",
        header=("scorer", "pairwise, %", "tau-b", "exact, %", "top-1, %", "pairs tied, %", "n", "unscored"),
        rows=tuple(_consistency_row(one) for one in (people.one_out, *rows)),
    )


def _consistency_row(one: Consistency) -> tuple[Cell, ...]:
    return (
        Cell(f"{one.scorer}: {one.column}"),
        _share(one.pairwise),
        Cell(_number(one.tau.mean).text, one.tau.mean, one.tau.interval),
        _share(one.exact),
        _share(one.top),
        _number(None if one.ties is None else 100 * one.ties, decimals=1),
        _count(one.pairwise.n),
        _count(one.unscored),
    )


def _comparisons(found: MetaEvaluation) -> Table:
    return Table(
        title="Differences in pairwise accuracy, first less second, over all tasks",
        header=("first", "second", "difference, %", "n", "p", "p (Holm)"),
        rows=tuple(
            (
                Cell(one.first),
                Cell(one.second),
                _percent(one.difference, one.interval),
                _count(one.n),
                _number(one.p, decimals=4),
                _number(one.p_holm, decimals=4),
            )
            for one in found.comparisons
        ),
        notes=(
            f"{found.rankings}: {found.triples} triples about {found.videos} videos, "
            f"{len(found.problems)} lines left out",
            f"95 % intervals and tests over videos, seed {found.seed}, {found.draws} draws",
            *found.signatures.values(),
        ),
    )


def _share(found: Estimate) -> Cell:
    return Cell() if found.mean is None else _percent(found.mean, found.interval)


def _percent(value: float, interval: tuple[float, float] | None) -> Cell:
    low, high = interval or (0.0, 0.0)
    return Cell(f"{100 * value:.1f}", 100 * value, (100 * low, 100 * high) if interval else None)


def _number(value: float | None, decimals: int = 3) -> Cell:
    return Cell() if value is None else Cell(f"{value:.{decimals}f}", value)


def _count(value: int) -> Cell:
    return Cell(str(value), value)
