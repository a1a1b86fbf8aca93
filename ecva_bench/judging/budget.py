"""Tokens and money: what a run has used, what a request may cost at most, and when it must stop. Knows no network.

A run never spends more than its budget: before a request is sent, the most it can cost is reserved, and what it did
cost is settled when the reply is there. While others are under way a reservation that does not fit waits for them. The
most a request can cost is learned from replies, so that a budget is spent but for less than one request.
What is assumed of an endpoint, and what then is sure, stands in design/endpoints.md.
"""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import Hashable
from dataclasses import dataclass

from ..errors import BudgetExhausted, JudgeError
from .prices import HOW_TO_PRICE, Price
from .store import Reply

ABSURD = 10  # times the most a request can count: no count, but a fault of the endpoint's
MOST_TOKENS = 10_000_000  # no model's context is longer


@dataclass
class Usage:
    """What a judge did since it was opened, in votes: `asked` of the model, answered `from_store`, `failed`.

    `not_in_replay` votes could not be asked, for there is only an export. `retries` are requests beyond the first of a
    vote. Tokens include those of replies that were no verdict; `usd` is None where the model's price is unknown.
    `uncounted` requests came without a usable count of tokens: within a budget they are in `usd` at the most they can
    have cost.
    """

    asked: int = 0
    from_store: int = 0
    failed: int = 0
    not_in_replay: int = 0
    retries: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    uncounted: int = 0
    usd: float | None = None


@dataclass(frozen=True)
class Size:
    """The most tokens a request can count: of its `text`, of its `pictures` and of the reply, `out`.

    Requests with equal `alike` have pictures that count the same, such as as many of the same size.
    """

    text: int
    out: int
    pictures: int = 0
    alike: Hashable = None


@dataclass(frozen=True)
class _Reserved:
    """The most that a request under way can count and cost; `part` of the price is asked."""

    size: Size
    most_in: int
    part: float
    usd: float

    @property
    def tokens(self) -> int:
        return self.most_in + self.size.out


