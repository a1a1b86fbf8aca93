"""An audit of data sets as tables. Imported by the command that prints them, when it runs."""

from __future__ import annotations

from ..data_audit.findings import Balance, DataAudit, DataFinding, DatasetAudit, Interval
from ..leaderboard.table import Cell, Table, count_cell, decimal_cell
from ..wording import counted

_COUNTS_SHOWN = 6


def data_audit_tables(found: DataAudit) -> list[Table]:
    """Return what never looks, what is how frequent, and what was found."""
    tables = [table for one in found.datasets for table in (_blind(one), _balances(one)) if table.rows]
    return [*tables, _findings(found)] if found.findings else tables


def _blind(one: DatasetAudit) -> Table:
    asked = ", ".join(f"{count} {task}" for task, count in one.questions.items()) or "no question"
    tasks = dict.fromkeys(score.task for score in one.blind)
    ordered = [score for task in tasks for score in sorted(one.blind, key=lambda s: -s.value) if score.task == task]
    rules = {score.rule: score for score in one.blind}
    return Table(
        title=f"{one.name}: what rules that never look reach; {counted(one.videos, 'video')}, {asked}",
        header=("task", "rule", "learnt", "metric", "n", "value %", "chance %", "above"),
        rows=tuple(
            (
                Cell(score.task),
                Cell(score.rule),
                Cell("yes" if score.learnt else ""),
                Cell(score.metric),
                count_cell(score.n),
                _percent(score.value, score.interval),
                decimal_cell(100 * score.chance, 1),
                Cell("yes" if score.above else ""),
            )
            for score in ordered
        ),
        notes=(*(f"{rule}: {score.description}" for rule, score in rules.items()), *_about(one)),
    )


def _about(one: DatasetAudit) -> list[str]:
    lengths = [
        f"{row.task}: the key has {row.key:.0f} characters in the mean, the other options {row.others:.0f}"
        for row in one.lengths
        if not row.place
    ]
    return [
        "In brackets: 95 % bootstrap interval over videos. learnt: made on other videos (5 folds) than scored on. "
        "chance: a guess, or another video's spans or text; for words of the name, the most frequent class.",
        "above: the interval, drawn twice as wide for the number of rules, lies more than 5 points above chance, or "
        "above 50 % for spans and texts; of 50 questions at least.",
        *lengths,
        *one.notes,
    ]


def _balances(one: DatasetAudit) -> Table:
    return Table(
        title=f"{one.name}: how frequent",
        header=("what", "values", "in effect", "largest %", "counts"),
        rows=tuple(
            (
                Cell(balance.what),
                count_cell(len(balance.counts)),
                decimal_cell(balance.effective, 1),
                _percent(balance.majority, balance.interval),
                Cell(_counts(balance)),
            )
            for balance in one.balances
        ),
        notes=("in effect: so many equally frequent values would be as hard to guess (exponential of the entropy)",),
    )


def _counts(balance: Balance) -> str:
    shown = [f"{name} {count}" for name, count in list(balance.counts.items())[:_COUNTS_SHOWN]]
    more = len(balance.counts) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _findings(found: DataAudit) -> Table:
    above = sum(finding.above for finding in found.findings)
    return Table(
        title=f"{counted(len(found.findings), 'finding')}, {above} above the threshold",
        header=("rule", "data set", "task or field", "n", "of", "share %", "above", "which"),
        rows=tuple(_finding(finding) for finding in found.findings),
        notes=tuple(f"{rule}: {meaning}" for rule, meaning in found.rules.items()),
    )


def _finding(finding: DataFinding) -> tuple[Cell, ...]:
    with_other = f"{finding.dataset} and {finding.other}" if finding.other else finding.dataset
    return (
        Cell(finding.rule),
        Cell(with_other),
        Cell(finding.task),
        count_cell(finding.n),
        count_cell(finding.of),
        _percent(finding.n / finding.of, finding.share),
        Cell("yes" if finding.above else ""),
        Cell("; ".join(text for text in (finding.text, ", ".join(finding.examples)) if text)),
    )


def _percent(value: float, interval: Interval) -> Cell:
    bounds = None if interval is None else (100 * interval[0], 100 * interval[1])
    return Cell(f"{100 * value:.1f}", 100 * value, bounds)
