"""What a scorer's numbers over all items are where questions were asked several times: the means over draws.

A draw has one answer to each question that was answered, as a run that asks once. So each question weighs the same, and
what depends on questions alone, such as a majority, is the same in every draw. Answers to one question are never
compared with each other: a ROC area over all answers would rank those to one video among each other, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise

from ..records.annotations import question_of
from ..wording import counted
from .checks import checked_summary
from .scorer import Column, Scorable, Scorer, Share


def aggregates_of(
    scorer: Scorer, batch: Sequence[Scorable], values: Sequence[dict[str, float]]
) -> tuple[dict[str, float], dict[str, str]]:
    """Return a scorer's aggregates by column, and of those left out since some draw has none the reason."""
    found: dict[str, list[tuple[Fraction, float]]] = {}
    draws = list(draws_of([item.id for item in batch]))
    for weight, places in draws:
        of_draw = checked_summary(scorer, [batch[place] for place in places], [values[place] for place in places])
        for name, value in of_draw.items():
            found.setdefault(name, []).append((weight, value))
    given = [column for column in scorer.aggregates if column.name in found]
    lacking = {
        column.name: f"only {len(there)} of {counted(len(draws), 'draw')} of one answer to each question have it"
        for column in given
        if len(there := found[column.name]) < len(draws) and not all(isinstance(value, Share) for _, value in there)
    }
    means = {column.name: _mean(found[column.name]) for column in given if column.name not in lacking}
    return {column.name: means[column.name] for column in given if _is_shown(column, means)}, lacking


def draws_of(samples: Sequence[str]) -> Iterator[tuple[Fraction, list[int]]]:
    """Yield (weight, places of one sample of each question); the weights sum to 1.

    Where each question has n answers there are n draws: the first answers, the second ones, and so on. Where some have
    fewer, the draws are cut so that all answers to one question weigh the same: one of two stands in the first half.
    """
    questions: dict[str, list[int]] = {}
    for place, sample in enumerate(samples):
        questions.setdefault(question_of(sample), []).append(place)
    counts = {len(places) for places in questions.values()}
    for low, high in pairwise(sorted({Fraction(number, count) for count in counts for number in range(count + 1)})):
        chosen = {count: int(low * count) for count in counts}
        yield high - low, [places[chosen[len(places)]] for places in questions.values()]


def _mean(found: Sequence[tuple[Fraction, float]]) -> float:
    """Return the weighted mean, exact, so that equal values keep their last digit; of shares, that of their parts."""
    wholes = [weight * Fraction(float(one.whole if isinstance(one, Share) else 1)) for weight, one in found]
    parts = [weight * Fraction(float(one.part if isinstance(one, Share) else one)) for weight, one in found]
    return float(sum(parts) / sum(wholes))


def _is_shown(column: Column, means: Mapping[str, float]) -> bool:
    return column.name in means and (not column.optional or means[column.name] != 0)
