"""Values of questions that were asked several times: the mean of each question, and how much its values differ.

Answers to one question are no further questions. What is averaged, resampled and counted is the mean of each question.
Resampling these by cluster gives an interval over questions and answers both, for the mean of few answers carries their
noise. Drawing answers anew within each drawn question would count it twice (Davison and Hinkley 1997, section 3.8).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from .intervals import Estimate, estimate

_ROUNDING = 1e-9  # values that differ by no more are equal


@dataclass(frozen=True)
class WithinQuestions:
    """`changed` is the share of questions whose values are not all equal, `deviation` their mean standard deviation.

    Only questions with two values or more count; without one, `deviation` is None.
    """

    changed: Estimate
    deviation: float | None


def question_means(values: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Return the mean of the values of each question that has any."""
    return {question: math.fsum(some) / len(some) for question, some in values.items() if some}


def spread_within(
    values: Mapping[str, Sequence[float]], clusters: Mapping[str, Hashable], *, seed: int, draws: int
) -> WithinQuestions:
    """Return how much the values of one question differ; `clusters` are the videos, by question."""
    several = {question: some for question, some in values.items() if len(some) > 1}
    changed = [float(max(some) - min(some) > _ROUNDING) for some in several.values()]
    deviations = [statistics.stdev(some) for some in several.values()]
    return WithinQuestions(
        estimate(changed, [clusters[question] for question in several], seed=seed, draws=draws),
        math.fsum(deviations) / len(deviations) if deviations else None,
    )
