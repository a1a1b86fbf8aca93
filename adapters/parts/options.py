"""The values of a model's options, which come as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ecva_bench.errors import UsageError


def choice(option: str, value: str, choices: Mapping[str, object] | Sequence[str]) -> str:
    """Return a value that is among the choices; `UsageError` that names them where it is not."""
    if value not in choices:
        raise UsageError(f"{value!r} is no value of {option}", remedy=f"choose from {', '.join(choices)}")
    return value


def count(option: str, value: str) -> int:
    """Return a whole number above 0; `UsageError` where it is none."""
    if not (value.isdecimal() and int(value) > 0):
        raise UsageError(f"{value!r} is no value of {option}", remedy="write a whole number above 0")
    return int(value)


def positive(name: str, text: str, *, zero: bool = False) -> float:
    """Return the finite number in an option, above 0, or with `zero` at least 0; `UsageError` for anything else."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not (0 < number < float("inf") or (zero and number == 0)):
        raise UsageError(f"{text!r} is no value of {name}", remedy="write a number above 0")
    return number
