"""Where a class stands in an answer, and how plainly it is said to be the answer.

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


def find_places(said: str, names: Lexicon) -> Iterator[Found]:
    """Yield every place of a plain text that names classes."""
    yield from _keyed(said, names)
    yield from _numbered(said, names)
    yield from _checked(said, names)
    yield from _predicated(said, names)
    yield from _tabled(said, names)
    yield from _alone(said, names)
    yield from _bracketed(said, names)
    yield from _concluded(said, names)
    for named in names.names(said):
        yield Found(NAME, (named,))


def sentence_start(said: str, place: int) -> int:
    """Return where the sentence of a place begins, at most 240 characters before it."""
    window = max(0, place - 240)
    return max((match.end() for match in _SENTENCE_END.finditer(said, window, place)), default=window)


def _slot(said: str, names: Lexicon, place: int, end: int, *, words: bool = True) -> tuple[tuple[Named, ...], int, str]:
    """Return the classes named together from a place on, words that say nothing left out, and where they end.

    The third is what was left out before the first. `words`: `five` is a number too.
    """
    begin = place
    for _ in range(FILLERS):
        skipped = cues.FILLER.match(said, place, end)
        if skipped is None or _here(said, names, place, end, words):
            break
        place = skipped.end()
    left_out, named, behind = said[begin:place], list[Named](), place
    while place < end and (one := _here(said, names, place, end, words)):
        named.append(one)
        behind = one.end
        joint = cues.JOINT.match(said, behind, end)
        place = joint.end() if joint else behind
        if "." in said[behind:place] and not (one.by_number and names.name_at(said, place)):
            break  # a sentence ends here; `5. Theft` is one number and its name
    return tuple(named), behind, left_out


def _here(said: str, names: Lexicon, place: int, end: int, words: bool) -> Named | None:
    """Return the class that is named at a place, by number or by name, and not beyond `end`."""
    one = names.number_at(said, place, words=words) or names.name_at(said, place)
    return one if one and one.end <= end else None


def _line_end(said: str, place: int) -> int:
    """Return where the line ends, or what of it is near enough to belong to a place."""
    stop = min(len(said), place + REACH)
    end = said.find("\n", place, stop)
    return stop if end < 0 else end


def _concludes(said: str, place: int) -> bool:
    """Say whether the sentence up to a place draws a conclusion."""
    return bool(cues.CONCLUDED.search(said, sentence_start(said, place), place))


def _keyed(said: str, names: Lexicon) -> Iterator[Found]:
    """Yield classes behind a key; of keys in nested JSON, those inside others say less than the outermost."""
    depth = _Depth(said)
    found: list[tuple[int, Found]] = []
    for pattern, rank in ((cues.ANSWER_KEY, ANSWER), (cues.CLASS_KEY, CLASS), (cues.EVENT_KEY, CLASS)):
        for key in pattern.finditer(said):
            before = said[max(0, key.start() - 30) : key.start()]
            qualifier = cues.QUALIFIER.match(said, key.end())
            place = qualifier.end() if qualifier else key.end()
            end = _line_end(said, place)
            if not said[place:end].strip(" :=\"'{[(") and end < len(said):
                end = _line_end(said, end + 1)  # the value stands on the next line
            named, _, left_out = _slot(said, names, place, end)
            if pattern is cues.EVENT_KEY:
                named = tuple(one for one in named if not one.by_number)
            if not named or cues.OTHER_BEFORE.search(before):
                continue
            plain_key = ":" in left_out if pattern is cues.EVENT_KEY else cues.SEPARATOR.search(left_out)
            if rank == CLASS and not plain_key:
                found.append((0, Found(CONCLUDED, named, _concludes(said, key.start()))))
            else:
                found.append((depth.at(key.start()), Found(rank, named, bool(cues.FINAL_BEFORE.search(before)))))
    outermost = min((level for level, one in found if level), default=0)
    for level, one in found:
        yield one if level <= outermost else Found(CONCLUDED, one.named)


class _Depth:
    """How deep in braces a place of a text stands."""

    def __init__(self, said: str) -> None:
        self._starts, self._levels, level = [0], [0], 0
        for place, character in enumerate(said) if "{" in said else ():
            if character in "{}":
                level = max(0, level + (1 if character == "{" else -1))
                self._starts.append(place)
                self._levels.append(level)

    def at(self, place: int) -> int:
        return self._levels[bisect_right(self._starts, place) - 1]


def _numbered(said: str, names: Lexicon) -> Iterator[Found]:
    """Yield classes called by their place in the list: the second category, number 2, 第二类."""
    for match in cues.ORDINAL.finditer(said):
        word = match[1]
        major = cues.ORDINALS.index(word) + 1 if word in cues.ORDINALS else int(re.sub(r"\D", "", word))
        yield Found(CONCLUDED, (Named(major, None, *match.span(1), True),), _concludes(said, match.start()))
    for pattern in (cues.COUNTER, cues.LISTED_AS):
        for match in pattern.finditer(said):
            place = next(match.start(group) for group in range(1, pattern.groups + 1) if match[group])
            if one := names.number_at(said, place, counted=pattern is cues.COUNTER):
                yield Found(CONCLUDED, (one,), _concludes(said, match.start()))


def _checked(said: str, names: Lexicon) -> Iterator[Found]:
    for mark in cues.CHECKED.finditer(said):
        named, _, _ = _slot(said, names, mark.end(), _line_end(said, mark.end()))
        if named:
            yield Found(CLASS, named, True)


def _predicated(said: str, names: Lexicon) -> Iterator[Found]:
    """Yield classes of which it is said that they are the best, the answer, the right ones."""
    for predicate in cues.PREDICATE.finditer(said):
        window = max(0, predicate.start() - 48)
        end = window + len(said[window : predicate.start()].rstrip(_BEHIND))
        named = [one for one in names.names(said, window, end) if one.end == end]
        if not named and (digits := re.compile(r"\d{1,2}$").search(said, window, end)):
            number = names.number_at(said, digits.start(), counted=True)
            named = [number] if number else []
        if named:
            yield Found(CONCLUDED, tuple(named), True)


def _tabled(said: str, names: Lexicon) -> Iterator[Found]:
    for head, cell in headed_cells(said):
        if cues.HEADING.fullmatch(said[slice(*head)].strip(_BEHIND)):
            named, _, _ = _slot(said, names, *cell)
            if named:
                yield Found(CLASS, named)


def _alone(said: str, names: Lexicon) -> Iterator[Found]:
    """Yield classes that stand alone on a line or in a sentence, or begin the text; a list of many says nothing."""
    found: list[Found] = []
    for start, end in _segments(said):
        named, behind, _ = _slot(said, names, start, end)
        if not named:
            continue
        rest = said[behind:end]
        if cues.CONFIRMED.match(rest):
            yield Found(CLASS, named, True)
        elif not rest.strip(_BEHIND) or (not said[: named[0].start].strip(_BEFORE) and _explained(said, named, behind)):
            found.append(Found(ALONE, named))
    if len({one.named[0].major for one in found if one.named[0].by_number}) < ENUMERATED:
        yield from found


def _explained(said: str, named: Sequence[Named], behind: int) -> bool:
    """Say whether a class at the very start of a text is the answer with its reason behind it."""
    if any(not one.by_number for one in named):
        return named[0].by_number
    return bool(cues.REASON.match(said, behind))


def _segments(said: str) -> Iterator[tuple[int, int]]:
    """Yield the lines of a text, and the sentences of those that hold several."""
    line = 0
    while line < len(said):
        end = said.find("\n", line)
        end = len(said) if end < 0 else end
        yield line, end
        breaks = [match.end() for match in _SENTENCE_END.finditer(said, line, end) if not _listed(said, match.start())]
        if breaks and breaks != [end]:
            yield from zip([line, *breaks], [*breaks, end], strict=True)
        line = end + 1


def _listed(said: str, place: int) -> bool:
    """Say whether the point at a place ends the number of a list's entry, and no sentence."""
    return bool(_ENTRY.search(said, max(0, place - 8), place))


def _bracketed(said: str, names: Lexicon) -> Iterator[Found]:
    for match in _BRACKET.finditer(said):
        start, end = match.span(1)
        named, behind, _ = _slot(said, names, start, end)
        if not named or said[behind:end].strip(_BEHIND):
            continue
        following = names.name_at(said, match.end() + 1) if said[match.end() : match.end() + 1] == " " else None
        if following and not cues.OR.search(said[match.end() : following.start]):
            named = (*named, following)
        rank = ALONE if not said[: match.start()].strip() else CONCLUDED
        yield Found(rank, named, _concludes(said, match.start()))


def _concluded(said: str, names: Lexicon) -> Iterator[Found]:
    for verb in cues.CONCLUDING.finditer(said):
        named, behind, _ = _slot(said, names, verb.end(), _line_end(said, verb.end()), words=False)
        if not named:
            continue
        sentence = said[sentence_start(said, verb.start()) : verb.end()]
        counted = verb[0] == "of" or cues.COUNTED.search(sentence) or not cues.FOLLOWED.match(said, behind)
        kept = tuple(one for one in named if not one.by_number or (one.major in names.codes and not counted))
        if kept:
            yield Found(CONCLUDED, kept, bool(cues.CONCLUDED.search(sentence)))
