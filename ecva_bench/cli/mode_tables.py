"""What a check of the fast mode found, as a table. Imported by the command that prints it, when it runs."""

from __future__ import annotations

from ..leaderboard.table import Cell, Table, decimal_cell
from ..scoring.modes import ModeCheck, ScoreChange
from ..wording import counted


def mode_table(check: ModeCheck) -> Table:
    """Return a row for each column of each scorer, and how many answers differ in the title."""
    return Table(
        title=f"fast mode against exact mode: {check.differing:,} of {counted(check.compared, 'answer')} differ",
        header=("task", "view", "metric", "unit", "n", "exact", "fast less exact"),
        rows=tuple(_row(change) for change in check.changes),
        notes=(
            "intervals: 95 %, paired bootstrap over videos, none for fewer than 5; one that holds 0 shows no "
            "difference, not that there is none",
            *([f"answered in one mode alone: {counted(check.one_only, 'question')}"] if check.one_only else []),
        ),
    )


def _row(change: ScoreChange) -> tuple[Cell, ...]:
    summary, found = change.summary, change.difference
    scale = 100 if summary.unit == "%" else 1
    bounds = found.interval()
    interval = (scale * bounds[0], scale * bounds[1]) if bounds else None
    mean = scale * found.mean
    return (
        Cell(summary.task),
        Cell(summary.view),
        Cell(f"{summary.scorer}.{summary.column}"),
        Cell(summary.unit),
        Cell(str(found.n), found.n),
        decimal_cell(None if summary.mean is None else scale * summary.mean, summary.decimals),
        Cell(f"{mean:+.{summary.decimals}f}", mean, interval),
    )
