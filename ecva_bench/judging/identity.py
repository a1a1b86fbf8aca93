"""Which judge it was, for signatures: the parameters that the endpoint accepted, and the models that replied."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Self

from ..records.base import sha256_of
from .completions import MAX_REPLY_TOKENS
from .extras import RequestExtras
from .store import Reply

_SEPARATORS = re.compile(r"[|,\r\n]+")  # of signatures: what an endpoint calls itself is any text


@dataclass(frozen=True)
class ReplyOrigin:
    """How a reply was made: `left_out` are rejected parameters of its address, `served` is the model that replied."""

    left_out: tuple[str, ...]
    served: str

    @classmethod
    def of(cls, reply: Reply) -> Self:
        """Return the origin of a reply."""
        return cls(reply.left_out, _SEPARATORS.sub("_", reply.served))


def sampling(parameters: Mapping[str, Any], origins: Collection[ReplyOrigin]) -> dict[str, str]:
    """Return how replies were sampled: `temperature` and `seed`, each only if no reply was made without it.

    `left-out` lists the sets of parameters that endpoints rejected, if any. `max-tokens` is given where it is not the
    default limit; effort and thinking budget where they were said, and the beginning of a hash of parameters of the
    endpoint's own.
    """
    left_out = {name for one in origins for name in one.left_out}
    names = [name for name in ("temperature", "seed") if name in parameters and name not in left_out]
    found = {name: str(parameters[name]) for name in names}
    if (limit := parameters.get("max_completion_tokens", MAX_REPLY_TOKENS)) != MAX_REPLY_TOKENS:
        found["max-tokens"] = str(limit)
    extras = RequestExtras.in_parameters(parameters)
    if extras.effort:
        found["effort"] = extras.effort
    if extras.budget:
        found["thinking-budget"] = str(extras.budget)
    if extras.own:
        found["extra-body"] = sha256_of(extras.described)[:8]
    if left_out:
        found["left-out"] = ",".join(sorted({"+".join(one.left_out) or "nothing" for one in origins}))
    return found


def served(model: str, origins: Collection[ReplyOrigin]) -> dict[str, str]:
    """Return the names of the models that replied, if they differ from the name in the requests."""
    names = {one.served for one in origins} - {""}
    return {"served": ",".join(sorted(names))} if names - {model} else {}
