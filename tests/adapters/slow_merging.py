"""Chat-UniVi's merging in plain loops, and owing nothing to ours."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch

Noise = Callable[[int, int], torch.Tensor]
Rows = list[np.ndarray]


def slow_merge(features: torch.Tensor, spatial: tuple[float, ...], temporal: float, noise: Noise) -> torch.Tensor:
    """[tokens, width], float64, for [T, patches, width]."""
    frames = [[patch.double().numpy() for patch in frame] for frame in features]
    events = [[number] for number in range(len(frames))]
    if len(frames) > 2:
        means = [np.mean(frame, axis=0) for frame in frames]
        labels = slow_labels(means, wanted(temporal, len(frames)), 5, noise(1, len(frames))[0].tolist())
        events = [[n for n, label in enumerate(labels) if label == event] for event in dict.fromkeys(labels)]
    levels = [frames]
    for step, rate in enumerate(spatial):
        drawn = noise(len(frames), len(levels[-1][0]))
        levels.append([reduced(frame, rate, step, row) for frame, row in zip(levels[-1], drawn, strict=True)])
    found = []
    for event in events:
        for step, rate in enumerate(spatial):
            together = [token for number in event for token in levels[step + 1][number]]
            if len(frames) > 2:
                together = reduced(together, rate, step, noise(1, len(together))[0])
            found += together
    return torch.from_numpy(np.stack(found))


def wanted(rate: float, tokens: int) -> int:
    return max(math.ceil(rate if rate > 1 else tokens * rate), 1)


def reduced(tokens: Rows, rate: float, step: int, noise: torch.Tensor) -> Rows:
    count = wanted(rate, len(tokens))
    labels = slow_labels(tokens, count, (5, 3, 3)[step], noise.tolist())
    members = [[token for token, label in zip(tokens, labels, strict=True) if label == n] for n in range(count)]
    return [sum(token / (len(member) + 1e-6) for token in member) for member in members]


def slow_labels(tokens: Rows, count: int, neighbours: int, noise: list[float]) -> list[int]:
    """The cluster of each token: centres are dense and far from what is denser."""
    if neighbours > count:
        neighbours = min(3, max(count // 2, 1))
    width, places = len(tokens[0]), range(len(tokens))
    distance = [[math.dist(a, b) / math.sqrt(width) for b in tokens] for a in tokens]
    density = [
        math.exp(-sum(d * d for d in sorted(distance[i])[:neighbours]) / neighbours) + noise[i] * 1e-6 for i in places
    ]
    farthest = max(map(max, distance))
    gap = [min([distance[i][j] for j in places if density[j] > density[i]], default=farthest) for i in places]
    centres = sorted(places, key=lambda i: -gap[i] * density[i])[:count]
    return [
        centres.index(i) if i in centres else min(range(count), key=lambda n: distance[i][centres[n]]) for i in places
    ]
