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
from .times import NoUnit, Time, TimeUnit, find_times, in_seconds

Span = tuple[float, float]

RULES = 2  # raised where a changed rule may change a reading; stands in the signature of what is scored by them

_OR = re.compile(
    r"[\s\"')\]}s]*(?:seconds?)?[\s,]*(?:\bor\b|或者?)(?: (?:from|between|maybe|perhaps|possibly))*[\s\"'(\[]*"
)
_STATED = re.compile(
    r"\((?:all )?(?:times )?(?:are )?(?:in )?(?P<unit>seconds|secs?|s|minutes)\)|\bin (?P<named>seconds)\b\s*(?:[:.)]|$)"
)
_AT_MOST, _LONGEST = 20, 120  # things named beside the answer that are kept, and characters of each
_AT_ONCE = 24  # characters behind `Answer:` in which a point in time is the answer
_HOURS = 7200.0


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
    asides = find_asides(said, inside)
    reader = _Reader(said, unit, duration, frame_rate)
    taken = [pair for pair, aside in zip(inside, asides, strict=True) if not aside and reader.takes(pair)]
    points = [
        time
        for time in unused(times, pairs)
        if time.kind in ("time", "clock", "frame") and not any(one.start <= time.start < one.end for one in taken)
    ]
    if points and all(pair.rule == "whole" for pair in taken):
        taken = []  # `throughout the video it rains; at 12 s a car skids`
    apart = [pair for one, pair in pairwise(taken) if _OR.fullmatch(said, one.end, pair.start)]
    if any(reader.span(pair) != reader.span(taken[0]) for pair in apart):
        return Reading(status="ambiguous", rule="or", others=_words(text, pairs))
    read = {reader.span(pair): pair for pair in reversed(taken)}
    if not read:
        return Reading(status=reader.status, rule=reader.flaw, others=_words(text, [*pairs, *points]))
    kept = sorted(read, key=lambda span: read[span].start)
    rules = dict.fromkeys(read[span].rule for span in kept)
    named = (("conclusion",) if region != (0, len(said)) else ()) + tuple(rules)
    others = [pair for pair in pairs if pair not in taken]
    return Reading(
        rule=", ".join(named),
        spans=tuple(kept),
        places=tuple((read[span].start, read[span].end) for span in kept),
        others=_words(text, others),
    )


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

    def takes(self, pair: Pair) -> bool:
        """Return whether a pair is a span."""
        try:
            if pair.flaw:
                raise ValueError(pair.flaw)
            start, end = self.span(pair)
            if end < start:
                raise ValueError("ends before it starts")
            if self._duration and pair.first.kind == "clock" and start >= max(_HOURS, self._duration):
                self.status = "out of range"
                raise ValueError("after the video's end")
        except NoUnit:
            self.status, self.flaw = "no unit", "no unit"
        except ValueError as error:
            self.flaw = self.flaw or str(error)
        else:
            return True
        return False

    def span(self, pair: Pair) -> Span:
        """Return a pair in seconds; raises `NoUnit`, or ValueError saying what is wrong with it."""
        start, end = self._seconds(pair.first), self._seconds(pair.last)
        if pair.rule == "last":
            start = max(0.0, end - start)
        elif pair.rule == "lasting":
            end += start
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
            digits = self._text[time.start : time.end]
            return in_seconds(digits if digits[0].isdecimal() else f"{time.value:g}", self._unit)
        return time.value
