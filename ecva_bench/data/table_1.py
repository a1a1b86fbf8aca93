"""The paper's Table I, sizes of data sets as printed, and the row of a data set at hand.

Figures that cannot be right as they are printed say why (`doubt`); they are in
`leaderboards/published/table-1-datasets.json` (schema `ecva.sizes/1`).
"""

from __future__ import annotations

from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ..untrusted import parse_json
from .stats import Stats


class SizeRow(BaseModel):
    """A data set's size: frames, hours, mean seconds of a clip, whether there is sound, and how many classes.

    `localization` to `outcome` are how these are annotated, in the paper's words. What is not printed is None or empty;
    `doubt` says why a printed figure cannot be right, empty where none is known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    domain: str = ""
    frames: int | None
    hours: float | None
    clip_s: float | None
    audio: str | None
    classes: int | None
    localization: str = ""
    description: str = ""
    reasoning: str = ""
    outcome: str = ""
    doubt: str = ""


class SizeTable(BaseModel):
    """Table I of the paper with its `source`; `notes` are figures of the text that do not fit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_: Literal["ecva.sizes/1"] = Field(alias="schema")
    paper: str
    table: str
    source: str
    rows: tuple[SizeRow, ...]
    notes: tuple[str, ...]


def load_table_1() -> SizeTable:
    """Return the table as it is printed."""
    text = (files("ecva_bench.leaderboards") / "published" / "table-1-datasets.json").read_text(encoding="utf-8")
    return SizeTable.model_validate(parse_json(text))


def size_row(stats: Stats) -> SizeRow:
    """Return the row of a data set at hand, counted; what only video files tell is None without them.

    Classes are those that occur: subclasses where a class has any, as in the paper.
    """
    codes = [code for code, _, _ in stats.classes]
    parents = {code.partition("-")[0] for code in codes if "-" in code}
    videos = stats.files if stats.files and stats.files.n else None
    return SizeRow(
        dataset=f"{stats.dataset} here",
        frames=videos.frames if videos else None,
        hours=videos.hours if videos else None,
        clip_s=videos.seconds.mean if videos and videos.seconds else None,
        audio=f"{videos.with_audio:.0%}" if videos else None,
        classes=sum(code not in parents for code in codes) or None,
    )
