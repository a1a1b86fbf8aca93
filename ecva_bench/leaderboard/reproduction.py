"""Which of the paper's figures come out again: the answers that its authors released, scored anew, and what is lacking.

What was released, what an audit says of it, and why other figures cannot be computed is data:
`leaderboards/published/reproduction.json` (schema `ecva.reproduction/1`). Whether a figure is reproduced is found by
comparing the published tables with the submissions of the released answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from ..records.scores import Summary
from ..untrusted import parse_json
from ..wording import counted
from .published import FOLDER, REPRODUCTION, PublishedRow, PublishedTable
from .sheet import in_unit
from .submission import Submission
from .table import Cell, Table, count_cell, decimal_cell

AS_PUBLISHED, CORRECT = "ecva-2024", "standard"  # the protocols
_SHARED_WORDS = ("bleu", "rouge2", "rougeL")
_COLUMNS = {"classification": ("accuracy",), "timestamp": ("iou",)}
_DATA = "--data annotations.xlsx"


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ReleasedAnswers(_Strict):
    """A file of answers that the authors released, the published row it is held against, and what `audit` says of it.

    `row` is empty where no legible row could be of it. `unasked` are answers to videos that the annotations exclude;
    `distinct` different texts; `most_frequent` the share of the commonest answer, in percent.
    """

    model: str
    task: str
    file: str
    sha256: str
    table: str
    row: str
    answers: int
    owed: int
    answered: int
    unasked: int
    distinct: int
    most_frequent: float
    findings: tuple[str, ...]

    @property
    def command(self) -> str:
        """What computes the figures as they were published."""
        return f"ecva-bench score {self.file} {_DATA} --protocol {AS_PUBLISHED}"


class Reason(_Strict):
    """Why figures cannot be computed: in the columns that it names, or of the models, or of all."""

    why: str
    models: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()

    def of(self, table: PublishedTable) -> list[str]:
        """Return the columns of a table that it is about, of those it names."""
        return [column.name for column in table.columns if column.name in self.columns]


class Other(_Strict):
    """Figures of the paper that are in none of the published tables, and what is to be said of them."""

    figures: str
    why: str


class PaperReproduction(_Strict):
    """What is known of how the paper's figures can be computed again.

    `notes` stand below the released answers' scores; `audited_beside` are other released files that an audit compares
    them with.
    """

    schema_: Literal["ecva.reproduction/1"] = Field(alias="schema")
    released: tuple[ReleasedAnswers, ...]
    audited_beside: tuple[str, ...]
    notes: tuple[str, ...]
    reasons: tuple[Reason, ...]
    others: tuple[Other, ...]


class _Figure(NamedTuple):
    """A metric of released answers: what the paper prints, where it does, and what they come to by both protocols."""

    of: ReleasedAnswers
    name: str
    printed: str
    published: Summary
    correct: Summary | None

    @property
    def reproduced(self) -> bool:
        """Whether the published arithmetic gives what is printed, to the last digit."""
        return self.printed != "" and self.printed == _digits(self.published)


def load_reproduction() -> PaperReproduction:
    """Return what is known of how the paper's figures can be computed again."""
    text = (files("ecva_bench.leaderboards") / FOLDER / REPRODUCTION).read_text(encoding="utf-8")
    return PaperReproduction.model_validate(parse_json(text))


def reproduction_tables(published: Sequence[PublishedTable], submissions: Sequence[Submission]) -> list[Table]:
    """Return the tables of the page; none where no submission is of the released answers."""
    known = load_reproduction()
    figures = list(_figures(known, published, submissions))
    if not figures:
        return []
    return [
        _again(known, figures),
        _audited(known),
        *(_table(table, known, figures) for table in published),
        Table(
            title="Other figures of the paper",
            header=("figures", "what is to be said"),
            rows=tuple((Cell(one.figures), Cell(one.why)) for one in known.others),
        ),
    ]


def _figures(
    known: PaperReproduction, published: Sequence[PublishedTable], submissions: Sequence[Submission]
) -> Iterator[_Figure]:
    for of in known.released:
        summaries = {
            (one.scores.protocol, summary.column): summary
            for one in submissions
            for entry in one.entries
            if one.scores.model == of.model and (entry.task, entry.view) == (of.task, "full")
            for summary in entry.summaries
        }
        table = next(table for table in published if table.table == of.table)
        row = next((row for row in table.rows if row.model == of.row), None)
        printed = {column.column: row.cells[column.name] for column in table.columns_of(of.task)} if row else {}
        names = {column.column: column.name for column in table.columns_of(of.task)}
        for column in _COLUMNS.get(of.task, _SHARED_WORDS):
            if found := summaries.get((AS_PUBLISHED, column)):
                cell = printed.get(column)
                shown = cell.text if cell else ""
                yield _Figure(of, names.get(column, column), shown, found, summaries.get((CORRECT, column)))


