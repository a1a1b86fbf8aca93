"""The binomial distribution, exactly."""

from __future__ import annotations

import math


def binomial_tail(hits: int, trials: int, chance: float) -> float:
    """Return the probability of at most so many hits in independent trials, each with a chance in (0, 1)."""
    logs = [
        math.lgamma(trials + 1)
        - math.lgamma(k + 1)
        - math.lgamma(trials - k + 1)
        + k * math.log(chance)
        + (trials - k) * math.log1p(-chance)
        for k in range(min(hits, trials) + 1)
    ]
    return min(1.0, math.fsum(map(math.exp, logs)))
