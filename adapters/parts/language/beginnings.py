"""How probable it is that an answer begins with each of some words, from what a model says of the next token.

A word may be said right behind the prompt or behind a blank, whichever the model's vocabulary makes of it: with some a
blank is a token of its own. Knows ids and probabilities; no model, no library and no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import takewhile

from ecva_bench.errors import AdapterError

# Called with the ids said so far; returns a function from an id to the probability that it comes next.
Following = Callable[[tuple[int, ...]], Callable[[int], float]]


@dataclass(frozen=True)
class Beginning:
    """The ids that all words have in front, none or those of a blank, and the first token of each word behind them."""

    before: tuple[int, ...]
    tokens: tuple[int, ...]


def beginnings(encode: Callable[[str], Sequence[Hashable]], words: Sequence[str], model: str) -> list[Beginning]:
    """Return the ways in which an answer may begin with the words.

    `encode` returns the sequence of a prompt with a text behind it; a word's token is the first in which it differs.
    Raises `AdapterError`, which names the model, where two words begin with one token.
    """
    prompt = list(encode(""))
    found: dict[Beginning, None] = {}
    for blank in ("", " "):
        rows = [list(encode(blank + word)) for word in words]
        alike = sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, zip(*rows, strict=False)))
        if rows[0][: len(prompt)] != prompt or alike < len(prompt) or any(len(row) <= alike for row in rows):
            continue  # the prompt's own last token would be another one, which the model cannot take back
        before, tokens = rows[0][len(prompt) : alike], [row[alike] for row in rows]
        ids = [one for one in (*before, *tokens) if isinstance(one, int)]
        if len(ids) == len(before) + len(tokens) and len(set(tokens)) == len(words):
            found[Beginning(tuple(ids[: len(before)]), tuple(ids[len(before) :]))] = None
    if not found:
        remedy = "ask for words: --severity-from segments"
        raise AdapterError(f"of {', '.join(words)}, two begin with the same token", model, remedy)
    return list(found)


def word_probabilities(found: Sequence[Beginning], following: Following) -> list[float]:
    """Return how probable each word is as the beginning, in all the ways that were found."""
    known: dict[tuple[int, ...], Callable[[int], float]] = {}
    totals = [0.0] * len(found[0].tokens)
    for one in found:
        share = 1.0
        for place in range(len(one.before) + 1):
            said = one.before[:place]
            if said not in known:
                known[said] = following(said)
            if place < len(one.before):
                share *= known[said](one.before[place])
        totals = [total + share * known[one.before](token) for total, token in zip(totals, one.tokens, strict=True)]
    return totals
