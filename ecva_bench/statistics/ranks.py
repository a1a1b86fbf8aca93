"""How alike two or more orderings are. Ties are ties: equal values share the mean of the ranks they take up."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence

import numpy as np

_ROWS = 1024  # pairs of so many values with all others are held in memory at once


def midranks(values: Sequence[float]) -> list[float]:
    """Return the rank of each value from 1, smallest first; equal values share the mean of their ranks."""
    ordered = sorted(values)
    return [(bisect_left(ordered, value) + bisect_right(ordered, value) + 1) / 2 for value in values]


def tau_b(a: Sequence[float], b: Sequence[float]) -> float:
    """Return Kendall's tau-b of two equally long sequences, in [-1, 1] (Kendall 1945).

    0 where either has all its values tied, or fewer than two: such a sequence orders nothing.
    """
    one, other = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    both = first = second = 0.0
    for start in range(0, len(one), _ROWS):
        rows = slice(start, start + _ROWS)
        x, y = np.sign(one[rows, None] - one[None, :]), np.sign(other[rows, None] - other[None, :])
        both, first, second = both + float((x * y).sum()), first + float((x * x).sum()), second + float((y * y).sum())
    scale = np.sqrt(first * second)
    return float(both / scale) if scale else 0.0


def kendall_w(rankings: Sequence[Sequence[float]]) -> float | None:
    """Return Kendall's coefficient of concordance of m rankings of n objects [m, n], in [0, 1], ties corrected.

    Kendall and Babington Smith 1939; Siegel and Castellan 1988, eq. 9.18. None with fewer than two rankings or
    objects, or where every ranking ties all objects.
    """
    m, n = len(rankings), len(rankings[0]) if rankings else 0
    if m < 2 or n < 2:
        return None
    sums = np.sum([midranks(ranking) for ranking in rankings], axis=0)
    spread = float(((sums - sums.mean()) ** 2).sum())
    largest = m * m * (n**3 - n) - m * sum(_tie_term(ranking) for ranking in rankings)
    return 12 * spread / largest if largest else None


def pearson(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Return the correlation of two equally long sequences; None where one is constant or shorter than two."""
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    x, y = x - x.mean(), y - y.mean()
    return float((x @ y) / np.sqrt((x @ x) * (y @ y)))


def spearman(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Return the correlation of the ranks of two equally long sequences; None as for `pearson`."""
    return pearson(midranks(a), midranks(b))


def _tie_term(ranking: Sequence[float]) -> int:
    return sum(count**3 - count for count in Counter(ranking).values())
