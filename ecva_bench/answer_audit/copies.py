"""Copies: answers that have the words of another text, such as the annotation's, in its order and near each other.

What is compared are pairs of words that follow each other within three. A copy keeps most of them where words were
changed, dropped or added, or sentences moved. Pairs that many texts have tell nothing, and a short text has few
that tell something; so whoever has the same thing to say about the same video is told from who has the same words.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

LONG = 8  # words: two texts this long are not equal by chance
FEWEST = 5  # answers, below which a share says nothing
_EQUAL = 0.05  # of the long texts two entries have in common

_APART = 3  # words of a pair
_ADDED = 1  # words that may stand between them beyond that
_SHARE = 0.4  # of what is telling in a text; honest answers to the same video stay below it
_TELLING = 6.0  # pairs that no other text has, or as much in more frequent ones
_OTHERS = 20  # texts about other videos that a copy is held against
_NEAR = 2.5  # times its length, within which a text's copy is looked for

Pair = tuple[str, str]


def copied(answers: Mapping[str, str], texts: Mapping[str, str]) -> list[str]:
    """Return the ids whose answers are copies of their texts, changed or not; all have single blanks between words.

    A text is no evidence that is short or has few telling pairs, or that answers to other videos have as much of.
    """
    pairs = {name: tuple(set(_pairs(text.split(), _APART))) for name, text in texts.items() if _is_long(text)}
    telling = _telling(answers, pairs)
    ids = [name for name in sorted(pairs) if name in answers]
    step = max(1, len(ids) // _OTHERS)
    found = []
    for place, name in enumerate(ids):
        words = answers[name].split()
        if not _has(words, texts[name], pairs[name], telling):
            continue
        others = {ids[(place + number * step) % len(ids)] for number in range(1, _OTHERS + 1)} - {name}
        alike = sum(_has(words, texts[one], pairs[one], telling) for one in others)
        if alike <= len(others) // 4:
            found.append(name)
    return found


def equal(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """Return the samples with equal texts, where they are too many or too long to be equal by chance.

    Short texts, such as a class, are often equal: they count only where all are, and not all the same.
    """
    common = sorted(one.keys() & other.keys())
    same = [sample for sample in common if one[sample] == other[sample]]
    long = [sample for sample in common if _is_long(one[sample])]
    alike = [sample for sample in long if one[sample] == other[sample]]
    if len(common) >= FEWEST and len(same) == len(common) and len({one[sample] for sample in same}) > 1:
        return same
    return alike if len(long) >= FEWEST and len(alike) >= _EQUAL * len(long) and len(alike) > 1 else []


def _is_long(text: str) -> bool:
    return len(text.split()) >= LONG


def _telling(answers: Mapping[str, str], pairs: Mapping[str, Collection[Pair]]) -> dict[Pair, float]:
    """Return how much pairs of several texts tell, down to 0 where all texts, or all answers, do; others tell 1."""
    frequency = Counter(pair for some in pairs.values() for pair in some)
    said = (set(_pairs(text.split(), _APART)) for text in answers.values())
    frequency |= Counter(pair for some in said for pair in some if pair in frequency)  # the larger count of each
    most = max(len(pairs), len(answers)) + 1
    return {pair: math.log(most / count) / math.log(most) for pair, count in frequency.items() if count > 1}


def _pairs(words: Sequence[str], apart: int) -> Iterator[Pair]:
    for place, word in enumerate(words):
        for other in words[place + 1 : place + 1 + apart]:
            if not (word.isdecimal() and other.isdecimal()):  # numbers, as of times and ranks, are often the same
                yield word, other


def _has(answer: Sequence[str], text: str, pairs: Collection[Pair], telling: Mapping[Pair, float]) -> bool:
    """Say whether some passage of an answer has enough of a text's pairs."""
    whole = math.fsum(telling.get(pair, 1.0) for pair in pairs)
    bar = max(_SHARE * whole, _TELLING)
    if bar > whole:
        return False
    reach = _NEAR * len(text.split())
    pairs = frozenset(pairs)
    passage, counts, most = 0.0, Counter[Pair](), 0.0
    hits: list[tuple[int, Pair]] = []
    first = 0
    for place, word in enumerate(answer):
        for other in answer[place + 1 : place + 1 + _APART + _ADDED]:
            pair = word, other
            if pair not in pairs:
                continue
            hits.append((place, pair))
            counts[pair] += 1
            passage += telling.get(pair, 1.0) if counts[pair] == 1 else 0.0
        while first < len(hits) and hits[first][0] < place - reach:
            gone = hits[first][1]
            counts[gone] -= 1
            passage -= telling.get(gone, 1.0) if counts[gone] == 0 else 0.0
            first += 1
        most = max(most, passage)
    return most >= bar
