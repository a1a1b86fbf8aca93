"""Compare two texts word by word."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from difflib import SequenceMatcher
from typing import Literal

Operation = Literal["=", "-", "+"]
Segment = tuple[Operation, str]

# Words, whole numbers (3.5, 1,200, 0:12), the blanks between them, and marks one by one: together the text again.
_TOKEN = re.compile(r"\w+(?:(?<=\d)[.,:]\d\w*)*|\s+|[^\w\s]")
_WORD = re.compile(r"\w+")
# Shorter words (the, was, of) are in every text and say nothing of this one.
CONTENT_LETTERS = 4
FOUND_SHARE = 0.5
LONG = 1000  # tokens; the time that matching takes grows with their cube where a model goes round in circles


def word_difference(before: str, after: str) -> list[Segment]:
    """Return the differences between two texts as segments: `=` in both, `-` only in the first, `+` only in the second.

    The segments without `+` are the text before, those without `-` the text after. In long texts frequent
    words are matched beside rarer ones only, so that less may be found in common.
    """
    if before == after:
        return [("=", before)] if before else []
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    matcher = SequenceMatcher(None, old, new, autojunk=max(len(old), len(new)) > LONG)
    segments: list[Segment] = []
    for _, i, j, k, m in matcher.get_opcodes():
        if old[i:j] == new[k:m]:
            segments.append(("=", "".join(old[i:j])))
            continue
        gone, come = "".join(old[i:j]), "".join(new[k:m])
        segments += [("-", gone)] if gone else []
        segments += [("+", come)] if come else []
    return segments


def content_words(text: str) -> frozenset[str]:
    """Return the words of a text that have at least `CONTENT_LETTERS` letters, in lower case; all, if none has."""
    words = _WORD.findall(text.lower())
    return frozenset([word for word in words if len(word) >= CONTENT_LETTERS] or words)


def shared_words(sentences: Iterable[str], text: str) -> list[bool]:
    """Return of each sentence whether at least half of its content words occur in a text.

    A rough guide for readers where no judge has decided whether the text states the sentence; it is not a metric.
    """
    found = set(_WORD.findall(text.lower()))
    wanted = map(content_words, sentences)
    return [bool(words) and len(words & found) >= FOUND_SHARE * len(words) for words in wanted]


def marked_words(text: str, words: Collection[str]) -> list[str]:
    """Return a text in parts that alternate: plain, marked, plain, …; marked are the `words` (lower case)."""
    parts, end = [], 0
    for match in _WORD.finditer(text) if words else ():
        if match[0].lower() in words:
            parts += [text[end : match.start()], match[0]]
            end = match.end()
    return [*parts, text[end:]]


def marked_places(text: str, places: Iterable[tuple[int, int]]) -> list[str]:
    """Return a text in parts that alternate: plain, marked, plain, …; marked are the characters [start, end)."""
    parts, behind = [], 0
    for start, end in sorted(places):
        if behind <= start < end <= len(text):
            parts += [text[behind:start], text[start:end]]
            behind = end
    return [*parts, text[behind:]]
