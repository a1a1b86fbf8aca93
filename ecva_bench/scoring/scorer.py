"""The interface of a metric: its columns, the scoring of items, and the signature of its numbers.

Knows no metric, no file and no statistics. A new metric is one module with a `Scorer` in it and one entry-point
line in the group `ecva_bench.scorers`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Union

from ..records import Label, Moment
from ..records.answers import Answer
from ..records.base import VIEWS, View
from ..records.readings import Reading
from ..records.verdicts import JudgedPart, Qualification
from ..version import __version__
from .protocol import Protocol

# A registered name, `./file.py:Name`, a class or an instance. Quoted: `Scorer` is defined below.
ScorerSource = Union[str, type["Scorer"], "Scorer"]

# Called with a label and a unit; returns a context manager that gives a function of (done, total).
ScoringProgress = Callable[[str, str], AbstractContextManager[Callable[[int, int], None]]]


@contextmanager
def silent(what: str, unit: str) -> Iterator[Callable[[int, int], None]]:
    """A `ScoringProgress` that shows nothing."""
    yield lambda done, total: None


@dataclass(frozen=True)
class Column:
    """A number a scorer gives, in [`low`, `high`], shown in `unit` with `decimals` digits: a fraction where that is %.

    A bound may be infinite. `binary` columns hold 0 or 1 per item and are also shown as a count. An `optional` column
    is left out where no item has it, an optional aggregate where it is 0. The mean of a `balanced` one is the mean over
    the scorer's strata; it is left out where there is one stratum. A `blind` aggregate is what a rule that never looks
    reaches in the first column.

    >>> import ecva_bench as eb

    >>> eb.Column("delay", "seconds too late", unit="s", high=60.0, higher_is_better=False).worst
    60.0
    """

    name: str
    description: str
    unit: Literal["%", "s", "points"] = "%"
    decimals: int = 2
    low: float = 0.0
    high: float = 1.0
    higher_is_better: bool = True
    binary: bool = False
    optional: bool = False
    balanced: bool = False
    blind: bool = False

    @property
    def worst(self) -> float:
        """The value that a missing answer counts as: the worse of the bounds, or 0 where that is infinite.

        Where lower is better, 0 would be a gain: such a column of a metric must have a finite `high`.
        """
        bound = self.low if self.higher_is_better else self.high
        return bound if math.isfinite(bound) else 0.0


@dataclass(frozen=True)
class Gap:
    """Why an item has no value in a column. `unanswered`: the model owes an answer, which counts as missing.

    `unjudgeable`: nor would the reference have a value, so that the sample counts for no run beside another.

    >>> import ecva_bench as eb

    >>> eb.Gap("the answer names no time", unanswered=True).reason
    'the answer names no time'
    """

    reason: str
    unanswered: bool = False
    unjudgeable: bool = False


class Share(float):
    """A part of a whole that is not the same in each draw of answers, such as the answers that name a sub-class.

    Where questions are asked several times, an aggregate is the mean over draws of one answer to each. That of shares
    is the mean part over the mean whole, for a draw with a small whole says little.

    >>> import ecva_bench as eb

    >>> eb.Share(1, 4)
    0.25
    """

    part: float
    whole: float

    def __new__(cls, part: float, whole: float) -> Share:
        """Return the share; `whole` is above 0: leave out an aggregate that is a share of nothing."""
        share = super().__new__(cls, part / whole)
        share.part, share.whole = part, whole
        return share


def first_gap(gaps: Iterable[Gap]) -> Gap | None:
    """Return the gap that says why a column made of several parts has no value: what nobody's answer has goes first."""
    return min(gaps, key=lambda gap: not gap.unjudgeable, default=None)


@dataclass(frozen=True)
class Scorable:
    """An answer with everything a metric may compare it with; times in seconds.

    `candidate` is the answer's text as it is compared, `answer` as it is recorded, where that is known. `others` are
    the same model's answers to the same sample on the other views; None where one is owed and missing. `impossible`
    says why other views cannot be made of the video. `twins` are the same model's answers to the same question on
    the other videos of the clip, by video; None where one is owed and missing.

    >>> import ecva_bench as eb

    >>> item = eb.Scorable("key", "one/cause", "one", "cause", "full", candidate="A car.", reference="A car brakes.")
    >>> eb.get_scorer("rouge", eb.get_protocol("standard")).score([item])[0]["rouge1"]
    0.8
    """

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
    options: tuple[str, ...] = ()
    curve: tuple[tuple[float, float], ...] = ()
    duration: float | None = None
    others: Mapping[View, str | None] = field(default_factory=dict, hash=False)
    impossible: Mapping[View, str] = field(default_factory=dict, hash=False)
    answer: str | None = None
    twins: Mapping[str, Scorable | None] = field(default_factory=dict, hash=False)

    @property
    def text(self) -> str:
        """The answer as it is recorded: what readers read, so that the places they name are places in the record."""
        return self.candidate if self.answer is None else self.answer

    @classmethod
    def of(
        cls,
        answer: Answer,
        *,
        candidate: str,
        reference: str | None = None,
        others: Mapping[View, str | None] | None = None,
        impossible: Mapping[View, str] | None = None,
        twins: Mapping[str, Scorable | None] | None = None,
    ) -> Scorable:
        """Return the item of an answer record, with its texts, and those on the other views, as cleaned.

        `reference` is left out where it is the record's own.
        """
        return cls(
            key=answer.key,
            id=answer.id,
            video=answer.video,
            task=answer.task,
            view=answer.view,
            candidate=candidate,
            reference=answer.reference if reference is None else reference,
            key_sentences=answer.key_sentences,
            moments=answer.moments,
            label=answer.label,
            options=answer.options,
            curve=answer.curve,
            duration=answer.duration,
            others=others or {},
            impossible=impossible or {},
            answer=answer.answer,
            twins=twins or {},
        )


