"""Which two times of a text make a span: the second step of reading spans, each rule by its name.

`joined`: with a joint between (`12 s to 20 s`, `00:12 --> 00:20`, `between 12 and 20 s`); `listed`: in brackets, or
alone in a line or behind a label (`[12, 20, 24, 28]`); `first`, `last`: so many seconds of the video; `onward`: from a
time to its end; `whole`: all of it. Starts and ends named apart are paired by `roles`. A time is used once.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from ..units import TimeUnit
from . import pair_cues as cues
from .times import Time

_FAR = 80  # characters that may stand between the two times of a pair
_NEAR = 48  # and characters on either side of it that say what it is


@dataclass(frozen=True, slots=True)
class TimePair:
    """Two times, by a rule, at the characters [start, end). A `flaw` says why it cannot be a span."""

    first: Time
    last: Time
    rule: str
    start: int
    end: int
    flaw: str = ""


def find_pairs(text: str, times: Sequence[Time]) -> list[TimePair]:
    """Return the pairs of a plain text's times that stand beside each other, in its order."""
    pairs = list(_listed(text, times, opened=True))
    pairs += _sharp(text, list(_joined(text, unused(times, pairs))))
    pairs += _listed(text, unused(times, pairs), opened=False)
    pairs += _edged(text, unused(times, pairs))
    return _one_unit(text, sorted(pairs, key=lambda pair: pair.start))


def unused(times: Sequence[Time], pairs: Sequence[TimePair]) -> list[Time]:
    """Return the times that no pair uses."""
    used = {time.start for pair in pairs for time in (pair.first, pair.last)}
    return [time for time in times if time.start not in used]


def paired(first: Time, last: Time, rule: str, flaw: str = "") -> TimePair:
    """Return two times as a pair; what is no time, or a length where a time should be, is its flaw."""
    first, last = _sharing(first, last)
    if any(time.kind in ("other", "length") for time in (first, last)):
        flaw = flaw or "no time"
    return TimePair(first, last, rule, min(first.start, last.start), max(first.end, last.end), flaw)


def _gap(pattern: re.Pattern[str], text: str, first: Time, last: Time) -> re.Match[str] | None:
    return pattern.fullmatch(text, first.end, last.start) if last.start - first.end <= _FAR else None


def _left(text: str, place: int) -> str:
    """Return what stands right before a place; cut where the line that is longer than that would seem to begin."""
    return ("…" if place > _NEAR else "") + text[max(0, place - _NEAR) : place]


def _joint(text: str, first: Time, last: Time) -> bool:
    if "frame" in (first.kind, last.kind) and {first.kind, last.kind} & {"time", "clock"}:
        return False
    match = _gap(cues.JOINT, text, first, last)
    return match is not None and not (match["dash"] and "\n" in match[0])  # a dash in a new line is a list's mark


def _joined(text: str, times: Sequence[Time]) -> Iterator[TimePair]:
    chain: list[Time] = []
    for time, following in zip_longest(times, times[1:]):
        chain.append(time)
        if following and _joint(text, time, following):
            continue
        if len(chain) == 3 and chain[0].label:
            chain = chain[1:]
        elif len(chain) == 3 and _stands_alone(chain[0]) and _stands_alone(chain[1]) and not _stands_alone(time):
            chain = chain[:2]  # `0:12 - 0:20 - 2 men fight`
        if len(chain) == 2:
            yield _checked(text, *chain)
        elif len(chain) > 2:
            yield paired(chain[0], chain[-1], "joined", "chain")
        elif following and _gap(cues.AND, text, time, following) and cues.BETWEEN.search(_left(text, time.start)):
            yield _checked(text, time, following)
        chain = []


def _stands_alone(time: Time) -> bool:
    """Return whether a time needs no other to be one."""
    return time.kind == "clock" or (time.kind == "time" and time.unit is not None)


def _sharp(text: str, pairs: Sequence[TimePair]) -> list[TimePair]:
    """Return the pairs; those that say how uncertain a start or an end is are none: `starts between 10 and 12 s`."""
    vague = [cues.VAGUE.search(_left(text, pair.start)) for pair in pairs]
    vague = [None if match and cues.STARTED.search(match.string[: match.start()]) else match for match in vague]
    ends = any(match and match["end"] for match in vague)
    return [
        replace(pair, flaw="uncertain") if match and (ends or match["between"]) else pair
        for pair, match in zip(pairs, vague, strict=True)
    ]


