"""Agreement and screening of annotators as tables. Imported by the command that prints them, when it runs."""

from __future__ import annotations

from collections.abc import Sequence

from ..annotation.agreement import Agreement
from ..annotation.screening import Screening
from ..leaderboard.table import Cell, Table, count_cell, decimal_cell
from ..wording import counted

_EDITING = (
    "A review edits what it was shown: these figures say how much was changed. No agreement can be had from them."
)
_VERDICTS = {True: "pass", False: "fail", None: "too few videos"}


def agreement_table(found: Agreement) -> Table:
    """Return the figures of some acts."""
    who = (
        f"Agreement of blind annotations: {', '.join(found.raters)}"
        if found.blind
        else "Reviews beside what they reviewed"
    )
    rows = []
    for one in found.figures:
        cell = Cell() if one.value is None else Cell(f"{one.value:.4f}", one.value, one.interval)
        same = one.value if one.statistic == "same" else None
        of = "" if same is None else f"{round(same * one.n):,} of "
        rows.append((Cell(one.part), Cell(one.statistic), cell, Cell(f"{of}{counted(one.n, one.unit)}")))
    return Table(
        title=f"{who}, {counted(found.videos, 'video')}",
        header=("part", "statistic", "value", "of"),
        rows=tuple(rows),
        notes=() if found.blind else (_EDITING,),
    )


def screening_table(found: Sequence[Screening]) -> Table:
    """Return how annotators compare with adjudicated answers, and what follows for each."""
    rows = tuple(
        (
            Cell(one.annotator),
            Cell(_VERDICTS[one.passed]),
            count_cell(one.videos),
            decimal_cell(one.class_alpha, 2),
            decimal_cell(one.time_alpha, 2),
            decimal_cell(one.mean_iou, 2),
            count_cell(one.too_fast),
        )
        for one in found
    )
    reasons = (f"{one.annotator}: {reason}" for one in found for reason in one.reasons)
    back = (
        f"{one.annotator}: the batch goes back to the queue: {reason}, last 40" for one in found for reason in one.batch
    )
    return Table(
        title="Annotators beside the adjudicated answers",
        header=("annotator", "verdict", "videos", "class alpha", "alpha over time", "mean IoU", "too fast"),
        rows=rows,
        notes=(*reasons, *back, "Whether texts say the same (at least 0.80) needs a judge, and is not in the verdict."),
    )
