"""Which spans of a text are not its answer, each for a reason by name: what is called normal, denied, an example, an
on-screen clock's, the video's own, corrected, or only told on the way to a conclusion. Knows pairs and no unit.

A rule looks at the clause around a pair: up to the next end of a clause, or to the next pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from . import aside_cues as cues
from .conclusions import by_themselves
from .pair_cues import LINKED
from .pairs import TimePair

_REACH = 160  # characters of a clause that are looked at
_OBJECT = 400  # and of an object in braces

_TITLE = 64  # and before a span, for its title


class Clause(NamedTuple):
    """What stands around a pair in its clause, and in its braces where it is in an object."""

    left: str
    right: str
    inside: str


def find_asides(text: str, pairs: Sequence[TimePair], *, normal: bool = False) -> list[str]:
    """Return for each pair of a plain text, in its order, why it is not the answer; empty where it may be.

    With `normal`, what is called normal is an answer, too.
    """
    clauses = _clauses(text, pairs)
    reasons = [_reason(text, pair, clause, normal=normal) for pair, clause in zip(pairs, clauses, strict=True)]
    if len(pairs) > 1:
        _choose(text, pairs, clauses, reasons)
    return reasons


def _choose(text: str, pairs: Sequence[TimePair], clauses: Sequence[Clause], reasons: list[str]) -> None:
    """Mark those of several that are not the answer."""
    _correct(text, pairs, reasons)
    alone = by_themselves(text, pairs)
    if any(one and not pair.flaw and not reason for one, pair, reason in zip(alone, pairs, reasons, strict=True)):
        reasons[:] = [reason or ("" if one else "told beside") for one, reason in zip(alone, reasons, strict=True)]
    _mark_narrated(text, pairs, clauses, reasons)
    _minor(pairs, clauses, reasons)


def _reason(text: str, pair: TimePair, clause: Clause, *, normal: bool) -> str:
    left, right, inside = clause
    near = text[max(0, pair.start - _TITLE) : pair.start]
    if not normal and cues.NORMAL_LIST.search(near):
        return "normal"
    if not normal and (
        cues.NORMAL_KEY.search(inside) if inside else cues.NORMAL.search(left) or cues.NORMAL.search(right)
    ):
        return "normal"
    if cues.DENIED.search(left):
        return "denied"
    if cues.EXAMPLE.search(left) or cues.EXAMPLE.search(near):
        return "example"
    if pair.rule != "keys" and (cues.ON_SCREEN.search(left) or cues.ON_SCREEN.search(right)):
        return "clock"
    if cues.OF_VIDEO.search(left) and not pair.first.value and pair.rule != "whole":
        return "the video's own"
    return ""


def _correct(text: str, pairs: Sequence[TimePair], reasons: list[str]) -> None:
    """Mark what is taken back: all before `wait`, the one before `more precisely`."""
    able = [n for n, pair in enumerate(pairs) if not pair.flaw and not reasons[n]]
    back = 0
    for n, (one, other) in enumerate(pairwise(able)):
        between = text[max(pairs[one].end, pairs[other].start - _REACH) : pairs[other].start]
        if cues.RESTART.search(between):
            for before in able[back : n + 1]:
                reasons[before] = "corrected"
            back = n + 1
        elif cues.REFINED.search(between):
            reasons[one] = "corrected"


def _mark_narrated(text: str, pairs: Sequence[TimePair], clauses: Sequence[Clause], reasons: list[str]) -> None:
    """Mark what is told in a line before the span that is called the anomaly."""
    able = [n for n, pair in enumerate(pairs) if not pair.flaw and not reasons[n] and not clauses[n].inside]
    titled = [n for n in able if cues.TITLE.search(text[max(0, pairs[n].start - _TITLE) : pairs[n].start])]
    for n in able:
        if titled and n < titled[0] and cues.NOTHING.fullmatch(clauses[n].left):
            reasons[n] = "told before"
    anchored = [n for n in able if cues.ANOMALY.search(clauses[n].left) or cues.ANOMALY.search(clauses[n].right)]
    if anchored and not any(cues.FURTHER.search(part) for part in clauses[anchored[0]][:2]):
        start = pairs[anchored[0]].start
        line = text.rfind("\n", 0, start)
        last = max((match.start() for match in cues.BREAK.finditer(text, line + 1, start)), default=-1)
        for n in able:
            if line < pairs[n].start < last and n < anchored[0]:
                reasons[n] = "told before"


def _minor(pairs: Sequence[TimePair], clauses: Sequence[Clause], reasons: list[str]) -> None:
    """Mark the peak of an anomaly, a first guess, and the whole video, where another span is left."""
    able = [n for n, pair in enumerate(pairs) if not pair.flaw and not reasons[n]]
    for find in (
        lambda n: pairs[n].rule == "whole",
        lambda n: cues.MINOR.search(clauses[n].left) or cues.MINOR.search(clauses[n].right),
    ):
        rest = [n for n in able if not find(n)]
        if rest:
            for n in set(able) - set(rest):
                reasons[n] = "minor"
            able = rest


def _clauses(text: str, pairs: Sequence[TimePair]) -> list[Clause]:
    """Return the clause of each pair; those that are listed one after the other share it."""
    found: list[Clause] = []
    group: list[TimePair] = []
    before, behind = 0, True
    for n, pair in enumerate(pairs):
        following = pairs[n + 1].start if n + 1 < len(pairs) else len(text)
        group.append(pair)
        if n + 1 < len(pairs) and (following <= pair.end or _listed_on(text, pair.end, following)):
            continue
        left, right, behind = _around(text, before, group[0].start, pair.end, following, behind=behind)
        for one in group:
            found.append(Clause(left, right, _braced(text, one, before, following)))
        before, group = pair.end, []
    return found


def _listed_on(text: str, end: int, start: int) -> bool:
    return start - end <= _REACH and bool(LINKED.fullmatch(text, end, start)) and "\n" not in text[end:start]


def _around(text: str, before: int, start: int, end: int, following: int, *, behind: bool) -> tuple[str, str, bool]:
    """Return what stands on the left and on the right of [start, end) in its clause.

    Where two pairs share a clause, what stands between belongs to the second, as in `normal from 0 to 12 and abnormal
    from 12 to 20`, unless the first has nothing before it: whether that is so is `behind`, and returned for the next.
    """
    near = before > 0 and start - before <= _REACH
    left = text[max(before, start - _REACH) : start]
    breaks = list((cues.BREAK_OR_COMMA if near else cues.BREAK).finditer(left))
    left = left[breaks[-1].end() :] if breaks else left
    if near and not breaks and behind:
        left = ""
    else:
        behind = bool(cues.NOTHING.fullmatch(left))
    reach = min(following, end + _REACH)
    right, shared = _until_break(text[end:reach], more=following == reach and following < len(text))
    if shared and not behind:
        right = ""
    if len(right.split()) > 1 and "," in left:
        left = left.rpartition(",")[2]
    return left, right, behind


def _until_break(right: str, *, more: bool) -> tuple[str, bool]:
    """Return what stands behind a pair in its clause, and whether that reaches to the next pair."""
    first = cues.BREAK.search(right)
    if first is None and more and "," in right:
        return right.rpartition(",")[0], False
    if first is None:
        return right, more
    if first[0] == "\n" and not right[: first.start()].strip(" |*:-"):  # a title of its own: what it is stands below
        second = cues.BREAK.search(right, first.end())
        return right[: second.start()] if second else right, False
    return right[: first.start()], False


def _braced(text: str, pair: TimePair, before: int, following: int) -> str:
    """Return what stands beside a pair in its innermost braces; empty where it is in none."""
    left = text[max(min(before, pair.start), pair.start - _OBJECT) : pair.start]
    opened, closed = left.rfind("{"), left.rfind("}")
    if opened <= closed:
        return ""
    right = text[pair.end : max(pair.end, min(following, pair.end + _OBJECT))]
    within = text[pair.start : pair.end][:_OBJECT] if pair.rule == "keys" else "\x00"
    return left[opened:] + within + right.partition("}")[0]
