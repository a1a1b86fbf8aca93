"""What asking a model behind an endpoint may cost: its budget, and a question before any is asked."""

from __future__ import annotations

from pathlib import Path

from ecva_bench.answering.adapter import QuestionCost
from ecva_bench.errors import JudgeError, UsageError
from ecva_bench.judging.budget import Budget, Usage
from ecva_bench.judging.prices import Price, find_price

from ..parts.options import count, positive
from .picture_tokens import most_tokens
from .requests import TEMPLATE


def open_budget(model: str, usage: Usage, usd: str, tokens: str, prices: str) -> Budget:
    """Return the budget that options name; `UsageError` where it cannot be kept to."""
    try:
        return Budget(
            model,
            usage,
            price=find_price(model, Path(prices) if prices else None),
            usd=positive("budget_usd", usd, zero=True) if usd else None,
            tokens=count("budget_tokens", tokens) if tokens else None,
        )
    except JudgeError as error:
        raise UsageError(error.what, error.where, "name a table with --model-arg prices=FILE") from None


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