class Scorer(ABC):
    """A metric under a protocol. Subclasses give `name`, `tasks`, `columns` and `score`.

    `views` are those it scores on their own. `needs` names, by column, the edited view that it takes an answer from.
    One that `needs_judge` is made with a judge as second argument, and gets no shuffled-reference floor, which would
    double its calls; nor does one without `has_floor`, whose numbers do not come from the reference alone. For one that
    `stretches` references, those of other videos are brought to the video's duration. One that is `complete` has a
    value in each column for every sample without an obstacle, so that it need not be asked about missing answers.

    >>> import ecva_bench as eb

    >>> class Words(eb.Scorer):
    ...     name = "words"
    ...     tasks = ("cause",)
    ...     columns = (eb.Column("words", "how many words", unit="points", high=1000.0),)
    ...     def score(self, batch):
    ...         return [{"words": float(len(item.candidate.split()))} for item in batch]
    >>> outcome = eb.run("prompt-echo", tasks="cause", limit=1)
    >>> eb.score(outcome, scorers=Words).rows()[0]["metric"]
    'words'
    """

    name: ClassVar[str]
    tasks: ClassVar[tuple[str, ...]]
    columns: ClassVar[tuple[Column, ...]]
    aggregates: ClassVar[tuple[Column, ...]] = ()
    views: ClassVar[tuple[View, ...]] = VIEWS
    needs: ClassVar[Mapping[str, View]] = {}
    needs_judge: ClassVar[bool] = False
    has_floor: ClassVar[bool] = True
    stretches: ClassVar[bool] = False
    complete: ClassVar[bool] = False
    code: str = ""  # which file or package it is of, where not this project's; for `get_scorer` to set

    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol
        self.progress: ScoringProgress = silent

    def unavailable(self) -> str | None:
        """Return why this metric cannot be computed here without a download; None where it can."""
        return None

    @abstractmethod
    def score(self, batch: Sequence[Scorable]) -> list[dict[str, float]]:
        """Return the columns of each item, in order. A column that is absent is unscored, never 0."""

    def counts(self, video: str) -> bool:
        """Return whether answers about a video are items of this metric; one of pairs takes one video of each."""
        return True

    def obstacle(self, item: Scorable) -> str | None:
        """Return why nobody's answer to this item can be scored (the annotation lacks something), or None."""
        return None if item.reference.strip() else "no reference"

    def stratum(self, item: Scorable) -> str:
        """Return which stratum a sample is of, for balanced columns."""
        return ""

    def gaps(self, item: Scorable) -> Mapping[str, Gap]:
        """Return why columns that `score` left out of an item just scored have no value."""
        return {}

    def parts(self, item: Scorable) -> Mapping[str, JudgedPart]:
        """Return a judge's replies about an item just scored, for readers."""
        return {}

    def reading(self, item: Scorable) -> Reading | None:
        """Return how the text of an item just scored was read, where the metric reads something out of it."""
        return None

    def qualification(self, column: str) -> Qualification | None:
        """Return how well a judge tells right answers from wrong ones in a column, where it was asked that."""
        return None

    def summary(self, batch: Sequence[Scorable], values: Sequence[dict[str, float]]) -> dict[str, float]:
        """Return the columns in `aggregates`: numbers over all items that are no mean of item values.

        Where questions are asked several times, it is called with one answer to each, and the numbers are averaged. One
        that cannot be had is left out; it is then left out of the mean, too, unless it is a `Share`.
        """
        return {}

    def libraries(self) -> dict[str, str]:
        """Return the versions of packages that may move this metric's numbers in their last digits: of a network's."""
        return {}

    def settings(self) -> dict[str, str]:
        """Return the settings that move this metric's numbers, for the signature."""
        return {}

    def signature(self) -> str:
        """Return how the number was made, after sacrebleu: `bleu|n:4|tok:whitespace|…|v:0.1.0`."""
        settings = [f"{key}:{value}" for key, value in self.settings().items()]
        strip = "specials" if self.protocol.strip_special_tokens else "none"
        code = [self.code] if self.code else []
        return "|".join([self.name, *settings, *code, f"strip:{strip}", f"v:{__version__}"])