class Budget:
    """Reservations against a limit of money, of tokens, of both or of neither. Used by one event loop."""

    def __init__(self, model: str, usage: Usage, *, price: Price | None, usd: float | None, tokens: int | None) -> None:
        """Spend for `model` into `usage`; `JudgeError` where money is limited and the price unknown."""
        if usd is not None and price is None:
            raise JudgeError("a budget in USD needs the model's price", model, HOW_TO_PRICE)
        self.model, self.usage, self.price, self._usd, self._tokens = model, usage, price, usd, tokens
        if price is not None:
            usage.usd = 0.0
        self._under_way: dict[int, _Reserved] = {}  # by number
        self._held_usd, self._held_tokens = 0.0, 0  # the sums of those
        self._uncounted = 0  # tokens that replies without a count may have had
        self._numbers = itertools.count()
        self._settled = asyncio.Event()
        self._counted: dict[Hashable, int] = {}  # most tokens of input, by `Size.alike`
        self._excess = 1.0  # by how much replies have counted more than was thought to be the most
        self._proved = False  # whether a reply has counted at all: until then, one request at a time

    @property
    def limited(self) -> bool:
        """Whether there is a limit at all."""
        return self._usd is not None or self._tokens is not None

    async def reserve(self, size: Size) -> int:
        """Hold the most a request can cost, until `settle` is called with the number returned.

        Raises `BudgetExhausted` where the rest of the budget does not cover it and no request is under way.
        """
        while self.limited:
            fits = self._fits(most := self._most(size, 1.0))
            if fits and (self._proved or not self._under_way):
                break
            if not self._under_way:
                raise self._exhausted(most)
            self._settled.clear()
            await self._settled.wait()
        return self._hold(self._most(size, 1.0))

    def reserve_in_batch(self, size: Size) -> int:
        """Hold the most a request in a batch can cost; `BudgetExhausted` where the budget does not cover it now."""
        most = self._most(size, self.price.batch if self.price else 1.0)
        if self.limited and not self._fits(most):
            raise self._exhausted(most)
        return self._hold(most)

    def hold_in_batch(self, size: Size) -> int:
        """Hold as much for a request that is under way already, covered or not."""
        return self._hold(self._most(size, self.price.batch if self.price else 1.0))

    def settle(self, number: int, reply: Reply | None, *, lost: bool = False) -> str:
        """Count what a request did cost, and return what is wrong with the reply's count: nothing, or why it is absurd.

        Without a reply it cost nothing, unless it is `lost`: sent, and perhaps answered. That, a reply that does not
        say and one that claims what cannot be cost the most that was reserved.
        """
        reserved = self._under_way.pop(number)
        self._held_usd -= reserved.usd
        self._held_tokens -= reserved.tokens
        if not self._under_way:
            self._held_usd = 0.0  # no rounding is left behind
        self._settled.set()
        if reply is None and not lost:
            return ""
        absurd = self._absurd(reply, reserved) if reply and self.limited else ""
        if reply is None or absurd or reply.tokens_in is None or reply.tokens_out is None:
            self.usage.uncounted += 1
            if self.limited:
                self._uncounted += reserved.tokens
                self._charge(reserved.usd)
            return absurd
        cached = min(reply.tokens_cached or 0, reply.tokens_in)
        self.usage.tokens_in += reply.tokens_in
        self.usage.tokens_out += reply.tokens_out
        self.usage.tokens_cached += cached
        if self.price is not None:
            self._charge(reserved.part * self.price.of(reply.tokens_in, reply.tokens_out, cached))
        self._learn(reserved, reply.tokens_in, reply.tokens_out)
        return ""

    def _charge(self, usd: float) -> None:
        if self.usage.usd is not None:
            self.usage.usd += usd

    def _most(self, size: Size, part: float) -> _Reserved:
        pictures = self._counted.get(size.alike, size.pictures * self._excess) if size.alike is not None else 0
        most_in = math.ceil(size.text * self._excess + pictures)
        usd = part * self.price.of(most_in, math.ceil(size.out * self._excess)) if self.price else 0.0
        return _Reserved(size, most_in, part, usd)

    def _hold(self, most: _Reserved) -> int:
        number = next(self._numbers)
        self._under_way[number] = most
        self._held_usd += most.usd
        self._held_tokens += most.tokens
        return number

    def _fits(self, most: _Reserved) -> bool:
        usd = (self.usage.usd or 0.0) + self._held_usd + most.usd
        tokens = self.usage.tokens_in + self.usage.tokens_out + self._uncounted + self._held_tokens + most.tokens
        return (self._usd is None or usd <= self._usd) and (self._tokens is None or tokens <= self._tokens)

    def _learn(self, reserved: _Reserved, tokens_in: int, tokens_out: int) -> None:
        """Take what a reply counted as the most of requests alike, and a count above the most as that of all."""
        self._proved = True
        alike = reserved.size.alike
        if alike is not None:  # the whole input, so that it is no less than the pictures'
            self._counted[alike] = max(tokens_in, self._counted.get(alike, 0))
        for counted, most in ((tokens_in, reserved.most_in), (tokens_out, reserved.size.out)):
            if most and self.limited:
                self._excess = max(self._excess, counted / most)

    def _absurd(self, reply: Reply, reserved: _Reserved) -> str:
        """Return why a reply's count cannot be; nothing where it can, or where there is none."""
        if reply.miscounted:
            return f"the endpoint counts {reply.miscounted}, which is no number of tokens"
        for name, counted, most in (
            ("input", reply.tokens_in or 0, reserved.most_in),
            ("output", reply.tokens_out or 0, reserved.size.out),
        ):
            if counted > min(ABSURD * most, MOST_TOKENS):
                return f"the endpoint counts {counted} tokens of {name}, where {most} are the most there can be"
        if (reply.tokens_cached or 0) > (reply.tokens_in or 0):
            return f"the endpoint counts {reply.tokens_cached} cached tokens of {reply.tokens_in}"
        return ""

    def _exhausted(self, most: _Reserved) -> BudgetExhausted:
        tokens = self.usage.tokens_in + self.usage.tokens_out + self._uncounted
        used = [f"{tokens} of {self._tokens} tokens" if self._tokens is not None else f"{tokens} tokens"]
        following = [f"{most.tokens} tokens"] if self._tokens is not None else []
        if self.usage.usd is not None:
            used.append(f"{self.usage.usd:.4f}{f' of {self._usd:g}' if self._usd is not None else ''} USD")
            following += [f"{most.usd:.4f} USD"] if self._usd is not None else []
        return BudgetExhausted(
            f"the rest of the budget does not cover another call, which may take {' and '.join(following)}"
            f" ({', '.join(used)} used)",
            self.model,
            "what was asked is stored: run the same command again, with a new budget, to go on",
        )
