"""Videos in folds, by a hash of their names: the same in every run, whatever else is in the set."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TypeVar

import numpy as np
import numpy.typing as npt

T = TypeVar("T")

FOLDS = 5


def folds_of(videos: Iterable[str]) -> npt.NDArray[np.int64]:
    """Return the fold of each video, an int64 array [videos] of 0 to `FOLDS` - 1. Equal videos are in one fold."""
    return np.array([_hash(video) % FOLDS for video in videos], dtype=np.int64)


def drawn(items: Sequence[T], names: Sequence[str], most: int) -> list[T]:
    """Return at most so many of some items, in order: those whose names have the lowest hashes."""
    if len(items) <= most:
        return list(items)
    chosen = sorted(range(len(items)), key=lambda place: (_hash(names[place] + "\0drawn"), place))[:most]
    return [items[place] for place in sorted(chosen)]


def another(items: Sequence[T], names: Sequence[str]) -> list[T]:
    """Return for each item another one, in an order that says nothing: the next by the hashes of their names."""
    order = sorted(range(len(items)), key=lambda place: (_hash(names[place] + "\0next"), place))
    following = dict(zip(order, order[1:] + order[:1], strict=True))
    return [items[following[place]] for place in range(len(items))]


@lru_cache(maxsize=200_000)
def _hash(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode(errors="surrogatepass")).digest()[:8], "big")
