"""How many tokens a reply says it took, whichever way an endpoint counts thoughts. Knows no price."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict


class TokenCounts(TypedDict):
    """What a reply says of its tokens, as fields of `Reply`."""

    tokens_in: int | None
    tokens_out: int | None
    tokens_cached: int | None
    tokens_reasoning: int | None
    miscounted: str


def token_counts(usage: Mapping[str, Any]) -> TokenCounts:
    """Return the tokens a reply says it took, None for what it does not say, and what it says in place of a number.

    Thoughts are output, also where an endpoint counts them beside it (xAI) or in the sum of all alone (Gemini).
    """
    said = (
        usage.get("prompt_tokens"),
        usage.get("completion_tokens"),
        _detail(usage, "prompt_tokens_details", "cached_tokens"),
        _detail(usage, "completion_tokens_details", "reasoning_tokens"),
    )
    counts = [_count(value) for value in said]
    billed = list(zip(said, counts, strict=True))[:3]
    strange = [repr(value)[:40] for value, count in billed if value is not None and count is None]
    out, thought = _with_thoughts(counts[0], counts[1], counts[3], _count(usage.get("total_tokens")))
    return {
        "tokens_in": counts[0],
        "tokens_out": out,
        "tokens_cached": counts[2],
        "tokens_reasoning": thought,
        "miscounted": ", ".join(strange),
    }


def _with_thoughts(
    said_in: int | None, said_out: int | None, thought: int | None, total: int | None
) -> tuple[int | None, int | None]:
    """Return the tokens of output, thoughts included, and those of thoughts, from what a reply says of each."""
    if said_in is None or said_out is None:
        return said_out, thought
    if total is not None:
        beside = max(0, total - said_in - said_out)
    else:
        beside = thought if thought is not None and thought > said_out else 0
    return said_out + beside, max(thought or 0, beside) if beside else thought


def _detail(usage: Mapping[str, Any], details: str, name: str) -> Any:
    found = usage.get(details)
    return found.get(name) if isinstance(found, dict) else None


def _count(value: object) -> int | None:
    """Return a number of tokens, None where an endpoint gives something else in its place."""
    return value if type(value) is int and value >= 0 else None
