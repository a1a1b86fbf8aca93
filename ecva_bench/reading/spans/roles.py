"""Starts and ends that are named apart: `starts at 12 s … ends at 20 s`, `{"start": 12, "end": 20}`.

A time is a start or an end by the word nearest to it: before it in its sentence, or behind it in its clause. A start
goes with the end in the same braces, else with the next one told; a start and how long it lasts is a span too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby, pairwise
from typing import Literal, NamedTuple

from .pairs import TimePair, paired
from .times import Time
from .untimed import HEDGE, VIDEO

Role = Literal["start", "end", "lasting"]

_REACH = 160  # characters between a word and the time it names
_TOLD = 600  # and between a start and its end

_EVENT = r"(?:anomal|abnormal|event|incident|accident|fight|crash|collision|attack|fire|segment|span|interval|action)"
_SUFFIX = r"(?:[\s_-]?(?:time|timestamp|seconds?|secs?|ms|s|frame|point|at|mark)(?![a-z]))*"
_ROLE = re.compile(
    rf"""(?P<void>\b{VIDEO}(?:'s)?\ (?:itself\ |also\ )?(?:starts?|begins?|ends?|stops?)\b)
  | (?P<start>(?<![a-z])(?:t?_?start(?:s|ed|ing)?|begin(?:s|ning|n)?|began|onset|commenc(?:es?|ed|ing)|initiat(?:es|ed)
        |kick(?:s|ed)?\ off|br(?:eaks?|oke)\ out|gets?\ underway|in[ií]cio|comienza|empieza|começa|d[eé]but|débute
        |anfang|beginnt){_SUFFIX}(?![a-z])
        |(?<=["'])(?:st|from|t0|t1|s)(?=["']\s?:)|(?<=<)from(?=>)|开始(?:时间|于)?|起始(?:时间)?|始于|起点)
  | (?P<end>(?<![a-z])(?:t?_?end(?:s|ed|ing)?(?!\ of\ (?:the|a)\ (?!{_EVENT}))|finish(?:es|ed|ing)?
        |stop(?:s|ped)?(?!\ at\ the)
        |conclud(?:es?|ed|ing)|ceas(?:es?|ed)|terminat(?:es?|ed)|offset|over\ (?:by|at)
        |subsides|ende|endet|fin|fim|termina|acaba|finaliza){_SUFFIX}(?![a-z])
        |(?<=["'])(?:ed|to|t2|e)(?=["']\s?:)|(?<=<)to(?=>)|结束(?:时间|于)?|[終终]了|终止(?:时间)?|截止(?:时间)?|止于|终点)""",
    re.VERBOSE,
)
_CLOSE_START = re.compile(
    rf"(?:\b(?:from|since|de|von|desde)|[从自])[\s\"'(\[]*(?:the\s)?(?:{HEDGE}\s*)*(?:at |t\s?=\s?)?$"
)
_CLOSE_END = re.compile(
    rf"(?:\b(?:to|until|till|til|through|up to|by|bis|hasta)|直?到|至)[\s\"'(\[]*(?:{HEDGE}\s*)*(?:at |t\s?=\s?)?$"
)
_SENTENCE = re.compile(
    r"(?<!approx)(?<!\bca)(?<!i\.e)(?<!e\.g)[.;!?](?=\s|$|[^\x00-\x7f])|\n\s*\n|(?<!:)\n(?!\s*[-*>|]?\s*$)"
)
_CLAUSE = re.compile(r"[,.;!?\n|}<]")
_GOES_ON = re.compile(
    r"[^.;!?\n]{0,60}(?:\bfor|\blast|\bcontinu|\bpersist|\bgoes on|\bduration|持续|历时)[^.;!?\n]{0,30}"
)
_BESIDE = re.compile(r"[\s\"']*[,|][\s\"']*")


class _Named(NamedTuple):
    role: Role | None
    time: Time


def find_named(text: str, times: Sequence[Time], pairs: Sequence[TimePair]) -> list[TimePair]:
    """Return the pairs of a plain text's times that are named apart; `pairs` are those that use some already."""
    used = {time.start for pair in pairs for time in (pair.first, pair.last)}
    if len(times) < 2 or len(used) == len(times):
        return []
    named = [one for one in _roles(text, times) if one.time.start not in used]
    found = list(_in_braces(text, named))
    used |= {time.start for pair in found for time in (pair.first, pair.last)}
    return found + list(_in_sequence(text, [one for one in named if one.time.start not in used]))


def _roles(text: str, times: Sequence[Time]) -> list[_Named]:
    """Return every time with its role; a length lasts, and what is no time is left out."""
    words = [match for match in _ROLE.finditer(text) if match.lastgroup != "void"]
    found: list[_Named] = []
    at = 0
    for time in times:
        if time.kind in ("other", "word"):
            continue
        before = found[-1].time.end if found else 0
        gap = []
        while at < len(words) and words[at].start() < time.start:
            if words[at].start() >= before and words[at].end() <= time.start:
                gap.append(words[at])
            at += 1
        if gap and found and found[-1].role is None and _behind(text, found[-1].time, gap, time):
            found[-1] = found[-1]._replace(role=_role(gap.pop(0)))
        found.append(_Named(_own_role(text, time, gap, found[-1] if found else None), time))
    if found and found[-1].role is None and at < len(words) and _behind(text, found[-1].time, words[at:], None):
        found[-1] = found[-1]._replace(role=_role(words[at]))
    return found


def _role(word: re.Match[str]) -> Role:
    return "start" if word.lastgroup == "start" else "end"


def _behind(text: str, time: Time, gap: Sequence[re.Match[str]], following: Time | None) -> bool:
    """Return whether the first word behind a time speaks of it, and not of the time that follows."""
    word = gap[0]
    if word.start() - time.end > _REACH or _SENTENCE.search(text, time.end, word.start()):
        return False
    return len(gap) > 1 or following is None or bool(_CLAUSE.search(text, word.end(), following.start))


def _own_role(text: str, time: Time, gap: Sequence[re.Match[str]], previous: _Named | None) -> Role | None:
    if time.kind == "length":
        return "lasting"
    if time.kind == "edge":
        return "end" if time.value else "start"
    left = text[max(0, time.start - 40) : time.start]
    if _CLOSE_START.search(left):
        return "start"
    if _CLOSE_END.search(left):
        return "end"
    if gap:
        word = gap[-1]
        near = time.start - word.end() <= _REACH and not _SENTENCE.search(text, word.end(), time.start)
        return _role(word) if near else None
    if (
        previous
        and previous.role
        and time.start - previous.time.end < 20
        and _BESIDE.fullmatch(text, previous.time.end, time.start)
    ):
        return previous.role  # `"starts": [12, 24]`
    return None


def _in_braces(text: str, named: Sequence[_Named]) -> Iterator[TimePair]:
    """Return the pairs of the one start with the one end that stand in the same braces."""
    scopes: dict[int, list[_Named]] = {}
    open_at: list[int] = []
    braces = re.finditer(r"[{}]", text)
    brace = next(braces, None)
    for one in named:
        while brace and brace.start() < one.time.start:
            if brace[0] == "{":
                open_at.append(brace.start())
            elif open_at:
                open_at.pop()
            brace = next(braces, None)
        if open_at:
            scopes.setdefault(open_at[-1], []).append(one)
    for inside in scopes.values():
        starts, ends, lengths = (
            [one.time for one in inside if one.role == role] for role in ("start", "end", "lasting")
        )
        if len(starts) == 1 and len(ends) == 1:
            yield paired(starts[0], ends[0], "keys")
        elif len(starts) == 1 and not ends and len(lengths) == 1:
            yield _paired(starts[0], "lasting", lengths[0])


def _in_sequence(text: str, named: Sequence[_Named]) -> Iterator[TimePair]:
    """Return the pairs of each start with the end, or the length, that is told next; else with the one told before."""
    for one, other in pairwise(named):
        if one.role is None and other.role and _GOES_ON.fullmatch(text, one.time.end, other.time.start):
            yield _paired(one.time, other.role, other.time)
    after = {one.time: other for one, other in pairwise([*named, None]) if one}
    by_role = groupby((one for one in named if one.role), key=lambda one: one.role)
    groups = [(role, [one.time for one in group]) for role, group in by_role if role]
    for n, (role, times) in enumerate(groups):
        if role != "start":
            continue
        behind = groups[n + 1 : n + 3]
        if [by for by, _ in behind] == ["lasting", "end"]:
            behind = behind[1:]
        if behind and behind[0][1][0].start - times[-1].end < _TOLD:
            by, ends = behind[0]
            if by == "end":
                count = min(len(times), len(ends))
                yield from (_paired(start, by, end) for start, end in zip(times[-count:], ends, strict=False))
            elif not _continues(text, ends[0], after[ends[0]]):
                yield _paired(times[-1], by, ends[0])
        elif n and (n == 1 or groups[n - 2][0] != "start"):
            by, ends = groups[n - 1]
            if not _SENTENCE.search(text, ends[-1].end, min(times[0].start, ends[-1].end + _TOLD)):
                yield _paired(times[0], by, ends[-1])


def _continues(text: str, length: Time, following: _Named | None) -> bool:
    """Return whether a point in time follows a length in its sentence: what lasts is then not the whole."""
    if following is None or following.role or following.time.start - length.end > _REACH:
        return False
    return not _SENTENCE.search(text, length.end, following.time.start)


def _paired(start: Time, by: Role, end: Time) -> TimePair:
    """Return the pair of a start with its end, or with its length."""
    if by == "end":
        return paired(start, end, "named")
    return paired(start, replace(end, kind="time" if end.unit else "bare"), "lasting")
