"""The chat-completions format: a vote as a request, a response as a reply, an error as what to do about it.

Knows the format and its dialects; opens no connection and waits for nothing.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from ..reading.verdicts import read_verdicts
from ..untrusted import parse_json, well_formed
from . import messages
from .backend import Vote
from .counts import token_counts
from .error_bodies import ErrorBody
from .extras import NO_EXTRAS, RequestExtras
from .logprobs import expected_verdicts, likely_beginnings
from .store import Reply

MAX_REPLY_TOKENS = 4096  # of a reply: a verdict is short, but models that think first count their thoughts
TOP_LOGPROBS = 10
# Parameters that an endpoint may reject; it is then asked without them.
_OPTIONAL = ("response_format", "seed", "top_logprobs", "logprobs", "temperature", "max_completion_tokens")
_GO_TOGETHER = ({"logprobs", "top_logprobs"},)
_PASSING = {408, 409, 425, 429}
_TIMED_OUT = {504, 524}  # a gateway tells it, and what is behind it may have answered
_MAY_NAME_A_PARAMETER = {400, 403, 422, 501}
_FATAL = {
    401: "the endpoint refuses the key",
    402: "the credit at the endpoint is spent",
    403: "the endpoint refuses access",
    404: "the endpoint knows no such model or address",
}


@dataclass(frozen=True)
class RequestFailure:
    """Why a request brought no reply, and what that calls for.

    `passing`: another request may fare better, after `pause` seconds where the endpoint says so. `fatal`: no request
    will. `without`: it rejected these parameters, `guessed` where only its words name them. `refusal`: it will not
    answer this one. `rejected`: it finds fault with this one. `lost`: it was sent, and may have been answered
    and billed.
    """

    what: str
    passing: bool = False
    pause: float | None = None
    fatal: bool = False
    without: frozenset[str] = frozenset()
    guessed: bool = False
    refusal: bool = False
    rejected: bool = False
    lost: bool = False


def sampling_parameters(seed: int, max_tokens: int, extras: RequestExtras = NO_EXTRAS) -> dict[str, Any]:
    """Return how a vote is to be sampled, as part of its address; a reply names what of it was rejected."""
    return {
        "temperature": 0,
        "seed": seed,
        "max_completion_tokens": max_tokens,
        "response_format": "json_schema",
        "top_logprobs": TOP_LOGPROBS,
        **extras.described,
    }


def request_body(
    vote: Vote, *, model: str, max_tokens: int, without: Collection[str], extras: RequestExtras = NO_EXTRAS
) -> dict[str, Any]:
    """Return the request of a vote, without the parameters that the endpoint has rejected."""
    call = vote.call
    limit = "max_completion_tokens" if "max_completion_tokens" not in without else "max_tokens"  # its older name
    schema = {"name": messages.schema_name(call), "strict": True, "schema": messages.reply_schema(call)}
    whole = {
        "model": model,
        "messages": [
            {"role": "system", "content": messages.system_message(call)},
            {"role": "user", "content": messages.user_message(call)},
        ],
        "temperature": 0,
        "seed": vote.seed,
        limit: max_tokens,
        "response_format": {"type": "json_schema", "json_schema": schema},
        "logprobs": True,
        "top_logprobs": TOP_LOGPROBS,
        **extras.body,
    }
    return {name: value for name, value in whole.items() if name not in without}


def read_completion(
    raw: bytes, vote: Vote | None = None, *, without: Collection[str], scrub: Callable[[str], str]
) -> Reply | None:
    """Return the reply in a response's body, whatever it says, its texts scrubbed; None for no chat completion.

    With `vote`, what it asked for is looked for in the log-probabilities, and what was thought is left out.
    """
    try:
        found = parse_json(raw, lenient=True)  # its counts and probabilities are read one by one
        choice = found["choices"][0]
        message, usage = choice["message"], found.get("usage") or {}
        content, refusal = _content(message.get("content")), _text(message.get("refusal"))
        finish = _text(choice.get("finish_reason"))
        return Reply(
            content=scrub(content),
            finish=scrub(finish),
            refusal=scrub(refusal) or ("content_filter" if finish == "content_filter" else ""),
            expectations=_expectations(content, choice.get("logprobs"), vote) if vote else None,
            served=scrub(_served(found)),
            **token_counts(usage),
            left_out=tuple(sorted(without)),
            thought="" if vote else scrub(_thought(message)),
            beginnings=() if vote else likely_beginnings(choice.get("logprobs")),
        )
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return None


def is_usable(reply: Reply, vote: Vote) -> bool:
    """Return whether a reply settles a vote: it holds verdicts, refuses to give any, or was cut off while thinking.

    Of the last no other is to be had with as many tokens, and each try costs all of them.
    """
    scale = vote.call.prompt.scale
    return (
        bool(reply.refusal)
        or reply.ended_in_thought
        or read_verdicts(reply.content, scale, vote.call.expected) is not None
    )


def request_failure(
    status: int, headers: Mapping[str, str], error_body: ErrorBody, sent: Collection[str]
) -> RequestFailure:
    """Return what an error response calls for; `sent` are the request's parameters."""
    what = f"HTTP {status} {error_body.message}".strip()
    if "insufficient_quota" in error_body.codes:
        return RequestFailure(f"{_FATAL[402]} ({what})", fatal=True)
    if any(code.startswith("content_") for code in error_body.codes):  # content_filter, content_policy_violation
        return RequestFailure(what, refusal=True)
    turned_down = _turned_down(error_body, sent)
    if status in _MAY_NAME_A_PARAMETER and turned_down:
        return RequestFailure(what, without=turned_down, guessed=not error_body.names)
    if 300 <= status < 400:  # never followed: the key is for the address that was named
        return RequestFailure(f"the endpoint sends requests to another address ({what})", fatal=True)
    if status in _FATAL:
        return RequestFailure(f"{_FATAL[status]} ({what})", fatal=True)
    if status in _PASSING or status >= 500:
        return RequestFailure(what, passing=True, pause=_retry_after(headers), lost=status in _TIMED_OUT)
    return RequestFailure(what, rejected=True)


