"""Text that speaks to whoever judges the answer: asks for marks, takes back instructions, or tells the reference.

Words are looked for in several languages (`to_a_judge.json`), where enough of them stand near each other, as they look
and not as they are spelled; so are forms that only a program writes: a verdict as JSON, marks of a chat. What is hidden
in base64, in character references or in escapes is read too.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple
from urllib.parse import unquote

from ..reading.look_alikes import as_it_looks, words_as_they_look
from ..untrusted import parse_json

# Kinds of words that together, within so many words, speak to a judge.
_RULES: tuple[tuple[tuple[str, ...], int], ...] = (
    (("grading",), 1),
    (("yes",), 1),
    (("utmost", "marks"), 3),
    (("drop", "rules"), 8),
    (("truth", "same"), 6),
    (("truth", "same", "answer"), 14),
    (("award", "top", "marks"), 8),
    (("answer", "award", "top"), 10),
    (("answer", "top", "marks"), 12),
    (("answer", "right", "award"), 12),
    (("answer", "right", "marks"), 12),
    (("right", "marks", "top"), 8),
    (("judge", "address", "award"), 14),
    (("judge", "address", "right"), 14),
    (("judge", "answer"), 14),
    (("judge", "vocative"), 3),
    (("judge", "yes"), 14),
    (("set", "top"), 6),
    (("judge", "top", "marks"), 14),
)
_TALK, _WITHIN = 3, 12  # so many words about answers and marks, of so many, are no words about a video
_FORMS = re.compile(
    r"[\"'](?:score|verdicts?|rating|grade|marks|points)[\"']\s*+[:=]\s*+(?:[\[\"']\s*+)?(?:\d|yes|true|full|max)"
    r"|\b(?:score|rating|grade|verdicts?)\b[\"']?\s*+[:=]\s*+(?:[\[\"']\s*+)?(?:\d|a\+|full\b|max|perfect\b|yes\b)"
    r"|(?<![\d/])(5|10|20|100)\s?/\s?\1(?![\d/])"
    r"|^[^\S\n]*+(?:system|assistant|user)\s*+:"
    r"|<\|?/?(?:im_start|im_end|system|assistant|start_header_id|instructions?|judge|grader|prompt)\b"
    r"|\[/?inst\]|<</?sys>>|<start_of_turn>"
    r"|^[^\S\n]*+#{1,6}[^\S\n]*+(?:instructions?|system|new task|verdict|score|reference)\b",
    re.MULTILINE,
)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}[ :]?){12,}")
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})")
_MARKUP = re.compile(r"<!--|-->|</?[A-Za-z][^<>]{0,200}>|[*_`~]+")
_SPACED = re.compile(r"(?<![^\W_])[^\W_](?:[ ._*-][^\W_](?![^\W_])){3,}")


class _Hit(NamedTuple):
    place: int
    end: int
    kind: str


class _Entry(NamedTuple):
    """A phrase, which is told by its word `at`."""

    words: tuple[str, ...]
    at: int
    language: str
    kind: str


def to_a_judge(text: str, *, forms: bool = True) -> str:
    """Return the passage of a text that speaks to a judge, as it looks; empty where there is none.

    Without `forms`, only what is said to a judge counts: where an answer is a class or a time, talk of answers and
    scores is the model's own, and marks of a chat are what its template left.
    """
    for shown in _shown(text):
        if forms and (form := _FORMS.search(as_it_looks(shown))):
            return form[0].strip()
        if passage := _passage(words_as_they_look(shown), talk=forms):
            return passage
    return ""


def _shown(text: str) -> Iterator[str]:
    """Yield a text and what can be read out of it: with references and escapes resolved, and what is encoded in it."""
    yield text
    plain = _ESCAPED.sub(lambda one: chr(int(one[1] or one[2], 16)), unquote(html.unescape(text)))
    plain = _MARKUP.sub("", plain)
    plain = _SPACED.sub(lambda one: re.sub(r"[ ._*-]", "", one[0]), plain)
    if plain != text:
        yield plain
    for pattern, decode in ((_BASE64, _of_base64), (_HEX, _of_hex)):
        hidden = [decoded for one in pattern.finditer(text) if (decoded := decode(one[0]))]
        if hidden:
            yield "\n".join(hidden)


def _of_base64(code: str) -> str:
    letters = code.rstrip("=").translate({ord("-"): "+", ord("_"): "/"})
    try:
        return base64.b64decode(letters + "=" * (-len(letters) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _of_hex(code: str) -> str:
    try:
        return bytes.fromhex(code.replace(":", " ")).decode()
    except ValueError:
        return ""


def _passage(words: list[str], *, talk: bool) -> str:
    """Return the first words that speak to a judge, from the first to the last that tells."""
    for hits in _hits(words).values():
        there = {hit.kind for hit in hits}
        for kinds, within in _RULES:
            if there.issuperset(kinds) and (found := _together(hits, kinds, within)):
                return " ".join(words[found[0] : found[1]])
        if talk and (found := _talking(hits, words)):
            return " ".join(words[found[0] : found[1]])
    return ""


def _talking(hits: list[_Hit], words: list[str]) -> tuple[int, int] | None:
    """Return the range of words in which different ones are about answers and marks, at most one of them a soft one."""
    last: dict[str, _Hit] = {}
    for hit in hits:
        if hit.kind not in ("talk", "soft"):
            continue
        last.pop(words[hit.place], None)  # so that the newest are the last ones
        last[words[hit.place]] = hit
        near = [one for one in list(last.values())[-2 * _TALK :] if one.place > hit.place - _WITHIN]
        if len(near) >= _TALK and sum(one.kind == "talk" for one in near) >= _TALK - 1:
            return near[0].place, hit.end
    return None


def _together(hits: list[_Hit], kinds: tuple[str, ...], within: int) -> tuple[int, int] | None:
    """Return the range of words in which all kinds stand near each other, a word for one: but for full marks in one."""
    last: dict[str, _Hit] = {}
    for hit in hits:
        if hit.kind in kinds:
            last[hit.kind] = hit
            near = [last[kind] for kind in kinds if kind in last and last[kind].place > hit.place - within]
            if len({(one.place, one.kind == "top") for one in near}) == len(kinds):
                return min(one.place for one in near), max(one.end for one in near)
    return None


def _hits(words: list[str]) -> dict[str, list[_Hit]]:
    """Return where the words of each language and kind stand, in order."""
    found: dict[str, list[_Hit]] = defaultdict(list)
    for place, word in enumerate(words):
        for entry in _told_by(word[: _longest() + 1]):
            first, end = place - entry.at, place - entry.at + len(entry.words)
            if len(entry.words) == 1 or (
                first >= 0 and all(map(_is, words[first:end], entry.words)) and end <= len(words)
            ):
                found[entry.language].append(_Hit(first, end, entry.kind))
    return {language: sorted(hits) for language, hits in found.items()}


@lru_cache(maxsize=1 << 16)
def _told_by(word: str) -> tuple[_Entry, ...]:
    """Return what a word is, or is the longest word of; of a very long one, its beginning is enough."""
    there = (entry for end in range(1, len(word) + 1) for entry in _entries().get(word[:end], ()))
    return tuple(entry for entry in there if _is(word, entry.words[entry.at]))


def _is(word: str, other: str) -> bool:
    return word.startswith(other[:-1]) if other.endswith("*") else word == other


@cache
def _entries() -> Mapping[str, tuple[_Entry, ...]]:
    """Return the phrases that are looked for, by the longest word of each, without a star."""
    table = parse_json(files(__package__).joinpath("to_a_judge.json").read_text(encoding="utf-8"))["words"]
    found: dict[str, list[_Entry]] = defaultdict(list)
    for language, kinds in table.items():
        for kind, phrases in kinds.items():
            for phrase in phrases:
                words = words_as_they_look(phrase)
                at = max(range(len(words)), key=lambda place: len(words[place]))
                if phrase.endswith("*"):
                    words[-1] += "*"
                found[words[at].rstrip("*")].append(_Entry(tuple(words), at, language, kind))
    return {word: tuple(some) for word, some in found.items()}


@cache
def _longest() -> int:
    return max(map(len, _entries()))
