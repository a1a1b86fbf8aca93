"""The prefix that the texts of a batch share, read once by a language model of transformers for all of them."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any


def common_prefix(rows: Sequence[Sequence[int]]) -> int:
    """Return how many ids all rows begin with alike; one is left to each, which what follows is read off."""
    least = min(map(len, rows)) - 1
    return next((n for n, ids in enumerate(zip(*rows, strict=False)) if n == least or len({*ids}) > 1), least)


def cache_name(network: Any) -> str:
    """Return what a network calls the keys and values that it is given; empty where it takes none."""
    takes = inspect.signature(network.forward).parameters
    names = ("cache", "past_key_values")  # the latter before transformers 5.24
    return next((name for name in names if name in takes), "")


def read_prefix(network: Any, times: int, **prefix: Any) -> dict[str, Any]:
    """Return the keys and values of a prefix, for as many texts as have it, under the network's name for them.

    `prefix` is `input_ids` [1, length] or `inputs_embeds` [1, length, hidden].
    """
    from transformers import DynamicCache

    cache = DynamicCache(config=network.config)
    kept: dict[str, Any] = {cache_name(network): cache}
    network.base_model(**prefix, **kept, use_cache=True)
    cache.batch_repeat_interleave(times)
    return kept
