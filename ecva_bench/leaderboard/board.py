"""Leaderboards: one table per task, view, protocol and set of samples, published rows beside our own.

Only rows over the same samples under the same protocol stand in one table. Models are ranked by the mean in which
a sample without an answer counts 0, so that leaving hard videos out gains nothing. Baselines stand in the order but
take no rank; published rows stand below it, for they have other samples and another arithmetic.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..errors import UsageError
from ..records import Coverage, Scores, Summary
from .published import PublishedCell, PublishedTable
from .sheet import VIEWS, in_unit, shown
from .table import Cell, Table

# The first that every run has. A judge's verdict comes before shared words (design/anomeval.md); of the text columns,
# ROUGE-2 tells an answer to the video from an answer to another best (design/scoring.md).
RANKED_BY = {
    "description": ("gated", "rouge2"),
    "cause": ("gated", "rouge2"),
    "effect": ("gated", "rouge2"),
    "classification": ("accuracy",),
    "timestamp": ("iou",),
}
# More would be noise beside the intervals, and the paper prints as many; score sheets and CSV have all.
DECIMALS = 2


@dataclass(frozen=True)
class _Entry:
    """One model's scores of one task and view, by column name; `name` is the results file's."""

    model: str
    name: str
    baseline: bool
    coverage: Coverage
    summaries: dict[str, Summary]


def leaderboards(
    scores: Sequence[Scores], *, published: Sequence[PublishedTable] = (), task: str | None = None
) -> list[Table]:
    """Return the leaderboards of scores files, of one task or all, with published rows below where given.

    Without scores, the published rows alone. Raises `UsageError` where nothing is left to show.
    """
    groups: dict[tuple[str, str, str, str], list[_Entry]] = defaultdict(list)
    for run in scores:
        for coverage in run.coverage:
            if task in (None, coverage.task):
                place = (coverage.task, coverage.view, run.header.protocol, coverage.samples_sha256)
                groups[place].append(_entry(run, coverage))
    tables = [
        _board(
            f"{name}, {VIEWS[view]}, protocol {protocol}, {entries[0].coverage.samples} samples",
            name,
            entries,
            published if view == "full" else (),
        )
        for (name, view, protocol, _), entries in sorted(groups.items())
    ]
    if not scores:
        tasks = dict.fromkeys(table.task for table in published)
        tables = [_board(f"{name}, as published", name, [], published) for name in tasks if task in (None, name)]
    if not tables:
        raise UsageError("there is nothing to rank", remedy="give scores files of this task, or leave out --task")
    return tables


def _entry(run: Scores, coverage: Coverage) -> _Entry:
    summaries = {s.column: s for s in run.summaries if (s.task, s.view) == (coverage.task, coverage.view)}
    return _Entry(run.header.model, run.header.name, run.header.baseline, coverage, summaries)


def _board(title: str, task: str, entries: Sequence[_Entry], published: Sequence[PublishedTable]) -> Table:
    tables = [table for table in published if table.task == task]
    names = {s.column: f"{s.column} {s.unit}" for entry in entries for s in entry.summaries.values()}
    for table in tables:
        names |= {column.column: f"{column.name} {table.unit}" for column in table.columns}
    columns = list(names)
    rows = list(_ranked_rows(entries, columns, _rank_column(task, entries)))
    rows += [row for table in tables for row in _published_rows(table, columns)]
    return Table(
        title=title,
        header=("#", "model", "kind", "answered", *names.values()),
        rows=tuple(rows),
        notes=(*_notes(task, entries), *(note for table in tables for note in _published_notes(table))),
    )


def _rank_column(task: str, entries: Sequence[_Entry]) -> str:
    """The first column of `RANKED_BY` that every run has, else that some run has, else the first there is."""
    scored = [{name for name, s in entry.summaries.items() if s.zero_filled is not None} for entry in entries]
    wanted = RANKED_BY.get(task, ())
    everywhere = [column for column in wanted if scored and all(column in names for names in scored)]
    somewhere = [column for column in wanted if any(column in names for names in scored)]
    present = [column for entry in entries for column in entry.summaries]
    return next(iter([*everywhere, *somewhere, *present, *wanted]), "")


def _ranked_rows(entries: Sequence[_Entry], columns: Sequence[str], by: str) -> Iterable[tuple[Cell, ...]]:
    def value(entry: _Entry) -> float:
        summary = entry.summaries.get(by)
        return -1.0 if summary is None or summary.zero_filled is None else summary.zero_filled

    ordered = sorted(entries, key=lambda entry: (-value(entry), entry.model, entry.name))
    ranked = [value(entry) for entry in ordered if not entry.baseline]
    runs = Counter(entry.model for entry in ordered)
    for entry in ordered:
        rank = 1 + sum(other > value(entry) for other in ranked)
        answered, owed = entry.coverage.answered, entry.coverage.owed
        yield (
            Cell() if entry.baseline else Cell(str(rank), rank),
            Cell(entry.model if runs[entry.model] == 1 else f"{entry.model} ({entry.name})"),
            Cell("baseline" if entry.baseline else "run"),
            Cell(f"{answered}/{owed}"),
            *(_score_cell(entry.summaries.get(column)) for column in columns),
        )


def _score_cell(summary: Summary | None) -> Cell:
    if summary is None or summary.zero_filled is None:
        return Cell()
    interval = summary.zero_filled_interval
    return Cell(
        text=shown(summary.zero_filled, summary.unit, DECIMALS),
        value=in_unit(summary.zero_filled, summary.unit),
        interval=(in_unit(interval[0], summary.unit), in_unit(interval[1], summary.unit)) if interval else None,
    )


def _published_rows(table: PublishedTable, columns: Sequence[str]) -> Iterable[tuple[Cell, ...]]:
    own = {column.column: column.name for column in table.columns}
    for row in table.rows:
        cells = [row.cells[own[column]] if column in own else None for column in columns]
        if any(cells):
            yield (Cell(), Cell(row.model), Cell("as printed"), Cell(), *(_printed(cell) for cell in cells))


def _printed(cell: PublishedCell | None) -> Cell:
    if cell is None:
        return Cell()
    return Cell(cell.printed or "") if cell.value is None else Cell(f"{cell.value:.2f}", cell.value)


def _notes(task: str, entries: Sequence[_Entry]) -> list[str]:
    if not entries:
        return []
    notes = [
        f"Ranked by {_rank_column(task, entries)}. A sample without an answer counts 0. "
        "In brackets: 95 % bootstrap interval over videos."
    ]
    models_by_signature: dict[str, list[str]] = defaultdict(list)
    for entry in entries:
        for signature in dict.fromkeys(summary.signature for summary in entry.summaries.values()):
            models_by_signature[signature].append(entry.model)
    scorers = Counter(signature.partition("|")[0] for signature in models_by_signature)
    for signature, models in models_by_signature.items():
        disputed = scorers[signature.partition("|")[0]] > 1
        notes.append(f"{signature} (of {', '.join(models)}: not comparable with the others)" if disputed else signature)
    return notes


def _published_notes(table: PublishedTable) -> list[str]:
    head = f"As printed: {table.paper}, Table {table.table}, over its own videos and by its own arithmetic."
    sources = [f"Figures from {source}." for source in table.sources.values()]
    misprints = [f"Misprint: {misprint}" for misprint in table.misprints]
    return [head, *sources, f"A dash in their rows: {table.null}.", *table.notes, *misprints]
