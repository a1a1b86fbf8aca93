"""The paper's tables as data: every figure with its source, what is unknown as null, and known misprints.

The files are `leaderboards/published/*.json` (schema `ecva.published/1`); this module knows their form.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ..untrusted import parse_json

SCHEMA = "ecva.published/1"
PUBLISHED_DATASET = "ecva"  # the data set of the published tables
# The authors' program and released answers are over CUVA's videos, so these boards show the published rows too.
WITH_PUBLISHED = (PUBLISHED_DATASET, "cuva")


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PublishedCell(_Strict):
    """A figure, or a word such as `N/A` that is printed in its place, and the name of the source it was read in.

    It is `doubted` where the paper gives another figure for it elsewhere; a misprint of the table says which.
    """

    value: float | None = None
    printed: str | None = None
    source: str
    doubted: bool = False

    @model_validator(mode="after")
    def _one_of_both(self) -> PublishedCell:
        if (self.value is None) == (self.printed is None):
            raise ValueError("a cell has either a value or a printed word")
        return self


class PublishedColumn(_Strict):
    """A column as it is headed in the paper, with the name of our column for the same quantity."""

    name: str
    column: str


class PublishedRow(_Strict):
    """A model with its cells by column name; None where no source at hand has the figure."""

    model: str
    cells: dict[str, PublishedCell | None]


class PublishedTable(_Strict):
    """What is known of one table of a paper, for one task.

    `sources` explains the names that cells refer to; `null` says what a cell of None means; `misprints` are
    faults of the paper, `notes` all else a reader must know.
    """

    schema_: Literal["ecva.published/1"] = Field(alias="schema")
    paper: str
    table: str
    task: str
    unit: Literal["%"]
    null: str
    sources: dict[str, str]
    columns: tuple[PublishedColumn, ...]
    rows: tuple[PublishedRow, ...]
    notes: tuple[str, ...]
    misprints: tuple[str, ...]

    @model_validator(mode="after")
    def _complete(self) -> PublishedTable:
        names = {column.name for column in self.columns}
        for row in self.rows:
            if row.cells.keys() != names:
                raise ValueError(f"the row of {row.model} has other cells than there are columns")
            unknown = {cell.source for cell in row.cells.values() if cell} - self.sources.keys()
            if unknown:
                raise ValueError(f"the row of {row.model} names sources that are not described: {unknown}")
        return self


def published_tables() -> list[PublishedTable]:
    """Return all published tables, ordered by file name."""
    folder = files("ecva_bench.leaderboards") / "published"
    paths = sorted((path for path in folder.iterdir() if path.name.endswith(".json")), key=lambda path: path.name)
    return [PublishedTable.model_validate(parse_json(path.read_text(encoding="utf-8"))) for path in paths]
