"""Near texts: what MinHash finds is what every pair compared by brute force gives."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest

from ecva_bench.data_audit.similar import NEAR, _signatures, near_pairs


def triples(text: str) -> set[tuple[str, ...]]:
    words = text.split()
    return {tuple(words[n : n + 3]) for n in range(len(words) - 2)}


def by_brute_force(texts: list[str]) -> set[tuple[int, int]]:
    return {
        (i, j)
        for (i, one), (j, other) in itertools.combinations(enumerate(map(triples, texts)), 2)
        if one and other and len(one & other) >= NEAR * len(one | other)
    }


@pytest.mark.parametrize("seed", range(5))
def test_near_pairs_are_those_of_brute_force(seed: int) -> None:
    draw = random.Random(seed)
    vocabulary = [f"w{n}" for n in range(300)]
    texts = []
    for _ in range(120):
        words = draw.choices(vocabulary, k=draw.randint(20, 60))
        texts.append(" ".join(words))
        changed = list(words)
        for _ in range(draw.randint(1, 4)):
            changed[draw.randrange(len(changed))] = "changed"
        texts.append(" ".join(changed))
    texts = list(dict.fromkeys(texts))
    found, wanted = set(near_pairs(texts)), by_brute_force(texts)
    assert found <= wanted
    assert len(wanted) > 20
    assert len(wanted - found) <= 0.02 * len(wanted)


def test_short_texts_and_none_have_no_neighbours() -> None:
    assert near_pairs([]) == []
    assert near_pairs(["one two"]) == []
    assert near_pairs(["one two", "one two three", "four"]) == []


def test_a_signature_does_not_depend_on_the_texts_around_it() -> None:
    """Were a triple to reach into the next text, near texts would miss each other by what stands behind them."""
    texts = [np.arange(start, start + size, dtype=np.uint64) for start, size in ((1, 9), (40, 3), (70, 12))]
    sizes = np.array([len(text) for text in texts])
    together = _signatures(np.concatenate(texts), sizes)
    for text, size, signature in zip(texts, sizes, together, strict=True):
        assert (signature == _signatures(text, np.array([size]))[0]).all()
