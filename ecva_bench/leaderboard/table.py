"""A table as data: leaderboards, score sheets and published tables are all made of these two types.

Every form a table is written in is a pure function of it: `forms` (plain text,
Markdown, CSV, JSON), `latex` and `page` (HTML).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

# best: of its column, among models; tie: not told apart from it; doubted: its source contradicts itself; own: one's own
# row in a table of the paper.
Mark = Literal["best", "tie", "baseline", "printed", "doubted", "own"]

LEGEND = "{best}: best of its column, baselines and printed rows aside; {tie}: not told apart from it at 95 %."


@dataclass(frozen=True)
class Cell:
    """What a reader sees, and the number behind it in the same unit, with its interval where it has one.

    An empty cell is shown as a dash, and left empty in CSV. `shade` in [0, 1] is how dark a heat map has it.
    `remark` is shown small behind the text. `links` are the parts of the text and where they lead.
    """

    text: str = ""
    value: float | None = None
    interval: tuple[float, float] | None = None
    marks: frozenset[Mark] = frozenset()
    shade: float | None = None
    remark: str = ""
    links: tuple[tuple[str, str], ...] = ()

    @property
    def bounds(self) -> tuple[str, str] | None:
        """The interval in the text's own number of decimals."""
        if self.interval is None:
            return None
        decimals = len(self.text.partition(".")[2])
        return f"{self.interval[0]:.{decimals}f}", f"{self.interval[1]:.{decimals}f}"

    @property
    def shown(self) -> str:
        """The text, with a dagger where the figure is doubted; a dash where there is none."""
        return f"{self.text} †" if "doubted" in self.marks else self.text or "-"

    @property
    def full_text(self) -> str:
        """What is shown, with the interval behind it."""
        return f"{self.shown} [{self.bounds[0]}, {self.bounds[1]}]" if self.bounds else self.shown


@dataclass(frozen=True)
class Table:
    """A title, a header, rows with as many cells as the header, and notes that are printed below.

    `chart` names the columns (across, up) that a page also draws as points, each labelled with the row's first text;
    `label` is what a LaTeX text refers to it by. `meanings` say what headings mean. An `overview` has intervals in CSV
    and JSON, and where a page is pointed at; a page shows a table of `detail` folded.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    chart: tuple[str, str] | None = None
    label: str = ""
    meanings: Mapping[str, str] = field(default_factory=dict)
    overview: bool = False
    detail: bool = False

    @property
    def key(self) -> int:
        """The column that says what a row is of: it stays in sight while the others are moved."""
        return self.header.index("model") if "model" in self.header else 0

    def shown(self, cell: Cell) -> str:
        """Return what a form of plain text has of a cell: its text, and the interval or the remark behind it."""
        if not self.overview:
            return cell.full_text
        return f"{cell.shown} ({cell.remark})" if cell.remark else cell.shown

    @property
    def numeric(self) -> tuple[bool, ...]:
        """Which columns hold a number in some row."""
        return tuple(any(row[i].value is not None for row in self.rows) for i in range(len(self.header)))

    def has(self, mark: Mark) -> bool:
        """Say whether a cell has this mark."""
        return any(mark in cell.marks for row in self.rows for cell in row)


def count_cell(count: int) -> Cell:
    """Return the cell of a number of things."""
    return Cell(str(count), count)


def decimal_cell(value: float | None, decimals: int) -> Cell:
    """Return the cell of a number with so many decimals; empty where there is none."""
    return Cell() if value is None else Cell(f"{value:.{decimals}f}", value)


def marked(cells: Sequence[Cell], mark: Mark) -> tuple[Cell, ...]:
    """Return a row's cells, each with `mark` added."""
    return tuple(replace(cell, marks=cell.marks | {mark}) for cell in cells)
