"""Visual tokens merged where they are dense (Chat-UniVi, arXiv 2311.08046, Sec. 3.2), without a weight of its own.

Tokens are grouped by DPC-KNN: a centre is dense and far from whatever is denser. Frames are grouped into events first,
then the tokens of each event, at three scales. Knows features; knows no tower and no projector.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

# Small numbers that decide between tokens of one density: uniform in [0, 1), float32 [n, tokens].
Noise = Callable[[int, int], torch.Tensor]

NEIGHBOURS = (5, 3, 3)  # that a token's density is taken from, at each scale
FRAME_NEIGHBOURS = 5
NOISE = 1e-6


@dataclass(frozen=True)
class Rates:
    """How many clusters are made: above 1 their number, else their share of what is clustered.

    spatial: of the tokens, at three scales, each made of what the one before left. temporal: of the frames.
    """

    spatial: tuple[float, float, float]
    temporal: float


def merge_tokens(features: torch.Tensor, rates: Rates, noise: Noise) -> torch.Tensor:
    """Return [tokens, width], in order of scale within an event and of an event's first frame, for [T, patches, width].

    One or two frames are pictures: each has its three scales and is an event of its own. `noise` is asked in the
    authors' order: for the frames, for the three scales of all frames, for those of each event.
    """
    if len(features) <= 2:
        return torch.cat(list(_scales(features, rates, noise)), dim=1).flatten(0, 1)
    means = features.mean(dim=1)[None]
    count = _count(rates.temporal, len(features))
    labels = cluster(means, count, FRAME_NEIGHBOURS, noise(1, len(features)))[0].tolist()
    scales = list(_scales(features, rates, noise))
    found = []
    for event in dict.fromkeys(labels):
        frames = [number for number, label in enumerate(labels) if label == event]
        for step, scale in enumerate(scales):
            found.append(_step(scale[frames].flatten(0, 1)[None], step, rates, noise)[0])
    return torch.cat(found)


def cluster(tokens: torch.Tensor, count: int, neighbours: int, noise: torch.Tensor) -> torch.Tensor:
    """Return the cluster of each token, int64 [n, m] below `count`, for tokens [n, m, width] and noise [n, m].

    Densities are float32, whatever the tokens are: in 16 bits noise of 1e-6 would be none. A token is among its own
    neighbours. For fewer clusters than neighbours the authors take fewer of these, and one alone for up to 3 clusters:
    then all densities are the same, and noise chooses the centres.
    """
    if neighbours > count:
        neighbours = min(3, max(count // 2, 1))
    values = tokens.float()
    distances = torch.cdist(values, values) / values.shape[-1] ** 0.5
    nearest = distances.topk(neighbours, dim=-1, largest=False).values
    density = (-(nearest**2).mean(dim=-1)).exp() + noise.to(values) * NOISE
    farthest = distances.flatten(1).amax(dim=1)[:, None, None]
    denser = density[:, None, :] > density[:, :, None]
    gaps = distances.where(denser, farthest).amin(dim=-1)
    centres = (gaps * density).topk(count, dim=-1).indices
    rows = torch.arange(len(tokens), device=tokens.device)[:, None]
    labels: torch.Tensor = distances[rows, centres].argmin(dim=1)
    labels[rows, centres] = torch.arange(count, device=tokens.device)
    return labels


def cluster_means(tokens: torch.Tensor, labels: torch.Tensor, count: int) -> torch.Tensor:
    """Return clusters [n, count, width] of tokens [n, m, width]: their sums over their size and 1e-6, in one dtype."""
    n, _, width = tokens.shape
    places = (labels + count * torch.arange(n, device=labels.device)[:, None]).flatten()
    ones = tokens.new_ones(len(places), 1)
    with _in_order():
        sizes = tokens.new_zeros(n * count, 1).index_add_(0, places, ones) + 1e-6
        shares = tokens.flatten(0, 1) * (ones / sizes[places])
        return tokens.new_zeros(n * count, width).index_add_(0, places, shares).view(n, count, width)


@contextmanager
def _in_order() -> Iterator[None]:
    """Make a GPU add in one order, which it does only where torch is told to: the same video has the same tokens."""
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])


def _scales(features: torch.Tensor, rates: Rates, noise: Noise) -> Iterator[torch.Tensor]:
    """Yield the tokens of each frame at the three scales: [T, clusters, width]."""
    for step in range(len(NEIGHBOURS)):
        features = _step(features, step, rates, noise)
        yield features


def _step(tokens: torch.Tensor, step: int, rates: Rates, noise: Noise) -> torch.Tensor:
    count = _count(rates.spatial[step], tokens.shape[1])
    labels = cluster(tokens, count, NEIGHBOURS[step], noise(*tokens.shape[:2]))
    return cluster_means(tokens, labels, count)


def _count(rate: float, tokens: int) -> int:
    return max(math.ceil(rate if rate > 1 else tokens * rate), 1)
