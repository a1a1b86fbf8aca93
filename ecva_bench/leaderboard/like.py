"""The paper's tables with runs of one's own below, for a paper: its columns and rows, and no more.

Boards rank, and say how sure they are; here a run stands beside printed figures that were computed over other videos,
and a note says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from ..errors import UsageError
from ..wording import counted
from .board import DECIMALS
from .groups import labels
from .printed import printed_cell
from .published import PublishedColumn, PublishedTable
from .sheet import number_cell
from .submission import Entry, Submission
from .table import Cell, Table, marked

PaperTable = Literal["table-3", "table-6", "table-8"]
_NUMBERS: dict[PaperTable, str] = {"table-3": "III", "table-6": "VI", "table-8": "VIII"}
# What stands in a column of the paper whose arithmetic is not known to be ours.
_OURS = {"anomeval": "S", "gpt_based": "gpt_sum"}
_MEANT = {
    "S": "of runs, S: the weighted sum of s1, s2 and s3",
    "gpt_sum": "of runs, gpt_sum: four grades added up, 0 to 20; the paper does not state its scale",
}


def table_like(name: PaperTable, published: Sequence[PublishedTable], submissions: Sequence[Submission]) -> Table:
    """Return a table of the paper with a row for each submission below; a sample without an answer counts as the worst.

    Raises `UsageError` for a submission that has none of its scores.
    """
    table = next(table for table in published if table.table == _NUMBERS[name])
    called = labels([(one.scores.model, one.scores.name) for one in submissions])
    own = [
        (label, one, {task: entry for task in table.tasks if (entry := _entry(one, task))})
        for label, one in zip(called, submissions, strict=True)
    ]
    based = any(row.base_llm for row in table.rows)
    rows = [
        (Cell(row.model), *([Cell(row.base_llm)] if based else []), *map(printed_cell, row.cells.values()))
        for row in table.rows
    ]
    for label, _, entries in own:
        cells = [_own_cell(entries.get(column.task), column) for column in table.columns]
        if not any(cell.text for cell in cells):
            asked = ", ".join(dict.fromkeys(_OURS.get(column.column, column.column) for column in table.columns))
            what = f"{label} has none of the table's scores: {asked} of {', '.join(table.tasks)}"
            raise UsageError(what, f"--like {name}", "score the run by these metrics, or leave it out")
        rows.append(marked((Cell(label), *([Cell()] if based else []), *cells), "own"))
    return Table(
        title=f"{', '.join(table.tasks).capitalize()}, after Table {table.table} of {table.paper}",
        header=("Method", *(["BaseLLM"] if based else []), *(column.heading for column in table.columns)),
        rows=tuple(rows),
        notes=(
            *(_made(label, one, entries) for label, one, entries in own if entries),
            *(_meanings(table) if own else ()),
            "Rows of the paper: as printed, over the paper's own videos and by its own arithmetic.",
            *(f"† {misprint}" for misprint in table.misprints),
        ),
        label=f"tab:ecva-{name}",
    )


def _entry(one: Submission, task: str) -> Entry | None:
    return next((entry for entry in one.entries if (entry.task, entry.view) == (task, "full")), None)


def _own_cell(entry: Entry | None, column: PublishedColumn) -> Cell:
    name = _OURS.get(column.column, column.column)
    found = next((one for one in entry.summaries if one.column == name), None) if entry else None
    return number_cell(found.zero_filled, found.unit, DECIMALS) if found else Cell()


def _made(label: str, one: Submission, entries: dict[str, Entry]) -> str:
    answered = "; ".join(
        f"{task}: {entry.coverage.answered} of {counted(entry.coverage.owed, 'sample')} answered"
        for task, entry in entries.items()
    )
    of = f" on {one.dataset.current}" if one.dataset.current else ""
    return f"{label}{of}, protocol {one.scores.protocol}; {answered}; a sample without an answer counts as the worst."


def _meanings(table: PublishedTable) -> list[str]:
    named = {column.name: _MEANT[_OURS[column.column]] for column in table.columns if column.column in _OURS}
    return [f"{name}: {meaning}." for name, meaning in named.items()]
