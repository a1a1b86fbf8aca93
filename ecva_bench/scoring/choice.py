"""Accuracy of the options that answers choose, beside chance and what rules reach that never see a video.

Where every option was put in every place (`--rotate`), a question also counts as a whole: it is answered consistently
where the right option was chosen in all rotations.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from ..blind.choice import CHOICE_RULES, BlindRule, ChoiceItem, choice_chance, choice_hits
from ..reading.choices import VERSION, read_choice
from ..records.annotations import sample_parts
from ..records.readings import Reading
from .readings import ReadingScorer, unread_columns
from .scorer import Column, Scorable


def _column(rule: BlindRule) -> str:
    return rule.name.lower().replace(" ", "_")


class Choice(ReadingScorer):
    """Options chosen against the right ones; an option with the right one's text is right too."""

    name = "choice"
    tasks = ("choice",)
    columns = (
        Column("accuracy", "share of answers that choose the right option", binary=True),
        Column("parsed", "share of answers that choose one option", binary=True),
    )
    aggregates = (
        Column("consistent", "share of questions answered rightly in every rotation of their options"),
        Column("chance", "guessing", blind=True),
        *(Column(_column(rule), rule.description, blind=True) for rule in CHOICE_RULES.values() if not rule.texts),
        *unread_columns("unread", "ambiguous", "out of range"),
    )

    def score(self, batch: Sequence[Scorable]) -> list[dict[str, float]]:
        """Return 1 or 0 for a right or wrong option; an answer that chooses none, or several, is wrong."""
        return [
            {"accuracy": float(_right(item, reading)), "parsed": float(bool(reading.labels))}
            for item, reading in zip(batch, self.readings(batch), strict=True)
        ]

    def obstacle(self, item: Scorable) -> str | None:
        """Return the reason why a question without options, or without a right one, is scored for nobody."""
        return None if item.reference in item.options else "no right answer among the options"

    def summary(self, batch: Sequence[Scorable], values: Sequence[dict[str, float]]) -> dict[str, float]:
        """Return consistency over rotations, chance and what blind rules reach, and the unread by kind."""
        asked = [ChoiceItem(item.video, "", item.options, item.options.index(item.reference)) for item in batch]
        rules = {_column(CHOICE_RULES[name]): _mean(hits) for name, hits in choice_hits(asked).items()}
        found = {"chance": choice_chance(asked), **rules}
        turns: dict[tuple[str, str], list[float]] = defaultdict(list)
        sizes: dict[tuple[str, str], int] = {}
        for item, value in zip(batch, values, strict=True):
            parts = sample_parts(item.id)
            question = (parts.video, parts.name.partition("@")[0])
            turns[question].append(value["accuracy"])
            sizes[question] = len(item.options)
        if any(len(right) > 1 for right in turns.values()):
            found["consistent"] = _mean([float(sum(right) == sizes[one]) for one, right in turns.items()])
        return {**found, **self.unread(batch)}

    def settings(self) -> dict[str, str]:
        """Return how options are read."""
        return {"parse": f"options.v{VERSION}"}

    def read(self, item: Scorable) -> Reading:
        """Return the option an answer chooses."""
        return read_choice(item.text, item.options)


def _right(item: Scorable, reading: Reading) -> bool:
    chosen = [label.major for label in reading.labels]
    return bool(chosen) and chosen[0] <= len(item.options) and item.options[chosen[0] - 1] == item.reference


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
