"""The paper's tables as data: every figure with its source, what is unknown as null, and known misprints.

The files are `leaderboards/published/table-3*.json` to `table-8*.json` (schema `ecva.published/2`), a file for each
table, and those of other papers in a folder for each data set; this module knows their form. Table I, of sizes of data
sets, is read by `data/table_1.py`.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ..untrusted import parse_json

SCHEMA = "ecva.published/2"
PAPER = "paper"  # the source of a figure that names none
FOLDER = "published"  # among the leaderboards
SIZES, REPRODUCTION = "table-1-datasets.json", "reproduction.json"  # files there of other forms
PUBLISHED_DATASET = "ecva"  # the data set of the published tables
# The authors' program and released answers are over CUVA's videos, so these boards show the published rows too.
WITH_PUBLISHED = (PUBLISHED_DATASET, "cuva")
# Data sets made of videos of ECVA, of which other papers have figures.
OTHERS_PUBLISHED = ("vau-bench",)


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PublishedCell(_Strict):
    """A figure, or a word such as `N/A` that is printed in its place, and the name of the source it was read in.

    In a file, a bare number is a figure of the paper. It is `doubted` where the paper gives another figure for it
    elsewhere; a misprint of the table says which.
    """

    value: float | None = None
    printed: str | None = None
    source: str = PAPER
    doubted: bool = False

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, given: object) -> object:
        return {"value": given} if isinstance(given, int | float) else given

    @model_validator(mode="after")
    def _one_of_both(self) -> PublishedCell:
        if (self.value is None) == (self.printed is None):
            raise ValueError("a cell has either a value or a printed word")
        return self

    @property
    def text(self) -> str:
        """What is printed, with two decimals."""
        return self.printed or "" if self.value is None else f"{self.value:.2f}"


class PublishedColumn(_Strict):
    """A column as it is headed in the paper, with its task, and the name of our column for the same quantity."""

    name: str
    task: str
    column: str
    unit: Literal["%", "points"] = "%"

    @property
    def heading(self) -> str:
        """The name with the unit."""
        return f"{self.name} {self.unit}"


class PublishedRow(_Strict):
    """A model as it is printed, with its cells by column name; None where no source has the figure.

    `adapter` is the model's name here, `base_llm` its language model as printed.
    """

    model: str
    adapter: str | None = None
    base_llm: str = ""
    cells: dict[str, PublishedCell | None]


class PublishedTable(_Strict):
    """What is known of one table of a paper.

    `sources` explains the names that cells refer to; `null` says what a cell of None means; `misprints` are
    faults of the paper, `notes` all else a reader must know. The rows of an `ablation` are one model made in several
    ways, and stand apart from those of other models.
    """

    schema_: Literal["ecva.published/2"] = Field(alias="schema")
    paper: str
    table: str
    ablation: bool = False
    null: str
    sources: dict[str, str]
    columns: tuple[PublishedColumn, ...]
    rows: tuple[PublishedRow, ...]
    notes: tuple[str, ...]
    misprints: tuple[str, ...]

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks that it has figures of."""
        return tuple(dict.fromkeys(column.task for column in self.columns))

    def columns_of(self, task: str) -> tuple[PublishedColumn, ...]:
        """Return the columns of a task."""
        return tuple(column for column in self.columns if column.task == task)

    @model_validator(mode="after")
    def _complete(self) -> PublishedTable:
        names = {column.name for column in self.columns}
        for row in self.rows:
            if row.cells.keys() != names:
                raise ValueError(f"the row of {row.model} has other cells than there are columns")
            unknown = {cell.source for cell in row.cells.values() if cell} - self.sources.keys()
            if unknown:
                raise ValueError(f"the row of {row.model} names sources that are not described: {unknown}")
            if not self.null and None in row.cells.values():
                raise ValueError(f"the row of {row.model} lacks a figure, and `null` does not say why")
        return self


def tables_of_others() -> dict[str, list[PublishedTable]]:
    """Return the tables of other papers, by the data set they are over."""
    return {dataset: published_tables(dataset) for dataset in OTHERS_PUBLISHED}


def published_tables(dataset: str = PUBLISHED_DATASET) -> list[PublishedTable]:
    """Return the paper's tables, or those of other papers over another data set, ordered by file name."""
    folder = files("ecva_bench.leaderboards") / FOLDER
    if dataset != PUBLISHED_DATASET:
        folder = folder / dataset
    paths = sorted((path for path in folder.iterdir() if path.name.endswith(".json")), key=lambda path: path.name)
    contents = [
        parse_json(path.read_text(encoding="utf-8")) for path in paths if path.name not in (SIZES, REPRODUCTION)
    ]
    return [PublishedTable.model_validate(content) for content in contents]
