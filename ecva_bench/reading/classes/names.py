"""Where a plain text names classes: by number, by code such as `5-1`, by name, by the name of a sub-class.

Knows the classes on offer, and nothing of what a text says about them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from rapidfuzz import fuzz

from ...taxonomy import AnomalyClass
from .cues import UNIT

CHINESE = {"一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
WORDS = [
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"),
]
ALIKE = 86  # of 100: a misspelt name, measured on whole words
_NUMBER = re.compile(
    r"(?<!\d)(?<!\d[.,:/-])0{0,2}(?P<whole>(?P<major>\d{1,3})(?:\.0+(?!\d))?)(?:\s?-\s?(?P<sub>\d{1,2})|\.(?P<point>[1-9]\d?))?"
    r"(?:\s*,\s*(?P<severity>[1-5])(?!\d))?(?![\d/%]|[-:.]\d|\s*(?:to|through|bis|至|到)\s*\d)"
)
_CHINESE_NUMBER = re.compile(r"(?:十[一二三四五六七八九]?|[一二三四五六七八九]十?)(?=\s*(?:[类号项个.,\])]|$))")
_NUMBER_WORD = re.compile(rf"\b(?:{'|'.join(WORDS)})\b")
_NO_NUMBER = re.compile(rf"\s+(?:of|by|that|which|who|more|another|is|can|could|way|side)\b|{UNIT.pattern}")
# What stands before or behind a name where it is part of another word or phrase.
_OTHER_SENSE = {
    "fire": (
        re.compile(r"(?:opens?|opened|opening|ceased?|under|no)\s$"),
        re.compile(
            r"[\s-]*(?:trucks?|engines?|fight|men\b|man\b|hydrant|exting|alarm|station|depart|works?\b|arms?\b|escape"
            r"|brigade|crew|exit|hose|drill|door|service|safety|rescue|code|response|hazard)"
        ),
    ),
    "fighting": (re.compile(r"(?!)"), re.compile(r"\s+(?:(?:the|a|off|back|for|this)\s+)?(?:fires?|flames?|blaze)")),
}
_RELATED = re.compile(r"\s?-?\s?related\b")
_NO_OTHER = (re.compile(r"(?!)"), re.compile(r"(?!)"))


@dataclass(frozen=True)
class Named:
    """A class named at [start, end) of a plain text: its number and, where the text goes so deep, its sub-class."""

    major: int
    sub: int | None
    start: int
    end: int
    by_number: bool = False


class Lexicon:
    """The names of the classes on offer, ready to be found in plain texts."""

    def __init__(self, offered: Sequence[AnomalyClass]) -> None:
        self.codes = {entry.code: entry for entry in offered}
        self._deepest = max((len(entry.subclasses) for entry in offered), default=0)
        names = {name.lower(): entry.code for entry in offered for name in (entry.name, *entry.also)}
        occurrences = Counter(sub.lower() for entry in offered for sub in entry.subclasses)
        self._subs = {
            sub.lower(): (entry.code, number)
            for entry in offered
            for number, sub in enumerate(entry.subclasses, 1)
            if occurrences[sub.lower()] == 1
        }
        self._sub_name = re.compile(f"(?<![a-z])({'|'.join(map(re.escape, self._subs)) or '(?!)'})s?(?![a-z])")
        forms = {f"n{number}": name for number, name in enumerate(sorted(names, key=len, reverse=True))}
        self._name = re.compile("|".join(f"(?P<{group}>{_form(name)})" for group, name in forms.items()) or r"(?!)")
        self._code = {group: names[name] for group, name in forms.items()}
        self._known = {name: code for name, code in names.items() if name.isascii()}
        self._deep = {entry.code: _deep(entry) for entry in offered}

    def names(self, text: str, start: int = 0, end: int | None = None) -> Iterator[Named]:
        """Yield the names of classes in a part of a plain text."""
        for match in self._name.finditer(text, start, len(text) if end is None else end):
            before, behind = _OTHER_SENSE.get(match[0], _NO_OTHER)
            other = before.search(text, max(0, match.start() - 12), match.start()) or behind.match(text, match.end())
            if other or _RELATED.match(text, match.end()):
                continue
            yield self._deepened(text, self._code[str(match.lastgroup)], *match.span())

    def name_at(self, text: str, place: int) -> Named | None:
        """Return the class whose name begins at a place; a sub-class's name counts where only one class has it."""
        if (match := self._name.match(text, place)) and not _RELATED.match(text, match.end()):
            return self._deepened(text, self._code[str(match.lastgroup)], *match.span())
        if (match := self._sub_name.match(text, place)) and text[match.end() : match.end() + 1] != "_":
            name = next(self.names(text, match.end() + 1, match.end() + 40), None)
            if name and name.start <= match.end() + 1 and text[match.end()] in " -":
                return Named(name.major, name.sub, place, name.end)
            return Named(*self._subs[match[1]], *match.span())
        return self._misspelt(text, place)

    def number_at(self, text: str, place: int, *, counted: bool = False, words: bool = True) -> Named | None:
        """Return the class whose number or code begins at a place, on offer or not; never a count with a unit.

        `counted`: what follows is known to be no unit. `words`: `five` is a number too.
        """
        if match := _NUMBER.match(text, place):
            sub = match["sub"] or match["point"]
            end = match.end() if sub else match.end("whole")
            if text[place - 1 : place] == "-" and not text[max(0, place - 2) : place - 1].isalnum():
                return None  # a minus
            deep = int(sub) if sub else None
            if (not counted and UNIT.match(text, end)) or (deep is not None and not 0 < deep <= self._deepest):
                return None
            return self._coded(int(match["major"]), deep, place, end)
        if words and (match := _NUMBER_WORD.match(text, place)):
            return (
                None if _NO_NUMBER.match(text, match.end()) else Named(WORDS.index(match[0]), None, *match.span(), True)
            )
        if match := _CHINESE_NUMBER.match(text, place):
            return Named(_chinese(match[0]), None, *match.span(), True)
        return None

    def sub_at(self, text: str, place: int, major: int) -> int | None:
        """Return the sub-class of a class whose number or name begins at a place."""
        subs = [sub.lower() for sub in self.codes[major].subclasses]
        if match := re.compile(rf"(?:{major}\s?[-.]\s?)?(\d)(?![\d.])").match(text, place):
            return int(match[1]) if 1 <= int(match[1]) <= len(subs) else None
        return next((number for number, sub in enumerate(subs, 1) if text.startswith(sub, place)), None)

    def _coded(self, major: int, sub: int | None, start: int, end: int) -> Named:
        entry = self.codes.get(major)
        known = entry is not None and sub is not None and sub <= len(entry.subclasses)
        return Named(major, sub if known else None, start, end, True)

    def _deepened(self, text: str, code: int, start: int, end: int) -> Named:
        """Return a class with its sub-class, where the name of one stands right before or behind its own."""
        before, behind = self._deep[code]
        if match := behind.match(text, end):
            return Named(code, self._sub(code, match[1]), start, match.end())
        if match := before.search(text, max(0, start - 16), start):
            return Named(code, self._sub(code, match[1]), match.start(1), end)
        return Named(code, None, start, end)

    def _sub(self, code: int, name: str) -> int:
        subs = [sub.lower() for sub in self.codes[code].subclasses]
        return 1 + subs.index(max((sub for sub in subs if name.startswith(sub)), key=len))

    def _misspelt(self, text: str, place: int) -> Named | None:
        line = re.compile(r"[a-z]{4,}(?:[ -][a-z]{2,}){0,2}").match(text, place)
        words = line[0].split(" ") if line else []
        for count in range(len(words), 0, -1):
            phrase = " ".join(words[:count])
            likely = [name for name in self._known if name[0] == phrase[0] and fuzz.ratio(phrase, name) >= ALIKE]
            if len({self._known[name] for name in likely}) == 1:
                return self._deepened(text, self._known[likely[0]], place, place + len(phrase))
        return None


