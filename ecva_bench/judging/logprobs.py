"""Expected verdicts from the log-probabilities of a reply's tokens."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from ..reading.verdicts import Scale


def expected_verdicts(
    text: str, starts: Sequence[int], tokens: Sequence[Mapping[str, Any]], scale: Scale
) -> tuple[float, ...] | None:
    """Return the expected verdict at each of `starts`, the offsets of the characters at which verdicts begin.

    `tokens` are those of a chat completion (`token`, `bytes`, `logprob`, `top_logprobs`). At the token in which a
    verdict begins, the probabilities of all tokens that name an admissible verdict are normalised to a sum of 1.
    Returns None where the tokens do not spell the reply, or where no token names a verdict.
    """
    spelled = [_bytes(token) for token in tokens]
    if b"".join(spelled) != text.encode():
        return None
    ends = list(accumulate(map(len, spelled)))
    places = [len(text[:start].encode()) for start in starts]
    values = [_expectation(tokens[bisect_right(ends, place)], scale) for place in places]
    return None if None in values else tuple(value for value in values if value is not None)


def likely_beginnings(logprobs: Any) -> tuple[tuple[str, float], ...]:
    """Return the texts that a reply's first token might have been, each with its probability; () where none is told.

    `logprobs` are those of a chat completion's choice.
    """
    try:
        first = logprobs["content"][0]
        entries = [first, *(first.get("top_logprobs") or ())]
        found = {str(entry["token"]): math.exp(float(entry["logprob"])) for entry in entries}
    except (ArithmeticError, AttributeError, IndexError, KeyError, TypeError, ValueError):
        return ()
    return tuple(found.items()) if all(0 <= one <= 1 + 1e-6 for one in found.values()) else ()


def _bytes(token: Mapping[str, Any]) -> bytes:
    given = token.get("bytes")
    return bytes(given) if given is not None else str(token["token"]).encode()


def _expectation(token: Mapping[str, Any], scale: Scale) -> float | None:
    entries = [token, *(token.get("top_logprobs") or ())]
    alternatives = {str(entry["token"]): float(entry["logprob"]) for entry in entries}
    weights = [
        (verdict, math.exp(logprob))
        for text, logprob in alternatives.items()
        if (verdict := _named_by(text, scale)) is not None
    ]
    total = sum(weight for _, weight in weights)
    return sum(verdict * weight for verdict, weight in weights) / total if 0 < total < math.inf else None


def _named_by(token: str, scale: Scale) -> int | None:
    """Return the verdict a token names or, for yes and no, begins."""
    word = token.strip(' \t\n"[,]:.').lower()
    if scale.yes_no and word and ("yes".startswith(word) or "no".startswith(word)):
        return int(word[0] == "y")
    return scale.named(word)
