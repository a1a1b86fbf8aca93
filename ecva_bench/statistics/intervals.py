"""Bootstrap intervals of means.

Questions about one video share its difficulty, so whole clusters (videos) are drawn, not single values: intervals that
treat values as independent are too narrow.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

DRAWS = 2_000
LEVEL = 0.95
CELLS_AT_ONCE = 200_000  # draws are made in parts that stay in the processor's cache


@dataclass(frozen=True)
class Estimate:
    """A mean over `n` values with its interval; None where there are too few values to have one."""

    n: int
    mean: float | None
    interval: tuple[float, float] | None


def estimate(
    values: Sequence[float], clusters: Sequence[Hashable], *, seed: int, draws: int = DRAWS, level: float = LEVEL
) -> Estimate:
    """Return the mean of `values` with its bootstrap interval, drawn by cluster; both sequences are equally long."""
    return Estimate(
        len(values), mean_of(values), bootstrap_interval(values, clusters, seed=seed, draws=draws, level=level)
    )


def bootstrap_interval(
    values: Sequence[float],
    clusters: Sequence[Hashable],
    *,
    seed: int,
    strata: Sequence[str] = (),
    draws: int = DRAWS,
    level: float = LEVEL,
) -> tuple[float, float] | None:
    """Return the percentile bootstrap interval of the mean of `values`, drawn by cluster.

    With `strata`, one for each value, it is that of their `balanced_mean`; draws that lack a stratum are left out.

    `values` and `clusters` are equally long; a draw takes as many clusters as there are, with replacement, and
    averages all their values (Efron and Tibshirani 1993, ch. 13). The same input in any order gives the same
    interval. None with fewer than two clusters, for then nothing is known about spread.
    """
    parts = [cluster_sums(part, clusters) for part in _by_stratum(values, strata)] if strata else []
    parts = parts or [cluster_sums(values, clusters)]
    count = len(parts[0][0])
    if count < 2:
        return None
    random = np.random.default_rng(seed)
    means = []
    rows = max(1, CELLS_AT_ONCE // count)
    for first in range(0, draws, rows):
        drawn = random.integers(count, size=(min(rows, draws - first), count))
        with np.errstate(invalid="ignore"):
            of_parts = [totals.take(drawn).sum(axis=1) / sizes.take(drawn).sum(axis=1) for totals, sizes in parts]
        means.append(of_parts[0] if len(of_parts) == 1 else np.mean(of_parts, axis=0))
    found = np.concatenate(means)
    tail = (1 - level) / 2
    low, high = np.quantile(found[~np.isnan(found)], [tail, 1 - tail])
    return float(low), float(high)


def mean_of(values: Sequence[float], strata: Sequence[str] = ()) -> float | None:
    """Return the mean of `values`, None of none; with `strata`, one for each value, their `balanced_mean`."""
    if strata:
        return balanced_mean(values, strata)
    return math.fsum(values) / len(values) if values else None


def balanced_mean(values: Sequence[float], strata: Sequence[str]) -> float | None:
    """Return the mean over the strata of the means in each; None with fewer than two.

    A value of the stratum "" is in every stratum: whose it is is not known.
    """
    parts = [[value for value in part if not math.isnan(value)] for part in _by_stratum(values, strata)]
    means = [math.fsum(part) / len(part) for part in parts]
    return math.fsum(means) / len(means) if len(means) > 1 else None


def _by_stratum(values: Sequence[float], strata: Sequence[str]) -> list[list[float]]:
    """Return the values of each stratum, in its place; nan in place of those of the others."""
    pairs = list(zip(values, strata, strict=True))
    return [[value if own in ("", name) else math.nan for value, own in pairs] for name in sorted({*strata} - {""})]


def cluster_sums(
    values: Sequence[float], clusters: Sequence[Hashable]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Return the sum of the values of each cluster, and how many they are: two arrays [clusters].

    Clusters come in the order of their names and values are added in order of size, so that the order of the
    input moves no bit. A value that is nan is none.
    """
    members: dict[Hashable, list[float]] = {}
    for value, cluster in sorted(zip(values, clusters, strict=True), key=lambda pair: (str(pair[1]), pair[0])):
        members.setdefault(cluster, [])
        members[cluster] += [] if math.isnan(value) else [value]
    totals = np.array([sum(found) for found in members.values()], dtype=np.float64)
    return totals, np.array([len(found) for found in members.values()], dtype=np.int64)


def cluster_counts(random: np.random.Generator, clusters: int, draws: int) -> npt.NDArray[np.float64]:
    """Return how often each cluster is in each of the next draws [draws, clusters]."""
    taken = random.integers(clusters, size=(draws, clusters)) + clusters * np.arange(draws)[:, None]
    return np.bincount(taken.ravel(), minlength=draws * clusters).reshape(draws, clusters).astype(np.float64)
