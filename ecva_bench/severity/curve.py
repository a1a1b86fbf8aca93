"""From similarities to importance: weights of a ranking, values, smoothing and the range [0, 1]. Works on arrays.

M sentences, T frames.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

FLAT = 1e-6  # a curve whose values differ by less says nothing


def cosines(texts: npt.NDArray[np.float32], images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the cosines [M, T] of features [M, width] and [T, width], in float32."""
    texts, images = (found / np.linalg.norm(found, axis=1, keepdims=True) for found in (texts, images))
    found: npt.NDArray[np.float32] = texts @ images.T
    return found


def weights(ranks: Sequence[float]) -> list[float]:
    """Return the weight of each sentence by its mean midrank, 1 the most severe: M + 1 - rank, with a sum of 1."""
    places = [len(ranks) + 1 - rank for rank in ranks]
    return [place / sum(places) for place in places]


def smoothed(values: Floats, times: Floats, sigma: float) -> Floats:
    """Return values [T] averaged with Gaussian weights over the seconds between frames, which sum to 1 at the ends too.

    A `sigma` of 0 returns them as they are.
    """
    if not sigma:
        return values
    near = np.exp(-0.5 * ((times[:, None] - times[None, :]) / sigma) ** 2)
    found: Floats = near @ values / near.sum(axis=1)
    return found


def as_importance(values: Floats) -> tuple[Floats, float]:
    """Return values [T] brought to [0, 1], and how far they lie apart; a flat curve is 0 everywhere."""
    contrast = float(np.ptp(values))
    if contrast < FLAT:
        return np.zeros_like(values), contrast
    return (values - values.min()) / contrast, contrast