@cache
def lexicon(offered: tuple[AnomalyClass, ...]) -> Lexicon:
    """Return the lexicon of the classes on offer."""
    return Lexicon(offered)


def _form(name: str) -> str:
    """Return the pattern of a name: any blanks between its words, singular or plural, and not inside another word."""
    if not name.isascii():
        return re.escape(name)
    words = [re.escape(word.removesuffix("s")) + "s?" for word in re.split(r"[ _]+", name)]
    return "(?<![a-z])" + r"[\s_-]*".join(words) + "(?![a-z])"


def _deep(entry: AnomalyClass) -> tuple[re.Pattern[str], re.Pattern[str]]:
    subs = "|".join(re.escape(sub.lower()) + "s?" for sub in sorted(entry.subclasses, key=len, reverse=True)) or r"(?!)"
    return (
        re.compile(rf"(?<![a-z])({subs})[ -]$"),
        re.compile(rf"[\s:,>→/(\[|-]{{1,6}}(?:sub-?(?:class|category|type)\s*[:=]?\s*)?({subs})(?![a-z])"),
    )


def _chinese(text: str) -> int:
    tens, _, ones = text.rpartition("十")
    if "十" not in text:
        return CHINESE[text]
    return 10 * CHINESE.get(tens, 1) + CHINESE.get(ones, 0)
