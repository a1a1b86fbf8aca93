"""How scores are computed, by name: the correct arithmetic, and the one behind the published figures.

Knows switches and nothing of texts or metrics: each scorer reads the switches that concern it and prints them
in its signature.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Literal

from ..errors import UsageError

TimeUnit = Literal["seconds", "minutes", "mmss", "mm.ss"]


@dataclass(frozen=True)
class Protocol:
    """Every setting that moves a score. The defaults are the correct arithmetic.

    `strip_special_tokens`: cut `</s>` and its like from answers before scoring.
    `include_extra`: also score answers to samples that the data set excludes.
    `swap_bleu`: hand BLEU the answer as reference and the reference as candidate.
    `first_digit_class`: compare a predicted class with the first digit of the annotated one (10 and 11 become 1).
    `sum_moments`: add up the IoU of the first predicted span with each annotated moment, in place of the IoU of
    the two sets.
    `timestamp_unit`: the unit of bare numbers in timestamp answers; None: such an answer is ambiguous.
    """

    name: str = "standard"
    strip_special_tokens: bool = True
    include_extra: bool = False
    swap_bleu: bool = False
    first_digit_class: bool = False
    sum_moments: bool = False
    timestamp_unit: TimeUnit | None = None


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(),
        Protocol(
            name="ecva-2024",
            strip_special_tokens=False,
            include_extra=True,
            swap_bleu=True,
            first_digit_class=True,
            sum_moments=True,
        ),
    )
}


def get_protocol(name: str) -> Protocol:
    """Return the protocol of a name; `UsageError` with the nearest name if there is none."""
    try:
        return PROTOCOLS[name]
    except KeyError:
        near = difflib.get_close_matches(name, PROTOCOLS, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        remedy = f"{hint}available: {', '.join(PROTOCOLS)}"
        raise UsageError(f"no protocol is called {name!r}", remedy=remedy) from None
