"""Spans in tables: a column of starts beside one of ends."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from ..tables import CellRange, headed_cells
from ..units import TimeUnit
from .pairs import TimePair, paired, with_unit
from .times import Time

_OF = r"(?:(?:event|anomaly|segment|t|time)[\s_]?)?"
_START = re.compile(rf"{_OF}(?:start|begin|from\b|onset|开始|起始)")
_END = re.compile(rf"{_OF}(?:end|finish|stop|to\b|until\b|offset|结束|终止)")
_MINUTES = re.compile(r"\bmin(?:ute)?s?\b|分")
_SECONDS = re.compile(r"[(_\s](?:s|secs?|seconds?)\b|秒")
_TITLE = 40  # characters of a column's head


def find_columns(text: str, times: Sequence[Time]) -> list[TimePair]:
    """Return the pairs that stand in columns of starts and ends, in the plain text's order."""
    return list(_rows(text, times)) if len(times) > 1 else []


def _rows(text: str, times: Sequence[Time]) -> Iterator[TimePair]:
    places = [time.start for time in times]
    first = last = None
    column = 0
    for head, cell in headed_cells(text):
        if head[0] <= column:  # a new row
            first = last = None
        column = head[0]
        title = text[head[0] : min(head[1], head[0] + _TITLE)].strip(" \"'*|")
        if any(character.isdecimal() for character in title):
            continue  # the line is a row, and no head
        if _START.match(title):
            first = _only(times, places, cell)
        elif _END.match(title):
            last = _only(times, places, cell)
        if first and last:
            yield with_unit(paired(first, last, "table"), _unit(title))
            first = last = None


def _unit(title: str) -> TimeUnit | None:
    return "minutes" if _MINUTES.search(title) else "seconds" if _SECONDS.search(title) else None


def _only(times: Sequence[Time], places: Sequence[int], cell: CellRange) -> Time | None:
    """Return the time in a cell; None where there is none, or more than one."""
    first = bisect_left(places, cell[0])
    inside = times[first : bisect_left(places, cell[1])]
    return inside[0] if len(inside) == 1 else None
