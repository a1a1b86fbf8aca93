"""One word of an English text exchanged for another of its kind, so that one fact is wrong and the text still reads.

No parser is at hand, so a word counts only where its neighbours show that it is what the table takes it for: `fire` in
`a fire broke out`, and neither in `caught fire`, `opened fire` nor `a fire truck`; `left` in `the left side`, and not
in `the man left`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple


class _Word(NamedTuple):
    """A word with its neighbours, in lower case; None where the text ends, and for what is no word.

    `before` are the nearest two, the nearest first; `opener` is the nearest before it that is no adjective.
    """

    text: str
    start: int
    before: tuple[str | None, str | None]
    opener: str | None
    after: str | None


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_DETERMINERS = _words("a an the this that these those his her its their another one two three four five several no")
_COLOURS = _words("black white red blue grey gray green yellow orange brown silver dark")
_ADJECTIVES = _COLOURS | _words(
    "big large huge small little long short tall old new young elderly whole same other second first parked"
)
_ENDS_A_NOUN = _words(
    "in on at of to from with by and or but that which who was is were are had has have did does will would can could"
    " into onto over under through behind beside before after when while as for until because so then and without along"
    " across around near next against out off up down away back there again suddenly"
    " broke began rose ran went came fell hit lost drove took left swept spread burst sank stood flew shot"
)
_AUXILIARIES = _words("is are was were be do does did can could will would should must may might has have had")
_SIDES = _words(
    "side lane hand turn rear front wheel door foot leg arm eye corner shoulder edge half end guardrail wing"
)
_FOLLOWS_TIME = _words("the he she it they his her their its")


def _person(word: _Word) -> bool:
    return True


def _noun(word: _Word) -> bool:
    """Whether a word is the last of a phrase that begins with a determiner, or a plural at its end."""
    begun = word.text in _PLURALS or word.opener in _DETERMINERS
    return begun and (word.after in _ENDS_A_NOUN or word.after is None or word.after.endswith(("ed", "ing", "ly")))


def _number(word: _Word) -> bool:
    return word.before[0] not in ("in", "into", "or", "and", "by") and word.after not in (None, "or", "and", "wheeled")


def _side(word: _Word) -> bool:
    return word.after in _SIDES or (word.before[0] == "the" and word.after in (None, "and", "in", "with", "behind"))


def _denial(word: _Word) -> bool:
    known = _words("only long just even yet really fully necessarily")
    return word.before[0] in _AUXILIARIES and word.after is not None and word.after not in known


def _order(word: _Word) -> bool:
    fixed = _words("look looks looked looking run ran chase chased soon shortly immediately right long named one day")
    follows = word.after is not None and (word.after in _FOLLOWS_TIME or word.after.endswith("ing"))
    return follows and word.before[0] not in fixed


def _colour(word: _Word) -> bool:
    return word.before[0] != "and" and word.after not in (None, "and", "or", "light", "lights")


def _at_night(word: _Word) -> bool:
    return word.before[0] == "at" and word.before[1] != "late" and word.after != "time"


_Rule = Callable[[_Word], bool]
# Pairs whose exchange makes a fact false: first who and what, then how many, where and when, and colours last.
_EXCHANGED: tuple[tuple[str, str, _Rule], ...] = (
    ("man", "woman", _person), ("men", "women", _person), ("boy", "girl", _person), ("car", "tram", _noun),
    ("cars", "trams", _noun), ("truck", "bicycle", _noun), ("sedan", "motorcycle", _noun), ("vehicle", "horse", _noun),
    ("vehicles", "horses", _noun), ("pedestrian", "dog", _noun), ("cyclist", "skier", _person),
    ("fire", "flood", _noun), ("water", "sand", _noun), ("robber", "policeman", _person), ("thief", "fireman", _person),
    ("smoke", "snow", _noun), ("two", "five", _number), ("three", "seven", _number), ("nobody", "everybody", _person),
    ("not", "indeed", _denial), ("street", "river", _noun), ("road", "beach", _noun), ("house", "ship", _noun),
    ("building", "tent", _noun), ("window", "roof", _noun), ("night", "noon", _at_night), ("left", "right", _side),
    ("before", "after", _order), ("black", "white", _colour), ("red", "blue", _colour), ("grey", "green", _colour),
)  # fmt: skip
_PLURALS = _words("cars trams vehicles horses")
_OTHER = {word: other for a, b, _ in _EXCHANGED for word, other in ((a, b), (b, a))}
_RULE = {word: rule for a, b, rule in _EXCHANGED for word in (a, b)}
_RANK = {word: rank for rank, (a, b, _) in enumerate(_EXCHANGED) for word in (a, b)}


def with_other_word(text: str) -> str | None:
    """Return a text in which one word is exchanged, so that one fact is wrong; None where it has no such word.

    A word is left where its other is in the text, too: of men and women, women and women would be left.
    """
    words = _read(text)
    there = {word.text for word in words}
    fit = [w for w in words if w.text in _OTHER and _OTHER[w.text] not in there and _RULE[w.text](w)]
    if not fit:
        return None
    word = min(fit, key=lambda one: (_RANK[one.text], one.start))
    end, other = word.start + len(word.text), _OTHER[word.text]
    return text[: word.start] + (other.capitalize() if text[word.start].isupper() else other) + text[end:]


def _read(text: str) -> list[_Word]:
    """Return the words of a text that stand alone, which those joined by a hyphen do not."""
    found = list(re.finditer(r"[A-Za-z]+|[^A-Za-z\s]", text))
    tokens = [None, None, *(match[0].lower() if match[0].isalpha() else None for match in found), None]
    joined = [match[0] == "-" for match in found]
    words, opener = [], None
    for n, match in enumerate(found):
        second, nearest, word, after = tokens[n : n + 4]
        opener = opener if nearest in _ADJECTIVES else nearest
        if word and not any(joined[max(0, n - 1) : n + 2]):
            words.append(_Word(word, match.start(), (nearest, second), opener, after))
    return words
