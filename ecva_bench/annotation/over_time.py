"""How far raters agree on when something happens: alpha over time, and union IoU beside its chance level.

Both are exact: spans are compared as they are, on no grid. Works on spans in seconds and knows no file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from ..scoring.time_spans import iou, merge_spans, total_length
from ..statistics.intervals import DRAWS, LEVEL, cluster_counts

Spans = Sequence[tuple[float, float]]
_CHANCE_PAIRS = 10_000  # at least, over which the chance level of IoU is a mean


@dataclass(frozen=True)
class RatedVideo:
    """The spans that each of two or more raters marked in a video, in seconds, and how long the video lasts."""

    duration: float
    spans: tuple[Spans, ...]

    @property
    def pairs(self) -> list[tuple[Spans, Spans]]:
        """The spans of every two raters."""
        return list(combinations(self.spans, 2))


@dataclass(frozen=True)
class TimeAlpha:
    """`observed` is the share of time that one of two raters marked alone, `marked` the share that a rater marks.

    `alpha` is at most 1; None where nothing, or all, is marked.
    """

    observed: float
    marked: float
    alpha: float | None
    interval: tuple[float, float] | None


def alpha_over_time(videos: Sequence[RatedVideo], *, seed: int) -> TimeAlpha | None:
    """Return Krippendorff's alpha of instants, each marked or not: 1 - observed / (2 p (1 - p)), p the marked share.

    The observed disagreement is a mean over pairs of raters in each video, and every second counts the same. The
    interval is a bootstrap over videos. None where no time was rated.
    """
    parts = np.array([_parts(video) for video in videos], dtype=np.float64).reshape(-1, 3)  # alone, marked, duration
    if not parts[:, 2].sum():
        return None
    alone, marked, total = parts.sum(axis=0)
    observed, share = float(alone / total), float(marked / total)
    chance = 2 * share * (1 - share)
    interval = None
    if len(parts) > 1:
        interval = _interval(cluster_counts(np.random.default_rng(seed), len(parts), DRAWS) @ parts)
    return TimeAlpha(observed, share, 1 - observed / chance if chance else None, interval)


def _parts(video: RatedVideo) -> tuple[float, float, float]:
    alone = [_alone(one, other) for one, other in video.pairs]
    marked = [total_length(spans) for spans in video.spans]
    return sum(alone) / len(alone), sum(marked) / len(marked), video.duration


def _alone(one: Spans, other: Spans) -> float:
    """Return how long just one of two sets of spans lasts."""
    both = total_length([*one, *other])
    return 2 * both - total_length(one) - total_length(other)


def _interval(sums: npt.NDArray[np.float64]) -> tuple[float, float] | None:
    observed, share = sums[:, 0] / sums[:, 2], sums[:, 1] / sums[:, 2]
    chance = 2 * share * (1 - share)
    alphas = 1 - observed[chance > 0] / chance[chance > 0]
    tail = (1 - LEVEL) / 2
    if not len(alphas):
        return None
    low, high = np.quantile(alphas, [tail, 1 - tail])
    return float(low), float(high)


def shuffled_iou(videos: Sequence[RatedVideo], *, seed: int) -> float | None:
    """Return the mean IoU of a rater's spans with another rater's of another video: what IoU is by chance alone.

    Each shuffle pairs every video with one other. None with fewer than two videos.
    """
    pairs = [(merge_spans(one), merge_spans(other), place) for place, v in enumerate(videos) for one, other in v.pairs]
    if len(videos) < 2:
        return None
    random = np.random.default_rng(seed)
    found = []
    for _ in range(-(-_CHANCE_PAIRS // len(pairs))):
        order = random.permutation(len(pairs))
        turned = np.roll(order, 1)
        drawn = [(pairs[a], pairs[b]) for a, b in zip(order, turned, strict=True)]
        found += [iou(one[0], other[1]) for one, other in drawn if one[2] != other[2]]
    return float(np.mean(found)) if found else None
