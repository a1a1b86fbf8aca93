"""Answers of which it is known beforehand whether they are right: what a judge must tell apart before it is believed.

Made by rules from the references at hand. Knows items, and neither a judge nor a metric.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from .scorer import Scorable

NOTHING = "None"
# A fact each: what it is, and what it becomes. The first that a text names is changed.
_FACTS = {
    "red": "blue", "blue": "red", "white": "black", "black": "white", "grey": "green", "gray": "green",
    "green": "yellow", "yellow": "grey",
    "car": "bus", "cars": "buses", "bus": "van", "van": "car", "truck": "car", "lorry": "car", "vehicle": "horse",
    "vehicles": "horses", "motorcycle": "truck", "motorbike": "truck", "bicycle": "car", "cyclist": "pedestrian",
    "pedestrian": "cyclist", "pedestrians": "cyclists", "train": "boat", "dog": "horse",
    "man": "woman", "woman": "man", "men": "women", "women": "men", "boy": "girl", "girl": "boy", "child": "dog",
    "driver": "passenger", "worker": "child", "people": "dogs", "person": "dog",
    "one": "five", "two": "six", "both": "none of", "three": "one", "four": "one",
    "road": "beach", "street": "beach", "crossing": "beach", "fire": "flood", "smoke": "water", "rain": "sunshine",
    "before": "after", "after": "before", "without": "with",
}  # fmt: skip
_WORD = re.compile(rf"\b({'|'.join(_FACTS)})\b", re.IGNORECASE)


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
    changed = with_one_fact_changed(item.reference)
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


def with_one_fact_changed(text: str) -> str | None:
    """Return a text in which one word says something else: a colour, a participant, a number; None without such a word.

    >>> with_one_fact_changed("A red car braked too late.")
    'A blue car braked too late.'
    """
    changed = _WORD.sub(lambda found: _like(found[0], _FACTS[found[0].lower()]), text, count=1)
    return None if changed == text else changed


def _like(word: str, other: str) -> str:
    return other.capitalize() if word[0].isupper() else other
