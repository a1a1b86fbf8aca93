"""A meta-evaluation as tables. Shares are in percent, coefficients as they are.

Imported by the command that prints them, when it runs.
"""

from __future__ import annotations

from ..leaderboard.sheet import number_cell, share_cell
from ..leaderboard.table import Cell, Table, count_cell, decimal_cell
from ..scoring.meta import Consistency, MetaEvaluation
from ..wording import counted


def meta_eval_tables(found: MetaEvaluation) -> list[Table]:
    """Return how scorers and annotators agree with people, per task, and the scorers compared two by two."""
    tables = [_consistency(found, people.task) for people in found.annotators]
    return [*tables, *([_pairs(found)] if found.pairs else []), _comparisons(found)]


def _consistency(found: MetaEvaluation, task: str) -> Table:
    people = next(one for one in found.annotators if one.task == task)
    rows = sorted(
        (one for one in found.scorers if one.task == task),
        key=lambda one: -1.0 if one.pairwise.mean is None else one.pairwise.mean,
        reverse=True,
    )
    agreement = ", ".join(
        f"{name} {decimal_cell(value, 3).full_text}"
        for name, value in (("alpha", people.alpha), ("Kendall's W", people.w))
    )
    return Table(
        title=f"Agreement with people, {task}: {counted(people.triples, 'triple')}, "
        f"{counted(people.annotators, 'annotator')}, {agreement}",
        header=("scorer", "pairwise, %", "tau-b", "exact, %", "top-1, %", "pairs tied, %", "n", "unscored"),
        rows=tuple(_consistency_row(one) for one in (people.one_out, *rows)),
    )


def _consistency_row(one: Consistency) -> tuple[Cell, ...]:
    return (
        Cell(f"{one.scorer}: {one.column}"),
        share_cell(one.pairwise),
        Cell(decimal_cell(one.tau.mean, 3).text, one.tau.mean, one.tau.interval),
        share_cell(one.exact),
        share_cell(one.top),
        decimal_cell(None if one.ties is None else 100 * one.ties, 1),
        count_cell(one.pairwise.n),
        count_cell(one.unscored),
    )


def _pairs(found: MetaEvaluation) -> Table:
    """Return the accuracy by the kinds of the two answers, the kinds side by side."""
    kinds = list(dict.fromkeys(one.kinds for one in found.pairs))
    cells = {(one.scorer, one.column, one.kinds): share_cell(one.pairwise) for one in found.pairs}
    columns = list(dict.fromkeys((one.scorer, one.column) for one in found.pairs))
    count = {one.kinds: one.pairwise.n for one in found.pairs}
    return Table(
        title="Pairwise accuracy by the kinds of the two answers, over all tasks, %",
        header=("scorer", *(f"{first} / {second} ({count[first, second]:,})" for first, second in kinds)),
        rows=tuple(
            (Cell(f"{scorer}: {column}"), *(cells.get((scorer, column, pair), Cell("–")) for pair in kinds))
            for scorer, column in columns
        ),
    )


def _comparisons(found: MetaEvaluation) -> Table:
    return Table(
        title="Differences in pairwise accuracy, first less second, over all tasks",
        header=("first", "second", "difference, %", "n", "p", "p (Holm)"),
        rows=tuple(
            (
                Cell(one.first),
                Cell(one.second),
                number_cell(one.difference, "%", 1, one.interval),
                count_cell(one.n),
                decimal_cell(one.p, 4),
                decimal_cell(one.p_holm, 4),
            )
            for one in found.comparisons
        ),
        notes=(
            f"{found.rankings}: {counted(found.triples, 'triple')} about {counted(found.videos, 'video')}, "
            f"{counted(len(found.problems), 'line')} left out",
            f"95 % intervals and tests over videos, seed {found.seed}, {found.draws} draws",
            *found.signatures.values(),
        ),
    )
