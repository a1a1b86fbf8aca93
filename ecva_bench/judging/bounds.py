"""What a request may count and cost: the most it can, and what it is likely to by the replies before. Knows no limit.

A reply's own count is held against the most, for an endpoint may count what cannot be.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass

from .prices import Price
from .store import Reply

ABSURD = 10  # times the most a request can count: no count, but a fault of the endpoint's
MOST_TOKENS = 10_000_000  # no model's context is longer
BYTES_PER_TOKEN = 32  # no text has so many on average: 4 in English, 6 in code with long names
REPLIES_TO_TRUST = 5  # before which no request goes out that may cost more than is left
LIKELY = 1.5  # times the largest count of all replies


@dataclass(frozen=True)
class Size:
    """The most tokens a request can count: of its `text`, of its `pictures` and of the reply, `out`.

    Requests with equal `alike` have pictures that count the same, such as as many of the same size. `words` are the
    bytes of text that certainly are counted. `key` is that of the vote, where a judge is asked.
    """

    text: int
    out: int
    pictures: int = 0
    alike: Hashable = None
    words: int = 0
    key: str = ""


@dataclass(frozen=True)
class Bound:
    """The tokens that a request of a `size` counts, and what they cost in USD where `part` of the price is asked."""

    size: Size
    tokens_in: int
    tokens_out: int
    usd: float
    part: float

    @property
    def tokens(self) -> int:
        """Those of the request and of its reply."""
        return self.tokens_in + self.tokens_out


class CostBounds:
    """The bounds of requests, by what the replies so far have counted; without a price, all cost nothing.

    Where it `widens`, a count above the most widens the bounds of all requests after it.
    """

    def __init__(self, price: Price | None, *, widens: bool) -> None:
        self._price, self._widens = price, widens
        self.replies = 0  # that have counted
        self._counted: dict[Hashable, int] = {}  # most tokens of input, by `Size.alike`
        self._excess = 1.0  # by how much replies have counted more than was thought to be the most
        self._longest = 0  # most tokens of a reply
        self._filled = 0.0  # most tokens of input, as a part of what was thought to be the most

    @property
    def trusted(self) -> bool:
        """Whether as many replies have counted that a request may go out by what is likely."""
        return self.replies >= REPLIES_TO_TRUST

    def most(self, size: Size, part: float = 1.0) -> Bound:
        """Return the most a request can count and cost."""
        pictures = self._counted.get(size.alike, size.pictures * self._excess) if size.alike is not None else 0
        tokens_in = math.ceil(size.text * self._excess + pictures)
        return Bound(size, tokens_in, size.out, self._usd(tokens_in, math.ceil(size.out * self._excess), part), part)

    def likely(self, size: Size, part: float = 1.0) -> Bound:
        """Return what a request costs unless it is larger by half than all before; the most where none has counted."""
        most = self.most(size, part)
        if not self.replies:
            return most
        tokens_in = min(most.tokens_in, math.ceil(LIKELY * self._filled * most.tokens_in))
        out = math.ceil(min(size.out * self._excess, LIKELY * self._longest))
        return Bound(size, tokens_in, out, self._usd(tokens_in, out, part), part)

    def learn(self, most: Bound, tokens_in: int, tokens_out: int) -> None:
        """Take what a reply counted as the most of requests alike, and a count above the most as that of all."""
        self.replies += 1
        self._longest = max(self._longest, tokens_out)
        alike = most.size.alike
        if alike is not None:  # the whole input, so that it is no less than the pictures'
            self._counted[alike] = max(tokens_in, self._counted.get(alike, 0))
        for counted, bound in ((tokens_in, most.tokens_in), (tokens_out, most.tokens_out)):
            if bound and self._widens:
                self._excess = max(self._excess, counted / bound)
        now = self.most(most.size).tokens_in  # with what this reply has taught
        self._filled = max(self._filled, tokens_in / max(1, now))

    def _usd(self, tokens_in: int, tokens_out: int, part: float) -> float:
        return part * self._price.of(tokens_in, tokens_out) if self._price else 0.0


def why_absurd(reply: Reply, most: Bound) -> str:
    """Return why a reply's count cannot be; nothing where it can, or where there is none."""
    if reply.miscounted:
        return f"the endpoint counts {reply.miscounted}, which is no number of tokens"
    for name, counted, bound in (
        ("input", reply.tokens_in or 0, most.tokens_in),
        ("output", reply.tokens_out or 0, max(most.tokens_out, _said(reply))),  # it may be longer than it may be
    ):
        if counted > min(ABSURD * bound, MOST_TOKENS):
            return f"the endpoint counts {counted} tokens of {name}, where {bound} are the most there can be"
    if (reply.tokens_cached or 0) > (reply.tokens_in or 0):
        return f"the endpoint counts {reply.tokens_cached} cached tokens of {reply.tokens_in}"
    return ""


def too_few(reply: Reply, size: Size) -> bool:
    """Return whether a reply counts fewer tokens than its own text, or that of the request, must have."""
    return (reply.tokens_in or 0) * BYTES_PER_TOKEN < max(1, size.words) or (
        reply.tokens_out or 0
    ) * BYTES_PER_TOKEN < _said(reply)


def _said(reply: Reply) -> int:
    """Return the bytes of a reply's text: no more tokens can be in it."""
    return len((reply.content + reply.thought).encode("utf-8", "replace"))
