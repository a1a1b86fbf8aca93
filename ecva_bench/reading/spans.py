"""The spans of time an answer names, read as a careful reader reads them.

Times are found first (`times`), then paired (`columns`, `pairs`, `roles`), then what is not the answer is set aside
(`asides`). What a conclusion names counts alone; else what stands by itself, in an object or a table; else all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from ..records import Reading
from .asides import find_asides
from .columns import find_columns
from .conclusions import conclusions, says_none
from .pairs import Pair, find_pairs, unused
from .roles import find_named
from .text import plain
from .times import Time, find_times
from .units import NoUnit, TimeUnit, in_seconds

__all__ = ["VERSION", "Span", "TimeUnit", "read_spans"]

Span = tuple[float, float]

VERSION = 2  # of the rules: raised where one may change a reading; stands in signatures

_OR = re.compile(
    r"[\s\"')\]}s]*(?:seconds?)?[\s,]*(?:\bor\b|或者?)(?: (?:from|between|maybe|perhaps|possibly))*[\s\"'(\[]*"
)
_STATED = re.compile(
    r"\((?:all )?(?:times )?(?:are )?(?:in )?(?P<unit>seconds|secs?|s|minutes)\)|\bin seconds\b\s*(?:[:.)]|$)"
)
_AT_MOST, _LONGEST = 20, 120  # things named beside the answer that are kept, and characters of each
_AT_ONCE = 24  # characters behind `Answer:` in which a point in time is the answer
_HOURS = 7200.0  # from there on a clock time behind the video's end is that of a day


def read_spans(
    text: str, *, unit: TimeUnit | None, duration: float | None = None, frame_rate: float | None = None
) -> Reading:
    """Return the (start, end) spans in seconds that a text names as its answer, in its order, each once.

    `unit` is the unit of bare numbers: `12` and `0.12` are 12 and 0.12 seconds or minutes; under `mmss`, `0112` is
    72 s; under `mm.ss`, `1.12` is. Clock times and times with a unit word need none, and `3 to 12 seconds` shares its
    word. `duration` in seconds is where `the end of the video` is, `frame_rate` says when a frame is; what needs the
    one that is absent is unread. A pair that cannot be read, or ends before it starts, stands in `others`.
    """
    said = plain(text)
    times = find_times(said)
    pairs = _pairs(said, times)
    region = _region(said, pairs, times)
    inside = [pair for pair in pairs if region[0] <= pair.start and pair.end <= region[1]]
    reader = _Reader(said, unit, duration, frame_rate)
    spans = [
        (pair, span)
        for pair, aside in zip(inside, find_asides(said, inside), strict=True)
        if not aside and (span := reader.span(pair))
    ]
    points = [time for time in unused(times, pairs) if time.kind in ("time", "clock", "frame")]
    if reader.boxed:
        spans = [(pair, span) for pair, span in spans if pair.rule != "flat"]
    if all(pair.rule == "whole" and any(not _within(point, pair) for point in points) for pair, _ in spans):
        spans = []  # `throughout the video it rains; at 12 s a car skids`
    for (one, span), (other, another) in pairwise(spans):
        if span != another and _OR.fullmatch(said, one.end, other.start):
            return Reading(status="ambiguous", rule="or", others=_words(text, pairs))
    if not spans:
        return Reading(status=reader.status, rule=reader.flaw, others=_words(text, [*pairs, *points]))
    first = {span: pair for pair, span in reversed(spans)}
    kept = sorted(first, key=lambda span: first[span].start)
    rules = dict.fromkeys(first[span].rule for span in kept)
    taken = {id(pair) for pair, _ in spans}
    return Reading(
        rule=", ".join([*(["conclusion"] if region != (0, len(said)) else []), *rules]),
        spans=tuple(kept),
        places=tuple((first[span].start, first[span].end) for span in kept),
        others=_words(text, [pair for pair in pairs if id(pair) not in taken]),
    )


def _within(time: Time, pair: Pair) -> bool:
    return pair.start <= time.start < pair.end


def _pairs(text: str, times: Sequence[Time]) -> list[Pair]:
    pairs = find_columns(text, times)
    pairs += find_pairs(text, unused(times, pairs))
    pairs += find_named(text, times, pairs)
    return sorted(pairs, key=lambda pair: pair.start)


def _region(text: str, pairs: Sequence[Pair], times: Sequence[Time]) -> tuple[int, int]:
    """Return the stretch of a text that counts: its conclusion where that names a span, or that there is none."""
    for start, end in conclusions(text):
        first = next((time for time in times if start <= time.start < end and time.kind in ("time", "clock")), None)
        if any(start <= pair.start and pair.end <= end for pair in pairs):
            return start, end
        if says_none(text, start) or (first and first.start - start < _AT_ONCE):
            return start, end
    return 0, len(text)


def _words(text: str, named: Sequence[Pair | Time]) -> tuple[str, ...]:
    """Return pairs and times in the text's own words, each once."""
    places = sorted({(one.start, min(one.end, one.start + _LONGEST)) for one in named if one.start < one.end})
    return tuple(dict.fromkeys(text[start:end] for start, end in places[:_AT_MOST]))


class _Reader:
    """Turns pairs into seconds, and remembers why it could not."""

    def __init__(self, text: str, unit: TimeUnit | None, duration: float | None, frame_rate: float | None) -> None:
        stated = _STATED.search(text)
        if stated and unit is None:
            unit = "minutes" if (stated["unit"] or "").startswith("m") else "seconds"
        self._text, self._unit, self._duration, self._rate = text, unit, duration, frame_rate
        self.status: Literal["unread", "no unit", "out of range"] = "unread"
        self.flaw = ""
        self.boxed = False  # whether a list of numbers turned out to be a box, and no list of pairs

    def span(self, pair: Pair) -> Span | None:
        """Return a pair in seconds; None where it is no span."""
        try:
            if pair.flaw:
                raise ValueError(pair.flaw)
            return self._ordered(pair)
        except NoUnit:
            self.status, self.flaw = "no unit", "no unit"
        except ValueError as error:
            self.flaw = self.flaw or str(error)
        self.boxed |= pair.rule == "flat"
        return None

    def _ordered(self, pair: Pair) -> Span:
        """Return a pair in seconds; raises ValueError where one end is not to be had, or they are no span."""
        start, end = self._seconds(pair.first), self._seconds(pair.last)
        if pair.rule == "last":
            start = max(0.0, end - start)
        elif pair.rule == "lasting":
            end += start
        if end < start:
            raise ValueError("ends before it starts")
        if self._duration and pair.first.kind == "clock" and start >= max(_HOURS, self._duration):
            self.status = "out of range"
            raise ValueError("after the video's end")
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
        if time.kind in ("bare", "word") or (time.kind == "length" and not time.unit):
            digits = self._text[time.start : time.end].rstrip("stndrh")
            return in_seconds(digits if digits[0].isdecimal() else f"{time.value:g}", self._unit)
        return time.value
