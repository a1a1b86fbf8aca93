"""Read how severe an answer says that the parts of a video are, on the prompt's scale of 0 to 10.

A whole answer names segments with a severity each: in lines `start end severity` (the canonical form), in objects, in
brackets, in a table, or in lines and clauses such as `0:05 - 0:10: 7/10`. Their times are read as those of the task
timestamp are. A reply about one segment names one number. `7/10`, `7 out of 10` and `70 %` are 7, and a range, such as
`7-8` or `between 7 and 8`, is its middle; the scale is never guessed from a value, so 1 is 1 of 10, and `4/5` is not
read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ..records.readings import Reading
from .boxes import boxed
from .curves import SCALE, UNPARSED
from .severity_ranges import WORDS, with_ranges_closed_up, with_ranges_of_a_reply
from .spans.reader import Span, read_spans
from .tables import headed_cells
from .text import plain
from .units import TimeUnit

VERSION = 1  # part of signatures: a change of what is read is another metric

_NUMBER = r"-?\d{1,6}(?:\.\d{1,6})?"
_OF = r"\s?(?:/|out of|of)\s?"
# A range, `7-8` or `7 to 8`, counts as its middle.
_VALUE = (
    rf"(?P<value>{_NUMBER})(?:(?:-| to )(?P<upto>\d{{1,6}}(?:\.\d{{1,6}})?)(?![\d:]))?"
    rf"(?:{_OF}(?P<top>\d{{1,6}})(?![\d.]*\d)|\s?(?P<percent>%|percent\b|per cent\b))?"
)
_CUE = re.compile(
    rf"(?<![a-z]){WORDS}(?:[ _](?:score|level|rating|value|{WORDS}))?(?: \(?(?:0|1)\s?(?:-|to)\s?10\)?)?"
    rf"\s?[\"')\]]*+\s?(?:[:=→]|\b(?:is|of|at|as)\b|为|是)?[\s\"'(\[]*+(?:about |around |approximately )?{_VALUE}"
)
_OF_TEN = re.compile(rf"(?<![\d.]){_VALUE}")
_AT_END = re.compile(
    rf"(?:[:=→|>\t]\s|(?<=[^\d\s])[:=→|>]|\s-\s|\s\||\s\((?=[\d.]+\s?[/%)]))[\s\"'(\[]*+{_VALUE}[\s\"')\].,;|]*$"
)
_SCALE_NAMED = re.compile(
    r"(?<![\d.])(?:0|1)(?: ?\([^()\n]{1,60}\))?\s?(?:-|to|through|and)\s?10(?![\d.%])(?! ?s(?:ec|\b))"
    r"|(?<![\d.])(?:0|1)\s?(?:=|being|is|means)\s?[^()\d\n]{1,60}\b10\s?(?:=|being|is|means)\b"
    r"|(?<![\d.])(?:0|1)\s?=\s?[^()\d\n]{1,60}\b10\s?="
)
# A time of the video in a reply about one segment, which is no severity: `0:03`, `3.5 s`, `3 to 6 seconds`.
_WHEN = re.compile(
    r"(?<![\d.:])(?:\d{1,3}(?::\d{2}){1,2}(?:\.\d{1,6})?(?![\d:])"
    r"|(?:\d{1,6}(?:\.\d{1,6})?\s?(?:-|to|and)\s?)?\d{1,6}(?:\.\d{1,6})?\s?(?:s|secs?|seconds?|minutes?)\b)"
)

_TIME = r"(?:\d{1,3}(?::\d{2}){1,2}(?:\.\d+)?|\d{1,8}(?:\.\d+)?)(?:\s?s(?:ec(?:ond)?s?)?\b)?"
# With what is seen in words behind it, such as `0 5 7 a car brakes`, or not.
_TRIPLE = re.compile(
    rf"^[ \t>|*•\-]*(?P<first>{_TIME})(?P<joint>[ \t]*[\s,;|][ \t]*|[ \t]?(?:-|to|until|→)[ \t]?)(?P<last>{_TIME})"
    rf"[ \t]*[\s,;|][ \t]*(?:{_VALUE}|(?P<unparsed>{re.escape(UNPARSED)}))"
    rf"[ \t|,;.]*(?:$|(?<=[ \t,;|])[(\-\"'a-z\u4e00-\u9fff][^\n]*$)",
    re.MULTILINE,
)
_BRACKETS = re.compile(
    rf"[\[(]\s*[\"']?(?P<first>{_TIME})[\"']?\s*,\s*[\"']?(?P<last>{_TIME})[\"']?\s*,\s*[\"']?{_VALUE}[\"']?\s*[\])]"
)
_INLINE = re.compile(
    rf"(?:(?<![\[(\"'])[\[(\"']*+)?(?P<first>{_TIME})\s?(?:-|to|until|→|,)\s?(?P<last>{_TIME})[\])\"']*\s?"
    rf"(?::(?!\d\d)|(?<=[\])\"'s]):|=|→|->|,?\s?{WORDS}:?)\s?[\"']?(?:{WORDS}:?\s?)?{_VALUE}"
)
_OBJECT = re.compile(r"\{[^{}]{1,600}\}")
_FIELD = re.compile(r"[\"']?(?P<key>[a-z_ ]{1,40})[\"']?\s?:\s?[\"']?(?P<said>[^,\n}]{1,60})")
_HEAD = re.compile(WORDS)
_LISTED = re.compile(r"^\s*(?:\d{1,3}[.)]|[-*•])\s+")
_SENTENCE = re.compile(r"(?:[^.;]|[.;](?!\s+\S))+[.;]?")
_BARE = re.compile(r"\d{1,8}(?:\.\d+)?")


class _Unit(NamedTuple):
    """A part of a text that may name segments: at which characters, by which rule, its times, and their severity.

    `severity` is None where it names none that can be read. `exact` are times that need not be looked for.
    """

    start: int
    end: int
    rule: str
    times: str
    severity: float | None
    exact: Span | None = None


def read_severities(text: str, *, unit: TimeUnit | None, duration: float | None = None) -> Reading:
    """Return the segments that an answer names with their severities, in its order.

    `unit` and `duration` are those of `read_spans`; the canonical lines are in seconds in any case. Segments without a
    readable severity are `unparsed`; where more than half of them are, the answer is unread.
    """
    plain_text = with_ranges_closed_up(boxed(plain(text)))
    spans: list[Span] = []
    severities: list[float] = []
    unparsed: list[Span] = []
    places: list[tuple[int, int]] = []
    rules: dict[str, None] = {}
    worst = "unread"
    for one in _units(plain_text):
        if one.exact:
            found = Reading(spans=(one.exact,))
        else:  # with its severity, what is called normal is an answer
            found = read_spans(one.times, unit=unit, duration=duration, normal=True)
        if found.status == "no unit":
            worst = "no unit"
        if one.severity is None:
            unparsed += found.spans
            continue
        spans += found.spans
        severities += [one.severity] * len(found.spans)
        places += [(one.start, one.end)] * len(found.spans)
        if found.spans:
            rules[one.rule] = None
    if unparsed and not spans:
        return Reading(status="out of range", rule="no severity from 0 to 10", unparsed=tuple(unparsed))
    if not spans:
        return Reading(status="no unit" if worst == "no unit" else "unread")
    if len(unparsed) > len(spans):
        return Reading(status="unread", rule="more than half unparsed", unparsed=tuple(unparsed))
    return Reading(
        rule=", ".join(rules),
        spans=tuple(spans),
        severities=tuple(severities),
        unparsed=tuple(unparsed),
        places=tuple(places),
    )


def read_severity(reply: str) -> float | None:
    """Return the severity from 0 to 10 that a reply about one segment names; None where it names none.

    It is what is given as a share (`7/10`, `7 out of 10`, `70 %`), else what is called the severity, else the first
    number that is neither the scale itself (`on a scale of 0 to 10`) nor a time (`at 0:03`, `after 3 seconds`).
    """
    text = boxed(plain(reply))
    text = with_ranges_of_a_reply(_WHEN.sub(_blank, _SCALE_NAMED.sub(_blank, text)))
    matches = [*_OF_TEN.finditer(text)]
    of_ten = (match for match in matches if match["top"] and float(match["top"]) == SCALE)
    shares = (match for match in matches if match["top"] or match["percent"])
    found = next(of_ten, None) or _CUE.search(text) or next(shares, None) or next(iter(matches), None)
    return _severity(found) if found else None


def _severity(match: re.Match[str]) -> float | None:
    """Return a matched value on the scale of 0 to 10, of a range the middle.

    None where a value is outside, or on another scale.
    """
    values, top = [float(text) for text in (match["value"], match["upto"]) if text], match["top"]
    if match["percent"] or (top and float(top) == 100):
        values = [value * SCALE / 100 for value in values]
    elif top and float(top) != SCALE:
        return None
    return sum(values) / len(values) if all(0 <= value <= SCALE for value in values) else None


def _units(text: str) -> Iterator[_Unit]:
    """Yield the parts of a plain text that may name a segment each, in the order of the forms tried."""
    for find in (_objects, _brackets, _table, _triples, _lines):
        found = []
        for one in find(text):
            found.append(one)
            yield one
        pieces, at = [], 0  # of the text with blanks in the places of what was found, put together once
        for one in sorted(found, key=lambda unit: unit.start):
            start, end = max(at, one.start), max(at, one.end)
            pieces += [text[at:start], re.sub(r"[^\n]", " ", text[start:end])]
            at = end
        text = "".join([*pieces, text[at:]])


def _objects(text: str) -> Iterator[_Unit]:
    for match in _OBJECT.finditer(text):
        inner = match[0]
        named = next((one for one in _FIELD.finditer(inner) if _HEAD.search(one["key"])), None)
        if named:
            value = re.match(_VALUE, named["said"].strip("\"' "))
            rest = inner[: named.start()] + " " * len(named[0]) + inner[named.end() :]
            yield _Unit(*match.span(), "object", rest, _severity(value) if value else None)


def _brackets(text: str) -> Iterator[_Unit]:
    for match in _BRACKETS.finditer(text):
        yield _Unit(*match.span(), "brackets", f"[{match['first']}, {match['last']}]", _severity(match))


def _triples(text: str) -> Iterator[_Unit]:
    for match in _TRIPLE.finditer(text):
        first, last = match["first"], match["last"]
        given = match.start("unparsed" if match["unparsed"] else "value")
        canonical = bool(_BARE.fullmatch(first) and _BARE.fullmatch(last) and match["joint"].isspace())
        canonical = canonical and not set(text[match.start() : given]) & set(",;|")
        exact = (float(first), float(last)) if canonical and float(first) <= float(last) else None
        severity = None if match["unparsed"] else _severity(match)
        yield _Unit(*match.span(), "triple", f"[{first}, {last}]", severity, exact)


def _table(text: str) -> Iterator[_Unit]:
    """Yield the rows of tables of which a column is headed as the severity; a head names no number of its own."""
    rows: dict[int, list[tuple[str, tuple[int, int]]]] = {}
    for head, cell in headed_cells(text):
        line = text.rfind("\n", 0, cell[0]) + 1
        rows.setdefault(line, []).append((text[slice(*head)].strip(" *\"'"), cell))
    for cells in rows.values():
        named = next((cell for head, cell in cells if _HEAD.search(head)), None)
        if named is None or any(re.search(r"\d", _SCALE_NAMED.sub("", head)) for head, _ in cells):
            continue
        value = re.fullmatch(rf"[\s*\"']*{_VALUE}[\s*\"']*", text[slice(*named)])
        others = [(head, text[slice(*cell)].strip()) for head, cell in cells if cell != named]
        ends = [cell for head, cell in others if re.search(r"\b(?:start|begin|from|end|stop|to|until)", head)]
        when = [cell for head, cell in others if re.search(r"time|span|interval|segment|period|range|seconds", head)]
        times = f"[{ends[0]}, {ends[1]}]" if len(ends) == 2 else max(when, key=len, default="")
        yield _Unit(cells[0][1][0], cells[-1][1][1], "table", times, _severity(value) if value else None)


def _lines(text: str) -> Iterator[_Unit]:
    """Yield clauses `0-5: 7` where a line has several, else sentences, or lines, that name times and a severity."""
    place = 0
    for line in text.splitlines(keepends=True):
        start, place = place, place + len(line)
        inline = list(_INLINE.finditer(line))
        bare = _LISTED.sub(_blank, _SCALE_NAMED.sub(_kept_if_times, line.rstrip("\n")))
        sentences = [(one.start(), one[0], named) for one in _SENTENCE.finditer(bare) if (named := _named(one[0]))]
        if len(inline) > 1 or (inline and not sentences):
            for one in inline:
                times = f"[{one['first']}, {one['last']}]"
                yield _Unit(start + one.start(), start + one.end(), "clauses", times, _severity(one))
            continue
        if len(sentences) == 1 and (named := _named(bare)):
            sentences = [(0, bare, named)]
        for begin, sentence, named in sentences:
            rest = sentence[: named.start()] + " " * len(named[0]) + sentence[named.end() :]
            yield _Unit(start + begin, start + begin + len(sentence), "line", rest, _severity(named))


def _named(line: str) -> re.Match[str] | None:
    """Return where a line names its severity: as a share of ten, by a word for it, or at its end."""
    shares: Iterable[re.Match[str]] = (one for one in _OF_TEN.finditer(line) if one["top"] or one["percent"])
    return next(iter(shares), None) or _CUE.search(line) or _AT_END.search(line)


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _kept_if_times(match: re.Match[str]) -> str:
    """Return the words of a scale blanked where they say so; `0-10: 7` is a span."""
    before = match.string[max(0, match.start() - 24) : match.start()]
    return _blank(match) if re.search(r"\bscale\b|\bfrom$|\($", before.rstrip()) else match[0]