def _again(known: PaperReproduction, figures: Sequence[_Figure]) -> Table:
    """Return the released answers' scores by both protocols beside what is printed."""
    rows = tuple(
        (
            Cell(one.of.model),
            Cell(one.of.task),
            Cell(f"Table {one.of.table}, {one.of.row}" if one.of.row else "not legible"),
            Cell(one.name),
            Cell(one.printed),
            Cell(_value(one.published)),
            Cell(_value(one.correct) if one.correct else ""),
            Cell("reproduced" if one.reproduced else "not reproduced" if _is_number(one.printed) else "no figure"),
        )
        for one in figures
    )
    done = sum(one.reproduced for one in figures)
    tried = sum(_is_number(one.printed) for one in figures)
    commands = dict.fromkeys(f"{one.of.model}, {one.of.task}: {one.of.command}" for one in figures)
    return Table(
        title="Released answers, scored again",
        header=("answers", "task", "held against", "metric", "printed", AS_PUBLISHED, CORRECT, "verdict"),
        rows=rows,
        notes=(
            f"Reproduced: {done} of {counted(tried, 'figure')} that could be tried, to the last digit. Percent.",
            *known.notes,
            f"By {CORRECT}: leave out --protocol.",
            *commands,
        ),
    )


def _audited(known: PaperReproduction) -> Table:
    """Return what the audit says of the released answers."""
    rows = tuple(
        (
            Cell(one.file),
            count_cell(one.answers),
            Cell(f"{one.answered}/{one.owed}"),
            count_cell(one.unasked),
            count_cell(one.distinct),
            decimal_cell(one.most_frequent, 1),
            Cell("; ".join(one.findings) or "none"),
            Cell(one.sha256[:12]),
        )
        for one in known.released
    )
    audited = " ".join([*(one.file for one in known.released), *known.audited_beside])
    return Table(
        title="What the audit says of the released answers",
        header=("file", "answers", "of those asked", "not asked", "distinct", "commonest, %", "findings", "SHA-256"),
        rows=rows,
        notes=(
            "not asked: answers to videos that have no annotation of the task. The texts are not published here.",
            f"ecva-bench audit {audited} {_DATA}",
        ),
    )


def _table(table: PublishedTable, known: PaperReproduction, figures: Sequence[_Figure]) -> Table:
    """Return for each row of a published table how many of its figures are reproduced, and why the others are not."""
    by_columns = [(reason, reason.of(table)) for reason in known.reasons if reason.columns]
    tasks = " ".join(f"--task {task}" for task in table.tasks)
    return Table(
        title=f"Table {table.table}, {', '.join(table.tasks)}",
        header=("model", "reproduced", "the others", "model here"),
        rows=tuple(_row(table, row, known, figures) for row in table.rows),
        notes=(
            *(f"{', '.join(names)}: {reason.why}." for reason, names in by_columns if names),
            f"To answer anew, which is another run: ecva-bench run --model NAME {_DATA} --videos FOLDER {tasks} "
            f"--out RUN.jsonl; then ecva-bench score RUN.jsonl --protocol {AS_PUBLISHED}",
            *table.misprints,
        ),
    )


def _row(
    table: PublishedTable, row: PublishedRow, known: PaperReproduction, figures: Sequence[_Figure]
) -> tuple[Cell, ...]:
    printed = [name for name, cell in row.cells.items() if cell and cell.value is not None]
    tried = {one.name: one for one in figures if (one.of.table, one.of.row) == (table.table, row.model)}
    done = [name for name in printed if name in tried and tried[name].reproduced]
    others = [f"{name} comes to {_digits(tried[name].published)}" for name in printed if name in tried.keys() - done]
    if {column.task for column in table.columns if column.name in printed} - {one.of.task for one in tried.values()}:
        others += [one.why for one in known.reasons if not one.columns and row.model in (one.models or (row.model,))]
    return (
        Cell(row.model),
        Cell(f"{len(done)} of {len(printed)}" if printed else "no figure"),
        Cell("; ".join(others)),
        Cell(row.adapter or ""),
    )


def _value(summary: Summary) -> str:
    """Return a mean in its unit, and where it is a share, what of what."""
    share = f"{summary.hits}/{summary.n} = " if summary.hits is not None else ""
    return share + _digits(summary)


def _digits(summary: Summary) -> str:
    return "" if summary.mean is None else f"{in_unit(summary.mean, summary.unit):.2f}"


def _is_number(printed: str) -> bool:
    return printed.replace(".", "").isdigit()
