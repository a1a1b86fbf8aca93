"""A meta-evaluation as tables. Shares are in percent, coefficients as they are.

Imported by the command that prints them, when it runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..leaderboard.sheet import number_cell, share_cell
from ..leaderboard.table import Cell, Table, count_cell, decimal_cell
from ..scoring.meta import COPIED, FIRST, LONGER, RULE, SHUFFLED
from ..scoring.meta_records import Annotators, Consistency, MetaEvaluation
from ..wording import counted


def meta_eval_tables(found: MetaEvaluation) -> list[Table]:
    """Return how scorers and annotators agree with people, per task, and the scorers compared two by two."""
    tables = [_consistency(found, people.task) for people in found.annotators]
    tables += [_pairs(found)] if found.pairs else []
    tables += [_comparisons(found)] if found.comparisons else []
    return [*tables[:-1], replace(tables[-1], notes=(*tables[-1].notes, *_sources(found)))]


def _sources(found: MetaEvaluation) -> list[str]:
    return [
        f"{found.rankings}: {counted(found.triples, 'triple')} about {counted(found.videos, 'video')}, "
        f"{counted(len(found.problems), 'line')} left out",
        *found.notes,
        f"95 % intervals and tests over videos, seed {found.seed}, {found.draws} draws",
        *found.signatures.values(),
    ]


def _consistency(found: MetaEvaluation, task: str) -> Table:
    people = next(one for one in found.annotators if one.task == task)
    rows = sorted(
        (one for one in found.scorers if one.task == task),
        key=lambda one: -1.0 if one.pairwise.mean is None else one.pairwise.mean,
        reverse=True,
    )
    fixed = [one for one in found.fixed if one.task == task]
    ceiling = [people.one_out] if people.one_out.pairwise.n else []
    left_out = [f"{name}: left out: {why}" for name, why in found.left_out.items()]
    return Table(
        title=f"Agreement with people, {task}: {_who(people)}",
        header=(
            "scorer",
            "pairwise, %",
            "tau-b",
            "exact, %",
            "top-1, %",
            "pairs tied, %",
            "pairs as length, %",
            "n",
            "unscored",
        ),
        rows=tuple(_consistency_row(one) for one in (*ceiling, *rows, *fixed)),
        notes=(
            *_of_length(rows, fixed),
            *_meanings(rows, fixed),
            *left_out,
        ),
    )


def _meanings(rows: Sequence[Consistency], fixed: Sequence[Consistency]) -> list[str]:
    """Return what the fixed rows are, and why some are not there."""
    columns = {(one.scorer, one.column) for one in fixed}
    first = "the answer that people saw first" if (RULE, FIRST) in columns else "left out, for no order is told"
    said = [
        f"{RULE}: {LONGER}: the answer of more words is the better; {RULE}: {FIRST}: {first}",
        "pairs as length: how often a row has the longer answer before the shorter",
    ]
    if any(scorer != RULE for scorer, _ in columns):
        copied = "the reference as one more answer, and how often it stands above the others"
        said.append(f"{SHUFFLED}: against the reference of another video; {COPIED}: {copied}")
    without = {one.scorer: None for one in rows if (one.scorer, f"{one.column}, {SHUFFLED}") not in columns}
    return said + [f"{name}: no {SHUFFLED} or {COPIED} rows; judge-audit has a judge's" for name in without]


def _who(people: Annotators) -> str:
    """Return how many triples people ranked, and how far they agree where a triple has two of them."""
    if people.annotators < 2:
        return counted(people.triples, "triple")
    agreement = ", ".join(
        f"{name} {decimal_cell(value, 3).full_text}"
        for name, value in (("alpha", people.alpha), ("Kendall's W", people.w))
    )
    return f"{counted(people.triples, 'triple')}, {counted(people.annotators, 'annotator')}, {agreement}"


def _of_length(rows: Sequence[Consistency], fixed: Sequence[Consistency]) -> list[str]:
    """Return which columns agree with people no better than the length alone does."""
    agreement = next(one.pairwise.mean for one in fixed if (one.scorer, one.column) == (RULE, LONGER))
    if agreement is None:
        return []
    better = "longer" if agreement >= 0.5 else "shorter"
    rule = f"the length rule (the {better} is the better: {100 * max(agreement, 1 - agreement):.1f} %)"
    said = []
    for one in rows:
        over = one.over_length
        if over is None or over.mean is None or (over.interval is not None and over.interval[0] > 0):
            continue
        difference = number_cell(over.mean, "%", 1, over.interval).full_text
        said.append(f"{one.scorer}: {one.column} agrees with people no better than {rule}: difference {difference}")
    return said or ([f"each column agrees with people better than {rule}"] if rows else [])


def _consistency_row(one: Consistency) -> tuple[Cell, ...]:
    whole = not one.column.endswith(f", {COPIED}")  # of the copied reference, nobody orders the other answers
    return (
        Cell(f"{one.scorer}: {one.column}"),
        share_cell(one.pairwise),
        Cell(decimal_cell(one.tau.mean, 3).text, one.tau.mean, one.tau.interval) if whole else Cell(),
        share_cell(one.exact) if whole else Cell(),
        share_cell(one.top),
        decimal_cell(None if one.ties is None else 100 * one.ties, 1),
        decimal_cell(None if one.longer is None else 100 * one.longer, 1),
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
    )
