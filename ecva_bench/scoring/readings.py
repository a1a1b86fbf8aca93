"""The base of scorers that read a value out of a text: texts are read once, and unread ones counted by kind.

Knows readings, and neither classes nor spans.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Sequence

from ..reading.text import final_answer
from ..records.readings import Reading
from .protocol import Protocol
from .scorer import Column, Scorable, Scorer
from .second_reader import SecondReader

# Why an answer has no value, by the status of its reading.
UNREAD = {
    "unread": "share of answers that name nothing of the kind asked for",
    "ambiguous": "share of answers that name several and none as the answer",
    "out of range": "share of answers that name what is not on offer",
    "no unit": "share of answers left unread for a bare number in an unknown unit; --timestamp-unit names one",
}
BY_JUDGE = Column("read_by_judge", "share of answers that a judge read, since the rules could not")


def unread_columns(*statuses: str) -> tuple[Column, ...]:
    """Return the columns that count unread answers by these kinds."""
    return tuple(Column(_column(status), UNREAD[status]) for status in statuses)


class ReadingScorer(Scorer):
    """A scorer of values read from answers. Subclasses give what a `Scorer` does, and `read`.

    Where there is a `second` reader, it is asked about answers that the rules leave unread, by those that have
    `read_again` and the aggregate `BY_JUDGE`.
    """

    second: SecondReader | None = None

    def __init__(self, protocol: Protocol) -> None:
        super().__init__(protocol)
        self._readings: dict[str, Reading] = {}

    @abstractmethod
    def read(self, item: Scorable) -> Reading:
        """Return how the text of an item is read."""

    def read_again(self, items: Sequence[Scorable], second: SecondReader) -> list[Reading | None]:
        """Return how a second reader reads the texts of items, None where it cannot either, or is not asked."""
        return [None for _ in items]

    def readings(self, batch: Sequence[Scorable]) -> list[Reading]:
        """Return how the texts of items are read; an item whose answer was read before is not read again."""
        new = [item for item in batch if item.key not in self._readings]
        for item in new:
            self._readings[item.key] = self.read(item)
        if self.second is not None:
            unread = [item for item in new if self._readings[item.key].status != "read" and final_answer(item.text)]
            found = zip(unread, self.read_again(unread, self.second), strict=True)
            self._readings |= {item.key: reading for item, reading in found if reading}
        return [self._readings[item.key] for item in batch]

    def reading(self, item: Scorable) -> Reading | None:
        """Return how the text of an item just scored was read."""
        return self._readings.get(item.key)

    def unread(self, batch: Sequence[Scorable]) -> dict[str, float]:
        """Return the share of unread answers by kind, for those of `UNREAD` that are among the aggregates."""
        counts: Counter[str] = Counter(reading.status for reading in self.readings(batch))
        known = {column.name for column in self.aggregates}
        shares = {_column(one): counts[one] / len(batch) for one in UNREAD if _column(one) in known}
        if self.second is not None and BY_JUDGE in self.aggregates:
            shares[BY_JUDGE.name] = sum(bool(reading.by) for reading in self.readings(batch)) / len(batch)
        return shares

    def second_settings(self, prompt: str) -> dict[str, str]:
        """Return what a signature says of the second reader and the prompt it is asked with; nothing without one."""
        return self.second.settings(prompt) if self.second is not None else {}


def _column(status: str) -> str:
    return status.replace(" ", "_")
