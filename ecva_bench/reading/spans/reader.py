"""Read the spans of time that an answer gives.

Times are found first (`times`), then paired (`columns`, `pairs`, `roles`), then pairs that are not the answer are set
aside (`asides`). If a conclusion names spans, only these count; else those in an object, a table or a line of their
own; else all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Literal, NamedTuple

from ...records.readings import Reading
from ..text import plain
from ..units import NoUnit, TimeUnit, in_seconds
from .asides import find_asides
from .columns import find_columns
from .conclusions import conclusions, says_none
from .pairs import TimePair, find_pairs, unused
from .roles import find_named
from .times import Time, find_times

Span = tuple[float, float]

VERSION = 1  # part of signatures: a change of what is read is another metric

_OR = re.compile(
    r"[\s\"')\]}s]*(?:seconds?)?[\s,]*(?:\bor\b|或者?)(?: (?:from|between|maybe|perhaps|possibly))*[\s\"'(\[]*"
)
_STATED = re.compile(
    r"\((?:all )?(?:times )?(?:are )?(?:in )?(?P<unit>seconds|secs?|s|minutes)\)|\bin seconds\b\s*(?:[:.)]|$)"
)
_FRACTIONS = re.compile(r"\bnormali[sz]ed\b|\bfractions?\b|\d of the (?:video|clip)\b")
_AT_MOST, _LONGEST = 20, 120  # things named beside the answer that are kept, and characters of each
_AT_ONCE = 24  # characters behind `Answer:` in which a point in time is the answer
_STATUSES = ("unread", "out of range", "no unit")  # the more telling later
_HOURS = 7200.0  # from there on a clock time behind the video's end is that of a day


def read_spans(
    text: str,
    *,
    unit: TimeUnit | None,
    duration: float | None = None,
    frame_rate: float | None = None,
    normal: bool = False,
) -> Reading:
    """Return the (start, end) spans in seconds that a text names as its answer, in its order, each once.

    `unit` is the unit of bare numbers: `12` and `0.12` are 12 and 0.12 seconds or minutes; under `mmss`, `0112` is
    72 s; under `mm.ss`, `1.12` is. Clock times and times with a unit word need none, and `3 to 12 seconds` shares its
    word. `duration` in seconds is where `the end of the video` is, `frame_rate` says when a frame is; what needs the
    one that is absent is unread. A pair that cannot be read, or ends before it starts, stands in `others`, and so does
    one that is called normal, unless `normal` says that it is asked for, too.
    """
    plain_text = plain(text)
    times = find_times(plain_text)
    pairs = _pairs(plain_text, times)
    region = _region(plain_text, pairs, times)
    inside = [pair for pair in pairs if region[0] <= pair.start and pair.end <= region[1]]
    seconds = _Seconds(plain_text, unit, duration, frame_rate)
    outcomes = [seconds.of(pair) for pair in inside]
    flawed = [replace(pair, flaw=one.flaw) for pair, one in zip(inside, outcomes, strict=True)]
    asides = find_asides(plain_text, flawed, normal=normal)
    meant = [(pair, one) for pair, one, aside in zip(inside, outcomes, asides, strict=True) if not aside]
    boxed = any(pair.rule == "flat" and one.flaw for pair, one in meant)  # a box of numbers, and no list of pairs
    spans = [(pair, one.span) for pair, one in meant if one.span and not (boxed and pair.rule == "flat")]
    points = [time for time in unused(times, pairs) if time.kind in ("time", "clock", "frame")]
    if all(pair.rule == "whole" and any(not _within(point, pair) for point in points) for pair, _ in spans):
        spans = []  # `throughout the video it rains; at 12 s a car skids`
    for (one, span), (other, another) in pairwise(spans):
        if span != another and _OR.fullmatch(plain_text, one.end, other.start):
            return Reading(status="ambiguous", rule="or", others=_words(text, pairs))
    if not spans:
        worst = max((one for _, one in meant), key=lambda one: _STATUSES.index(one.status), default=_Outcome())
        return Reading(status=worst.status, rule=worst.flaw, others=_words(text, [*pairs, *points]))
    first = {span: pair for pair, span in reversed(spans)}
    kept = sorted(first, key=lambda span: first[span].start)
    rules = dict.fromkeys(first[span].rule for span in kept)
    taken = {id(pair) for pair, _ in spans}
    return Reading(
        rule=", ".join([*(["conclusion"] if region != (0, len(plain_text)) else []), *rules]),
        spans=tuple(kept),
        places=tuple((first[span].start, first[span].end) for span in kept),
        others=_words(text, [pair for pair in pairs if id(pair) not in taken]),
    )


def _within(time: Time, pair: TimePair) -> bool:
    return pair.start <= time.start < pair.end


def _pairs(text: str, times: Sequence[Time]) -> list[TimePair]:
    pairs = find_columns(text, times)
    pairs += find_pairs(text, unused(times, pairs))
    pairs += find_named(text, times, pairs)
    return sorted(pairs, key=lambda pair: pair.start)


def _region(text: str, pairs: Sequence[TimePair], times: Sequence[Time]) -> tuple[int, int]:
    """Return the stretch of a text that counts: its conclusion where that names a span, or that there is none."""
    for start, end in conclusions(text):
        first = next((time for time in times if start <= time.start < end and time.kind in ("time", "clock")), None)
        if any(start <= pair.start and pair.end <= end for pair in pairs):
            return start, end
        if says_none(text, start) or (first and first.start - start < _AT_ONCE):
            return start, end
    return 0, len(text)


def _words(text: str, named: Sequence[TimePair | Time]) -> tuple[str, ...]:
    """Return pairs and times in the text's own words, each once."""
    places = sorted({(one.start, min(one.end, one.start + _LONGEST)) for one in named if one.start < one.end})
    return tuple(dict.fromkeys(text[start:end] for start, end in places[:_AT_MOST]))


