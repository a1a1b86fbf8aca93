"""Time spans out of free text, and the overlap of sets of spans. Seconds throughout; knows no record and no task.

A span is two times joined by a comma, a dash or a word: `[3.5, 12]`, `00:03 - 00:12`, `from 3 to 12 seconds`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from .protocol import TimeUnit

Span = tuple[float, float]

_NUMBER = r"\d{1,6}(?:\.\d+)?"
_MINUTE = r"(?:minutes?|mins?|m)(?![a-z])"
_SECOND = r"(?:seconds?|secs?|s)(?![a-z])"
_TIME = rf"""(?<![\d.:])(?:
    (?P<clock#>\d{{1,2}}(?::\d{{2}}){{1,2}}(?:\.\d+)?)
  | (?P<minutes#>{_NUMBER})\s*{_MINUTE}(?:\s*(?:and\s*)?(?P<rest#>{_NUMBER})\s*{_SECOND})?
  | (?P<seconds#>{_NUMBER})\s*{_SECOND}
  | (?P<bare#>{_NUMBER})
)(?!\.?\d|:)"""
# Possessive, so that a long run of blanks costs one pass.
_JOINT = r"""[\s"')\]]*+(?:,|;|-|–|—|~|to|and|until|till|through)[\s"'(\[]*+"""
_SPAN = re.compile(_TIME.replace("#", "1") + _JOINT + _TIME.replace("#", "2"), re.VERBOSE | re.IGNORECASE)


class AmbiguousUnitError(ValueError):
    """A bare number stands for a time and nothing says in which unit."""


def parse_spans(text: str, *, unit: TimeUnit | None) -> list[Span]:
    """Return the (start, end) spans a text names, in its order; empty if it names none.

    `unit` is the unit of bare numbers: `12` and `0.12` are 12 and 0.12 seconds or minutes; under `mmss`, `0112`
    is 72 s; under `mm.ss`, `1.12` is. Clock times and times with a unit word need none, and `3 to 12 seconds` shares
    its word. Raises `AmbiguousUnitError` for a bare number if `unit` is None, and ValueError for a span that ends
    before it starts or a time with 60 seconds or more in its minute.
    """
    spans = []
    for match in _SPAN.finditer(text):
        start, end = (_seconds(match, n, unit) for n in (1, 2))
        if end < start:
            raise ValueError(f"the span {match[0]!r} ends before it starts")
        spans.append((start, end))
    return spans


def merge(spans: Iterable[Span]) -> list[Span]:
    """Return the same set of instants as disjoint spans in order."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def length(spans: Iterable[Span]) -> float:
    """Return how long a set of spans lasts, overlaps counted once."""
    return sum(end - start for start, end in merge(spans))


def iou(a: Iterable[Span], b: Iterable[Span]) -> float:
    """Return the length two sets of spans share over the length they cover together; 0 where both are empty."""
    a, b = merge(a), merge(b)
    shared = sum(max(0.0, min(end, other_end) - max(start, other)) for start, end in a for other, other_end in b)
    covered = length([*a, *b])
    return shared / covered if covered else 0.0


def _seconds(match: re.Match[str], n: int, unit: TimeUnit | None) -> float:
    if clock := match[f"clock{n}"]:
        return _clock(clock)
    if minutes := match[f"minutes{n}"]:
        return 60 * float(minutes) + float(match[f"rest{n}"] or 0)
    if seconds := match[f"seconds{n}"]:
        return float(seconds)
    if match[f"minutes{3 - n}"]:
        unit = "minutes"
    elif match[f"seconds{3 - n}"]:
        unit = "seconds"
    return _bare(match[f"bare{n}"], unit)


def _clock(text: str) -> float:
    *larger, seconds = text.split(":")
    if any(float(part) >= 60 for part in [*larger[1:], seconds]):
        raise ValueError(f"{text!r} is no time")
    minutes = 0
    for part in larger:
        minutes = 60 * minutes + int(part)
    return 60 * minutes + float(seconds)


def _bare(number: str, unit: TimeUnit | None) -> float:
    if unit is None:
        raise AmbiguousUnitError(f"{number!r} has no unit")
    if unit in ("seconds", "minutes"):
        return float(number) * (60 if unit == "minutes" else 1)
    whole, _, fraction = number.partition(".")
    if unit == "mmss":
        minutes, seconds = divmod(float(number), 100)
    else:
        minutes, seconds = float(whole), float(fraction.ljust(2, "0"))
    if seconds >= 60:
        raise ValueError(f"{number!r} has {seconds:g} seconds in its minute")
    return minutes * 60 + seconds
