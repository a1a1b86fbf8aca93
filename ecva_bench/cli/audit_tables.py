"""An audit of answers as tables. Imported by the command that prints them, when it runs."""

from __future__ import annotations

from ..answer_audit.audit import AnswerAudit
from ..leaderboard.table import Cell, Table, count_cell
from ..wording import counted

COUNTS = ("answered", "owed", "failed", "missing", "empty", "cut_off", "extra", "duplicates")


def audit_tables(found: AnswerAudit) -> list[Table]:
    """Return what was found, then what was looked at."""
    return [_findings(found), _entries(found)]


def _findings(found: AnswerAudit) -> Table:
    baselines = {one.entry for one in found.entries if one.baseline}
    return Table(
        title=counted(n, "finding") if (n := len(found.findings)) else "Nothing was found",
        header=("what", "entry", "with", "task", "view", "answers", "of", "which"),
        rows=tuple(
            (
                Cell(one.rule),
                Cell(f"{one.entry} (baseline)" if one.entry in baselines else one.entry),
                Cell(one.other),
                Cell(one.task),
                Cell(one.view),
                count_cell(one.n),
                count_cell(one.of),
                Cell(f"{one.text}{': ' if one.ids else ''}{', '.join(one.ids)}"),
            )
            for one in found.findings
        ),
        notes=("a finding is a place to look at, not a proof",) if found.findings else (),
    )


def _entries(found: AnswerAudit) -> Table:
    several = any(one.coverage.repeats for one in found.entries)  # then the counts before are of questions
    return Table(
        title="What was looked at",
        header=(
            "entry",
            "model",
            "task",
            "view",
            *(n.replace("_", " ") for n in COUNTS),
            *(("answers",) if several else ()),
            "distinct",
            "most frequent, %",
        ),
        rows=tuple(
            (
                Cell(one.entry),
                Cell(one.model),
                Cell(one.coverage.task),
                Cell(one.coverage.view),
                *(count_cell(getattr(one.coverage, name)) for name in COUNTS),
                *((count_cell(one.coverage.answers_given),) if several else ()),
                count_cell(one.distinct),
                Cell(f"{100 * one.most_frequent:.1f}", 100 * one.most_frequent),
            )
            for one in found.entries
        ),
    )
