"""The unit of a bare number in an answer about time, and the seconds it stands for."""

from __future__ import annotations

from typing import Literal

TimeUnit = Literal["seconds", "minutes", "mmss", "mm.ss"]


class NoUnit(Exception):
    """A bare number is a time, but its unit is unknown."""


def in_seconds(digits: str, unit: TimeUnit | None) -> float:
    """Return the seconds a bare number stands for; raises `NoUnit` without one, ValueError for 60 s in a minute."""
    if unit is None:
        raise NoUnit
    if unit in ("seconds", "minutes"):
        return float(digits) * (60 if unit == "minutes" else 1)
    whole, _, fraction = digits.partition(".")
    if unit == "mmss":
        minutes, seconds = divmod(float(digits), 100)
    else:
        minutes, seconds = float(whole), float(fraction.ljust(2, "0"))
    if seconds >= 60:
        raise ValueError(f"{digits!r} has {seconds:g} seconds in its minute")
    return minutes * 60 + seconds
