"""How far several ratings of the same items agree, with and without a correction for chance.

Ratings are a table [items, raters] of numbers, None where a rater gave none. Every function returns None where
its coefficient is undefined, and never NaN; when that is, its docstring says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Literal

import numpy as np
import numpy.typing as npt

from .intervals import DRAWS, LEVEL

Ratings = Sequence[Sequence[float | None]]
# Of a scale, or the distance of two ratings: 0 where they are the same, and what counts as disagreement else.
Level = Literal["nominal", "ordinal", "interval"] | Callable[[float, float], float]
_Array = npt.NDArray[np.float64]


def raw_agreement(ratings: Ratings) -> float | None:
    """Return the share of pairs of raters who agree, as a mean over items with at least two ratings, in [0, 1].

    Gwet 2014, eq. 5.2.7 (p_a). None where no item has two ratings.
    """
    counts, _ = _count_values(ratings)
    sizes = counts.sum(axis=1)
    counts, sizes = counts[sizes >= 2], sizes[sizes >= 2]
    if not len(sizes):
        return None
    return float(((counts * (counts - 1)).sum(axis=1) / (sizes * (sizes - 1))).mean())


def kappa(ratings: Ratings) -> float | None:
    """Return Cohen's kappa (1960) of two raters; of more, the mean over their pairs (Light 1971). In [-1, 1].

    A pair is compared on the items both rated. A pair that has none, or uses a single category, has no kappa and
    is left out; None where that leaves no pair. Where one category is frequent kappa is low however well the
    raters agree: read it beside `ac1`.
    """
    table = _as_table(ratings)
    found = [_cohen(table[:, i], table[:, j]) for i, j in combinations(range(table.shape[1]), 2)]
    defined = [value for value in found if value is not None]
    return sum(defined) / len(defined) if defined else None


def ac1(ratings: Ratings, *, categories: int) -> float | None:
    """Return Gwet's AC1 in [-1, 1], for a scale of so many categories, whether or not all of them were used.

    Gwet 2008, for any number of raters and missing ratings as in Gwet 2014, ch. 5. None where no item has two
    ratings, or the scale has a single category.
    """
    agreement = raw_agreement(ratings)
    if agreement is None or categories < 2:
        return None
    counts, _ = _count_values(ratings)
    counts = counts[counts.sum(axis=1) > 0]
    share = (counts / counts.sum(axis=1, keepdims=True)).mean(axis=0)
    chance = float((share * (1 - share)).sum()) / (categories - 1)
    return (agreement - chance) / (1 - chance)


def krippendorff_alpha(ratings: Ratings, *, level: Level) -> float | None:
    """Return Krippendorff's alpha, at most 1, for nominal, ordinal or interval ratings, some of them missing.

    Krippendorff 2011, "Computing Krippendorff's alpha-reliability". None where no item has two ratings, or all
    ratings are the same number: then nothing could have been confused.
    """
    counts, values = _count_values(ratings)
    return _alpha(_coincidences(counts), _distances_of(values, level))


def alpha_interval(
    ratings: Ratings, *, level: Level, seed: int, draws: int = DRAWS, confidence: float = LEVEL
) -> tuple[float, float] | None:
    """Return the percentile bootstrap interval of `krippendorff_alpha`, drawn by item; None with fewer than two items.

    A draw that has no alpha is left out; None where no draw has one.
    """
    kinds = Counter(tuple(item) for item in ratings)  # items rated alike are drawn together
    total = sum(kinds.values())
    if total < 2:
        return None
    counts, values = _count_values(list(kinds))
    each = np.array([_coincidences(row[None]) for row in counts])
    shares = np.array(list(kinds.values())) / total
    drawn = np.random.default_rng(seed).multinomial(total, shares, size=draws)
    distances = _distances_of(values, level)
    found = [_alpha(np.tensordot(times, each, 1), distances) for times in drawn]
    defined = [alpha for alpha in found if alpha is not None]
    if not defined:
        return None
    tail = (1 - confidence) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return float(low), float(high)


def _coincidences(counts: _Array) -> _Array:
    """Return how often two values meet in an item [values, values], from how often each item has them."""
    sizes = counts.sum(axis=1)
    counts, sizes = counts[sizes >= 2], sizes[sizes >= 2]
    weighted = counts / (sizes - 1)[:, None]
    return np.asarray(weighted.T @ counts - np.diag(weighted.sum(axis=0)))


def _alpha(coincidences: _Array, distances: Callable[[_Array], _Array]) -> float | None:
    totals = coincidences.sum(axis=0)
    distance = distances(totals)
    expected = float((np.outer(totals, totals) * distance).sum())
    if not expected:
        return None
    return 1 - float((totals.sum() - 1) * (coincidences * distance).sum()) / expected


def icc(ratings: Ratings) -> tuple[float, float] | None:
    """Return ICC(2,1) and ICC(2,k), at most 1: how reliable one rating is, and the mean of all k (absolute agreement).

    Shrout and Fleiss 1979, two-way random effects. Items with a missing rating are left out. None with fewer than
    two items or raters, or where the estimated variance is not above 0, as when all ratings are the same.
    """
    table = _as_table(ratings)
    table = table[~np.isnan(table).any(axis=1)]
    n, k = table.shape
    if n < 2 or k < 2:
        return None
    items, raters = table.mean(axis=1), table.mean(axis=0)
    between_items = k * ((items - table.mean()) ** 2).sum() / (n - 1)
    between_raters = n * ((raters - table.mean()) ** 2).sum() / (k - 1)
    residual = table - items[:, None] - raters[None, :] + table.mean()
    error = (residual**2).sum() / ((n - 1) * (k - 1))
    single = between_items + (k - 1) * error + k * (between_raters - error) / n
    average = between_items + (between_raters - error) / n
    if min(single, average) <= 1e-12 * max(1.0, float((table**2).max())):
        return None
    return float((between_items - error) / single), float((between_items - error) / average)


def _cohen(a: _Array, b: _Array) -> float | None:
    both = ~np.isnan(a) & ~np.isnan(b)
    a, b = a[both], b[both]
    if not len(a):
        return None
    chance = sum(float((a == value).mean() * (b == value).mean()) for value in np.union1d(a, b))
    return (float((a == b).mean()) - chance) / (1 - chance) if len(np.union1d(a, b)) > 1 else None


def _as_table(ratings: Ratings) -> _Array:
    """Return the ratings as an array [items, raters], NaN for None."""
    rows = [[np.nan if rating is None else float(rating) for rating in item] for item in ratings]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(rows[0]) if rows else 0)


def _count_values(ratings: Ratings) -> tuple[_Array, _Array]:
    """Return how often each item got each value [items, values], and the values in order [values]."""
    table = _as_table(ratings)
    values = np.unique(table[~np.isnan(table)])
    return (table[:, :, None] == values).sum(axis=1).astype(np.float64), values


def _distances_of(values: _Array, level: Level) -> Callable[[_Array], _Array]:
    """Return what gives the squared distance of each pair of values [values, values].

    It is called with how many ratings of each value can be paired [values].
    """
    if level == "ordinal":
        # On an ordinal scale two values are as far apart as there are ratings from the one to the other.
        return lambda totals: _squares(np.cumsum(totals) - totals / 2)
    if callable(level):
        size = len(values)
        fixed = np.array([[level(a, b) for b in values.tolist()] for a in values.tolist()]).reshape(size, size)
    else:
        fixed = 1.0 - np.eye(len(values)) if level == "nominal" else _squares(values)
    return lambda _: fixed


def _squares(places: _Array) -> _Array:
    return np.asarray((places[:, None] - places[None, :]) ** 2)
