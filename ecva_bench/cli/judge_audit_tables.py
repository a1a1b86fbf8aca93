"""A judge audit as tables. Shares are in percent, coefficients as they are.

Imported by the command that prints them, when it runs.
"""

from __future__ import annotations

from ..leaderboard.sheet import share_cell
from ..leaderboard.table import Cell, Table, count_cell, decimal_cell
from ..scoring.judge_audit import JudgeAudit
from ..wording import counted


def judge_audit_tables(audit: JudgeAudit) -> list[Table]:
    """Return what an audit found: expectations first, then what stands behind them."""
    reworded = [_invariance(audit)] if audit.invariance else []
    return [_expectations(audit), _controls(audit), *reworded, _repeat_runs(audit), _length_bias(audit)]


def _expectations(audit: JudgeAudit) -> Table:
    judge = ", ".join(f"{name} {value}" for name, value in audit.judge.items())
    return Table(
        title=f"What a sound judge does: {judge}; {counted(audit.items, 'answer')} about "
        f"{counted(audit.videos, 'video')} of {audit.results}",
        header=("question", "expectation", "excess, %", "outcome"),
        rows=tuple(
            (Cell(one.prompt), Cell(one.text), share_cell(one.excess), Cell(one.outcome)) for one in audit.expectations
        ),
        notes=(
            "excess: by how much it is not so, paired by answer, with its 95 % interval over videos; it holds where "
            f"the interval lies below {100 * audit.tolerance:g} %, and fails where it lies above",
            f"{counted(audit.left_out, 'answer')} without a text or a reference left out; "
            f"seed {audit.seed}, {audit.draws} draws",
        ),
    )


def _controls(audit: JudgeAudit) -> Table:
    return Table(
        title="Scores of known answers",
        header=("question", "answers", "score, %", "n", "unscored", "votes lost", "of", "what they are"),
        rows=tuple(
            (
                Cell(one.prompt),
                Cell(one.name),
                share_cell(one.score),
                count_cell(one.score.n),
                count_cell(one.unscored),
                count_cell(one.lost_votes),
                count_cell(one.votes),
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


def _invariance(audit: JudgeAudit) -> Table:
    header = (
        "question",
        "reference",
        "facts",
        "lower, %",
        "higher, %",
        "mean change, %",
        "n",
        "unscored",
        "no such text",
    )
    meanings = {one.name: one.meaning for one in audit.invariance}
    return Table(
        title="The reference as answer, told otherwise or with one fact changed, against the reference as it is",
        header=header,
        rows=tuple(
            (
                Cell(one.prompt),
                Cell(one.name),
                Cell("same" if one.same_facts else "one wrong"),
                *map(share_cell, (one.lower, one.higher, one.change)),
                *map(count_cell, (one.change.n, one.unscored, one.lacking)),
            )
            for one in audit.invariance
        ),
        notes=(
            "lower, higher: how often the verdict is so, with 95 % intervals over videos; of a sound judge rarely "
            "either where facts are the same, and lower where one is wrong",
            *(f"{name}: {meaning}" for name, meaning in meanings.items()),
        ),
    )


def _repeat_runs(audit: JudgeAudit) -> Table:
    header = ("question", "items", "runs", "raw", "kappa", "AC1", "alpha nominal", "alpha ordinal", "alpha interval")
    rows = []
    for one in audit.repeat_runs:
        coefficients = [one.raw, one.kappa, one.ac1, *(one.alpha.get(k) for k in ("nominal", "ordinal", "interval"))]
        single, average = one.icc or (None, None)
        rows.append(
            (
                Cell(one.prompt),
                count_cell(one.items),
                count_cell(one.runs),
                *(decimal_cell(value, 3) for value in (*coefficients, single, average)),
                decimal_cell(None if one.score_sd is None else 100 * one.score_sd, 3),
            )
        )
    return Table(
        title="Repeat runs at fixed settings, on the real answers",
        header=(*header, "ICC(2,1)", "ICC(2,k)", "sd of the score, %"),
        rows=tuple(rows),
        notes=("of a panel, runs are the votes of all its members",) if "panel" in audit.judge else (),
    )


def _length_bias(audit: JudgeAudit) -> Table:
    return Table(
        title="Correlation of the verdict with the answer's length in words",
        header=("question", "answers", "n", "Spearman"),
        rows=tuple(
            (Cell(one.prompt), Cell(one.control), count_cell(one.n), decimal_cell(one.spearman, 3))
            for one in audit.length_bias
        ),
        notes=("on shuffled references no answer is right, so there a correlation is bias",),
    )
