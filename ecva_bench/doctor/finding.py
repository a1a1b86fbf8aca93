"""A line of what was found."""

from __future__ import annotations

from typing import NamedTuple


class Line(NamedTuple):
    """What was found of a subject. `good` is False where something stands in the way."""

    subject: str
    text: str
    good: bool = True
