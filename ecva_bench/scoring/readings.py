"""What scorers share that read a value out of a text: every text read once, and what could not be read counted by kind.

Knows readings, and neither classes nor spans.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Sequence

from ..records import Reading
from .protocol import Protocol
from .scorer import Column, Scorable, Scorer

# Why an answer has no value, by the status of its reading.
UNREAD = {
    "unread": "share of answers that name nothing of the kind asked for",
    "ambiguous": "share of answers that name several and none as the answer",
    "out of range": "share of answers that name what is not on offer",
    "no unit": "share of answers left unread for a bare number in an unknown unit; --timestamp-unit names one",
}


def unread_columns(*statuses: str) -> tuple[Column, ...]:
    """Return the columns that count unread answers by these kinds."""
    return tuple(Column(_column(status), UNREAD[status]) for status in statuses)


class ReadingScorer(Scorer):
    """A scorer of what answers are read as. Subclasses give what a `Scorer` does, and `read`."""

    def __init__(self, protocol: Protocol) -> None:
        super().__init__(protocol)
        self._readings: dict[str, Reading] = {}

    @abstractmethod
    def read(self, item: Scorable) -> Reading:
        """Return how the text of an item is read."""

    def readings(self, batch: Sequence[Scorable]) -> list[Reading]:
        """Return how the texts of items are read; an item whose answer was read before is not read again."""
        for item in batch:
            if item.key not in self._readings:
                self._readings[item.key] = self.read(item)
        return [self._readings[item.key] for item in batch]

    def reading(self, item: Scorable) -> Reading | None:
        """Return how the text of an item just scored was read."""
        return self._readings.get(item.key)

    def unread(self, batch: Sequence[Scorable]) -> dict[str, float]:
        """Return the share of unread answers by kind, for those of `UNREAD` that are among the aggregates."""
        counts: Counter[str] = Counter(reading.status for reading in self.readings(batch))
        known = {column.name for column in self.aggregates}
        return {_column(one): counts[one] / len(batch) for one in UNREAD if _column(one) in known}


def _column(status: str) -> str:
    return status.replace(" ", "_")
