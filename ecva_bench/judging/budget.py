"""Tokens and money: what a run has used, what a request may cost at most, and when it must stop. Knows no network.

Before a request is sent, the most it can cost is reserved, and what it did cost is settled when the reply is there.
While others are under way a reservation that does not fit waits for them. Near the end, where the most does not fit
any more, requests go out one by one as long as what they are likely to cost fits, by what replies have counted.
What is assumed of an endpoint, and what then is sure, stands in design/endpoints.md.
"""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import BudgetExhausted, JudgeError
from .bounds import Bound, CostBounds, Size, too_few, why_absurd
from .prices import HOW_TO_PRICE, Price
from .store import Cost, Reply


@dataclass
class Usage:
    """What a judge did since it was opened, in votes: `asked` of the model, answered `from_store`, `failed`.

    `not_in_replay` votes could not be asked, for there is only an export. `retries` are requests beyond the first of a
    vote. Tokens include those of replies that were no verdict; `usd` is None where the model's price is unknown.
    `tokens_reasoning` are part of `tokens_out`: thoughts, as far as endpoints count them.
    `uncounted` requests came without a usable count of tokens: they are in `usd` at the most they can have cost, for
    the tokens `uncounted_in` and `uncounted_out`.
    """

    asked: int = 0
    from_store: int = 0
    failed: int = 0
    not_in_replay: int = 0
    retries: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    tokens_reasoning: int = 0
    uncounted: int = 0
    uncounted_in: int = 0
    uncounted_out: int = 0
    usd: float | None = None


@dataclass(frozen=True)
class Limits:
    """What may be spent: `usd`, `tokens`, both or None of either, and how a user allows more: by the option `more`.

    One of several workers spends its part of it: `workers` are all, and `who` says what they are.
    """

    usd: float | None = None
    tokens: int | None = None
    more: str = "--budget-{}"
    workers: int = 1
    who: str = "workers"


