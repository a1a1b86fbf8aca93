"""Answers of two runs that are empty or were cut off, counted side by side.

They are scored as answers, so runs with different counts can be compared, but they may explain a whole difference.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from ..records.base import Record, View
from ..records.scores import Scores

What = Literal["empty", "cut off"]


class Shortfall(Record):
    """How many answers to a task and view are `empty`, or were `cut off`, of all that two runs have."""

    what: What
    task: str
    view: View
    base: int
    base_of: int
    new: int
    new_of: int

    @property
    def rose(self) -> bool:
        """Whether the new run has a larger share of them."""
        return self.new * self.base_of > self.base * self.new_of

    @property
    def name(self) -> str:
        """What fell short where, in a few words."""
        return f"{self.what} answers of {self.task}" + ("" if self.view == "full" else f" ({self.view})")

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
                base_of=one.answered,
                new=after,
                new_of=other.answered,
            )
            for what, (before, after) in counts.items()
            if before * other.answered != after * one.answered
        ]
    return found
