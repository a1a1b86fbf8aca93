"""How well values tell two kinds of answers apart, with an interval: the area under the ROC curve, drawn by cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .intervals import DRAWS, LEVEL, cluster_counts


@dataclass(frozen=True)
class Separation:
    """The area under the ROC curve with its interval; None for fewer than two clusters."""

    mean: float
    interval: tuple[float, float] | None


def separation(
    right: Sequence[Sequence[float]],
    wrong: Sequence[Sequence[float]],
    *,
    seed: int,
    draws: int = DRAWS,
    level: float = LEVEL,
) -> Separation:
    """Return the share of pairs in which a right value is above a wrong one, of all clusters; ties count half.

    `right` and `wrong` are the values of each cluster, in the same order; each kind needs one. NaN, a value that could
    not be had, ties with all. The interval is the percentile bootstrap's, clusters drawn with replacement; draws
    without a pair are left out.
    """
    clusters = len(right)
    above, pairs = np.zeros((clusters, clusters)), np.zeros((clusters, clusters))
    for i, high in enumerate(right):
        for j, low in enumerate(wrong):
            difference = np.subtract.outer(np.asarray(high, dtype=np.float64), np.asarray(low, dtype=np.float64))
            above[i, j] = float((np.nan_to_num(np.sign(difference)) + 1).sum()) / 2
            pairs[i, j] = difference.size
    area = float(above.sum() / pairs.sum())
    if clusters < 2:
        return Separation(area, None)
    counts = cluster_counts(np.random.default_rng(seed), clusters, draws)
    won, played = (np.einsum("di,ij,dj->d", counts, some, counts) for some in (above, pairs))
    tail = (1 - level) / 2
    low_end, high_end = np.quantile(won[played > 0] / played[played > 0], [tail, 1 - tail])
    return Separation(area, (float(low_end), float(high_end)))
