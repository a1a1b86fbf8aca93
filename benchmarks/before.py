"""How this harness read classes and spans up to version 418cb6d, for comparison; nothing else uses it."""

from __future__ import annotations

import re

from ecva_bench.reading.units import TimeUnit

Spans = tuple[tuple[float, float], ...]

_WHOLE = r"(?<![0-9])([0-9]{1,4})(?![0-9])"
_NUMBER = r"\d{1,6}(?:\.\d+)?"
_TIME = rf"""(?<![\d.:])(?:
    (?P<clock#>\d{{1,2}}(?::\d{{2}}){{1,2}}(?:\.\d+)?)
  | (?P<minutes#>{_NUMBER})\s*(?:minutes?|mins?|m)(?![a-z])
    (?:\s*(?:and\s*)?(?P<rest#>{_NUMBER})\s*(?:seconds?|secs?|s)(?![a-z]))?
  | (?P<seconds#>{_NUMBER})\s*(?:seconds?|secs?|s)(?![a-z])
  | (?P<bare#>{_NUMBER})
)(?!\.?\d|:)"""
_JOINT = r"""[\s"')\]]*+(?:,|;|-|–|—|~|to|and|until|till|through)[\s"'(\[]*+"""
_SPAN = re.compile(_TIME.replace("#", "1") + _JOINT + _TIME.replace("#", "2"), re.VERBOSE | re.IGNORECASE)


def read_class(text: str) -> int | None:
    """Return the first `[n]` in the text, else its first whole number, else None."""
    found = re.search(rf"\[\s*{_WHOLE}\s*\]", text) or re.search(_WHOLE, text)
    return int(found[1]) if found else None


def read_spans(text: str, unit: TimeUnit) -> Spans:
    """Return the pairs of times that a comma, a dash or a word joins; none if one of them cannot be."""
    spans = []
    for match in _SPAN.finditer(text):
        try:
            start, end = (_seconds(match, n, unit) for n in (1, 2))
        except ValueError:
            return ()
        if end < start:
            return ()
        spans.append((start, end))
    return tuple(spans)


def _seconds(match: re.Match[str], n: int, unit: TimeUnit) -> float:
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
    parts = [float(part) for part in text.split(":")]
    if any(part >= 60 for part in parts[1:]):
        raise ValueError(text)
    return sum(part * 60**power for power, part in enumerate(reversed(parts)))


def _bare(number: str, unit: TimeUnit) -> float:
    if unit in ("seconds", "minutes"):
        return float(number) * (60 if unit == "minutes" else 1)
    whole, _, fraction = number.partition(".")
    minutes, seconds = divmod(float(number), 100) if unit == "mmss" else (float(whole), float(fraction.ljust(2, "0")))
    if seconds >= 60:
        raise ValueError(number)
    return minutes * 60 + seconds