def _checked(text: str, first: Time, last: Time) -> TimePair:
    """Return a joined pair; two bare numbers that nothing introduces are none."""
    left = _left(text, first.start)
    flaw = "no time" if any(cue.search(left) for cue in (cues.UNSURE, cues.FIRST, cues.LAST)) else ""
    if first.kind in ("bare", "word") and last.kind == first.kind:
        years = first.value in cues.YEARS and last.value in cues.YEARS and cues.IN_YEARS.search(left)
        introduced = cues.INTRODUCED.search(left) or text.startswith(":", last.end)  # `20-25: a fire`
        if years or not introduced or cues.MEASURED.search(left):
            flaw = "no time"
    if first.kind == "length" and (":" in text[first.start : first.end] or cues.SPANNED.search(left)):
        first = replace(first, kind="time" if first.unit else "bare")  # `Duration: 0:12 - 0:20`, `spans 12 to 20 s`
    if first.kind == "clock" and last.kind == "bare" and last.end - last.start == 2 and last.value < 60:
        minute = first.value // 60 * 60  # `1:05-20`
        last = replace(last, kind="clock", value=minute + last.value)
    return paired(first, last, "joined", flaw)


def _listed(text: str, times: Sequence[Time], *, opened: bool) -> Iterator[TimePair]:
    """Yield the pairs of times with commas between: those in brackets, which bind before any joint, or the others."""
    run: list[Time] = []
    for time, following in zip_longest(times, times[1:]):
        run.append(time)
        if following is None or not _gap(cues.COMMA, text, time, following):
            left = _left(text, run[0].start)
            if len(run) > 1 and bool(cues.OPENED.search(left)) == opened and not cues.COLUMN.search(left):
                yield from _list(text, run, left, opened=opened)
            run = []


def _list(text: str, run: Sequence[Time], left: str, *, opened: bool) -> Iterator[TimePair]:
    end = run[-1].end
    if len(run) == 3 and run[2].value <= 1 < run[1].value:
        run = run[:2]  # a score stands behind
    if opened:
        closed = len(run) % 2 == 0 and cues.CLOSED.match(text, end)
    else:
        closed = len(run) == 2 and cues.ALONE_BEFORE.search(left) and cues.ALONE_AFTER.match(text, end)
    if closed and all(time.kind != "other" for time in run):
        for first, last in zip(run[::2], run[1::2], strict=True):
            yield paired(first, last, "listed" if len(run) == 2 else "flat")
    elif opened:
        yield paired(run[0], run[-1], "listed", "no pairs")


def _edged(text: str, times: Sequence[Time]) -> Iterator[TimePair]:
    for time in times:
        left = _left(text, time.start)
        if time.kind in ("time", "length"):
            known = replace(time, kind="time")
            if cues.FIRST.search(left):
                yield paired(_edge(time.start, 0.0), known, "first")
                continue
            if cues.LAST.search(left):
                yield paired(known, _edge(time.end, math.inf), "last")
                continue
        if time.kind in ("time", "clock", "bare") and (onward := cues.ONWARD.match(text, time.end, time.end + _NEAR)):
            yield paired(time, _edge(onward.end(), math.inf), "onward")
    for match in cues.WHOLE.finditer(text):
        yield paired(_edge(match.start(), 0.0), _edge(match.end(), math.inf), "whole")


def _edge(place: int, value: float) -> Time:
    """Return the beginning (0) or the end (infinity) of the video, which the words at a place stand for."""
    return Time(place, place, "edge", value)


def _one_unit(text: str, pairs: Sequence[TimePair]) -> list[TimePair]:
    """Return the pairs with units that are named for several at once: `[12, 20] seconds`, `2-3 and 5-8 s`."""
    found = list(pairs)
    for n, pair in enumerate(found):
        behind = cues.UNIT_BEHIND.match(text, pair.end, pair.end + _NEAR)
        if behind:
            found[n] = with_unit(pair, "seconds" if behind["seconds"] else "minutes")
    for order in (range(len(found) - 1), range(len(found) - 2, -1, -1)):
        for n in order:
            one, other = found[n], found[n + 1]
            if other.start - one.end <= _FAR and cues.LINKED.fullmatch(text, one.end, other.start):
                found[n], found[n + 1] = with_unit(one, other.last.unit), with_unit(other, one.last.unit)
    return found


def _sharing(first: Time, last: Time) -> tuple[Time, Time]:
    """Return two times, the bare one of them with the unit of the other: `3 to 12 seconds`, `frames 3 to 12`."""
    if "frame" in (first.kind, last.kind):
        first, last = (replace(time, kind="frame") if time.kind == "bare" else time for time in (first, last))
    if last.kind == "clock" and first.kind == "bare" and not first.value:
        first = replace(first, kind="clock")  # `0 to 1:05`
    return _named(first, last.unit), _named(last, first.unit)


def _named(time: Time, unit: TimeUnit | None) -> Time:
    if unit is None or time.kind not in ("bare", "word"):
        return time
    return replace(time, kind="time", value=time.value * (60 if unit == "minutes" else 1), unit=unit)


def with_unit(pair: TimePair, unit: TimeUnit | None) -> TimePair:
    """Return a pair whose bare numbers have a unit."""
    return replace(pair, first=_named(pair.first, unit), last=_named(pair.last, unit))
