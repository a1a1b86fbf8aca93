"""Tables in plain texts: rows of cells between `|`, tabs, commas or semicolons, each with its column's head.

Knows no class and no time.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

CellRange = tuple[int, int]  # characters [start, end)


def headed_cells(text: str) -> Iterator[tuple[CellRange, CellRange]]:
    """Yield (head, cell) for every cell below the head of each table, row by row, without rules such as `|---|`."""
    head: list[CellRange] = []
    place = 0
    mark = ""
    for line in text.splitlines(keepends=True):
        end = place + len(line.rstrip())
        if not head:
            mark = next((one for one in "|\t,;" if one in line), "")
        row = _cells(text, place, end, mark) if mark else []
        place += len(line)
        if mark in (",", ";") and head and len(row) != len(head):
            row = []  # prose with commas
        if not row:
            head = []
        elif not head:
            head = row
        elif any(text[start:end].strip(" -:=") for start, end in row):
            yield from zip(head, row, strict=False)


def _cells(text: str, start: int, end: int, mark: str) -> list[CellRange]:
    """Return the cells of a line, none where it is no row of a table."""
    marks = [start - 1, *(place for place in range(start, end) if text[place] == mark), end]
    if len(marks) < 3:
        return []
    cells = [(left + 1, right) for left, right in pairwise(marks)]
    return [cell for cell in cells if mark != "|" or text[slice(*cell)].strip()]