class _Outcome(NamedTuple):
    """A pair in seconds, or why it is none."""

    span: Span | None = None
    status: Literal["unread", "out of range", "no unit"] = "unread"
    flaw: str = ""


class _Seconds:
    """Turns pairs into seconds."""

    def __init__(self, text: str, unit: TimeUnit | None, duration: float | None, frame_rate: float | None) -> None:
        stated = _STATED.search(text) if unit is None else None
        if stated:
            unit = "minutes" if stated["unit"] == "minutes" else "seconds"
        self._fractions = _FRACTIONS.search(text) is not None
        self._text, self._unit, self._duration, self._rate = text, unit, duration, frame_rate

    def of(self, pair: TimePair) -> _Outcome:
        """Return a pair in seconds, or why it is none."""
        if pair.flaw:
            return _Outcome(flaw=pair.flaw)
        if self._fractions and pair.first.kind == pair.last.kind == "bare" and pair.last.value <= 1:
            return _Outcome(flaw="fractions of the video")
        try:
            start, end = self._ordered(pair)
        except NoUnit:
            return _Outcome(status="no unit", flaw="no unit")
        except ValueError as error:
            return _Outcome(flaw=str(error))
        if self._duration and pair.first.kind == "clock" and start >= max(_HOURS, self._duration):
            return _Outcome(status="out of range", flaw="after the video's end")
        return _Outcome(span=(start, end))

    def _ordered(self, pair: TimePair) -> Span:
        """Return a pair in seconds; raises `NoUnit`, or `ValueError` where an end is unknown or precedes the start."""
        start, end = self._seconds(pair.first), self._seconds(pair.last)
        if pair.rule == "last":
            start = max(0.0, end - start)
        elif pair.rule == "lasting":
            end += start
        if end < start:
            raise ValueError("ends before it starts")
        return start, end

    def _seconds(self, time: Time) -> float:
        if time.kind == "edge" and time.value:
            if self._duration is None:
                raise ValueError("open end without a duration")
            return self._duration
        if time.kind == "frame":
            if not self._rate:
                raise ValueError("frames without a frame rate")
            return time.value / self._rate
        if time.kind in ("bare", "word"):
            digits = self._text[time.start : time.end].rstrip("stndrh")
            return in_seconds(digits if digits[0].isdecimal() else f"{time.value:g}", self._unit)
        return time.value
