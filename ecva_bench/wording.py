"""Numbers in messages as people read them: 1 video, 1.9 M tokens, 11 min, 7.1 GB, 0.42 USD. Files keep them whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

_COUNTS = ("", " k", " M", " B")
_BYTES = (" B", " kB", " MB", " GB", " TB")
_CENT = 0.1  # USD below which four places are shown


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: `1 video`, `0 videos`, `1,200 replies`. Only the noun's last word is inflected."""
    if number != 1:
        noun = f"{noun[:-1]}ies" if noun[-1] == "y" and noun[-2] not in "aeou" else f"{noun}s"
    return f"{number:,} {noun}"


def amount(number: float) -> str:
    """Return a count with three digits and a unit, as of tokens and parameters: 950, 12.3 k, 1.9 M, 7 B."""
    return _scaled(number, _COUNTS)


def size(number: float) -> str:
    """Return a size in bytes: 640 B, 12.3 kB, 7.1 GB."""
    return _scaled(number, _BYTES)


def duration(seconds: float) -> str:
    """Return a time: 42 s, 11 min, 3.4 hours."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{_three(seconds / 3600)} hours"


def rate(done: int, seconds: float, unit: str) -> str:
    """Return a pace in the first unit of time that has one of them: 12.3 answers/s, 4.5 answers/min, 2 clips/hour."""
    pace, per = done / seconds, "s"
    for longer in ("min", "hour"):
        if 0 < pace < 1:
            pace, per = pace * 60, longer
    return f"{_three(pace)} {unit}/{per}"


def versions(found: Mapping[str, Sequence[str]]) -> str:
    """Return packages with their versions: `torch 2.9.0 and 2.10.0, transformers 5.20.0 and 5.21.0`."""
    return ", ".join(f"{name} {' and '.join(there)}" for name, there in found.items())


def usd(dollars: float) -> str:
    """Return an amount of money: 0.0042 USD, 1.87 USD, 20 USD, 2,140 USD; what is smaller is said to be."""
    if 0 < dollars < 0.5e-4:
        return "under 0.0001 USD"
    places = 0 if dollars >= 99.995 or dollars == int(dollars) else 2 if dollars >= _CENT else 4
    return f"{dollars:,.{places}f} USD"


def spent(use: Iterable[tuple[str, float]]) -> str:
    """Return what was used, by the names that `spent` records have: `12 asked, 1.9 M tokens in, 0.42 USD`."""
    return ", ".join(
        usd(number)
        if name == "usd"
        else f"{amount(number) if name.startswith('tokens') else f'{number:,.0f}'} {name.replace('_', ' ')}"
        for name, number in use
        if number
    )


def _scaled(number: float, units: tuple[str, ...]) -> str:
    for unit in units[:-1]:
        if number < 999.5:
            return f"{_three(number)}{unit}"
        number /= 1000
    return f"{_three(number)}{units[-1]}"


def _three(number: float) -> str:
    """Return a number with a comma per thousand, and one place where that makes at most three digits."""
    return f"{number:,.0f}" if number >= 99.95 or round(number, 1) == round(number) else f"{number:.1f}"
