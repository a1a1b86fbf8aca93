"""Who judged, for signatures: what was asked for, less what was turned down, and what answered. Knows replies only."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Self

from .completions import MAX_REPLY_TOKENS
from .store import Reply

_SEPARATORS = re.compile(r"[|,\r\n]+")  # of signatures: what an endpoint calls itself is any text


@dataclass(frozen=True)
class ReplyOrigin:
    """How a reply was had: without which parameters of its address, and what answered."""

    left_out: tuple[str, ...]
    served: str

    @classmethod
    def of(cls, reply: Reply) -> Self:
        """Return how a reply was had."""
        return cls(reply.left_out, _SEPARATORS.sub("_", reply.served))


def sampling(parameters: Mapping[str, Any], had: Collection[ReplyOrigin]) -> dict[str, str]:
    """Return how replies were sampled: `temperature` and `seed`, as far as no reply was had without them.

    Where some were, `left-out` has each set of parameters that replies were had without. `max-tokens` is named where it
    is not the usual limit.
    """
    left_out = {name for one in had for name in one.left_out}
    names = [name for name in ("temperature", "seed") if name in parameters and name not in left_out]
    found = {name: str(parameters[name]) for name in names}
    if (limit := parameters.get("max_completion_tokens", MAX_REPLY_TOKENS)) != MAX_REPLY_TOKENS:
        found["max-tokens"] = str(limit)
    if left_out:
        found["left-out"] = ",".join(sorted({"+".join(one.left_out) or "nothing" for one in had}))
    return found


def served(model: str, had: Collection[ReplyOrigin]) -> dict[str, str]:
    """Return what answered, all of it, where that is anything but the model by the name it was asked by."""
    names = {one.served for one in had} - {""}
    return {"served": ",".join(sorted(names))} if names - {model} else {}
