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
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..errors import BudgetExhausted, JudgeError
from .prices import HOW_TO_PRICE, Price
from .store import Cost, Reply

ABSURD = 10  # times the most a request can count: no count, but a fault of the endpoint's
MOST_TOKENS = 10_000_000  # no model's context is longer
BYTES_PER_TOKEN = 32  # no text has so many on average: 4 in English, 6 in code with long names
REPLIES_TO_TRUST = 5  # before which no request goes out that may cost more than is left
LIKELY = 1.5  # times the largest count of all replies


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
class _Reserved:
    """The most that a request under way can count and cost; `part` of the price is asked."""

    size: Size
    most_in: int
    part: float
    usd: float

    @property
    def tokens(self) -> int:
        return self.most_in + self.size.out


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
        self._under_way: dict[int, _Reserved] = {}  # by number
        self._held_usd, self._held_tokens = 0.0, 0  # the sums of those
        self._numbers = itertools.count()
        self._settled = asyncio.Event()
        self._counted: dict[Hashable, int] = {}  # most tokens of input, by `Size.alike`
        self._excess = 1.0  # by how much replies have counted more than was thought to be the most
        self._replies = 0  # that have counted: until the first has, one request at a time
        self._longest = 0  # most tokens of a reply
        self.cost_of: dict[str, Cost] = {}  # by `Size.key`, what was settled and not taken yet
        self._filled = 0.0  # most tokens of input, as a part of what was thought to be the most

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
            if self._admits(size, 1.0) and (self._replies or not self._under_way):
                break
            if not self._under_way:
                raise self._exhausted(size, 1.0)
            self._settled.clear()
            await self._settled.wait()
        return self._hold(self._most(size, 1.0))

    def reserve_in_batch(self, size: Size) -> int:
        """Hold the most a request in a batch can cost; `BudgetExhausted` where the budget does not cover it now."""
        part = self.price.batch if self.price else 1.0
        if self.limited and not self._admits(size, part):
            raise self._exhausted(size, part)
        return self._hold(self._most(size, part))

    def hold_in_batch(self, size: Size) -> int:
        """Hold as much for a request that is under way already, covered or not."""
        return self._hold(self._most(size, self.price.batch if self.price else 1.0))

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
        absurd = _absurd(reply, reserved) if reply else ""
        if not reply or absurd or reply.tokens_in is None or reply.tokens_out is None or _too_few(reply, reserved.size):
            usage.uncounted += 1
            usage.uncounted_in += reserved.most_in
            usage.uncounted_out += reserved.size.out
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
        self._learn(reserved, reply.tokens_in, reply.tokens_out)
        return ""

    def estimate(self, sizes: Sequence[Size]) -> Usage:
        """Return what requests of these sizes are taken to have cost if nobody hears of their replies.

        That is what they are likely to cost, the most where no reply has counted yet, and no more than is left.
        """
        each = [self._likely(size, 1.0) for size in sizes]
        usd = sum(one.usd for one in each) if self.price else None
        if usd is not None and self._usd is not None:
            usd = min(usd, max(0.0, self._usd - self._spent_usd))
        return Usage(
            uncounted=len(each),
            uncounted_in=sum(one.most_in for one in each),
            uncounted_out=sum(one.size.out for one in each),
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

    def _note(self, reserved: _Reserved, cost: Cost) -> None:
        if key := reserved.size.key:
            self.cost_of[key] = self.cost_of.get(key, Cost()) + cost

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

    def _admits(self, size: Size, part: float) -> bool:
        """Return whether the most a request can cost fits, or what it is likely to cost where no other is under way."""
        if self._fits(self._most(size, part)):
            return True
        trusted = self._replies >= REPLIES_TO_TRUST and not self._under_way
        return trusted and self._fits(self._likely(size, part))

    def _likely(self, size: Size, part: float) -> _Reserved:
        """Return what a request costs unless it is larger by half than all before; the most where none has counted."""
        most = self._most(size, part)
        if not self._replies:
            return most
        tokens_in = min(most.most_in, math.ceil(LIKELY * self._filled * most.most_in))
        out = math.ceil(min(size.out * self._excess, LIKELY * self._longest))
        usd = part * self.price.of(tokens_in, out) if self.price else 0.0
        return _Reserved(replace(size, out=out), tokens_in, part, usd)

    def _fits(self, cost: _Reserved) -> bool:
        usd = self._spent_usd + self._held_usd + cost.usd
        tokens = self._spent_tokens + self._held_tokens + cost.tokens
        return (self._usd is None or usd <= self._usd) and (self._tokens is None or tokens <= self._tokens)

    def _learn(self, reserved: _Reserved, tokens_in: int, tokens_out: int) -> None:
        """Take what a reply counted as the most of requests alike, and a count above the most as that of all."""
        self._replies += 1
        self._longest = max(self._longest, tokens_out)
        alike = reserved.size.alike
        if alike is not None:  # the whole input, so that it is no less than the pictures'
            self._counted[alike] = max(tokens_in, self._counted.get(alike, 0))
        for counted, most in ((tokens_in, reserved.most_in), (tokens_out, reserved.size.out)):
            if most and self.limited:
                self._excess = max(self._excess, counted / most)
        most = self._most(reserved.size, 1.0).most_in  # with what this reply has taught
        self._filled = max(self._filled, tokens_in / max(1, most))

    def _exhausted(self, size: Size, part: float) -> BudgetExhausted:
        limits, used, following, more = self._limits, [], [], []
        likely = self._likely(size, part) if self._replies >= REPLIES_TO_TRUST else self._most(size, part)
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


def _absurd(reply: Reply, reserved: _Reserved) -> str:
    """Return why a reply's count cannot be; nothing where it can, or where there is none."""
    if reply.miscounted:
        return f"the endpoint counts {reply.miscounted}, which is no number of tokens"
    for name, counted, most in (
        ("input", reply.tokens_in or 0, reserved.most_in),
        ("output", reply.tokens_out or 0, max(reserved.size.out, _said(reply))),  # it may be longer than it may be
    ):
        if counted > min(ABSURD * most, MOST_TOKENS):
            return f"the endpoint counts {counted} tokens of {name}, where {most} are the most there can be"
    if (reply.tokens_cached or 0) > (reply.tokens_in or 0):
        return f"the endpoint counts {reply.tokens_cached} cached tokens of {reply.tokens_in}"
    return ""


def _too_few(reply: Reply, size: Size) -> bool:
    """Return whether a reply counts fewer tokens than its own text, or that of the request, must have."""
    return (reply.tokens_in or 0) * BYTES_PER_TOKEN < max(1, size.words) or (
        reply.tokens_out or 0
    ) * BYTES_PER_TOKEN < _said(reply)


def _said(reply: Reply) -> int:
    """Return the bytes of a reply's text: no more tokens can be in it."""
    return len((reply.content + reply.thought).encode("utf-8", "replace"))
