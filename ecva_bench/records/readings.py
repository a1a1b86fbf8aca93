"""What rules read out of an answer's text, or a judge where they cannot."""

from __future__ import annotations

from operator import not_
from typing import Literal

from pydantic import Field

from .annotations import Label
from .base import Record


class Reading(Record):
    """How a text was read: what, from which characters, by which rule, and what else it could have meant.

    `status`: `read`; `unread`, nothing of the kind is named; `ambiguous`, several are named and none as the answer;
    `out of range`, what is named is not among the choices; `no unit`, a bare number of unknown unit. Only a text that
    is `read` has a value. `labels` are classes, the answer first, or the number of an option, from 1; `spans` are
    (start, end) in seconds, in the text's order, `severities` from 0 to 10 are theirs, and `unparsed` are spans whose
    severity cannot be read; `order` is a ranking; `yes` answers a question of yes or no. `places`
    are the characters [start, end) that it was read from, in the answer as it is recorded. `others` are other
    candidates named in the text, in its own words. `by` names the judge that read the text where the rules could not.
    """

    status: Literal["read", "unread", "ambiguous", "out of range", "no unit"] = "read"
    rule: str = Field(default="", exclude_if=not_)
    labels: tuple[Label, ...] = Field(default=(), exclude_if=not_)
    spans: tuple[tuple[float, float], ...] = Field(default=(), exclude_if=not_)
    severities: tuple[float, ...] = Field(default=(), exclude_if=not_)
    unparsed: tuple[tuple[float, float], ...] = Field(default=(), exclude_if=not_)
    order: tuple[int, ...] = Field(default=(), exclude_if=not_)
    yes: bool | None = Field(default=None, exclude_if=lambda value: value is None)
    places: tuple[tuple[int, int], ...] = Field(default=(), exclude_if=not_)
    others: tuple[str, ...] = Field(default=(), exclude_if=not_)
    by: str = Field(default="", exclude_if=not_)
