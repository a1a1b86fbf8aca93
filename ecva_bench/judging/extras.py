"""What a request says beside what the harness sets: how much a model thinks, and parameters of the endpoint's own.

All of it is part of what was asked, so of every key; what is not said leaves keys as they are. Knows the forms of
providers, as their documentation had them in November 2026; opens no connection.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

from ..errors import UsageError
from ..records.answers import THINKING
from ..untrusted import is_secret, parse_json, scrubbed, secrets

# What the harness says itself, or what would change the form of a reply: one text, whole.
_OURS = frozenset({
    "model", "messages", "temperature", "seed", "max_tokens", "max_completion_tokens", "logprobs", "top_logprobs",
    "response_format", "media_io_kwargs", "n", "stream", "stream_options",
})  # fmt: skip
_EFFORT = re.compile(r"[a-z]{1,20}")
# How a limit of the tokens that are thought is told, by the end of the endpoint's host.
_BUDGETS: Mapping[str, Callable[[int], dict[str, Any]]] = {
    "openrouter.ai": lambda tokens: {"reasoning": {"max_tokens": tokens}},
    "anthropic.com": lambda tokens: {"thinking": {"type": "enabled", "budget_tokens": tokens}},
    "googleapis.com": lambda tokens: {"extra_body": {"google": {"thinking_config": {"thinking_budget": tokens}}}},
    "aliyuncs.com": lambda tokens: {"enable_thinking": True, "thinking_budget": tokens},
}


@dataclass(frozen=True, eq=False)
class RequestExtras:
    """`effort` is `reasoning_effort`; `own` are the parameters of `extra_body`.

    `budget` are the most tokens to be thought, and `budget_as` the parameters that say so.
    """

    effort: str = ""
    budget: int = 0
    budget_as: Mapping[str, Any] = field(default_factory=dict)
    own: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, options: Mapping[str, str], *, base_url: str | None, most_out: int, option: str) -> Self:
        """Read `THINKING` from options; `option` is what a user writes before one, such as `--model-arg`.

        `most_out` are the most tokens of a reply, thoughts included. Raises `UsageError` for a value without a meaning,
        for a parameter that the harness sets, and where the endpoint's way to tell a budget is not known.
        """
        effort, budget, own = (options.get(name, "") for name in THINKING)
        if effort and not _EFFORT.fullmatch(effort):
            raise UsageError("an effort is a word, as low, medium or high", f"{option} reasoning-effort={effort}")
        found = cls(
            effort,
            _tokens(budget, most_out, option) if budget else 0,
            _told(int(budget), base_url, option) if budget else {},
            _own(own, option) if own else {},
        )
        if twice := sorted({*found.budget_as, *(["reasoning_effort"] if effort else [])} & found.own.keys()):
            raise UsageError(f"{twice[0]} is said twice", f"{option} extra-body", "say all of it there")
        return found

    @classmethod
    def in_parameters(cls, parameters: Mapping[str, Any]) -> Self:
        """Return what `described` wrote into the parameters of a call."""
        budget = parameters.get("thinking_budget") or {"tokens": 0, "as": {}}
        own = parameters.get("extra_body") or {}
        return cls(str(parameters.get("reasoning_effort") or ""), int(budget["tokens"]), dict(budget["as"]), dict(own))

    @property
    def body(self) -> dict[str, Any]:
        """The parameters of a request's body."""
        return {**({"reasoning_effort": self.effort} if self.effort else {}), **self.budget_as, **self.own}

    @property
    def described(self) -> dict[str, Any]:
        """What was said, by the names of the options; nothing of what was not."""
        budget = {"tokens": self.budget, "as": dict(self.budget_as)} if self.budget else None
        said = {"reasoning_effort": self.effort, "thinking_budget": budget, "extra_body": dict(self.own)}
        return {name: value for name, value in said.items() if value}


NO_EXTRAS = RequestExtras()


def _tokens(text: str, most_out: int, option: str) -> int:
    """Return a budget of tokens; `UsageError` for another text, and where it leaves no room for an answer."""
    where = f"{option} thinking-budget={text}"
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise UsageError("a thinking budget is a whole number of tokens above 0", where)
    if int(text) >= most_out:
        what = f"the budget leaves no room for an answer: a reply has at most {most_out:,} tokens, thoughts included"
        raise UsageError(what, where, "allow more of them, or a smaller budget")
    return int(text)


def _told(tokens: int, base_url: str | None, option: str) -> dict[str, Any]:
    """Return the parameters that tell a budget to the endpoint; `UsageError` where they are not known."""
    base = base_url or os.environ.get("OPENAI_BASE_URL") or ""
    host = urlsplit(base).hostname or ""
    for end, told in _BUDGETS.items():
        if host == end or host.endswith(f".{end}"):
            return told(tokens)
    own = json.dumps({"thinking_token_budget": tokens})
    remedy = f"write it as the endpoint takes it, for vLLM: {option} extra-body='{own}'"
    if not base or host.endswith("openai.com"):
        remedy = f"OpenAI's models take {option} reasoning-effort=low|medium|high"
    raise UsageError("how this endpoint is told a thinking budget is not known", host or "OpenAI's endpoint", remedy)


def _own(text: str, option: str) -> dict[str, Any]:
    """Return the parameters of a JSON object; `UsageError` for another text, and for what they may not say."""
    where = f"{option} extra-body"
    remedy = f"write it as {where}='{{\"top_k\": 20}}'"
    try:
        found = parse_json(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"this is no JSON ({error!s:.100})", where, remedy) from None
    if not isinstance(found, dict):
        raise UsageError("the parameters are a JSON object", where, remedy)
    if ours := sorted(found.keys() & _OURS):
        what = f"{', '.join(ours)} cannot be set so: the harness sets it, or could not read the reply"
        raise UsageError(what, where, "leave it out; there are options for temperature and length")
    secret = next((name for name in _names_in(found) if is_secret(name)), None)
    if secret or scrubbed(text, secrets()) != text:
        what = f"{secret or 'one of them'} looks like a key, and these parameters are written into results"
        raise UsageError(what, where, "leave it out: keys come from the environment")
    return found


def _names_in(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [*value, *(name for part in value.values() for name in _names_in(part))]
    return [name for part in value for name in _names_in(part)] if isinstance(value, list) else []
