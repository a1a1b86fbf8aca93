"""Read the class that an answer gives as its answer, not just any class that the text mentions.

If there is a box or an answer tag, only its content counts. Else the places that name classes are tried from the most
explicit to the least (`places`), without those that are denied, taken back or examples. The first rank that names
a class decides. Where it names two, or a later explicit place names another, the answer is ambiguous.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache

from ...records import Label
from ...records.readings import Reading
from ...taxonomy import AnomalyClass
from ..boxes import boxed
from ..text import ends, plain
from . import cues
from .names import Lexicon, lexicon
from .places import ALONE, Found, find_places, sentence_start

VERSION = 1  # part of signatures: a change of what is read is another metric
RULES = ("answer", "class", "alone", "concluded", "name")  # by rank
SHOWN = 8  # places of one reading; a model that goes round in circles names its class a thousand times

_FIRST = re.compile(r"(?<![0-9])([0-9]{1,4})(?![0-9])")
_FIRST_BRACKETED = re.compile(r"\[\s*([0-9]{1,4})\s*\]")


@lru_cache(maxsize=8192)
def read_class(text: str, offered: tuple[AnomalyClass, ...]) -> Reading:
    """Return how an answer names one of the classes on offer.

    `labels` has the class, with its sub-class where the answer goes so deep. Two classes named as the answer are
    `ambiguous`; a number that is not on offer is `out of range`; `others` are what was named beside the answer.
    """
    plain_text, names = boxed(ends(plain(text))), lexicon(offered)
    found = list(find_places(plain_text, names))
    back = max((match.end() for match in cues.TAKEN_BACK.finditer(plain_text)), default=0)
    standing = [one for one in found if one.start >= back] or found
    meant = [one for one in (_meant(plain_text, one) for one in standing) if one]
    for rank, rule in enumerate(RULES):
        at = [one for one in meant if one.rank == rank]
        if at and not (all(one.tentative for one in at) and _settled_later(meant, at[-1])):
            explicit = [one for one in meant if one.rank <= ALONE]
            return _reading(text, plain_text, names, _chosen(at, explicit), rule, found)
    return Reading(status="unread", others=_others(text, frozenset(), found))


def first_number(text: str) -> int | None:
    """Return the first `[n]` in a text, else its first whole number: how the published accuracy was read."""
    found = _FIRST_BRACKETED.search(text) or _FIRST.search(text)
    return int(found[1]) if found else None


def _meant(plain_text: str, found: Found) -> Found | None:
    """Return what was found without the classes that are denied or are examples; None where nothing is left."""
    if cues.example(plain_text, found.start):
        return None
    named = tuple(one for one in found.named if not cues.denied(plain_text, one.start, found.named[-1].end))
    if not named:
        return None
    begin = sentence_start(plain_text, named[0].start)
    return replace(found, named=named, tentative=cues.tentative(plain_text, begin, named[-1].end))


def _chosen(at: Sequence[Found], explicit: Iterable[Found]) -> Sequence[Found]:
    """Return those of the places of one rank that hold the answer: all, or the conclusion where they differ.

    Explicit places of other ranks that come later and name another class stand against it.
    """
    if len(_majors(at)) > 1:
        firm = [one for one in at if not one.tentative]
        decisive = [one for one in firm if one.decisive]
        for some in (decisive, firm, decisive[-1:] if decisive[-1:] == list(at[-1:]) else ()):
            if len(_majors(some)) == 1:
                at = some
                break
    later = [one for one in explicit if one.start > at[-1].start]
    if len(_majors(at)) == 1 and not at[-1].decisive and _majors(later) - _majors(at):
        return [*at, *later]
    return at


def _settled_later(meant: Iterable[Found], last: Found) -> bool:
    """Say whether a conclusion comes later than what is called possible only."""
    return any(one.decisive and not one.tentative and one.start > last.start for one in meant)


def _majors(found: Iterable[Found]) -> frozenset[int]:
    return frozenset[int]().union(*(one.majors for one in found))


def _reading(
    text: str, plain_text: str, names: Lexicon, chosen: Sequence[Found], rule: str, mentioned: Iterable[Found]
) -> Reading:
    majors = _majors(chosen)
    named = sorted({one for place in chosen for one in place.named}, key=lambda one: one.start)
    spots = tuple((one.start, one.end) for one in named[:SHOWN])
    if len(majors) > 1:
        others = tuple(dict.fromkeys(text[start:end] for start, end in spots))
        return Reading(status="ambiguous", rule=rule, places=spots, others=others)
    (major,) = majors
    if major not in names.codes:
        return Reading(status="out of range", rule=rule, places=spots)
    subs = {one.sub for one in named if one.sub} or _sub_after_key(plain_text, names, major)
    labels = tuple(Label(major=major, sub=sub) for sub in sorted(subs)) or (Label(major=major),)
    return Reading(labels=labels, rule=rule, places=spots, others=_others(text, majors, mentioned))


def _sub_after_key(plain_text: str, names: Lexicon, major: int) -> set[int]:
    """Return the sub-class that stands behind a key of its own, if one does."""
    subs = (names.sub_at(plain_text, key.end(), major) for key in cues.SUB_KEY.finditer(plain_text))
    return {sub for sub in subs if sub is not None}


def _others(text: str, majors: frozenset[int], mentioned: Iterable[Found]) -> tuple[str, ...]:
    beside = {one.major: text[one.start : one.end] for found in mentioned for one in found.named}
    return tuple(words for major, words in sorted(beside.items()) if major not in majors)[:SHOWN]
