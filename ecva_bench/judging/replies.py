"""What a judge wrote, read strictly: all verdicts, in range, or nothing. Knows no network and no store.

Two forms are read. The one asked for is a JSON object {"rationale": text, "verdicts": [...]}, bare or in one code
fence, with as many verdicts as asked for: whole numbers in range, or "yes" and "no" where the scale is yes/no (1 and
0 are also read). For endpoints that do not keep to JSON, a call for one verdict may be answered by that verdict
alone, on one line: `4`, `Score: 4`, `yes`, `Verdict: no.` What a model thought aloud before it is no part of
a reply. Everything else is unparsable, never guessed at: "4.5" is not 4, "10" is not 1, and a score quoted in
a sentence is no verdict.
"""

from __future__ import annotations

import json
import math
import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from ..reading.thoughts import said_range
from .calls import Scale

_FENCE = re.compile(r"\A```(?:json)?[ \t]*\n(.*)\n[ \t]*```\Z", re.DOTALL | re.IGNORECASE)
_BARE = re.compile(r"\A(?:(?:score|verdict|answer)[ \t]*:[ \t]*)?(yes|no|[0-9]+)\.?\Z", re.IGNORECASE)
# In a JSON text an unescaped quote never stands inside a string, so this finds the key and no quotation of it.
_VERDICTS_KEY = re.compile(r'(?<!\\)"verdicts"\s*:\s*\[')
_ITEM = re.compile(r'"?(yes|no|[0-9]+)"?\s*[,\]]', re.IGNORECASE)


@dataclass(frozen=True)
class Parsed:
    """The verdicts of a reply; yes and no are 1 and 0."""

    verdicts: tuple[int, ...]
    rationale: str = ""


def parse(text: str, scale: Scale, expected: int) -> Parsed | None:
    """Return the verdicts of a reply that must hold `expected` of them on `scale`; None where it does not."""
    body = _unfenced(text[slice(*said_range(text))])
    bare = _BARE.match(body)
    if bare and expected == 1 and scale.many is None:
        verdict = _word(bare[1], scale)
        return None if verdict is None else Parsed((verdict,))
    try:
        found = _STRICT.decode(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not {"verdicts"} <= found.keys() <= {"rationale", "verdicts"}:
        return None
    rationale, items = found.get("rationale", ""), found["verdicts"]
    if not isinstance(rationale, str) or not isinstance(items, list) or len(items) != expected:
        return None
    verdicts = [_verdict(item, scale) for item in items]
    return None if None in verdicts else Parsed(tuple(v for v in verdicts if v is not None), rationale)


def expectations(
    text: str, tokens: Sequence[Mapping[str, Any]], scale: Scale, expected: int
) -> tuple[float, ...] | None:
    """Return the expected verdict at each place of a parsable reply, from its token log-probabilities.

    `tokens` are those of a chat completion (`token`, `bytes`, `logprob`, `top_logprobs`). At the token in which a
    verdict begins, the probabilities of all tokens that name an admissible verdict are normalised among themselves.
    None where the tokens do not spell the reply, or none of them names a verdict.
    """
    starts = _verdict_starts(text, expected)
    spelled = [_bytes(token) for token in tokens]
    if starts is None or b"".join(spelled) != text.encode():
        return None
    ends = list(accumulate(map(len, spelled)))
    values = [_expectation(tokens[bisect_right(ends, start)], scale) for start in starts]
    return None if None in values else tuple(value for value in values if value is not None)


def _unfenced(text: str) -> str:
    stripped = text.strip()
    fenced = _FENCE.match(stripped)
    return fenced[1].strip() if fenced else stripped


def _verdict(item: object, scale: Scale) -> int | None:
    if isinstance(item, str):
        return _word(item, scale) if item.lower() in ("yes", "no") else None
    if type(item) is int and scale.low <= item <= scale.high:  # bool is an int, and no verdict
        return item
    return None


def _word(word: str, scale: Scale) -> int | None:
    """Return the verdict a word or a run of digits names, None where it is not on the scale."""
    if not word.isascii() or not word.isdigit():
        return {"yes": 1, "no": 0}.get(word.lower()) if scale.yes_no else None
    return int(word) if len(word) <= 2 and str(int(word)) == word and scale.low <= int(word) <= scale.high else None


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a key occurs twice")
    return dict(pairs)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


_STRICT = json.JSONDecoder(object_pairs_hook=_no_duplicates, parse_constant=_no_constant)


def _verdict_starts(text: str, expected: int) -> list[int] | None:
    """Return the byte offset in `text` at which each verdict begins."""
    begin, end = said_range(text)
    stripped = text[begin:end].strip()
    bare = _BARE.match(stripped)
    if bare and expected == 1:
        return [len(text[: text.index(stripped, begin) + bare.start(1)].encode())]
    key = _VERDICTS_KEY.search(text, begin, end)
    if key is None:
        return None
    found = _ITEM.finditer(text, key.end(), end)
    starts = [len(text[: item.start(1)].encode()) for item, _ in zip(found, range(expected), strict=False)]
    return starts if len(starts) == expected else None


def _bytes(token: Mapping[str, Any]) -> bytes:
    given = token.get("bytes")
    return bytes(given) if given is not None else str(token["token"]).encode()


def _expectation(token: Mapping[str, Any], scale: Scale) -> float | None:
    entries = [token, *(token.get("top_logprobs") or ())]
    alternatives = {str(entry["token"]): float(entry["logprob"]) for entry in entries}
    weights = [
        (verdict, math.exp(logprob))
        for text, logprob in alternatives.items()
        if (verdict := _named_by(text, scale)) is not None
    ]
    total = sum(weight for _, weight in weights)
    return sum(verdict * weight for verdict, weight in weights) / total if 0 < total < math.inf else None


def _named_by(token: str, scale: Scale) -> int | None:
    """Return the verdict a token names or, for yes and no, begins."""
    word = token.strip(' \t\n"[,]:.').lower()
    if scale.yes_no and word and ("yes".startswith(word) or "no".startswith(word)):
        return int(word[0] == "y")
    return _word(word, scale)
