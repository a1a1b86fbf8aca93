"""Texts before they are compared: n-grams matched. Knows no metric."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import repeat

_UNSHARED = "\0"


def encode_pair(a: Sequence[str], b: Sequence[str]) -> tuple[str, str]:
    """Return two token sequences as strings of one character per token, the shorter first.

    Equal tokens get equal characters; all tokens the shorter sequence lacks become one character it lacks too.
    N-grams are substrings then, and are found by the string search of the interpreter.
    """
    short, long = (a, b) if len(a) <= len(b) else (b, a)
    characters = {token: chr(number) for number, token in enumerate(short, start=1)}
    encoded = "".join(map(characters.__getitem__, short))
    return encoded, "".join(map(characters.get, long, repeat(_UNSHARED)))


def shared_ngrams(short: str, long: str, *, order: int) -> list[int]:
    """Return how many n-grams two strings of `encode_pair` share, for n = 1 to `order`.

    An n-gram that occurs x times in one and y times in the other counts min(x, y) times. An n-gram is looked up
    only where the (n-1)-gram that it starts with was found.
    """
    counts = [0] * order
    starts: Iterable[int] = range(len(short))
    for n in range(1, order + 1):
        last = len(short) - n
        starts = [start for start in starts if start <= last and short[start : start + n] in long]
        if not starts:
            break
        grams = Counter([short[start : start + n] for start in starts])
        counts[n - 1] = sum([1 if most == 1 else _occurrences(long, gram, most) for gram, most in grams.items()])
    return counts


def _occurrences(text: str, gram: str, most: int) -> int:
    """Count occurrences, overlapping ones included (`str.count` leaves them out), up to `most`."""
    count, place = 0, text.find(gram)
    while place >= 0 and count < most:
        count += 1
        place = text.find(gram, place + 1)
    return count
