"""Ranks of means with their uncertainty: an interval of ranks, and groups within which no difference is shown.

All means are resampled together, with the same clusters, so that a cluster that is hard for everyone changes no rank.
Higher is better.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .intervals import DRAWS, LEVEL

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


def standings(
    values: Sequence[Mapping[str, float]],
    *,
    seed: int,
    clusters: Mapping[str, str] | None = None,
    strata: Mapping[str, str] | None = None,
    draws: int = DRAWS,
    level: float = LEVEL,
) -> list[Standing]:
    """Return the standing of each entrant, in the order given; `values` holds the entrants' values by item.

    `clusters` names each item's cluster; without it every item is one. With `strata`, by item, a mean is the mean over
    strata of the means in each; an item of the stratum "" is in all. A draw takes as many clusters as there are, with
    replacement and the same for all; a cluster that an entrant lacks is left out of its mean. Two entrants differ where
    the percentile interval of the difference of their means does not contain 0: pair by pair, not corrected for the
    number of pairs. With fewer than two clusters the spread is unknown, and no two entrants differ.
    """
    items = sorted({item for own in values for item in own})
    if not values or not items:
        return [Standing(1, (1, len(values)), 1) for _ in values]
    table = np.array([[own.get(item, np.nan) for own in values] for item in items], dtype=np.float64)
    named = sorted({(clusters or {}).get(item, item) for item in items})
    numbers = {name: number for number, name in enumerate(named)}
    member = np.array([numbers[(clusters or {}).get(item, item)] for item in items])
    own = [(strata or {}).get(item, "") for item in items]
    parts = [[stratum in ("", name) for stratum in own] for name in sorted({*own} - {""})] or [[True] * len(items)]
    rows = [np.flatnonzero(part) for part in parts]
    weights = _draws(len(named), seed, draws)[:, member]
    means = np.mean([_means(table[part], np.ones((1, len(part)))) for part in rows], axis=0)
    drawn = np.mean([_means(table[part], weights[:, part]) for part in rows], axis=0)
    tail = (1 - level) / 2
    ranks = np.quantile(_ranks(drawn), [tail, 1 - tail], axis=0, method="inverted_cdf")
    known = len(named) > 1
    groups = _groups(means[0], drawn, tail) if known else [1] * len(values)
    return [
        Standing(int(rank), (int(low), int(high)) if known else (1, len(values)), group)
        for rank, low, high, group in zip(_ranks(means)[0], *ranks, groups, strict=True)
    ]


def _draws(clusters: int, seed: int, draws: int) -> _Array:
    """Return how often each cluster is taken in each draw [draws, clusters]."""
    random = np.random.default_rng(seed)
    taken = random.integers(clusters, size=(draws, clusters)) + clusters * np.arange(draws)[:, None]
    return np.bincount(taken.ravel(), minlength=draws * clusters).reshape(draws, clusters).astype(np.float64)


def _means(table: _Array, weights: _Array) -> _Array:
    """Return the mean of each entrant in each draw [draws, entrants]; nothing to average is worse than anything."""
    there = ~np.isnan(table)
    totals, sizes = weights @ np.where(there, table, 0.0), weights @ there  # of an item, its cluster's weight
    return np.where(sizes > 0, totals / np.maximum(sizes, 1), NOTHING)


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