def no_completion(error_body: ErrorBody, sent: Collection[str]) -> RequestFailure:
    """Return what a response calls for that is none, though its status is that of success."""
    if error_body.status:
        return request_failure(error_body.status, {}, error_body, sent)
    what = f"the response is no chat completion: {error_body.message}".rstrip(": ")
    turned_down = _turned_down(error_body, sent) if error_body.of_json else frozenset()
    guessed = not error_body.names
    return RequestFailure(what, passing=True, without=turned_down, guessed=guessed, lost=not error_body.of_json)


def _turned_down(error_body: ErrorBody, sent: Collection[str]) -> frozenset[str]:
    """Return the optional parameters that an error names as such, or in its words where it names none of the request's.

    An error about the messages may quote them, and with them any word.
    """

    def named_in(text: str) -> set[str]:
        words = {name: name.replace("_", "[ _-]?") for name in _OPTIONAL if name in sent}
        return {name for name, word in words.items() if re.search(rf"\b{word}\b", text, re.IGNORECASE)}

    about_others = any(re.search(rf"\b{name}\b", error_body.names) for name in sent if name not in _OPTIONAL)
    named = named_in(error_body.names) or (set() if about_others else named_in(error_body.message))
    for group in _GO_TOGETHER:
        if named & group:
            named |= group
    return frozenset(named)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the pause in seconds that a response asks for, given in milliseconds, seconds or as a date."""
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        return max(0.0, float(headers["retry-after"]))
    except KeyError:
        return None
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(headers["retry-after"]).timestamp() - time.time())
    except (KeyError, ValueError):
        return None


def _content(value: Any) -> str:
    """Return what a message says: a text, or in some dialects a list of parts, thoughts among them; nothing for null.

    Raises an error for anything else: taken for an empty text, it would pass for an answer.
    """
    if isinstance(value, list):
        value = "".join(part["text"] for part in value if part["type"] == "text")
    if not isinstance(value, str | None):
        raise TypeError(f"a message of type {type(value).__name__}")
    return _text(value)


def _thought(message: Mapping[str, Any]) -> str:
    """Return what a message tells apart as thought, in the dialects' ways; nothing where it is told in none of them.

    A field of its own (DeepSeek, vLLM, Ollama), parts of the content (Mistral), or details beside it (OpenRouter), of
    which some say the same once more.
    """
    for field in ("reasoning_content", "reasoning", "thinking"):
        if isinstance(message.get(field), str) and message[field]:
            return _text(message[field])
    content, details = message.get("content"), message.get("reasoning_details")
    parts = [part for some in (content, details) if isinstance(some, list) for part in some if isinstance(part, dict)]
    return "\n\n".join(filter(None, map(_thought_of_part, parts)))


def _thought_of_part(part: Mapping[str, Any]) -> str:
    kind = str(part.get("type"))
    if not kind.startswith(("thinking", "reasoning")):
        return ""
    found = next((part[name] for name in ("thinking", "reasoning", "text", "summary") if part.get(name)), "")
    if isinstance(found, list):
        return "".join(_text(piece.get("text")) for piece in found if isinstance(piece, dict))
    return _text(found)


def _text(value: object) -> str:
    """Return a text fit to be stored; an empty one for anything else."""
    return well_formed(value) if isinstance(value, str) else ""


def _served(completion: Mapping[str, Any]) -> str:
    """Return what answered, in the endpoint's words: the model and, where there is one, the system's fingerprint."""
    return "@".join([_text(completion.get("model")), *filter(None, [_text(completion.get("system_fingerprint"))])])


def _expectations(content: str, logprobs: Any, vote: Vote) -> tuple[float, ...] | None:
    scale = vote.call.prompt.scale
    tokens = logprobs.get("content") if isinstance(logprobs, dict) else None
    read = read_verdicts(content, scale, vote.call.expected) if tokens else None
    if not tokens or read is None:
        return None
    try:
        return expected_verdicts(content, read.starts, tokens, scale)
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError):  # another make's cost no verdict
        return None
