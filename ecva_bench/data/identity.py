"""Which data set annotations are, by what they say: CUVA's 1,000 videos, or ECVA's 2,240, which hold CUVA's as well.

Both number their videos from 1 and go round in the same layouts, so a file's name and form do not tell. CUVA's causes
are known by their hashes (`cuva_causes.json`), and ECVA's numbers of CUVA's videos as far as they can be shown
(`numbering.json`, with the evidence).
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

from ..names import number_of
from ..records import Annotation
from ..untrusted import parse_json

CUVA_VIDEOS, ECVA_VIDEOS = 1000, 2240
_DIGITS = 6  # of a hash that are kept
NO_FINGERPRINT = "-" * _DIGITS
_SHORTEST = 40  # characters of a cause that is no other video's by chance; CUVA's have 115 or more


class NumberStep(NamedTuple):
    """A run of CUVA's numbers, `first` to `last`, that become ECVA's by adding `shift`.

    Of `of` descriptions of those numbers in a third data set, `matched` are of the video that the step says.
    """

    first: int
    last: int
    shift: int
    matched: int
    of: int


@lru_cache(maxsize=1)
def number_steps() -> tuple[NumberStep, ...]:
    """Return the map between CUVA's numbers and ECVA's, as far as it can be shown."""
    content = parse_json(resources.files(__package__).joinpath("numbering.json").read_text(encoding="utf-8"))
    return tuple(NumberStep(**step) for step in content["steps"])


def ecva_number(cuva: int) -> int | None:
    """Return ECVA's number of a video of CUVA; None where none can be shown.

    >>> ecva_number(1), ecva_number(500), ecva_number(66)
    (1252, 1748, None)
    """
    return next((cuva + step.shift for step in number_steps() if step.first <= cuva <= step.last), None)


def fingerprint(text: str | None) -> str:
    """Return what stands for a text in `cuva_causes.json`: letters and digits count, and neither case nor width."""
    plain = unicodedata.normalize("NFKC", text or "").casefold()
    letters = "".join(filter(str.isalnum, plain))
    return hashlib.sha256(letters.encode()).hexdigest()[:_DIGITS] if len(letters) >= _SHORTEST else NO_FINGERPRINT


class Recognised(NamedTuple):
    """Which data set annotations are, `name`, and in words what shows it."""

    name: str
    why: str


def recognise(annotations: Iterable[Annotation]) -> Recognised | None:
    """Return which data set annotations are; None where none of their causes is known by its number.

    They are CUVA's where most of the known causes stand at CUVA's number, and ECVA's where most stand at ECVA's.
    """
    own = shifted = others = 0
    known = _cuva_causes()
    for number, printed in _numbered_causes(annotations):
        if number in (places := known.get(printed, ())):
            own += 1
        elif number in map(ecva_number, places):
            shifted += 1
        elif places:
            others += 1
    found = own + shifted + others
    if 2 * own > found:
        return Recognised("cuva", f"{own} of {found} known causes stand at CUVA's number of their video")
    if 2 * shifted > found:
        return Recognised("ecva", f"{shifted} of {found} known causes stand at ECVA's number of their video")
    return None


def _numbered_causes(annotations: Iterable[Annotation]) -> Iterator[tuple[int, str]]:
    for annotation in annotations:
        number, printed = number_of(annotation.video), fingerprint(annotation.cause)
        if number is not None and printed != NO_FINGERPRINT:
            yield number, printed


@lru_cache(maxsize=1)
def _cuva_causes() -> dict[str, tuple[int, ...]]:
    """Return the numbers of CUVA's videos by the fingerprint of their cause."""
    content = parse_json(resources.files(__package__).joinpath("cuva_causes.json").read_text(encoding="utf-8"))
    joined = "".join(content["causes"])
    found: dict[str, tuple[int, ...]] = {}
    for number, place in enumerate(range(0, len(joined), _DIGITS), start=1):
        printed = joined[place : place + _DIGITS]
        found[printed] = (*found.get(printed, ()), number)
    return found
