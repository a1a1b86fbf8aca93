"""What a metric looks like from outside: it names its columns, scores items, and signs its numbers.

Knows no metric, no file and no statistics. A new metric is one module with a `Scorer` in it and one entry-point
line in the group `ecva_bench.scorers`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from .. import __version__, registry
from ..errors import ScoringError
from ..records import Answer, Label, Moment
from .protocol import Protocol

GROUP = "ecva_bench.scorers"


@dataclass(frozen=True)
class Column:
    """A number a scorer gives: a fraction in [`low`, `high`], shown in `unit` with `decimals` digits.

    `binary` columns hold 0 or 1 per item and are also shown as a count.
    """

    name: str
    description: str
    unit: Literal["%", "s"] = "%"
    decimals: int = 2
    low: float = 0.0
    high: float = 1.0
    higher_is_better: bool = True
    binary: bool = False


@dataclass(frozen=True)
class Scorable:
    """An answer with everything a metric may compare it with; times in seconds."""

    key: str
    id: str
    video: str
    task: str
    view: str
    candidate: str
    reference: str
    key_sentences: tuple[str, ...] = ()
    moments: tuple[Moment, ...] = ()
    label: Label | None = None
    duration: float | None = None

    @classmethod
    def of(cls, answer: Answer, *, candidate: str) -> Scorable:
        """Return the item of an answer record, with its text as cleaned."""
        return cls(
            key=answer.key,
            id=answer.id,
            video=answer.video,
            task=answer.task,
            view=answer.view,
            candidate=candidate,
            reference=answer.reference,
            key_sentences=answer.key_sentences,
            moments=answer.moments,
            label=answer.label,
            duration=answer.duration,
        )


class Scorer(ABC):
    """A metric under a protocol. Subclasses give `name`, `tasks`, `columns` and `score`."""

    name: ClassVar[str]
    tasks: ClassVar[tuple[str, ...]]
    columns: ClassVar[tuple[Column, ...]]
    aggregates: ClassVar[tuple[Column, ...]] = ()

    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol

    @abstractmethod
    def score(self, batch: Sequence[Scorable]) -> list[dict[str, float]]:
        """Return the columns of each item, in order. A column that is absent is unscored, never 0."""

    def obstacle(self, item: Scorable) -> str | None:
        """Return why nobody's answer to this item can be scored (the annotation lacks something), or None."""
        return None if item.reference.strip() else "no reference"

    def summary(self, batch: Sequence[Scorable], values: Sequence[dict[str, float]]) -> dict[str, float]:
        """Return the columns in `aggregates`: numbers over all items that are no mean of item values."""
        return {}

    def settings(self) -> dict[str, str]:
        """Return the settings that move this metric's numbers, for the signature."""
        return {}

    def signature(self) -> str:
        """Return how the number was made, after sacrebleu: `bleu|n:4|tok:whitespace|…|v:0.1.0`."""
        settings = {**self.settings(), "strip": "specials" if self.protocol.strip_special_tokens else "none"}
        return "|".join([self.name, *(f"{key}:{value}" for key, value in settings.items()), f"v:{__version__}"])


def available() -> list[str]:
    """Return the names of all installed scorers, sorted; none is imported."""
    return registry.names(GROUP)


def get_scorer(name: str, protocol: Protocol) -> Scorer:
    """Return the scorer of a name; `UsageError` if there is none, `ScoringError` if it is not a `Scorer`."""
    found = registry.load(GROUP, name)
    if not (isinstance(found, type) and issubclass(found, Scorer)):
        remedy = "an entry point of this group must name a subclass of ecva_bench.scoring.Scorer"
        raise ScoringError(f"the scorer {name!r} is not a Scorer", found, remedy)
    return found(protocol)
