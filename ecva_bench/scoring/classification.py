"""Accuracy of the anomaly class that answers name, beside the share of readable answers and the majority baseline.

What an answer names is read by `reading.classes`, among the classes that its question lists; severity is ignored. The
sub-class counts in a number of its own, where annotation and answer go so deep ("multiple levels of granularity", paper
Sec. III-A).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import cache

from ..errors import ScoringError
from ..reading.classes.reader import VERSION, first_number, read_class
from ..reading.text import final_answer
from ..records import Label
from ..records.readings import Reading
from ..taxonomy import TAXONOMY, AnomalyClass, load_taxonomy
from .readings import BY_JUDGE, ReadingScorer, unread_columns
from .scorer import Column, Scorable, Share
from .second_reader import SecondReader


class Classification(ReadingScorer):
    """Predicted against annotated class."""

    name = "classification"
    tasks = ("classification",)
    columns = (
        Column("accuracy", "share of answers that name the annotated major class", binary=True),
        Column("parsed", "share of answers that name one class", binary=True),
    )
    aggregates = (
        Column("macro_recall", "mean over annotated classes of the share of their videos named rightly"),
        Column("majority_baseline", "accuracy of always naming the most frequent annotated class"),
        Column("accuracy_sub", "share with class and sub-class right, of the answers counted in sub_named"),
        Column("sub_named", "share of answers that name a sub-class where one is annotated", optional=True),
        *unread_columns("unread", "ambiguous", "out of range"),
        BY_JUDGE,
    )

    def score(self, batch: Sequence[Scorable]) -> list[dict[str, float]]:
        """Return 1 or 0 for a right or wrong class; an answer that names none, or several, is wrong."""
        return [self._values(item, reading) for item, reading in zip(batch, self.readings(batch), strict=True)]

    def obstacle(self, item: Scorable) -> str | None:
        """Return the reason why a video without an annotated class is scored for nobody."""
        return None if item.label else "no class annotated"

    def summary(self, batch: Sequence[Scorable], values: Sequence[dict[str, float]]) -> dict[str, float]:
        """Return macro recall and the majority baseline over the classes annotated, and the unread by kind."""
        right_by_class = defaultdict(list)
        for item, value in zip(batch, values, strict=True):
            right_by_class[self._expected(item)].append(value["accuracy"])
        recalls = [sum(right) / len(right) for right in right_by_class.values()]
        largest = max(Counter(self._expected(item) for item in batch).values())
        baselines = {"macro_recall": sum(recalls) / len(recalls), "majority_baseline": largest / len(batch)}
        return {**baselines, **self._deep(batch), **self.unread(batch)}

    def settings(self) -> dict[str, str]:
        """Return how classes are read and compared."""
        published = self.protocol.first_digit_class
        return {
            "parse": "bracketed-else-first" if published else f"named.v{VERSION}",
            "match": "first-digit" if published else "major",
            **self.second_settings("read-class"),
        }

    def read(self, item: Scorable) -> Reading:
        """Return the class an answer names; under the published protocol, its first number."""
        if item.options or not self.protocol.first_digit_class:
            return read_class(item.text, _offered(item.options))
        number = first_number(item.candidate)
        if not number:
            return Reading(status="out of range" if number == 0 else "unread", rule="first number")
        return Reading(labels=(Label(major=number),), rule="first number")

    def read_again(self, items: Sequence[Scorable], second: SecondReader) -> list[Reading | None]:
        """Return the class that a judge reads in each answer."""
        return second.classes([final_answer(item.text) for item in items], [_offered(item.options) for item in items])

    def _deep(self, batch: Sequence[Scorable]) -> dict[str, float]:
        """Return how sub-classes were named. A number over all: few answers go so deep."""
        right = [
            len(reading.labels) == 1
            and (reading.labels[0].major, reading.labels[0].sub) == (item.label.major, item.label.sub)
            for item, reading in zip(batch, self.readings(batch), strict=True)
            if item.label and item.label.sub and reading.labels and reading.labels[0].sub
        ]
        accuracy = {"accuracy_sub": Share(sum(right), len(right))} if right else {}
        return {**accuracy, "sub_named": len(right) / len(batch)}

    def _values(self, item: Scorable, reading: Reading) -> dict[str, float]:
        named = reading.labels
        right = bool(named) and named[0].major == self._expected(item)
        # The published figures count a number that is no class as read.
        parsed = bool(named) or (self.protocol.first_digit_class and reading.status == "out of range")
        return {"accuracy": float(right), "parsed": float(parsed)}

    def _expected(self, item: Scorable) -> int:
        """The class to be named; the authors' script reads one digit of `10-1` and so expects 1."""
        if item.label is None:
            raise ScoringError("no class is annotated", item.id, "leave out items with an obstacle")
        if all(one.code != item.label.major for one in _offered(item.options)):
            what = f"the annotated class {item.label.major} is none of those that the question lists"
            raise ScoringError(what, item.id, "ask again: a question about a set with classes of its own lists them")
        published = self.protocol.first_digit_class and not item.options
        return int(str(item.label.major)[0]) if published else item.label.major


@cache
def _offered(options: tuple[str, ...]) -> tuple[AnomalyClass, ...]:
    """Return the classes that a question lists: its options, numbered from 1, or those of `TAXONOMY`."""
    own = tuple(AnomalyClass(number, name, ()) for number, name in enumerate(options, 1))
    return own or load_taxonomy(TAXONOMY).classes
