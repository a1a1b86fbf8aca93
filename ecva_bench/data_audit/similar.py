"""Texts that are nearly the same: MinHash over word triples finds candidates, the triples themselves decide.

Broder 1997. Texts are numbered words; 100,000 of them take a few seconds.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import count

import numpy as np
import numpy.typing as npt

NEAR = 0.8  # share of the word triples of both texts that both have
_TRIPLE = 3
_BANDS, _ROWS = 10, 3  # texts that share 0.8 of their triples meet in a band with probability 0.999
_SEED = 0


def near_pairs(texts: Sequence[str]) -> list[tuple[int, int]]:
    """Return pairs (i, j), i < j, of texts that share at least `NEAR` of their word triples.

    Texts are words with single spaces between them, all different. Of many texts that are all alike, each is paired
    with the first one and with its neighbour, not with all.
    """
    numbers: dict[str, int] = defaultdict(count(1).__next__)
    flat, sizes, long = array("Q"), [], []
    for place, text in enumerate(texts):
        words = text.split()
        if len(words) >= _TRIPLE:
            flat.extend(map(numbers.__getitem__, words))
            sizes.append(len(words))
            long.append(place)
    if len(long) < 2:
        return []
    signatures = _signatures(np.frombuffer(flat, dtype=np.uint64), np.array(sizes))
    candidates = {pair for band in range(_BANDS) for pair in _meetings(signatures[:, band])}
    triples = {place: _triples(texts[long[place]].split()) for pair in candidates for place in pair}
    return sorted(
        (long[i], long[j]) for i, j in candidates if len(triples[i] & triples[j]) >= NEAR * len(triples[i] | triples[j])
    )


def _triples(words: Sequence[str]) -> set[tuple[str, ...]]:
    return {tuple(words[start : start + _TRIPLE]) for start in range(len(words) - _TRIPLE + 1)}


def _signatures(flat: npt.NDArray[np.uint64], sizes: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    """Return a number for each text and band, [texts, bands], from all words in a row and how many are each text's."""
    random = np.random.default_rng(_SEED)
    odd = random.integers(0, 2**63, size=(_BANDS * _ROWS + _TRIPLE + _ROWS, 2), dtype=np.uint64) * np.uint64(
        2
    ) + np.uint64(1)
    mixed = np.zeros(len(flat) - _TRIPLE + 1, dtype=np.uint64)
    for step in range(_TRIPLE):
        mixed = _mixed(mixed ^ (flat[step : len(flat) - _TRIPLE + 1 + step] * odd[step, 0]))
    ends = np.cumsum(sizes)
    inside = np.ones(len(mixed), dtype=bool)
    for step in range(1, _TRIPLE):  # triples that reach into the next text
        inside[(ends - step)[ends - step < len(mixed)]] = False
    hashes = mixed[inside]
    counts = sizes - _TRIPLE + 1
    firsts = np.cumsum(counts) - counts
    found = np.zeros((len(sizes), _BANDS), dtype=np.uint64)
    for number in range(_BANDS * _ROWS):
        scale, shift = odd[_TRIPLE + number]
        least = np.minimum.reduceat(_mixed(hashes * scale + shift), firsts)
        band, row = divmod(number, _ROWS)
        found[:, band] = _mixed(found[:, band] ^ (least * odd[_TRIPLE + _BANDS * _ROWS + row, 0]))
    return found


def _mixed(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return values whose low bits depend on the high ones too."""
    return np.asarray(values ^ (values >> np.uint64(29)))


def _meetings(keys: npt.NDArray[np.uint64]) -> Iterator[tuple[int, int]]:
    """Yield the pairs of texts with the same key: each with the first such text, and with the one before it."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    same = np.flatnonzero(ordered[1:] == ordered[:-1]) + 1
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    first = starts[np.searchsorted(starts, same, side="right") - 1]
    for here, before, head in zip(same.tolist(), (same - 1).tolist(), first.tolist(), strict=True):
        yield int(order[before]), int(order[here])
        if head != before:
            yield int(order[head]), int(order[here])
