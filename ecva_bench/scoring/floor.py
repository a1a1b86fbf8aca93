"""The floor of a metric: what it gives to the same answers against the references of other samples.

Knows items, and no metric.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from ..records import Moment
from .scorer import Scorable


def rotate_references(batch: Sequence[Scorable], *, seed: int, stretch: bool = False) -> list[Scorable]:
    """Return the items, each with the reference of another: what a metric gives to answers about other videos.

    `stretch`: the other's times are brought to the item's duration; it needs all durations.
    """
    order = list(range(len(batch)))
    random.Random(seed).shuffle(order)
    rotated = list(batch)
    for place, following in zip(order, order[1:] + order[:1], strict=True):
        other = batch[following]
        ratio = (batch[place].duration or 1.0) / (other.duration or 1.0) if stretch else 1.0
        rotated[place] = replace(
            batch[place],
            reference=other.reference,
            key_sentences=other.key_sentences,
            moments=_stretched(other.moments, ratio) if stretch else other.moments,
            label=other.label,
            options=other.options,
            curve=tuple((seconds * ratio, importance) for seconds, importance in other.curve),
        )
    return rotated


def _stretched(moments: Sequence[Moment], ratio: float) -> tuple[Moment, ...]:
    return tuple(Moment(start=moment.start * ratio, end=moment.end * ratio) for moment in moments)
