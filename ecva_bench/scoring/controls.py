"""Answers of which it is known beforehand whether they are right: what a judge must tell apart before it is believed.

Made by rules from the references at hand. Knows items, and neither a judge nor a metric.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from .exchange import with_other_word
from .scorer import Scorable

NOTHING = "None"


@dataclass(frozen=True)
class Controls:
    """One right answer, wrong ones to the same question, and the right one with one fact changed, where it has one."""

    right: Scorable
    wrong: tuple[Scorable, ...]
    changed: Scorable | None = None

    @property
    def items(self) -> list[Scorable]:
        """All of them."""
        return [self.right, *self.wrong, *([self.changed] if self.changed else [])]


def controls_of(item: Scorable, other: Scorable | None) -> Controls:
    """Return the controls of an item: its reference as the answer, that of another video, the word None.

    The right answer turns to None on the video without its anomaly, and that of another video stays as it is.
    """
    changed = with_other_word(item.reference)
    wrong = [control_of(item, "other", other.reference, without=other.reference)] if other else []
    return Controls(
        right=control_of(item, "right", item.reference, without=NOTHING),
        wrong=(*wrong, control_of(item, "none", NOTHING)),
        changed=control_of(item, "changed", changed, without=NOTHING) if changed else None,
    )


def control_of(item: Scorable, name: str, text: str, *, without: str | None = None) -> Scorable:
    """Return an item with another answer, and that on the video without its anomaly, where there is to be one."""
    return replace(
        item,
        key=f"{item.key}/{name}",
        candidate=text,
        answer=text,
        others={} if without is None else {"anomaly": without},
        impossible={},
    )
