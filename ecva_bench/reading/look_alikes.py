"""Texts as they look: letters, digits and marks by their form, whatever they are called in Unicode.

Two texts that a reader cannot tell apart become equal: full-width and styled letters, letters with accents or stacked
marks, letters of other scripts that look like Latin ones (`look_alikes.json`), and characters that are not seen at all.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from importlib.resources import files

from ..untrusted import parse_json

_UNSEEN = "\u115f\u1160\u3164\uffa0"  # letters by their category, which are shown as nothing
_NAMED = re.compile(
    r"(?:LATIN (?:SMALL|CAPITAL)|LATIN LETTER SMALL CAPITAL|NEGATIVE \w+ LATIN CAPITAL|REGIONAL INDICATOR SYMBOL)"
    r"(?: LETTER)? ([A-Z])(?: WITH .*)?"
)
_ALONE = r"\u2e80-\u2fff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # written without blanks
_WORD = re.compile(rf"[{_ALONE}]|[^\W_{_ALONE}]+")


def as_it_looks(text: str) -> str:
    """Return the text in lower case, each character by its form; invisible tags become the ASCII they stand for."""
    return text.casefold() if text.isascii() else "".join(map(_looks_like, text))


def words_as_they_look(text: str) -> list[str]:
    """Return the words of a text, each `as_it_looks`; a character that is written without blanks is a word."""
    return _WORD.findall(as_it_looks(text))


@cache
def _looks_like(character: str) -> str:
    if "\U000e0020" <= character <= "\U000e007e":
        return chr(ord(character) - 0xE0000).lower()
    if character in _UNSEEN:
        return ""
    if "\uac00" <= character <= "\ud7a3":  # a syllable of Korean, which would fall apart
        return character
    parts = unicodedata.normalize("NFKD", character)
    return "".join(_letter(part) for part in parts if unicodedata.category(part) not in ("Mn", "Me", "Cf"))


def _letter(part: str) -> str:
    lower = part.casefold()
    if lower.isascii():
        return lower
    for form in (part, lower, part.upper()):  # a capital Eta looks like H, a small one like n
        if form in _look_alikes():
            return _look_alikes()[form]
    named = _NAMED.fullmatch(unicodedata.name(part, ""))
    return named[1].lower() if named else lower


@cache
def _look_alikes() -> dict[str, str]:
    table = parse_json(files(__package__).joinpath("look_alikes.json").read_text(encoding="utf-8"))
    return {letter: latin for latin, letters in table["letters"].items() for letter in letters}
