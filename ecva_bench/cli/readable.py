"""Numbers as people read them: 1.9 M, 11 min, 7.1 GB."""

from __future__ import annotations


def amount(number: float) -> str:
    """Return a count with at most three digits and a unit: 950, 12.3 k, 1.9 M, 2.4 G."""
    for size, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if number >= size:
            return f"{_three(number / size)}{unit}"
    return _three(number)


def size(number: float) -> str:
    """Return a size in bytes: 640 B, 12.3 kB, 7.1 GB."""
    return f"{amount(number)}B" if number >= 1e3 else f"{number:.0f} B"


def duration(seconds: float) -> str:
    """Return a time: 42 s, 11 min, 3.4 hours."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{_three(seconds / 3600)} hours"


def usd(dollars: float) -> str:
    """Return an amount of money: 0.0042 USD, 1.87 USD, 214 USD."""
    return f"{dollars:.4f} USD" if dollars < 0.1 else f"{dollars:.2f} USD" if dollars < 100 else f"{dollars:,.0f} USD"


def _three(number: float) -> str:
    return f"{number:.0f}" if number >= 99.95 or number == int(number) else f"{number:.1f}"
