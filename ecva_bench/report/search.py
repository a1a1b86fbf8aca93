"""An index of the words in answers, references and a judge's reasons, in parts: a search loads one or two of them.

A word is found in a place: a sample's reference (holder 0), or what a run said and was told of it (holder run + 1).
Places are numbered sample by sample: `sample * (runs + 1) + holder`. A word's places are written as differences to the
one before, in base 36, with blanks between them. The page splits what is typed as `words_of` does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

PART_CHARACTERS = 96 * 1024
LONGEST = 40  # letters of a word; what is longer is found by its first ones
# Chinese, Japanese and Korean are written without blanks: each of their characters is a word.
_CJK = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_WORD = re.compile(rf"[{_CJK}]|[^\W{_CJK}]+")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def words_of(text: str) -> set[str]:
    """Return the words of a text in lower case, without their number or order."""
    return {word[:LONGEST] for word in _WORD.findall(text.lower())}


def words_said(answers: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> dict[str, list[str]]:
    """Return by question the words of a run's answers on all views, and of a judge's reasons, from its entry."""
    found = {}
    for question, views in answers.items():
        words: set[str] = set()
        for answer in views.values():
            words |= words_of("".join(answer.get("text", ())))
            words |= words_of("\n".join(part for part in answer.get("difference", ()) if part.startswith("+")))
            words |= words_of("\n".join(more["answer"] for more in answer.get("again", ())))
            words |= words_of("\n".join(verdict["why"] for verdict in answer.get("judge", {}).values()))
        found[question] = sorted(words)
    return found


class WordIndex:
    """Words with their places, which must be added in ascending order."""

    def __init__(self) -> None:
        self._places: dict[str, tuple[int, list[str]]] = {}

    def add(self, words: Iterable[str], place: int) -> None:
        """Add the words of a place."""
        for word in words:
            last, differences = self._places.get(word, (0, []))
            differences.append(_base36(place - last))
            self._places[word] = (place, differences)

    def parts(self) -> Iterator[dict[str, str]]:
        """Yield the index in parts of bounded size, sorted by word as a browser sorts them."""
        part: dict[str, str] = {}
        size = 0
        for word in sorted(self._places, key=lambda word: word.encode("utf-16-be", "surrogatepass")):
            places = " ".join(self._places[word][1])
            if part and size + len(places) > PART_CHARACTERS:
                yield part
                part, size = {}, 0
            part[word] = places
            size += len(places) + len(word)
        if part:
            yield part


def _base36(number: int) -> str:
    digits = ""
    while number >= 36:
        number, rest = divmod(number, 36)
        digits = _DIGITS[rest] + digits
    return _DIGITS[number] + digits
