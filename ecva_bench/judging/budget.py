"""Tokens and money: what a model's tokens cost, what a run has used, and when it must stop. Knows no network.

A run never spends more than its budget: before a call is sent, the most it can cost is reserved, and what it did cost
is settled when the reply is there. While other calls are under way a reservation that does not fit waits for them.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from ..errors import BudgetExhausted, JudgeError
from .store import Reply

MILLION = 1_000_000


@dataclass(frozen=True)
class Price:
    """What a model's tokens cost, in USD per million."""

    input: float
    output: float
    cached_input: float

    def of(self, tokens_in: int, tokens_out: int, cached: int = 0) -> float:
        """Return the USD for so many tokens; `cached` are part of `tokens_in`."""
        total = (tokens_in - cached) * self.input + cached * self.cached_input + tokens_out * self.output
        return total / MILLION


@dataclass
class Usage:
    """What a judge did since it was opened, in votes: `asked` of the model, answered `from_store`, `failed`.

    `not_in_replay` votes could not be asked, for there is only an export. `retries` are requests beyond the first of a
    vote. Tokens include those of replies that were no verdict; `usd` is None where the model's price is unknown;
    `uncounted` replies came without a count of tokens.
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


def find_price(model: str, table: Path | None = None) -> Price | None:
    """Return a model's price from `table`, else from the packaged one; None where neither has it.

    A table is JSON: {"models": {MODEL: {"input": …, "output": …, "cached_input": …}}}, in USD per million tokens;
    `cached_input` may be left out. Raises `JudgeError` where it cannot be read.
    """
    packaged = (files(__package__) / "prices.json").read_text(encoding="utf-8")
    models = json.loads(packaged)["models"]
    if table is not None:
        try:
            models = models | json.loads(table.read_text(encoding="utf-8"))["models"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise JudgeError(
                f"the price table cannot be read ({type(error).__name__}: {error})", table, _HOW_TO_PRICE
            ) from None
    return _price(models[model], model, table) if model in models else None


_HOW_TO_PRICE = (
    'name a file with --prices that says {"models": {MODEL: {"input": USD, "output": USD}}}, per million tokens'
)


def _price(row: Any, model: str, table: Path | None) -> Price:
    try:
        price = Price(float(row["input"]), float(row["output"]), float(row.get("cached_input", row["input"])))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise JudgeError(f"the price of {model!r} is not understood", table, _HOW_TO_PRICE) from None
    if not min(price.input, price.output, price.cached_input) >= 0:
        raise JudgeError(f"the price of {model!r} is negative", table, _HOW_TO_PRICE)
    return price


class Budget:
    """Reservations against a limit of money, of tokens, of both or of neither. Used by one event loop."""

    def __init__(self, model: str, usage: Usage, *, price: Price | None, usd: float | None, tokens: int | None) -> None:
        """Spend for `model` into `usage`; `JudgeError` where money is limited and the price unknown."""
        if usd is not None and price is None:
            raise JudgeError("a budget in USD needs the model's price", model, _HOW_TO_PRICE)
        self.model, self.usage, self._price, self._usd, self._tokens = model, usage, price, usd, tokens
        if price is not None:
            usage.usd = 0.0
        self._reserved: dict[int, tuple[float, int]] = {}  # what a request under way may cost, by its number
        self._kept = (0.0, 0)  # what replies without a count of tokens may have cost
        self._numbers = itertools.count()
        self._settled = asyncio.Event()

    @property
    def limited(self) -> bool:
        """Whether there is a limit at all."""
        return self._usd is not None or self._tokens is not None

    async def reserve(self, most_in: int, most_out: int) -> int:
        """Hold the cost of so many tokens for a request, until `settle` is called with the number returned.

        Raises `BudgetExhausted` where the rest of the budget does not cover it and no request is under way.
        """
        most = (self._price.of(most_in, most_out) if self._price else 0.0, most_in + most_out)
        while self.limited and not self._fits(most):
            if not self._reserved:
                raise self._exhausted()
            self._settled.clear()
            await self._settled.wait()
        number = next(self._numbers)
        self._reserved[number] = most
        return number

    def settle(self, number: int, reply: Reply | None) -> None:
        """Count what a request did cost: nothing without a reply, all it reserved where the reply does not say."""
        usd, tokens = self._reserved.pop(number)
        self._settled.set()
        if reply is None:
            return
        if reply.tokens_in is None or reply.tokens_out is None:
            self.usage.uncounted += 1
            self._kept = (self._kept[0] + usd, self._kept[1] + tokens)
            return
        cached = reply.tokens_cached or 0
        self.usage.tokens_in += reply.tokens_in
        self.usage.tokens_out += reply.tokens_out
        self.usage.tokens_cached += cached
        if self._price is not None and self.usage.usd is not None:
            self.usage.usd += self._price.of(reply.tokens_in, reply.tokens_out, cached)

    def _fits(self, most: tuple[float, int]) -> bool:
        held = [*self._reserved.values(), self._kept, most]
        usd = (self.usage.usd or 0.0) + sum(cost for cost, _ in held)
        tokens = self.usage.tokens_in + self.usage.tokens_out + sum(count for _, count in held)
        return (self._usd is None or usd <= self._usd) and (self._tokens is None or tokens <= self._tokens)

    def _exhausted(self) -> BudgetExhausted:
        tokens = self.usage.tokens_in + self.usage.tokens_out
        spent = f"{tokens} tokens" + (f", {self.usage.usd:.4f} USD" if self.usage.usd is not None else "")
        return BudgetExhausted(
            f"the rest of the budget does not cover another call ({spent} used)",
            self.model,
            "what was asked is stored: run the same command again, with a new budget, to go on",
        )
