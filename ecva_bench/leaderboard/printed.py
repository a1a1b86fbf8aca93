"""The paper's tables as rows of boards, and as tables of their own, with what a reader of them must know."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from .published import PublishedCell, PublishedTable
from .table import Cell, Mark, Table, marked


def published_boards(
    published: Sequence[PublishedTable], task: str | None = None, *, without: Collection[str] = ()
) -> list[Table]:
    """Return the published rows of each task, or of one, and then the ablations whole; none of tasks in `without`."""
    compared = [table for table in published if not table.ablation]
    tasks = dict.fromkeys(name for table in compared for name in table.tasks if task in (None, name))
    names = [name for name in tasks if name not in without]
    ablations = [table for table in published if table.ablation and (task is None or task in table.tasks)]
    return [*(_published_board(name, published) for name in names), *map(_ablation, ablations)]


def _published_board(task: str, published: Sequence[PublishedTable]) -> Table:
    """Return the published rows of a task alone."""
    tables = [table for table in published if task in table.tasks and not table.ablation]
    names = {column.column: column.heading for table in tables for column in table.columns_of(task)}
    return Table(
        title=f"{task}, as published",
        header=("model", "kind", *names.values()),
        rows=tuple(row for table in tables for row in printed_rows(table, task, list(names))),
        notes=tuple(note for table in tables for note in printed_notes(table)),
    )


def _ablation(table: PublishedTable) -> Table:
    """Return a table as it is printed: its rows are one model, made in several ways."""
    return Table(
        title=f"ablation, Table {table.table}, as published",
        header=("model", "kind", *(column.heading for column in table.columns)),
        rows=tuple(
            marked((Cell(row.model), Cell("as printed"), *map(printed_cell, row.cells.values())), "printed")
            for row in table.rows
        ),
        notes=tuple(printed_notes(table)),
    )


def printed_rows(table: PublishedTable, task: str, columns: Sequence[str]) -> Iterator[tuple[Cell, ...]]:
    """Yield a published table's rows of a task: model, what it is, and its cells in the columns of a board."""
    own = {column.column: column.name for column in table.columns_of(task)}
    for row in table.rows:
        cells = [row.cells[own[column]] if column in own else None for column in columns]
        if any(cells):
            yield marked((Cell(row.model), Cell("as printed"), *map(printed_cell, cells)), "printed")


def printed_cell(cell: PublishedCell | None) -> Cell:
    """Return a published figure as it is printed, with a dagger where it is doubted; empty where there is none."""
    if cell is None:
        return Cell()
    marks: frozenset[Mark] = frozenset({"doubted"} if cell.doubted else ())
    return Cell(cell.text, cell.value, marks=marks)


def printed_notes(table: PublishedTable) -> list[str]:
    """Return what a reader of a published table's rows must know."""
    head = f"As printed: {table.paper}, Table {table.table}, over its own videos and by its own arithmetic."
    sources = [f"Figures from {source}." for source in table.sources.values() if len(table.sources) > 1]
    doubts = "† " if any(cell and cell.doubted for row in table.rows for cell in row.cells.values()) else ""
    misprints = [f"{doubts}Misprint: {misprint}" for misprint in table.misprints]
    unknown = [f"A dash in their rows: {table.null}."] if table.null else []
    adapters = ", ".join(dict.fromkeys(row.adapter for row in table.rows if row.adapter))
    here = [f"Models here, in the order of the rows (`ecva-bench run --model NAME`): {adapters}."] if adapters else []
    return [head, *sources, *unknown, *table.notes, *misprints, *here]
