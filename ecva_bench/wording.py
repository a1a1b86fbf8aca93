"""Numbers in messages, in words that fit them."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: `1 video`, `0 videos`, `1,200 replies`. Only the noun's last word is inflected."""
    if number != 1:
        noun = f"{noun[:-1]}ies" if noun[-1] == "y" and noun[-2] not in "aeou" else f"{noun}s"
    return f"{number:,} {noun}"
