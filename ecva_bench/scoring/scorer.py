"""The interface of a metric: its columns, the scoring of items, and the signature of its numbers.

Knows no metric, no file and no statistics. A new metric is one module with a `Scorer` in it and one entry-point
line in the group `ecva_bench.scorers`.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from copy import copy
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Union, get_args, get_type_hints

from .. import registry
from ..errors import EcvaError, ScoringError, UsageError
from ..judging import Judge
from ..records import Label, Moment
from ..records.answers import Answer
from ..records.base import VIEWS, View, sha256_of
from ..records.scores import JudgedPart, Reading
from ..registry.source_files import attributes, error_line
from ..tasks import TASKS
from ..version import __version__
from .protocol import Protocol

SCORER_GROUP = "ecva_bench.scorers"
_NAME = re.compile(r"[\w.-]+")

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
    is left out where no item has it. The mean of a `balanced` one is the mean over the scorer's strata; it is left out
    where there is one stratum. A `blind` aggregate is what a rule that never looks reaches in the first column.

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

    >>> import ecva_bench as eb

    >>> eb.Gap("the answer names no time", unanswered=True).reason
    'the answer names no time'
    """

    reason: str
    unanswered: bool = False


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
        others: Mapping[View, str | None] | None = None,
        impossible: Mapping[View, str] | None = None,
        twins: Mapping[str, Scorable | None] | None = None,
    ) -> Scorable:
        """Return the item of an answer record, with its text, and those on the other views, as cleaned."""
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
    `stretches` references, those of other videos are brought to the video's duration.

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

    def summary(self, batch: Sequence[Scorable], values: Sequence[dict[str, float]]) -> dict[str, float]:
        """Return the columns in `aggregates`: numbers over all items that are no mean of item values."""
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


def available() -> list[str]:
    """Return the names of all installed scorers, sorted; none is imported."""
    return registry.names(SCORER_GROUP)


def get_scorer(scorer: ScorerSource, protocol: Protocol, judge: Judge | None = None) -> Scorer:
    """Return a scorer that is ready to score under a protocol; of an instance that is given, a copy.

    Raises `UsageError` for an unknown name, for what is no scorer, and where it needs a judge and `judge` is None;
    `ScoringError` where it cannot be made.

    >>> import ecva_bench as eb

    >>> [column.name for column in eb.get_scorer("rouge", eb.get_protocol("standard")).columns]
    ['rouge1', 'rouge2', 'rougeL']
    """
    found = registry.resolve(SCORER_GROUP, scorer)
    made = _made(found, protocol, judge)
    made.code = found.code + _made_with(found)
    return made


def _made_with(found: registry.Plugin) -> str:
    """Return a hash of what an instance was made with that does not say its settings, as `+HASH`; else nothing.

    Raises `UsageError` where two such instances could not be told apart.
    """
    scorer = found.value
    if not isinstance(scorer, Scorer) or type(scorer).settings is not Scorer.settings:
        return ""
    try:
        values = attributes(scorer, but=("protocol", "progress", "code"))
    except TypeError as error:
        raise found.unfit(
            f"two of them could not be told apart ({error}, and it has no settings): give it settings()"
        ) from None
    return f"+{sha256_of(values)[:8]}" if values else ""


def needs_judge(scorer: ScorerSource) -> bool:
    """Return whether a scorer needs a judge; raises as `get_scorer` does."""
    return scorer_class(scorer).needs_judge


def scorer_class(scorer: ScorerSource) -> type[Scorer]:
    """Return the class of a scorer; `UsageError` where there is none of the name, or it is no scorer."""
    return _class_of(registry.resolve(SCORER_GROUP, scorer))


def _class_of(found: registry.Plugin) -> type[Scorer]:
    kind = found.value if isinstance(found.value, type) else type(found.value)
    found.has("score", "batch", of=kind)
    if not issubclass(kind, Scorer):
        raise found.unfit("it does not derive from ecva_bench.Scorer")
    for part, example in (("name", '"my-metric"'), ("tasks", '("cause",)'), ("columns", '(Column("x", "what x is"),)')):
        value = getattr(kind, part, None)
        if type(value) is not (str if part == "name" else tuple) or not value:
            raise found.unfit(f"it has no {part}, or of another type: write {part} = {example}")
    if not all(isinstance(column, Column) for column in kind.columns):
        raise found.unfit("its columns are no Column objects")
    if unknown := ", ".join(str(task) for task in kind.tasks if task not in TASKS):
        raise found.unfit(f"there is no task {unknown}: its tasks may be {', '.join(TASKS)}")
    if not _NAME.fullmatch(kind.name):  # a signature is divided by | and :
        raise found.unfit(f"its name {kind.name!r} may have letters, digits, dots, dashes and underscores")
    for column in (*kind.columns, *kind.aggregates):
        _check_column(found, column, of_items=column in kind.columns)
    for method in ("obstacle", "gaps", "parts", "reading"):
        found.has(method, "item", of=kind)
    found.has("settings", of=kind)
    return kind


def _check_column(found: registry.Plugin, column: Column, *, of_items: bool) -> None:
    if column.unit not in get_args(get_type_hints(Column)["unit"]):
        raise found.unfit(f"its column {column.name} is in {column.unit!r}: a unit is %, s or points")
    if not column.low < column.high:
        raise found.unfit(
            f"its column {column.name} has the bounds {column.low:g} and {column.high:g}: low is below high"
        )
    if of_items and not column.higher_is_better and math.isinf(column.high):
        what = (
            f"lower is better in its column {column.name}, and there is no worst value that a missing answer counts as"
        )
        raise found.unfit(f"{what}: give it a finite high")


def _made(found: registry.Plugin, protocol: Protocol, judge: Judge | None) -> Scorer:
    kind = _class_of(found)
    if isinstance(found.value, Scorer):
        made = copy(found.value)
        made.protocol = protocol
        return made
    if kind.needs_judge and judge is None:
        raise UsageError(f"the scorer {found.name!r} needs a judge", remedy="name one with --judge")
    try:
        return kind(protocol, judge) if kind.needs_judge else kind(protocol)  # type: ignore[call-arg] # as it promises
    except (EcvaError, ImportError, OSError):
        raise
    except (Exception, SystemExit) as error:
        remedy = "mend it; it is made with the protocol alone, and hands it on: super().__init__(protocol)"
        raise ScoringError(f"the scorer cannot be made ({error_line(error)})", found.label, remedy) from error