class Budget:
    """Reservations against limits of money and tokens. Used by one event loop."""

    def __init__(self, model: str, usage: Usage, *, price: Price | None, limits: Limits) -> None:
        """Spend for `model` into `usage`; `JudgeError` where money is limited and the price unknown."""
        if limits.usd is not None and price is None:
            raise JudgeError("a budget in USD needs the model's price", model, HOW_TO_PRICE)
        self.model, self.usage, self.price, self._limits = model, usage, price, limits
        self._usd = None if limits.usd is None else limits.usd / limits.workers
        self._tokens = None if limits.tokens is None else limits.tokens / limits.workers
        self._usd_before, self._tokens_before = 0.0, 0.0  # of earlier commands
        if price is not None:
            usage.usd = 0.0
        self._bounds = CostBounds(price, widens=self.limited)
        self._under_way: dict[int, Bound] = {}  # by number
        self._held_usd, self._held_tokens = 0.0, 0  # the sums of those
        self._numbers = itertools.count()
        self._settled = asyncio.Event()
        self.cost_of: dict[str, Cost] = {}  # by `Size.key`, what was settled and not taken yet

    @property
    def limited(self) -> bool:
        """Whether there is a limit at all."""
        return self._usd is not None or self._tokens is not None

    def count_before(self, usd: float, tokens: float) -> None:
        """Have what earlier commands have spent count against the limits, besides what was named so before."""
        self._usd_before += usd
        self._tokens_before += tokens

    async def reserve(self, size: Size) -> int:
        """Hold the most a request can cost, until `settle` is called with the number returned.

        Raises `BudgetExhausted` where the rest of the budget does not cover it and no request is under way.
        """
        while self.limited:
            if self._admits(size) and (self._bounds.replies or not self._under_way):  # the first one alone
                break
            if not self._under_way:
                raise self._exhausted(size)
            self._settled.clear()
            await self._settled.wait()
        return self._hold(self._bounds.most(size))

    def reserve_in_batch(self, size: Size) -> int:
        """Hold the most a request in a batch can cost; `BudgetExhausted` where the budget does not cover it now."""
        part = self.price.batch if self.price else 1.0
        if self.limited and not self._admits(size, part):
            raise self._exhausted(size, part)
        return self._hold(self._bounds.most(size, part))

    def hold_in_batch(self, size: Size) -> int:
        """Hold as much for a request that is under way already, covered or not."""
        return self._hold(self._bounds.most(size, self.price.batch if self.price else 1.0))

    def settle(self, number: int, reply: Reply | None, *, lost: bool = False) -> str:
        """Count what a request did cost, and return what is wrong with the reply's count: nothing, or why it is absurd.

        Without a reply it cost nothing, unless it is `lost`: sent, and perhaps answered. That, a reply that does not
        say and one that claims what cannot be cost the most that was reserved.
        """
        reserved, usage = self._under_way.pop(number), self.usage
        self._held_usd -= reserved.usd
        self._held_tokens -= reserved.tokens
        if not self._under_way:
            self._held_usd = 0.0  # no rounding is left behind
        self._settled.set()
        if reply is None and not lost:
            return ""
        absurd = why_absurd(reply, reserved) if reply else ""
        if not reply or absurd or reply.tokens_in is None or reply.tokens_out is None or too_few(reply, reserved.size):
            usage.uncounted += 1
            usage.uncounted_in += reserved.tokens_in
            usage.uncounted_out += reserved.tokens_out
            self._charge(reserved.usd)
            self._note(reserved, Cost(reserved.usd if self.price else None, reserved.tokens))
            return absurd if self.limited else ""
        cached = min(reply.tokens_cached or 0, reply.tokens_in)
        usage.tokens_in += reply.tokens_in
        usage.tokens_out += reply.tokens_out
        usage.tokens_cached += cached
        usage.tokens_reasoning += min(reply.tokens_reasoning or 0, reply.tokens_out)
        usd = None
        if self.price is not None:
            usd = reserved.part * self.price.of(reply.tokens_in, reply.tokens_out, cached)
            self._charge(usd)
        self._note(reserved, Cost(usd, reply.tokens_in + reply.tokens_out))
        self._bounds.learn(reserved, reply.tokens_in, reply.tokens_out)
        return ""

    def estimate(self, sizes: Sequence[Size]) -> Usage:
        """Return what requests of these sizes are taken to have cost if nobody hears of their replies.

        That is what they are likely to cost, the most where no reply has counted yet, and no more than is left.
        """
        each = [self._bounds.likely(size) for size in sizes]
        usd = sum(one.usd for one in each) if self.price else None
        if usd is not None and self._usd is not None:
            usd = min(usd, max(0.0, self._usd - self._spent_usd))
        return Usage(
            uncounted=len(each),
            uncounted_in=sum(one.tokens_in for one in each),
            uncounted_out=sum(one.tokens_out for one in each),
            usd=usd,
        )

    @property
    def _spent_usd(self) -> float:
        return self._usd_before + (self.usage.usd or 0.0)

    @property
    def _spent_tokens(self) -> float:
        return self._tokens_before + tokens_of(vars(self.usage))

    def _charge(self, usd: float) -> None:
        if self.usage.usd is not None:
            self.usage.usd += usd

    def _note(self, reserved: Bound, cost: Cost) -> None:
        if key := reserved.size.key:
            self.cost_of[key] = self.cost_of.get(key, Cost()) + cost

    def _hold(self, most: Bound) -> int:
        number = next(self._numbers)
        self._under_way[number] = most
        self._held_usd += most.usd
        self._held_tokens += most.tokens
        return number

    def _admits(self, size: Size, part: float = 1.0) -> bool:
        """Return whether the most a request can cost fits, or what it is likely to cost where no other is under way."""
        if self._fits(self._bounds.most(size, part)):
            return True
        trusted = self._bounds.trusted and not self._under_way
        return trusted and self._fits(self._bounds.likely(size, part))

    def _fits(self, cost: Bound) -> bool:
        usd = self._spent_usd + self._held_usd + cost.usd
        tokens = self._spent_tokens + self._held_tokens + cost.tokens
        return (self._usd is None or usd <= self._usd) and (self._tokens is None or tokens <= self._tokens)

    def _exhausted(self, size: Size, part: float = 1.0) -> BudgetExhausted:
        limits, used, following, more = self._limits, [], [], []
        likely = self._bounds.likely(size, part) if self._bounds.trusted else self._bounds.most(size, part)
        if self._tokens is not None and limits.tokens is not None:
            used.append(f"{self._spent_tokens:.0f} of {self._tokens:g} tokens")
            following.append(f"{likely.tokens} tokens")
            enough = max(2 * limits.tokens, limits.workers * math.ceil(self._spent_tokens + likely.tokens))
            more.append(f"{limits.more.format('tokens')}={enough}")
        if self._usd is not None and limits.usd is not None:
            used.append(f"{self._spent_usd:.4f} of {self._usd:g} USD")
            following.append(f"{likely.usd:.4f} USD")
            enough_usd = max(2 * limits.usd, limits.workers * math.ceil(100 * (self._spent_usd + likely.usd)) / 100)
            more.append(f"{limits.more.format('usd')}={enough_usd:g}")
        whose = (
            "the budget" if limits.workers == 1 else f"the part of the budget of one of {limits.workers} {limits.who}"
        )
        return BudgetExhausted(
            f"{whose} is used up: the rest does not cover another call, which may take {' and '.join(following)}"
            f" (over all commands {' and '.join(used)} used)",
            self.model,
            f"what was asked is stored; to go on, allow more in all: the same command with {' '.join(more)}",
        )


def tokens_of(spent: Mapping[str, float]) -> float:
    """Return all tokens in the fields of a `Usage`, those of uncounted requests at the most."""
    return sum(spent.get(name, 0) for name in ("tokens_in", "tokens_out", "uncounted_in", "uncounted_out"))
