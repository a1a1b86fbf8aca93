"""What scorers give, checked against what they say of it: a faulty one is named, and not averaged."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..errors import EcvaError, ScoringError, UsageError
from ..records.scores import Scores
from ..records.verdicts import UNJUDGEABLE
from ..registry.source_files import error_line
from ..wording import counted
from .scorer import Column, Gap, Scorable, Scorer

_ROUNDING = 1e-6  # a sum of floats may pass its bound by so much of it


def idle_scorers(scores: Scores) -> dict[str, str]:
    """Return the scorers that gave no answer a value, each with the reason for its first answer."""
    scored = Counter[str]()
    for summary in scores.summaries:
        scored[summary.scorer] += summary.n
    reasons = {score.scorer: score.reason for score in reversed(scores.scores)}
    return {name: reasons.get(name, "there is no answer") for name, values in scored.items() if not values}


def checked_values(scorer: Scorer, batch: Sequence[Scorable]) -> list[dict[str, float]]:
    """Return what a scorer gives for a batch.

    Raises `ScoringError`, which names scorer, column and sample, where that is not one mapping for each item, from
    columns of the scorer to numbers within their bounds.
    """
    try:
        values = scorer.score(batch) if batch else []
    except (EcvaError, ImportError, OSError):
        raise
    except Exception as error:
        if not scorer.code:  # a fault of this project, which its whole traceback explains
            raise
        raise ScoringError(f"the scorer failed ({error_line(error)})", f"scorer {scorer.name!r}", "mend it") from error
    if not isinstance(values, list | tuple):
        what = f"scorer {scorer.name!r} gave {values!r:.200}"
        raise ScoringError(
            what, counted(len(batch), "item"), "it must give a list, with a dictionary for each item of the batch"
        )
    if len(values) != len(batch):
        raise ScoringError(
            f"{counted(len(values), 'score')} for {counted(len(batch), 'item')}",
            f"scorer {scorer.name!r}",
            "mend the scorer",
        )
    columns = {column.name: column for column in scorer.columns}
    for item, value in zip(batch, values, strict=True):
        _check(scorer, columns, value, f"{item.id} ({item.view})")
    return values


def checked_summary(
    scorer: Scorer, batch: Sequence[Scorable], values: Sequence[dict[str, float]]
) -> Mapping[str, float]:
    """Return what a scorer gives over all items; `ScoringError` where it is not of its aggregates or their bounds."""
    found = scorer.summary(batch, values)
    _check(scorer, {column.name: column for column in scorer.aggregates}, found, "the summary of all samples")
    return found


def checked_gaps(scorer: Scorer, item: Scorable) -> Mapping[str, Gap]:
    """Return what a scorer says of the columns it left out; `ScoringError` where that is no `Gap` by column.

    Its `reason` ends in `UNJUDGEABLE` where the gap is so, and nowhere else: a file of scores has nothing else that
    tells these apart, and a judge's reply may end in any words.
    """
    found = scorer.gaps(item)
    if not (isinstance(found, Mapping) and all(isinstance(gap, Gap) for gap in found.values())):
        what = f"gaps(item) of scorer {scorer.name!r} gave {found!r:.200}"
        raise ScoringError(what, f"{item.id} ({item.view})", 'it must give a Gap("why") by column')
    return {column: replace(gap, reason=_marked(gap)) for column, gap in found.items()}


def _marked(gap: Gap) -> str:
    reason = gap.reason
    while reason.endswith(UNJUDGEABLE):
        reason = reason.removesuffix(UNJUDGEABLE)
    return reason + UNJUDGEABLE * gap.unjudgeable


def check_distinct(scorers: Sequence[Scorer]) -> None:
    """Raise `UsageError` where two scorers have one name, or columns of one name: nobody could tell them apart."""
    for what, called in (
        ("scorers are", [scorer.name for scorer in scorers]),
        ("columns are", [column.name for scorer in scorers for column in (*scorer.columns, *scorer.aggregates)]),
    ):
        for name, count in Counter(called).items():
            if count > 1:
                raise UsageError(f"two {what} called {name!r}", remedy="rename yours, or score with one of them")


def _check(scorer: Scorer, columns: Mapping[str, Column], values: object, where: str) -> None:
    if not isinstance(values, Mapping):
        raise ScoringError(f"scorer {scorer.name!r} gave {values!r:.200}", where, "it must give numbers by column")
    for name, number in values.items():
        column = columns.get(name)
        if column is None:
            remedy = f"its columns are {', '.join(columns) or 'none'}"
            raise ScoringError(f"scorer {scorer.name!r} gave a column {name!r} that it does not have", where, remedy)
        # numpy's numbers are no float by type, and True is 1
        if not hasattr(number, "__float__") or not math.isfinite(number):
            remedy = "a scorer leaves out a column that it cannot compute"
            raise ScoringError(f"scorer {scorer.name!r} gave {number!r:.200} for {name!r}", where, remedy)
        slack = _ROUNDING * max(1.0, abs(column.low), abs(column.high)) if _bounded(column) else 0.0
        if not column.low - slack <= number <= column.high + slack:
            what = (
                f"scorer {scorer.name!r} gave {number} for {name!r}, which is not in [{column.low:g}, {column.high:g}]"
            )
            raise ScoringError(what, where, "give the column the bounds it has, low and high")


def _bounded(column: Column) -> bool:
    return math.isfinite(column.low) and math.isfinite(column.high)
