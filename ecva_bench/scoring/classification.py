"""Accuracy of the predicted anomaly class, beside the share of readable answers and the majority baseline.

Knows class numbers and nothing of their names; sub-class and severity are ignored.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence

from ..errors import ScoringError
from .scorer import Column, Scorable, Scorer

_NUMBER = r"(?<![0-9])([0-9]{1,4})(?![0-9])"
_BRACKETED = re.compile(rf"\[\s*{_NUMBER}\s*\]")
_BARE = re.compile(_NUMBER)


def parse_class(text: str) -> int | None:
    """Return the predicted class: the first `[n]` in the text, else its first whole number, else None."""
    found = _BRACKETED.search(text) or _BARE.search(text)
    return int(found[1]) if found else None


class Classification(Scorer):
    """Predicted against annotated major class."""

    name = "classification"
    tasks = ("classification",)
    columns = (
        Column("accuracy", "share of answers that name the annotated major class", binary=True),
        Column("parsed", "share of answers in which a class number was found", binary=True),
    )
    aggregates = (
        Column("macro_recall", "mean over annotated classes of the share of their videos named rightly"),
        Column("majority_baseline", "accuracy of always naming the most frequent annotated class"),
    )

    def score(self, batch: Sequence[Scorable]) -> list[dict[str, float]]:
        """Return 1 or 0 for a right or wrong class; an answer without a number is wrong."""
        scores = []
        for item in batch:
            predicted = parse_class(item.candidate)
            right = predicted == self._expected(item)
            scores.append({"accuracy": float(right), "parsed": float(predicted is not None)})
        return scores

    def obstacle(self, item: Scorable) -> str | None:
        """Return the reason why a video without an annotated class is scored for nobody."""
        return None if item.label else "no class annotated"

    def summary(self, batch: Sequence[Scorable], values: Sequence[dict[str, float]]) -> dict[str, float]:
        """Return macro recall and the majority baseline over the classes annotated in the batch."""
        right_by_class = defaultdict(list)
        for item, value in zip(batch, values, strict=True):
            right_by_class[self._expected(item)].append(value["accuracy"])
        recalls = [sum(right) / len(right) for right in right_by_class.values()]
        largest = max(Counter(self._expected(item) for item in batch).values())
        return {"macro_recall": sum(recalls) / len(recalls), "majority_baseline": largest / len(batch)}

    def settings(self) -> dict[str, str]:
        """Return the parser and the rule of comparison."""
        return {"parse": "bracketed-else-first", "match": "first-digit" if self.protocol.first_digit_class else "major"}

    def _expected(self, item: Scorable) -> int:
        """The class to be named; the authors' script reads one digit of `10-1` and so expects 1."""
        if item.label is None:
            raise ScoringError("no class is annotated", item.id, "leave out items with an obstacle")
        return int(str(item.label.major)[0]) if self.protocol.first_digit_class else item.label.major
