"""How well scores tell positives from negatives, whatever the threshold: ROC area and average precision."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_Floats = npt.NDArray[np.float64]
_Bools = npt.NDArray[np.bool_]


def roc_area(scores: _Floats, positive: _Bools, weights: _Floats | None = None) -> float:
    """Return the share of pairs of a positive and a negative in which the positive scores higher; ties count half.

    Arrays are [n]; a pair weighs the product of its `weights`, which are 1 unless given. Needs a positive and a
    negative.
    """
    hits, misses = _by_threshold(scores, positive, weights)
    above = np.cumsum(hits) - hits  # positives of higher scores
    pairs = float(hits.sum()) * float(misses.sum())
    return float(np.dot(misses, above + hits / 2)) / pairs


def average_precision(scores: _Floats, positive: _Bools, weights: _Floats | None = None) -> float:
    """Return the sum over thresholds of precision times the recall gained there; equal scores are one threshold.

    Arrays are [n]; each counts as its weight, 1 unless given. Needs a positive. Not interpolated: a constant score
    reaches the share of positives.
    """
    hits, misses = _by_threshold(scores, positive, weights)
    found = np.cumsum(hits)
    precision = found / (found + np.cumsum(misses))
    return float(np.dot(precision, hits) / found[-1])


def _by_threshold(scores: _Floats, positive: _Bools, weights: _Floats | None) -> tuple[_Floats, _Floats]:
    """Return how many positives and negatives have each score, the highest first; what they weigh with `weights`."""
    _, place = np.unique(-scores, return_inverse=True)
    each = np.ones(len(scores)) if weights is None else weights
    hits, misses = (np.bincount(place, weights=np.where(kind, each, 0.0)) for kind in (positive, ~positive))
    return np.asarray(hits, dtype=np.float64), np.asarray(misses, dtype=np.float64)
