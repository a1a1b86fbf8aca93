"""From what is written as times to moments in seconds, in the unit that a description says. Pure functions, no file."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence

from ...records import Moment
from ...untrusted import parse_json
from ..cells import Note
from .description import Unit

_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{1,2}(?:\.\d+)?)", re.ASCII)
_FOUR_DIGITS = re.compile(r"\d{4}", re.ASCII)
_LATEST = 1e7  # seconds; no video is so long


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


def read_span(
    span: Sequence[object], unit: Unit, fps: float | None, is_missing: Callable[[object], bool]
) -> tuple[Moment | None, list[Note]]:
    """Return a span as a moment, None where nothing, or nothing readable, is given; and the notes on it."""
    if len(span) == 2 and not is_missing(span[0]) and not is_missing(span[1]):
        return _pair(span, unit, fps)
    missing = [is_missing(one) for one in span]
    if all(missing):
        return None, []
    written = ", ".join(map(str, span))
    if len(span) == 1 and isinstance(span[0], str) and as_number(span[0]) is None:
        return None, [Note("moment-malformed", "excluded", written[:200])]
    if len(span) < 2 or any(missing[:2]):
        return None, [Note("moment-open", "excluded", written[:200])]
    return None, [Note("moment-malformed", "excluded", written[:200])]


def _pair(span: Sequence[object], unit: Unit, fps: float | None) -> tuple[Moment | None, list[Note]]:
    try:
        start, end = _seconds(span[0], unit, fps), _seconds(span[1], unit, fps)
    except _UnreadableTime as error:
        return None, [Note(error.rule, "excluded", ", ".join(map(str, span))[:200])]
    first, last = (start, end) if start <= end else (end, start)
    moment = Moment.unchecked({"start": first, "end": last})
    if start <= end and unit != "mmss":
        return moment, []
    written, after = ", ".join(map(str, span)), f"{moment.start:g}-{moment.end:g} s"
    notes = [Note("moment-reversed", "repaired", written, after)] if start > end else []
    if unit == "mmss" and any(_is_number_of_mmss(one) for one in span):
        notes.append(Note("mmss-as-seconds", "repaired", written, after))
    return moment, notes


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
