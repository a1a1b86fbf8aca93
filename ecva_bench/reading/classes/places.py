"""The places where a text names classes, ranked by how explicitly they give the answer.

Places of rank ANSWER stand behind "answer", those of rank CLASS behind "class", in a JSON key, in a column of that
name or behind a mark that chooses. ALONE on their line, in their sentence or at the very start stand others; CONCLUDED
are those in brackets within prose, or behind a verb such as "belongs to"; NAME is any other place that holds a name.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..tables import headed_cells
from . import cues
from .names import Lexicon, Named

ANSWER, CLASS, ALONE, CONCLUDED, NAME = range(5)
REACH = 400  # characters behind a word such as "class", within which its value stands
FILLERS = 14  # words and marks between the two
ENUMERATED = 4  # classes alone on their lines: the list of what is on offer, said again
_SENTENCE_END = re.compile(r"(?<!\d)[.!?;](?=\s|$|[^\x00-\x7f])|(?<=\d)[.!?;](?=\s*$|\s+(?:[a-z]{3,}\s+){2})|\n")
_ENTRY = re.compile(r"(?:^|[\n.!?;:])[\s*#>-]*\d{1,2}$")
_BRACKET = re.compile(r"\[([^\[\]\n]{1,60})\]")
_BEFORE = " \t\r\n\"'([{<#>*:-"
_BEHIND = " \t\r\n\"'.,;:!)]}>*|-<"


@dataclass(frozen=True)
class Found:
    """Classes named together at one place. `decisive`: said to be final, or concluded; `tentative`: only possible."""

    rank: int
    named: tuple[Named, ...]
    decisive: bool = False
    tentative: bool = False

    @property
    def majors(self) -> frozenset[int]:
        """The numbers of the classes."""
        return frozenset(one.major for one in self.named)

    @property
    def start(self) -> int:
        """Where the first of them stands."""
        return self.named[0].start


def find_places(text: str, names: Lexicon) -> Iterator[Found]:
    """Yield every place of a plain text that names classes."""
    yield from _keyed(text, names)
    yield from _numbered(text, names)
    yield from _checked(text, names)
    yield from _predicated(text, names)
    yield from _tabled(text, names)
    yield from _alone(text, names)
    yield from _bracketed(text, names)
    yield from _concluded(text, names)
    for named in names.names(text):
        yield Found(NAME, (named,))


def sentence_start(text: str, place: int) -> int:
    """Return where the sentence of a place begins, at most 240 characters before it."""
    window = max(0, place - 240)
    return max((match.end() for match in _SENTENCE_END.finditer(text, window, place)), default=window)


def _slot(text: str, names: Lexicon, place: int, end: int, *, words: bool = True) -> tuple[tuple[Named, ...], int, str]:
    """Return the classes named together from a place on, words that say nothing left out, and where they end.

    The third is what was left out before the first. `words`: `five` is a number too.
    """
    begin = place
    for _ in range(FILLERS):
        skipped = cues.FILLER.match(text, place, end)
        if skipped is None or _here(text, names, place, end, words):
            break
        place = skipped.end()
    left_out, named, behind = text[begin:place], list[Named](), place
    while place < end and (one := _here(text, names, place, end, words)):
        named.append(one)
        behind = one.end
        joint = cues.JOINT.match(text, behind, end)
        place = joint.end() if joint else behind
        if "." in text[behind:place] and not (one.by_number and names.name_at(text, place)):
            break  # a sentence ends here; `5. Theft` is one number and its name
    return tuple(named), behind, left_out


def _here(text: str, names: Lexicon, place: int, end: int, words: bool) -> Named | None:
    """Return the class that is named at a place, by number or by name, and not beyond `end`."""
    one = names.number_at(text, place, words=words) or names.name_at(text, place)
    return one if one and one.end <= end else None


def _line_end(text: str, place: int) -> int:
    """Return where the line ends, or what of it is near enough to belong to a place."""
    stop = min(len(text), place + REACH)
    end = text.find("\n", place, stop)
    return stop if end < 0 else end


def _concludes(text: str, place: int) -> bool:
    """Say whether the sentence up to a place draws a conclusion."""
    return bool(cues.CONCLUDED.search(text, sentence_start(text, place), place))


def _keyed(text: str, names: Lexicon) -> Iterator[Found]:
    """Yield classes behind a key; of keys in nested JSON, those inside others say less than the outermost."""
    depth = _Depth(text)
    found: list[tuple[int, Found]] = []
    for pattern, rank in ((cues.ANSWER_KEY, ANSWER), (cues.CLASS_KEY, CLASS), (cues.EVENT_KEY, CLASS)):
        for key in pattern.finditer(text):
            before = text[max(0, key.start() - 30) : key.start()]
            qualifier = cues.QUALIFIER.match(text, key.end())
            place = qualifier.end() if qualifier else key.end()
            end = _line_end(text, place)
            if not text[place:end].strip(" :=\"'{[(") and end < len(text):
                end = _line_end(text, end + 1)  # the value stands on the next line
            named, _, left_out = _slot(text, names, place, end)
            if pattern is cues.EVENT_KEY:
                named = tuple(one for one in named if not one.by_number)
            if not named or cues.OTHER_BEFORE.search(before):
                continue
            plain_key = ":" in left_out if pattern is cues.EVENT_KEY else cues.SEPARATOR.search(left_out)
            if rank == CLASS and not plain_key:
                found.append((0, Found(CONCLUDED, named, _concludes(text, key.start()))))
            else:
                found.append((depth.at(key.start()), Found(rank, named, bool(cues.FINAL_BEFORE.search(before)))))
    outermost = min((level for level, one in found if level), default=0)
    for level, one in found:
        yield one if level <= outermost else Found(CONCLUDED, one.named)


class _Depth:
    """How deep in braces a place of a text stands."""

    def __init__(self, text: str) -> None:
        self._starts, self._levels, level = [0], [0], 0
        for place, character in enumerate(text) if "{" in text else ():
            if character in "{}":
                level = max(0, level + (1 if character == "{" else -1))
                self._starts.append(place)
                self._levels.append(level)

    def at(self, place: int) -> int:
        return self._levels[bisect_right(self._starts, place) - 1]


def _numbered(text: str, names: Lexicon) -> Iterator[Found]:
    """Yield classes called by their place in the list: the second category, number 2, 第二类."""
    for match in cues.ORDINAL.finditer(text):
        word = match[1]
        major = cues.ORDINALS.index(word) + 1 if word in cues.ORDINALS else int(re.sub(r"\D", "", word))
        yield Found(CONCLUDED, (Named(major, None, *match.span(1), True),), _concludes(text, match.start()))
    for pattern in (cues.COUNTER, cues.LISTED_AS):
        for match in pattern.finditer(text):
            place = next(match.start(group) for group in range(1, pattern.groups + 1) if match[group])
            if one := names.number_at(text, place, counted=pattern is cues.COUNTER):
                yield Found(CONCLUDED, (one,), _concludes(text, match.start()))


def _checked(text: str, names: Lexicon) -> Iterator[Found]:
    for mark in cues.CHECKED.finditer(text):
        named, _, _ = _slot(text, names, mark.end(), _line_end(text, mark.end()))
        if named:
            yield Found(CLASS, named, True)


def _predicated(text: str, names: Lexicon) -> Iterator[Found]:
    """Yield classes of which it is said that they are the best, the answer, the right ones."""
    for predicate in cues.PREDICATE.finditer(text):
        window = max(0, predicate.start() - 48)
        end = window + len(text[window : predicate.start()].rstrip(_BEHIND))
        named = [one for one in names.names(text, window, end) if one.end == end]
        if not named and (digits := re.compile(r"\d{1,2}$").search(text, window, end)):
            number = names.number_at(text, digits.start(), counted=True)
            named = [number] if number else []
        if named:
            yield Found(CONCLUDED, tuple(named), True)


def _tabled(text: str, names: Lexicon) -> Iterator[Found]:
    for head, cell in headed_cells(text):
        if cues.HEADING.fullmatch(text[slice(*head)].strip(_BEHIND)):
            named, _, _ = _slot(text, names, *cell)
            if named:
                yield Found(CLASS, named)


def _alone(text: str, names: Lexicon) -> Iterator[Found]:
    """Yield classes that stand alone on a line or in a sentence, or begin the text; a list of many says nothing."""
    found: list[Found] = []
    for start, end in _segments(text):
        named, behind, _ = _slot(text, names, start, end)
        if not named:
            continue
        rest = text[behind:end]
        if cues.CONFIRMED.match(rest):
            yield Found(CLASS, named, True)
        elif not rest.strip(_BEHIND) or (not text[: named[0].start].strip(_BEFORE) and _explained(text, named, behind)):
            found.append(Found(ALONE, named))
    if len({one.named[0].major for one in found if one.named[0].by_number}) < ENUMERATED:
        yield from found


def _explained(text: str, named: Sequence[Named], behind: int) -> bool:
    """Say whether a class at the very start of a text is the answer with its reason behind it."""
    if any(not one.by_number for one in named):
        return named[0].by_number
    return bool(cues.REASON.match(text, behind))


def _segments(text: str) -> Iterator[tuple[int, int]]:
    """Yield the lines of a text, and the sentences of those that hold several."""
    line = 0
    while line < len(text):
        end = text.find("\n", line)
        end = len(text) if end < 0 else end
        yield line, end
        breaks = [match.end() for match in _SENTENCE_END.finditer(text, line, end) if not _listed(text, match.start())]
        if breaks and breaks != [end]:
            yield from zip([line, *breaks], [*breaks, end], strict=True)
        line = end + 1


def _listed(text: str, place: int) -> bool:
    """Say whether the point at a place ends the number of a list's entry, and no sentence."""
    return bool(_ENTRY.search(text, max(0, place - 8), place))


def _bracketed(text: str, names: Lexicon) -> Iterator[Found]:
    for match in _BRACKET.finditer(text):
        start, end = match.span(1)
        named, behind, _ = _slot(text, names, start, end)
        if not named or text[behind:end].strip(_BEHIND):
            continue
        following = names.name_at(text, match.end() + 1) if text[match.end() : match.end() + 1] == " " else None
        if following and not cues.OR.search(text[match.end() : following.start]):
            named = (*named, following)
        rank = ALONE if not text[: match.start()].strip() else CONCLUDED
        yield Found(rank, named, _concludes(text, match.start()))


def _concluded(text: str, names: Lexicon) -> Iterator[Found]:
    for verb in cues.CONCLUDING.finditer(text):
        named, behind, _ = _slot(text, names, verb.end(), _line_end(text, verb.end()), words=False)
        if not named:
            continue
        sentence = text[sentence_start(text, verb.start()) : verb.end()]
        counted = verb[0] == "of" or cues.COUNTED.search(sentence) or not cues.FOLLOWED.match(text, behind)
        kept = tuple(one for one in named if not one.by_number or (one.major in names.codes and not counted))
        if kept:
            yield Found(CONCLUDED, kept, bool(cues.CONCLUDED.search(sentence)))
