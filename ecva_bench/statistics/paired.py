"""The bootstrap of a mean of paired differences: intervals, one-sided p-values, and detectable differences.

The bootstrap draws clusters (videos), for questions about one video share its difficulty. Resamples of few clusters
spread too little: tails are widened to what Student's distribution would give (the expanded percentile interval,
Hesterberg 2015, "What teachers should know about the bootstrap", The American Statistician 69:4). Knows numbers only.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from .intervals import CELLS_AT_ONCE, LEVEL, balanced_mean, cluster_counts, cluster_sums

PAIRED_DRAWS = 10_000
POWER = 0.8
# With fewer, the resamples themselves are too few to have tails.
FEWEST_CLUSTERS = 5
_NORMAL = NormalDist()
_Array = npt.NDArray[np.float64]
_LEAST_Z = -8.0  # the last whose tail floating point tells from 0


@dataclass(frozen=True)
class PairedBootstrap:
    """The mean of `n` paired differences in `clusters` clusters, and its resamples in order of size [draws].

    `error` is the standard error. With fewer than `FEWEST_CLUSTERS`, it is None, there are no resamples, no interval,
    and every p-value is 1.
    """

    n: int
    clusters: int
    mean: float
    error: float | None
    means: npt.NDArray[np.float64]

    def interval(self, level: float = LEVEL) -> tuple[float, float] | None:
        """Return the interval that holds the true mean with probability `level`, both tails alike."""
        if self.error is None:
            return None
        tail = _NORMAL.cdf(_widened(_NORMAL.inv_cdf((1 - level) / 2), self.clusters))
        low, high = np.quantile(self.means, [tail, 1 - tail])
        return float(low), float(high)

    def p_at_least(self, threshold: float) -> float:
        """Return the one-sided p-value of a true mean at or above `threshold`: small where it is clearly below."""
        beyond = len(self.means) - int(np.searchsorted(self.means, threshold - self._slack(threshold), "left"))
        return self._p(beyond, threshold)

    def p_at_most(self, threshold: float) -> float:
        """Return the one-sided p-value of a true mean at or below `threshold`: small where it is clearly above."""
        return self._p(int(np.searchsorted(self.means, threshold + self._slack(threshold), "right")), threshold)

    def p_below(self, threshold: float) -> float:
        """Return the one-sided p-value of a true mean below `threshold`: small where it is clearly not below."""
        return self._p(int(np.searchsorted(self.means, threshold - self._slack(threshold), "left")), threshold)

    @property
    def p(self) -> float:
        """The two-sided p-value of a true mean of 0."""
        return min(1.0, 2 * min(self.p_at_least(0.0), self.p_at_most(0.0)))

    def _slack(self, threshold: float) -> float:
        """Return the rounding error of a mean: the order of addition changes its last bits."""
        return 1e-12 * max(1.0, abs(threshold))

    @property
    def least_p(self) -> float:
        """The least one-sided p-value that so many clusters can give; 1 where there are too few to have one.

        Without any true difference, all n clusters lie on one side with a probability of 2^-n.
        """
        return 1.0 if self.error is None else 2.0**-self.clusters

    def _p(self, beyond: int, threshold: float) -> float:
        """Return the p-value of a hypothesis that `beyond` of the resamples agree with, as far as its threshold."""
        if self.error is None:
            return 1.0
        share = (beyond + 1) / (len(self.means) + 1)
        if share >= 1:
            return 1.0
        z = _NORMAL.inv_cdf(share)
        if not beyond:
            z = max(z * self._times_beyond(threshold), _LEAST_Z)
        return max(self.least_p, _NORMAL.cdf(_narrowed(z, self.clusters)))

    def _times_beyond(self, threshold: float) -> float:
        """Return how many times farther from the mean a threshold lies than the last resample on its side.

        Thresholds beyond all resamples are not equally unlikely. If the number of resamples limited how small a p-value
        can be, nothing would remain significant after a correction for many comparisons. So the tail beyond the last
        resample is that of a normal distribution.
        """
        last = float(self.means[0] if threshold < self.mean else self.means[-1]) - self.mean
        return max(1.0, (threshold - self.mean) / last) if abs(last) > self._slack(threshold) else 1.0


@dataclass(frozen=True)
class PairedDifferences:
    """Paired differences, the cluster of each and, where their mean is balanced over strata, the stratum of each."""

    values: Sequence[float]
    clusters: Sequence[Hashable]
    strata: Sequence[str] = ()


def paired_bootstrap(
    differences: Sequence[float],
    clusters: Sequence[Hashable],
    *,
    seed: int,
    strata: Sequence[str] = (),
    draws: int = PAIRED_DRAWS,
) -> PairedBootstrap:
    """Return the bootstrap of the mean of paired differences; see `paired_bootstraps`."""
    return paired_bootstraps([PairedDifferences(differences, clusters, strata)], seed=seed, draws=draws)[0]


def paired_bootstraps(
    columns: Sequence[PairedDifferences], *, seed: int, draws: int = PAIRED_DRAWS
) -> list[PairedBootstrap]:
    """Return the bootstrap of the mean of each column of differences, drawn by cluster.

    With `strata` it is that of their `balanced_mean`: clusters are drawn within each stratum, those that have
    differences of several strata among themselves, and `clusters` of the result counts the fewest.

    The same input in any order gives the same resamples, and columns over as many clusters share their draws: it takes
    less time to ask for several columns together. Raises `ValueError` where a column has no difference, or a single
    stratum.
    """
    tables = [_tables(column) for column in columns]
    seeded = [(seed + number, table) for some in tables for number, table in enumerate(some)]
    sums = iter(_resampled_sums(seeded, draws))
    return [_bootstrap(column, some, [next(sums) for _ in some]) for column, some in zip(columns, tables, strict=True)]


def _bootstrap(column: PairedDifferences, tables: Sequence[_Array], sums: Sequence[_Array]) -> PairedBootstrap:
    """Return what the resampled sums and sizes of the strata, [draws, 2 x strata] for each table, come to."""
    n, fewest = len(column.values), min(map(len, tables))
    mean = balanced_mean(column.values, column.strata) if column.strata else math.fsum(column.values) / n
    if mean is None:
        raise ValueError("there is one stratum, and nothing to balance")
    if fewest < FEWEST_CLUSTERS:
        return PairedBootstrap(n, fewest, mean, None, np.empty(0))
    total = sum(sums[1:], sums[0])
    means = np.sort((total[:, 0::2] / total[:, 1::2]).mean(axis=1))
    error = float(means.std()) * math.sqrt(fewest / (fewest - 1))
    return PairedBootstrap(n, fewest, mean, error, means)


def _tables(column: PairedDifferences) -> list[_Array]:
    """Return the sum and the size of each stratum in each cluster, [clusters, 2 x strata].

    There is one table for all clusters that have differences of the same strata; without strata there is one.
    """
    if not column.values:
        raise ValueError("there is no difference to resample")
    strata = column.strata or [""] * len(column.values)
    names = sorted({*strata} - {""}) or [""]
    of: dict[Hashable, set[str]] = {}
    for cluster, own in zip(column.clusters, strata, strict=True):
        of.setdefault(cluster, set()).update([own] if own else names)
    kinds: dict[tuple[str, ...], list[int]] = {}
    for place, cluster in enumerate(column.clusters):
        kinds.setdefault(tuple(sorted(of[cluster])), []).append(place)
    return [_table(column, strata, names, places) for _, places in sorted(kinds.items())]


def _table(column: PairedDifferences, strata: Sequence[str], names: Sequence[str], places: Sequence[int]) -> _Array:
    clusters = [column.clusters[place] for place in places]
    sums = [
        of_stratum
        for name in names
        for of_stratum in cluster_sums(
            [column.values[place] if strata[place] in ("", name) else math.nan for place in places], clusters
        )
    ]
    return np.stack(sums, axis=1)


def detectable_effect(error: float, *, alpha: float, power: float = POWER) -> float:
    """Return the smallest true mean that a two-sided test at `alpha` finds with probability `power`."""
    return (_NORMAL.inv_cdf(1 - alpha / 2) + _NORMAL.inv_cdf(power)) * error


def detectable_drop(error: float, *, alpha: float, power: float = POWER) -> float:
    """Return the smallest tolerance that a one-sided test at `alpha` can clear with probability `power`.

    That is: where nothing has changed, how small a drop can be ruled out.
    """
    return (_NORMAL.inv_cdf(1 - alpha) + _NORMAL.inv_cdf(power)) * error


def clusters_needed(error: float, clusters: int, drop: float, *, alpha: float, power: float = POWER) -> int:
    """Return how many clusters it takes to rule out a drop this large, when `clusters` of them have this `error`."""
    return math.ceil(clusters * (detectable_drop(error, alpha=alpha, power=power) / drop) ** 2)


def _resampled_sums(tables: Sequence[tuple[int, _Array]], draws: int) -> list[_Array]:
    """Return the column sums [draws, columns] of resampled tables [clusters, columns], each with its seed.

    Tables of as many clusters and the same seed share their draws, which are never all in memory.
    """
    sums: list[_Array] = [np.empty((draws, table.shape[1])) for _, table in tables]
    alike: dict[tuple[int, int], list[int]] = {}
    for place, (seed, table) in enumerate(tables):
        if len(table) >= FEWEST_CLUSTERS:
            alike.setdefault((seed, len(table)), []).append(place)
    for (seed, clusters), places in alike.items():
        random = np.random.default_rng(seed)
        rows = max(1, CELLS_AT_ONCE // clusters)
        for first in range(0, draws, rows):
            counts = cluster_counts(random, clusters, min(rows, draws - first))
            for place in places:
                sums[place][first : first + rows] = counts @ tables[place][1]
    return sums


# Between normal and Student quantiles in closed form, either way: Gaver and Kafadar 1984, "A retrievable recipe for
# inverse t", The American Statistician 38:4. The bootstrap's own spread is too small by sqrt((n - 1) / n).
def _widened(z: float, clusters: int) -> float:
    """Return the normal quantile of a bootstrap tail whose Student tail is that of `z`."""
    freedom = clusters - 1
    t = math.sqrt(freedom * math.expm1(z * z * (freedom - 1.5) / (freedom - 1) ** 2))
    return math.copysign(t * math.sqrt(clusters / freedom), z)


def _narrowed(z: float, clusters: int) -> float:
    """Return the normal quantile whose Student tail a bootstrap tail of `z` has: the inverse of `_widened`."""
    freedom = clusters - 1
    t = z * math.sqrt(freedom / clusters)
    return math.copysign((freedom - 1) * math.sqrt(math.log1p(t * t / freedom) / (freedom - 1.5)), z)
