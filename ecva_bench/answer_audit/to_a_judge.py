"""Text that speaks to whoever judges the answer: asks for marks, takes back instructions, or tells the reference.

Words are looked for in several languages (`to_a_judge.json`), where enough of them stand near each other, as they look
and not as they are spelled; so are forms that only a program writes: a verdict as JSON, marks of a chat. What is hidden
is read too. Words about a scene in which marks, judges or screens occur are none to a judge.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from itertools import accumulate, chain
from typing import NamedTuple

from ..reading.look_alikes import as_it_looks, words_as_they_look
from ..untrusted import parse_json
from .hidden import readings_of
from .verdict_forms import roles, verdict_forms

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
    (("judge", "vocative"), 5),
    (("judge", "yes"), 14),
    (("set", "top"), 6),
    (("judge", "top", "marks"), 14),
    (("judge", "award", "top"), 10),
    (("mercy", "answer"), 12),
    (("mercy", "address"), 6),
    (("mercy", "judge"), 8),
    (("mercy", "marks"), 4),
    (("drop", "truth"), 8),
    (("treat", "right", "this"), 6),
    (("set", "one"), 4),
)
_TALK, _WITHIN = 3, 12  # so many words about answers and marks, of so many, are no words about a video
# So many words, and characters, beside a passage tell whether it is about a scene: a teacher's full marks, a score on a
# screen. Not where the answer speaks of itself or to somebody there.
_AROUND, _CHARACTERS = 8, 80
_WEIGHED = "English"  # of which the table has words of what videos show
_PART = 40  # words of a sentence that are weighed together
_OF_THEM = 12  # one in so many is about answers and marks, or they are words that happen to be among others
_WEIGHTS = {
    **dict.fromkeys(("meta", "marks", "judge", "grading", "rules", "truth", "mercy", "set", "answer", "yes"), 2),
    **dict.fromkeys(("address", "award", "top", "right", "utmost", "treat", "soft", "drop", "vocative"), 1),
    **dict.fromkeys(("scene", "video"), -2),
}
_END = re.compile(r"[.!?\n。！？．]+")  # of a sentence
_OF_JUDGING = {"grading", "marks", "judge", "rules", "yes", "utmost", "self"}


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
    for shown in readings_of(text):
        if forms and (form := _form(as_it_looks(shown))):
            return form
        if passage := _passage(shown, talk=forms):
            return passage
    return ""


def _form(text: str) -> str:
    """Return the first form of a judge's reply or of a chat that is not told of a scene."""
    for kind, found in (("", verdict_forms(text)), ("role", roles(text))):
        for first, end in found:
            before = _END.split(text[max(0, first - _CHARACTERS) : first])[-1]
            after = _END.split(text[end : end + _CHARACTERS], maxsplit=1)[0]
            words = [*words_as_they_look(before)[-_AROUND:], *words_as_they_look(after)[:_AROUND]]
            hits = _hits(words)
            there = {hit.kind for some in hits.values() for hit in some}
            if (there & _OF_JUDGING) if kind else ("scene" not in there or "self" in there):
                return text[first:end].strip()
    return ""


def _passage(text: str, *, talk: bool) -> str:
    """Return the first words that speak to a judge, from the first to the last that tells."""
    sentences = [words_as_they_look(sentence) for sentence in _END.split(text)]
    words = list(chain.from_iterable(sentences))
    ends = list(accumulate(map(len, sentences)))
    for language, hits in _hits(words).items():
        there = {hit.kind for hit in hits}
        scenes = [hit.place for hit in hits if hit.kind == "scene"]
        own = [hit.place for hit in hits if hit.kind == "self"]
        ranges = [_together(hits, kinds, within) for kinds, within in _RULES if there.issuperset(kinds)]
        ranges += [_talking(hits, words)] if talk else []
        ranges += [_of_no_video(hits, words, ends)] if talk and language == _WEIGHED else []
        for first, end in chain.from_iterable(ranges):
            before = bisect_right(ends, first)
            start, stop = ends[before - 1] if before else 0, ends[bisect_left(ends, end)]
            scene = _any(scenes, max(start, first - _AROUND), min(stop, end + _AROUND))
            if not scene or _any(own, first - _AROUND, end + _AROUND):
                return " ".join(words[first:end])
    return ""


def _any(places: Sequence[int], first: int, end: int) -> bool:
    """Return whether one of some places, in order, is in a range."""
    at = bisect_left(places, first)
    return at < len(places) and places[at] < end


def _talking(hits: list[_Hit], words: list[str]) -> Iterator[tuple[int, int]]:
    """Yield ranges of words in which different ones are about answers and marks, at most one of them a soft one."""
    last: dict[str, _Hit] = {}
    for hit in hits:
        if hit.kind not in ("talk", "soft"):
            continue
        last.pop(words[hit.place], None)  # so that the newest are the last ones
        last[words[hit.place]] = hit
        near = [one for one in list(last.values())[-2 * _TALK :] if one.place > hit.place - _WITHIN]
        if len(near) >= _TALK and sum(one.kind == "talk" for one in near) >= _TALK - 1:
            yield near[0].place, hit.end


def _of_no_video(hits: list[_Hit], words: list[str], ends: list[int]) -> Iterator[tuple[int, int]]:
    """Yield sentences, in parts of a few words, with more about answers and marks than about what videos show."""
    of_part: dict[tuple[int, int], list[_Hit]] = defaultdict(list)
    for hit in hits:
        if hit.kind in _WEIGHTS:
            of_part[bisect_right(ends, hit.place), hit.place // _PART].append(hit)
    for (sentence, _), part in of_part.items():
        long = min(_PART, ends[sentence] - (ends[sentence - 1] if sentence else 0))
        weights: dict[str, int] = {}
        for hit in part:
            longest = max(words[hit.place : hit.end], key=len)
            name = longest if _WEIGHTS[hit.kind] > 0 else str(hit.place)  # what is said twice says no more of a judge
            weights[name] = max(weights.get(name, -2), _WEIGHTS[hit.kind])
        about = sum(weight > 0 for weight in weights.values())
        enough = _TALK + (min(weights.values()) < 0)
        if max(weights.values()) > 1 and about * _OF_THEM >= long and sum(weights.values()) >= enough:
            yield part[0].place, max(hit.end for hit in part)


def _together(hits: list[_Hit], kinds: tuple[str, ...], within: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of words in which all kinds stand near each other, a word for one: but for full marks in one."""
    last: dict[str, _Hit] = {}
    for hit in hits:
        if hit.kind in kinds:
            last[hit.kind] = hit
            near = [last[kind] for kind in kinds if kind in last and last[kind].place > hit.place - within]
            if len({(one.place, one.kind == "top") for one in near}) == len(kinds):
                yield min(one.place for one in near), max(one.end for one in near)


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
