"""Ranks of means with their uncertainty: an interval of ranks, and groups within which no difference is shown.

All means are resampled together, with the same clusters, so that a cluster that is hard for everyone changes no rank.
Higher is better.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from .intervals import CELLS_AT_ONCE, DRAWS, LEVEL, cluster_counts

# Means that differ by less are equal: the order in which a machine adds must not move a place.
EQUAL = 1e-9
# The mean of nothing: worse than any, and still a number that can be subtracted from its like.
NOTHING = -1e100
_Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Standing:
    """A rank from 1 (equal means share the best one), its interval from resampling the clusters, and a tie group.

    Group 1 holds the best and all that do not differ from it significantly, group 2 the best of the others, and so on.
    """

    rank: int
    interval: tuple[int, int]
    group: int


@dataclass(frozen=True)
class RankedColumn:
    """The values of the entrants by item, with the cluster and, where means are balanced, the stratum of each item."""

    values: Sequence[Mapping[str, float]]
    clusters: Mapping[str, str] = field(default_factory=dict)
    strata: Mapping[str, str] = field(default_factory=dict)


def standings(
    columns: Sequence[RankedColumn], *, seed: int, draws: int = DRAWS, level: float = LEVEL
) -> list[list[Standing]]:
    """Return the standings of the entrants in each column, in the order given.

    An item without a cluster is one of its own. With strata, a mean is the mean over strata of the means in each; an
    item of the stratum "" is in all. A draw takes as many clusters as there are, with
    replacement and the same for all; a cluster that an entrant lacks is left out of its mean. Two entrants differ where
    the percentile interval of the difference of their means does not contain 0: pair by pair, not corrected for the
    number of pairs. With fewer than two clusters the spread is unknown, and no two entrants differ. Columns over as
    many clusters share their draws.
    """
    tables = [_table(column) for column in columns]
    drawn = _drawn_means(tables, seed, draws)
    return [
        _standings(column, table, means, level) for column, table, means in zip(columns, tables, drawn, strict=True)
    ]


def _standings(column: RankedColumn, table: _Array, drawn: _Array, level: float) -> list[Standing]:
    count = len(column.values)
    if table.size == 0:
        return [Standing(1, (1, count), 1)] * count
    means = _means(table, np.ones((1, table.shape[1])))
    tail = (1 - level) / 2
    ranks = np.quantile(_ranks(drawn), [tail, 1 - tail], axis=0, method="inverted_cdf")
    known = table.shape[1] > 1
    groups = _groups(means[0], drawn, tail) if known else [1] * count
    return [
        Standing(int(rank), (int(low), int(high)) if known else (1, count), group)
        for rank, low, high, group in zip(_ranks(means)[0], *ranks, groups, strict=True)
    ]


def _table(column: RankedColumn) -> _Array:
    """Return the sums of values and the numbers of values [strata, clusters, 2 x entrants]."""
    items = sorted({item for own in column.values for item in own})
    named = sorted({column.clusters.get(item, item) for item in items})
    numbers = {name: number for number, name in enumerate(named)}
    member = np.array([numbers[column.clusters.get(item, item)] for item in items], dtype=np.int64)
    values = np.array([[own.get(item, np.nan) for own in column.values] for item in items], dtype=np.float64)
    there = ~np.isnan(values)
    cells = np.concatenate([np.where(there, values, 0.0), there], axis=1) if items else np.empty((0, 0))
    own = [column.strata.get(item, "") for item in items]
    parts = [[stratum in ("", name) for stratum in own] for name in sorted({*own} - {""})] or [[True] * len(items)]
    table = np.zeros((len(parts), len(named), cells.shape[1]))
    for number, part in enumerate(parts):
        np.add.at(table[number], member[part], cells[part])
    return table


def _drawn_means(tables: Sequence[_Array], seed: int, draws: int) -> list[_Array]:
    """Return the mean of each entrant in each draw [draws, entrants], for each table; draws are never all in memory."""
    drawn: list[_Array] = [np.empty((draws, table.shape[2] // 2)) for table in tables]
    for clusters in {table.shape[1] for table in tables} - {0}:
        random = np.random.default_rng(seed)
        rows = max(1, CELLS_AT_ONCE // clusters)
        for first in range(0, draws, rows):
            weights = cluster_counts(random, clusters, min(rows, draws - first))
            for table, means in zip(tables, drawn, strict=True):
                if table.shape[1] == clusters:
                    means[first : first + rows] = _means(table, weights)
    return drawn


def _means(table: _Array, weights: _Array) -> _Array:
    """Return the mean of each entrant in each draw [draws, entrants]; nothing to average is worse than anything."""
    sums = weights @ table  # of each stratum
    totals, sizes = np.split(sums, 2, axis=2)
    means: _Array = np.where(sizes > 0, totals / np.maximum(sizes, 1), NOTHING).mean(axis=0)
    return means


def _ranks(means: _Array) -> npt.NDArray[np.int64]:
    """Return 1 and the number of entrants that are better, in each draw [draws, entrants]."""
    better = means[:, None, :] > means[:, :, None] + EQUAL
    return np.asarray(1 + better.sum(axis=2))


def _groups(means: _Array, drawn: _Array, tail: float) -> list[int]:
    groups = [0] * len(means)
    number = 0
    for leader in np.argsort(-means, kind="stable"):
        if groups[leader]:
            continue
        number += 1
        for other, group in enumerate(groups):
            lead = drawn[:, leader] - drawn[:, other]
            if not group and (other == leader or np.quantile(lead, tail, method="inverted_cdf") <= EQUAL):
                groups[other] = number
    return groups
