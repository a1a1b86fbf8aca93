"""Spans in tables: a column of starts beside one of ends, under a line that names both; Markdown, CSV or tabs."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .pairs import Pair, paired, with_unit
from .times import Time, TimeUnit

_START = re.compile(r"(?:(?:event|anomaly|segment|t|time)[\s_]?)?(?:start|begin|from|onset|开始|起始)")
_END = re.compile(r"(?:(?:event|anomaly|segment|t|time)[\s_]?)?(?:end|finish|stop|to\b|until|offset|结束|终止)")
_MINUTES = re.compile(r"\bmin(?:ute)?s?\b|分")
_SECONDS = re.compile(r"[(_\s](?:s|secs?|seconds?)\b|秒")
_RULE = re.compile(r"[\s|:+=-]*")
_TITLE = 40  # characters of a column's name


class _Header(NamedTuple):
    mark: str
    start: int
    end: int
    unit: TimeUnit | None


def find_columns(text: str, times: Sequence[Time]) -> list[Pair]:
    """Return the pairs that stand in columns of starts and ends, in the plain text's order."""
    return list(_rows(text, times))


def _rows(text: str, times: Sequence[Time]) -> Iterator[Pair]:
    places = [time.start for time in times]
    header: _Header | None = None
    at = 0
    for line in text.splitlines(keepends=True):
        cells = list(_cells(line, header.mark, at)) if header else []
        if header and len(cells) > max(header.start, header.end):
            first, last = (_only(times, places, *cells[n]) for n in (header.start, header.end))
            if first and last:
                yield with_unit(paired(first, last, "table"), header.unit)
        elif not (header and _RULE.fullmatch(line)) or not line.strip():
            header = _header(line)
        at += len(line)


def _header(line: str) -> _Header | None:
    for mark in "|\t,;":
        titles = [line[slice(*cell)].strip(" \"'*|") for cell in _cells(line, mark, 0)]
        starts = [n for n, title in enumerate(titles) if len(title) < _TITLE and _START.match(title)]
        ends = [n for n, title in enumerate(titles) if len(title) < _TITLE and _END.match(title)]
        if len(starts) == len(ends) == 1 and not any(character.isdecimal() for character in line):
            title = titles[starts[0]]
            unit: TimeUnit | None = (
                "minutes" if _MINUTES.search(title) else "seconds" if _SECONDS.search(title) else None
            )
            return _Header(mark, starts[0], ends[0], unit)
    return None


def _cells(line: str, mark: str, at: int) -> Iterator[tuple[int, int]]:
    """Yield the places of a line's cells, `at` being that of the line."""
    line = line.rstrip("\n")
    begin = len(line) - len(line.lstrip(" |")) if mark == "|" else 0
    for cell in line[begin:].split(mark):
        yield at + begin, at + begin + len(cell)
        begin += len(cell) + 1


def _only(times: Sequence[Time], places: Sequence[int], start: int, end: int) -> Time | None:
    """Return the time in a cell; None where there is none, or more than one."""
    first = bisect_left(places, start)
    inside = times[first : bisect_left(places, end)]
    return inside[0] if len(inside) == 1 else None
