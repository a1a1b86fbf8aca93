"""How sure a mean is. Knows numbers and clusters, and nothing of answers, videos or metrics.

Questions about one video share its difficulty, so the unit that is drawn is the cluster (the video), never the
single value: intervals over values as if independent come out too narrow.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

DRAWS = 2_000
LEVEL = 0.95
_CELLS_AT_ONCE = 2_000_000


def bootstrap_interval(
    values: Sequence[float],
    clusters: Sequence[Hashable],
    *,
    seed: int,
    draws: int = DRAWS,
    level: float = LEVEL,
) -> tuple[float, float] | None:
    """Return the percentile bootstrap interval of the mean of `values`, drawn by cluster.

    `values` and `clusters` are equally long; a draw takes as many clusters as there are, with replacement, and
    averages all their values (Efron and Tibshirani 1993, ch. 13). The same input in any order gives the same
    interval. None with fewer than two clusters, for then nothing is known about spread.
    """
    sums: dict[Hashable, list[float]] = {}
    for value, cluster in sorted(zip(values, clusters, strict=True), key=lambda pair: (str(pair[1]), pair[0])):
        sums.setdefault(cluster, []).append(value)
    if len(sums) < 2:
        return None
    totals = np.array([sum(members) for members in sums.values()])
    sizes = np.array([len(members) for members in sums.values()])
    random = np.random.default_rng(seed)
    means = []
    rows = max(1, _CELLS_AT_ONCE // len(totals))
    for first in range(0, draws, rows):
        drawn = random.integers(len(totals), size=(min(rows, draws - first), len(totals)))
        means.append(totals[drawn].sum(axis=1) / sizes[drawn].sum(axis=1))
    tail = (1 - level) / 2
    low, high = np.quantile(np.concatenate(means), [tail, 1 - tail])
    return float(low), float(high)
