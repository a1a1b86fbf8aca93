"""Answers of two runs that are empty, were cut off or got no verdict of a judge, counted side by side.

Runs with different counts can be compared, but these may explain a whole difference.
"""

from __future__ import annotations

from collections.abc import Collection
from operator import not_
from typing import Literal

from pydantic import Field

from ..records.base import Record, View
from ..records.scores import Scores

What = Literal["empty", "cut off", "unjudged"]


class Shortfall(Record):
    """How many answers to a task and view are `empty`, or were `cut off`, of all that two runs have.

    Those `unjudged` got no verdict of the judge that was asked about them, in the `column` compared.
    """

    what: What
    task: str
    view: View
    base: int
    base_of: int
    new: int
    new_of: int
    column: str = Field(default="", exclude_if=not_)

    @property
    def rose(self) -> bool:
        """Whether the new run has a larger share of them."""
        return self.new * self.base_of > self.base * self.new_of

    @property
    def name(self) -> str:
        """What fell short where, in a few words."""
        where = self.column or ("" if self.view == "full" else self.view)
        return f"{self.what} answers of {self.task}" + (f" ({where})" if where else "")

    @property
    def sides(self) -> str:
        """What the two runs have."""
        return f"{self.base} of {self.base_of} in the base, {self.new} of {self.new_of} in the new run"


def shortfalls(*, base: Scores, new: Scores, names: Collection[str]) -> list[Shortfall]:
    """Return where the shares of such answers differ, in the tasks of the columns of these names (`task/column`)."""
    tasks = {name.partition("/")[0] for name in names}
    first, second = ({(c.task, c.view): c for c in scores.coverage if c.task in tasks} for scores in (base, new))
    found = []
    for place in sorted(first.keys() & second.keys()):
        one, other = first[place], second[place]
        counts: dict[What, tuple[int, int]] = {
            "empty": (one.empty, other.empty),
            "cut off": (one.cut_off, other.cut_off),
        }
        found += [
            Shortfall(
                what=what,
                task=one.task,
                view=one.view,
                base=before,
                base_of=one.answers_given,
                new=after,
                new_of=other.answers_given,
            )
            for what, (before, after) in counts.items()
            if before * other.answers_given != after * one.answers_given
        ]
    return found + _unjudged(base=base, new=new, names=names)


def _unjudged(*, base: Scores, new: Scores, names: Collection[str]) -> list[Shortfall]:
    """Return in which of these columns the judge gave verdicts on another share of the answers."""
    first, second = (
        {f"{one.task}/{one.column}": one for one in scores.summaries if one.view == "full" and one.judged}
        for scores in (base, new)
    )
    found = []
    for name in (name for name in names if name in first and name in second):
        one, other = first[name], second[name]
        of, other_of = one.answers + one.unjudged, other.answers + other.unjudged
        if one.unjudged * other_of != other.unjudged * of:
            found.append(
                Shortfall(
                    what="unjudged",
                    task=one.task,
                    view=one.view,
                    base=one.unjudged,
                    base_of=of,
                    new=other.unjudged,
                    new_of=other_of,
                    column=one.column,
                )
            )
    return found
