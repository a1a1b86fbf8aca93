"""Whether two means over the same items differ: paired, by cluster, corrected for how many pairs are compared."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from .intervals import CELLS_AT_ONCE, DRAWS, cluster_sums
from .paired import paired_bootstrap


@dataclass(frozen=True)
class Difference:
    """The mean of `n` paired differences, its interval, and the two-sided p-value of its being 0."""

    n: int
    mean: float
    interval: tuple[float, float] | None
    p: float


def paired_difference(
    *, base: Sequence[float], new: Sequence[float], clusters: Sequence[Hashable], seed: int, draws: int = DRAWS
) -> Difference | None:
    """Return the mean of new - base over the same items, which belong to `clusters`; None without an item.

    The interval is that of `paired_bootstrap`, None with too few clusters to have one. The p-value is that of
    approximate randomisation (Noreen 1989): without a true difference, each cluster's sum of differences could as
    well have the other sign. It is the share of random signs (`draws` of them, and the observed ones) whose total is at
    least as far from 0, and so is never 0.
    """
    differences = [x - y for x, y in zip(new, base, strict=True)]
    if not differences:
        return None
    return Difference(
        n=len(differences),
        mean=math.fsum(differences) / len(differences),
        interval=paired_bootstrap(differences, clusters, seed=seed, draws=draws).interval(),
        p=_sign_flip_p(differences, clusters, seed, draws),
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p-values corrected for their number, in the order given (Holm 1979, step-down; at most 1)."""
    corrected = [0.0] * len(p_values)
    largest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = largest
    return corrected


def _sign_flip_p(differences: Sequence[float], clusters: Sequence[Hashable], seed: int, draws: int) -> float:
    totals, _ = cluster_sums(differences, clusters)
    # A total that equals the one found must count whatever the order of addition did to its last bits.
    found = abs(totals.sum()) - 1e-9 * np.abs(totals).sum()
    random = np.random.default_rng(seed)
    rows = max(1, CELLS_AT_ONCE // len(totals))
    as_far = 0
    for first in range(0, draws, rows):
        signs = random.integers(2, size=(min(rows, draws - first), len(totals))) * 2 - 1
        as_far += int((np.abs(signs @ totals) >= found).sum())
    return (as_far + 1) / (draws + 1)
