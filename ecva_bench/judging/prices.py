"""What a model's tokens cost: a packaged table with dates and sources, and the user's own. Knows no budget."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from ..errors import JudgeError
from ..untrusted import parse_json

MILLION = 1_000_000
BATCH = 0.5  # what OpenAI, Anthropic and Google ask of each price at their batch endpoints
EXAMPLE = '{"models": {"my-model": {"input": 0.15, "cached_input": 0.075, "output": 0.6}}}'  # shown by --help


@dataclass(frozen=True)
class Price:
    """What a model's tokens cost, in USD per million; `batch` is the part of it that a batch endpoint asks.

    `long` are the prices of requests with more than `above` tokens of input, where those differ.
    """

    input: float
    output: float
    cached_input: float
    batch: float = BATCH
    above: int = 0
    long: Price | None = field(default=None, repr=False)

    def of(self, tokens_in: int, tokens_out: int, cached: int = 0) -> float:
        """Return the USD for one request of so many tokens; `cached` are part of `tokens_in`."""
        if self.long and tokens_in > self.above:
            return self.long.of(tokens_in, tokens_out, cached)
        total = (tokens_in - cached) * self.input + cached * self.cached_input + tokens_out * self.output
        return total / MILLION


def find_price(model: str, table: Path | None = None) -> Price | None:
    """Return a model's price from `table`, else from the packaged one; None where neither has it.

    A table is JSON: {"models": {MODEL: {"input": …, "output": …, "cached_input": …}}}, in USD per million tokens;
    `cached_input` may be left out, and `long` and `batch` too (see `prices.json`). Raises `JudgeError` where it cannot
    be read.
    """
    packaged = (files(__package__) / "prices.json").read_text(encoding="utf-8")
    models = parse_json(packaged)["models"]
    if table is not None:
        try:
            models = models | parse_json(table.read_text(encoding="utf-8"))["models"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise JudgeError(
                f"the price table cannot be read ({type(error).__name__}: {error})", table, HOW_TO_PRICE
            ) from None
    return _price(models[model], model, table) if model in models else None


HOW_TO_PRICE = f"name a file with --prices that says, in USD per million tokens, {EXAMPLE}"


def _price(row: Any, model: str, table: Path | None) -> Price:
    try:
        long = row.get("long")
        price = Price(
            float(row["input"]),
            float(row["output"]),
            float(row.get("cached_input", row["input"])),
            float(row.get("batch", BATCH)),
            int(long["above"]) if long else 0,
            _price(long, model, table) if long else None,
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise JudgeError(f"the price of {model!r} is not understood", table, HOW_TO_PRICE) from None
    if not min(price.input, price.output, price.cached_input, price.batch, price.above) >= 0:
        raise JudgeError(f"the price of {model!r} is negative", table, HOW_TO_PRICE)
    return price
