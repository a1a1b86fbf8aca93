"""Scorers made from what a user names: an installed one, a file's, a class or an instance, checked for the interface.

Knows no metric and no statistics, and computes nothing.
"""

from __future__ import annotations

import math
import re
from copy import copy
from typing import get_args, get_type_hints

from .. import registry
from ..errors import EcvaError, ScoringError, UsageError
from ..judging import Judge
from ..records.base import sha256_of
from ..registry.source_files import attributes, error_line
from ..tasks import TASKS
from .protocol import Protocol
from .scorer import Column, Scorer, ScorerSource

SCORER_GROUP = "ecva_bench.scorers"
_NAME = re.compile(r"[\w.-]+")


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
        with registry.no_exit(ScoringError, found.label):
            return kind(protocol, judge) if kind.needs_judge else kind(protocol)  # type: ignore[call-arg] # as it promises
    except (EcvaError, ImportError, OSError):
        raise
    except Exception as error:
        remedy = "mend it; it is made with the protocol alone, and hands it on: super().__init__(protocol)"
        raise ScoringError(f"the scorer cannot be made ({error_line(error)})", found.label, remedy) from error
