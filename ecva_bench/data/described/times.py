"""From what is written as times to spans in seconds, in the unit that a description says. Pure functions, no file."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Sequence

from ...untrusted import parse_json
from ..cells import Note
from .description import Unit

Span = tuple[float, float]  # seconds, the first not after the second

_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{1,2}(?:\.\d+)?)", re.ASCII)
_FOUR_DIGITS = re.compile(r"\d{4}", re.ASCII)
_LATEST = 1e7  # seconds; no video is so long
_MISSING = "missing"


class _UnreadableTime(Exception):
    """A time that cannot be read; `rule` is the finding's."""

    def __init__(self, rule: str = "moment-malformed") -> None:
        super().__init__(rule)
        self.rule = rule


def as_number(value: object) -> float | None:
    """Return a finite number, also one written as text; None for anything else."""
    if value is True or value is False or not isinstance(value, (str, float, int)):  # quicker than a union
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def spans_in(value: object) -> list[Sequence[object]]:
    """Return the spans that a cell holds: a list of pairs, one pair, or one flat list of starts and ends in turn.

    A list may be written as text. An odd one out at the end is a span of its own, with a start alone.
    """
    if isinstance(value, str) and value.strip().startswith("["):
        try:
            value = parse_json(value, lenient=True)
        except ValueError:
            return [(value,)]
    if not isinstance(value, list | tuple):
        return [] if value is None else [(value,)]
    if any(isinstance(one, list | tuple) for one in value):
        return [one if isinstance(one, list | tuple) else (one,) for one in value]
    return [value[start : start + 2] for start in range(0, len(value), 2)]


class SpanReader:
    """Reads spans whose times have one unit. `is_missing` says of a cell whether it means that there is no time."""

    def __init__(self, unit: Unit, is_missing: Callable[[object], bool], marks: Collection[float]) -> None:
        """Take up the unit, what says whether a cell means that there is no time, and the numbers that may do so."""
        self._unit, self._is_missing, self._marks = unit, is_missing, marks

    def read(self, span: Sequence[object], fps: float | None) -> tuple[Span | None, Sequence[Note]]:
        """Return a span in seconds, None where nothing, or nothing readable, is given; and the notes on it."""
        times = [self._time(cell, fps) for cell in span]
        if len(times) == 2 and isinstance(start := times[0], float) and isinstance(end := times[1], float):
            if start <= end and self._unit != "mmss":
                return (start, end), ()
            return self._mended(start, end, span)
        if all(time == _MISSING for time in times):
            return None, ()
        return None, (Note(self._why_not(span, times), "excluded", ", ".join(map(str, span))[:200]),)

    def _time(self, cell: object, fps: float | None) -> float | str:
        """Return the time of a cell in seconds, or the rule that it breaks; `_MISSING` where none is given."""
        number = as_number(cell)
        if number is None or number in self._marks:
            if self._is_missing(cell):
                return _MISSING
        elif self._unit == "seconds" and 0 <= number <= _LATEST:
            return number
        try:
            return _seconds(cell, self._unit, fps)
        except _UnreadableTime as error:
            return error.rule

    def _why_not(self, span: Sequence[object], times: Sequence[float | str]) -> str:
        """Return the rule that a span breaks."""
        if len(span) == 1 and isinstance(span[0], str) and as_number(span[0]) is None:
            return "moment-malformed"
        if len(span) < 2 or _MISSING in times[:2]:
            return "moment-open"
        rules = [time for time in times if isinstance(time, str)]
        return rules[0] if len(span) == 2 else "moment-malformed"

    def _mended(self, start: float, end: float, span: Sequence[object]) -> tuple[Span, Sequence[Note]]:
        """Return a span whose start may lie behind its end, or whose times may be digits of mmss."""
        found = (start, end) if start <= end else (end, start)
        written, after = ", ".join(map(str, span)), f"{found[0]:g}-{found[1]:g} s"
        notes = [Note("moment-reversed", "repaired", written, after)] if start > end else []
        if self._unit == "mmss" and any(_is_number_of_mmss(one) for one in span):
            notes.append(Note("mmss-as-seconds", "repaired", written, after))
        return found, notes


def _seconds(value: object, unit: Unit, fps: float | None) -> float:
    if unit == "h:m:s":
        found = _CLOCK.fullmatch(value.strip()) if isinstance(value, str) else None
        if found is None:
            raise _UnreadableTime
        hours, minutes, seconds = int(found[1] or 0), int(found[2]), float(found[3])
        if seconds >= 60 or (found[1] and minutes >= 60):
            raise _UnreadableTime("moment-seconds")
        return _possible(3600 * hours + 60 * minutes + seconds)
    counted = as_number(value)
    if counted is None or counted < 0:
        raise _UnreadableTime
    if unit == "mmss":
        if not counted.is_integer():
            raise _UnreadableTime  # 0.30 is half a second, or half a minute
        if counted % 100 >= 60:
            raise _UnreadableTime("moment-seconds")
        return _possible(60 * (counted // 100) + counted % 100)
    if unit == "frames":
        if not fps or fps <= 0:
            raise _UnreadableTime("frame-rate-missing")
        return _possible(counted / fps)
    return _possible(counted)


def _possible(seconds: float) -> float:
    if seconds > _LATEST:
        raise _UnreadableTime
    return seconds


def _is_number_of_mmss(value: object) -> bool:
    """Say whether digits of mmss went through a program that took them for a number, and the number is another time."""
    if isinstance(value, str) and _FOUR_DIGITS.fullmatch(value.strip()):
        return False
    return (as_number(value) or 0.0) >= 100
