"""Read the verdicts of a judge's reply, with their characters: all that the prompt asks for, or none.

Two forms are read. One is the JSON object that the prompt asks for, {"rationale": text, "verdicts": [...]}, also with
prose or a code fence around it, a surplus comma, or further keys. The other, where one verdict is asked for, is a
reply that consists of that verdict: `4`, `**Score:** 4/5`, `Verdict: no.` Thoughts are not part of a reply.

The reply must be unambiguous. Nothing is read from two objects, from prose with another score, or from an object within
a sentence or in quotes (a judge may quote an answer that tells it what to say). "4.5" is not 4, "10" is not 1, and 4
of 10 is not a verdict on a scale up to 5.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .thoughts import blank_thoughts

# Anchored at both ends, an object's text and JSON's own tokens are found in one pass, whatever they hold.
_BRACES = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[{}]', re.DOTALL)
_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*+"|[{}\[\]:,]|[^\s{}\[\]:,"]++', re.DOTALL)
_FENCE = re.compile(r"(?:```|~~~)[ \t]*(?:json\w*)?", re.IGNORECASE)
_MARKS = re.compile(r"[*_`#>]")  # of Markdown

_NAMES = r"(?:score|verdict|answer|grade|rating|mark)"
_VALUE = r"(yes|no|[0-9]{1,6})(?:\.0{1,9})?(?:\s{0,3}\(?(?:/|(?:out )?of\b)\s{0,3}([0-9]{1,3})\)?)?"
_ALONE = re.compile(
    rf"(?:(?:-\s)?(?:(?:my|the|final|overall)\s){{0,3}}{_NAMES}\s{{0,3}}(?::|=|is\b|[-–]\s)?\s{{0,9}})?{_VALUE}[.!]?",
    re.IGNORECASE,
)
_IN_JSON = re.compile(_VALUE, re.IGNORECASE)
_LABELLED = re.compile(
    rf"\b{_NAMES}s?\b\W{{0,4}}(?:is\b|of\b)?\W{{0,4}}(yes\b|no\b|[0-9]+(?:\.[0-9]+)?)", re.IGNORECASE
)
_SAME_KEY = re.compile(rf"(?:.*[_ -])?{_NAMES}s?", re.IGNORECASE | re.DOTALL)
_NUMBER = re.compile(r"(?<![\w.])(yes|no|[0-9]+(?:\.[0-9]+)?)(?!\w)", re.IGNORECASE)
# Words by which what follows is given without a colon, is a quotation, or takes back what went before.
_GIVES = re.compile(r"\b(?:here|my|sure|certainly|okay|verdict|grade|rating|result|json)\b", re.IGNORECASE)
_QUOTES = re.compile(
    r"\b(?:says?|said|states?|contains?|claims?|asks?|instructs?|reads?|quot\w+|tells?|told|demands?|wr[io]tt?e\w*|"
    r"ends? with|begins? with|never|instead|example)\b",
    re.IGNORECASE,
)
_TAKES_BACK = re.compile(
    r"\b(?:ignor\w+|refus\w+|cannot|instead|rather|however|but|actually|wait|sorry|correct(?:ion|ed)|chang\w+|"
    r"revis\w+|mistake\w*|instruct\w*|inject\w*|quot\w+)\b|n['’]t\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Scale:
    """The verdicts a prompt asks for: whole numbers from `low` to `high`; yes and no are 1 and 0.

    `many` names the payload field, a list, that gets one verdict per item; None for a single verdict.

    >>> import ecva_bench as eb

    >>> eb.Scale(0, 1).named("yes"), eb.Scale(0, 5).named("7")
    (1, None)
    """

    low: int
    high: int
    many: str | None = None

    @property
    def yes_no(self) -> bool:
        """Whether verdicts are yes or no."""
        return (self.low, self.high) == (0, 1)

    def named(self, word: str) -> int | None:
        """Return the verdict a word or a run of digits names, None where it is not on the scale."""
        if not word.isascii() or not word.isdigit():
            return {"yes": 1, "no": 0}.get(word.lower()) if self.yes_no else None
        value = int(word) if len(word) <= len(str(self.high)) else self.high + 1
        return value if str(value) == word and self.low <= value <= self.high else None


@dataclass(frozen=True)
class Verdicts:
    """The verdicts of a reply, yes and no as 1 and 0, and the character of the reply at which each begins."""

    values: tuple[int, ...]
    starts: tuple[int, ...]
    rationale: str = ""


def read_verdicts(text: str, scale: Scale, expected: int) -> Verdicts | None:
    """Return the verdicts of a reply that must hold `expected` of them on `scale`; None where it surely does not."""
    text = blank_thoughts(text)
    spans = _objects(text)
    if spans is None:
        return None
    found = [(span, reply) for span in spans if (reply := _reply(text, *span)) is not None]
    if not found:
        return _alone(text, scale) if expected == 1 and scale.many is None else None
    (start, end), reply = found[0]
    read = _verdicts(reply, scale, expected)
    if len(found) > 1 or read is None or not _stands_for_itself(text[:start], text[end:], read, scale):
        return None
    return read


def _objects(text: str) -> list[tuple[int, int]] | None:
    """Return where the outermost objects in braces stand; None where the last one is cut off."""
    found, start = list[tuple[int, int]](), 0
    while (opened := text.find("{", start)) >= 0:
        depth = 0
        for token in _BRACES.finditer(text, opened):
            depth += {"{": 1, "}": -1}.get(token[0], 0)
            if depth == 0:
                break
        if depth:
            return None
        start = token.end()
        found.append((opened, start))
    return found


@dataclass(frozen=True)
class _Reply:
    """An object that speaks of verdicts: its fields, empty where it is no JSON, and where its verdicts begin."""

    fields: Mapping[str, Any]
    starts: Sequence[int]


def _reply(text: str, start: int, end: int) -> _Reply | None:
    """Return an object of a reply, None for one that does not speak of verdicts, such as the data quoted."""
    if "verdict" not in text[start:end]:
        return None
    tokens = list(_TOKENS.finditer(text, start, end))
    kept = [
        " " if token[0] == "," and following[0] in "}]" else token[0]
        for token, following in zip(tokens, [*tokens[1:], tokens[-1]], strict=True)
    ]
    try:
        fields = _STRICT.decode(" ".join(kept))
    except (ValueError, RecursionError):
        fields = {}
    return _Reply(fields, list(_starts(tokens)))


def _starts(tokens: Sequence[re.Match[str]]) -> Iterator[int]:
    """Yield where the items of the outermost list called "verdicts" begin, within their quotes."""
    depth, within = 0, False
    for number, token in enumerate(tokens):
        if token[0] in ("}", "]"):
            depth -= 1
            within = within and depth > 1
        elif token[0] in ("{", "["):
            depth += 1
            within = within or (depth == 2 and [one[0] for one in tokens[number - 2 : number]] == ['"verdicts"', ":"])
        elif within and token[0] != ",":
            yield token.start() + (token[0][0] == '"')


def _verdicts(reply: _Reply, scale: Scale, expected: int) -> Verdicts | None:
    """Return the verdicts of an object; None where there are more or fewer, or another key says something else."""
    rationale, items = reply.fields.get("rationale") or "", reply.fields.get("verdicts")
    if not isinstance(rationale, str) or not isinstance(items, list):
        return None
    values = tuple(value for item in items if (value := _value(item, scale)) is not None)
    if not len(values) == len(items) == len(reply.starts) == expected:
        return None
    for key, item in reply.fields.items():
        if key != "verdicts" and _SAME_KEY.fullmatch(key):
            named = [_value(one, scale) for one in (item if isinstance(item, list) else [item])]
            if named not in ([None] * len(named), [*values]):
                return None
    return Verdicts(values, tuple(reply.starts), rationale)


def _value(item: object, scale: Scale) -> int | None:
    """Return the verdict that an item of a list is; bool is an int, and no verdict."""
    if isinstance(item, str):
        return _named(_IN_JSON.fullmatch(item.strip()), scale)
    if type(item) is float and item.is_integer():
        item = int(item)
    return item if type(item) is int and scale.low <= item <= scale.high else None


def _named(found: re.Match[str] | None, scale: Scale) -> int | None:
    """Return the verdict that a word names, if it is out of as many as the scale has."""
    return scale.named(found[1]) if found and found[2] in (None, str(scale.high)) else None


def _alone(text: str, scale: Scale) -> Verdicts | None:
    """Return the verdict that is the whole reply."""
    blanked = _MARKS.sub(" ", _FENCE.sub(lambda fence: " " * len(fence[0]), text))
    found = _ALONE.fullmatch(blanked.strip())
    value = _named(found, scale)
    if found is None or value is None:
        return None
    return Verdicts((value,), (len(blanked) - len(blanked.lstrip()) + found.start(1),))


def _stands_for_itself(before: str, after: str, read: Verdicts, scale: Scale) -> bool:
    """Return whether the prose around an object leaves it what it says: the reply's one verdict, and no quotation."""
    if not (before.strip() or after.strip()):
        return True
    fences = len(_FENCE.findall(before)) + len(_FENCE.findall(after))
    if fences % 2 or blank_thoughts(after) != after:  # a fence that is not closed, a thought that ends behind it
        return False
    lead, rest = (_MARKS.sub(" ", _FENCE.sub("\n", part)) for part in (before, after))
    sentence = re.split(r"[.!?]\s|\n", lead.rstrip())[-1]
    last, first = lead.rstrip(" \t")[-1:], rest.lstrip(" \t")[:1]
    closes = first in "\n.!" or (first.isalpha() and not first.islower())
    opens = last in "\n.:!?" or _GIVES.search(sentence)
    if not (opens and closes) or _QUOTES.search(sentence) or _TAKES_BACK.search(rest):
        return False
    if scale.many is not None:
        return True
    shown = _scale_said(scale).sub(" ", f"{sentence}\n{rest}")
    others = {_on(scale, one[1]) for one in _NUMBER.finditer(shown)}
    others |= {_on(scale, one[1]) for one in _LABELLED.finditer(f"{lead}\n{rest}")}
    return others <= {None, *read.values}


def _scale_said(scale: Scale) -> re.Pattern[str]:
    """Return what finds the scale itself in prose, whose ends are no verdicts: `0 to 5`, `out of 5`."""
    return re.compile(rf"\b{scale.low}\s?(?:to|-|–)\s?{scale.high}\b|(?:/|\bof)\s?{scale.high}\b")


def _on(scale: Scale, word: str) -> float | None:
    """Return what a word in prose could be as a verdict: also a fraction within the scale."""
    if word[0].isdigit():
        return float(word) if scale.low <= float(word) <= scale.high and not scale.yes_no else None
    return scale.named(word)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a key occurs twice")
    return dict(pairs)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


_STRICT = json.JSONDecoder(object_pairs_hook=_no_duplicates, parse_constant=_no_constant, strict=False)
