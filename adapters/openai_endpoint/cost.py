"""What asking a model behind an endpoint may cost: its budget, and a question before any is asked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ecva_bench.answering.adapter import QuestionCost
from ecva_bench.errors import JudgeError, UsageError
from ecva_bench.judging.budget import Budget, Limits, Usage, tokens_of
from ecva_bench.judging.prices import Price, find_price

from ..parts.options import count, positive
from .picture_tokens import most_tokens
from .requests import TEMPLATE


def open_budget(model: str, usd: str, tokens: str, prices: str, sharing: str) -> Budget:
    """Return the budget that options name, which so many are `sharing`; `UsageError` where it cannot be kept to."""
    limits = Limits(
        positive("budget_usd", usd, zero=True) if usd else None,
        count("budget_tokens", tokens) if tokens else None,
        "--model-arg budget-{}",
        count("sharing", sharing),
    )
    try:
        return Budget(model, Usage(), price=find_price(model, Path(prices) if prices else None), limits=limits)
    except JudgeError as error:
        raise UsageError(error.what, error.where, "name a table with --model-arg prices=FILE") from None


def count_before(budget: Budget, spent: Mapping[str, float]) -> None:
    """Count what a results file has cost, at today's price where none was known then."""
    usd = spent.get("usd", 0.0)
    if price := budget.price:
        unpriced = [int(spent.get(f"unpriced_{way}", 0)) for way in ("in", "out", "cached")]
        usd += price.of(*unpriced)
    budget.count_before(usd, tokens_of(spent))


def most_of_a_question(
    model: str, price: Price | None, *, words: int, frames: int, max_side: int, low: bool, out: int
) -> QuestionCost:
    """Return the most a question of so many bytes takes, about a video of 16:9."""
    width, height = max_side, max(1, round(max_side * 9 / 16))
    each = most_tokens(model, width, height, low=low)
    tokens_in = TEMPLATE + words + frames * each
    return QuestionCost(
        tokens_in,
        out,
        frames,
        price.of(tokens_in, out) if price else None,
        price.of(tokens_in, 0) * each / tokens_in if price else None,
        price.batch if price else 1.0,
        f"{frames} frames of {width} x {height}",
    )
