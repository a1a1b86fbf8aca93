"""The verdicts of a gate, their order, and their exit codes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from ..records.base import Record

GateVerdict = Literal["PASS", "INCONCLUSIVE", "WARN", "FAIL", "INVALID"]

# From the best to the worst, which counts for the whole.
_ORDER: tuple[GateVerdict, ...] = ("PASS", "INCONCLUSIVE", "WARN", "FAIL", "INVALID")
_EXIT = {"PASS": 0, "INCONCLUSIVE": 0, "WARN": 0, "FAIL": 1, "INVALID": 2}
_STRICT_EXIT = {**_EXIT, "INCONCLUSIVE": 3, "WARN": 1}


class Case(Record):
    """One thing that a gate checked, such as `cause/gated`, with its verdict and a line of text."""

    name: str
    verdict: GateVerdict
    text: str


def worst(verdicts: Iterable[GateVerdict]) -> GateVerdict:
    """Return the worst of some verdicts."""
    return max(verdicts, key=_ORDER.index)


def by_severity(cases: Iterable[Case]) -> list[Case]:
    """Return cases with the worst verdicts first, otherwise in their order."""
    return sorted(cases, key=lambda case: -_ORDER.index(case.verdict))


def exit_code(verdict: GateVerdict, *, strict: bool = False) -> int:
    """Return 0, 1 for FAIL, 2 for INVALID; with `strict` also 1 for WARN and 3 for INCONCLUSIVE."""
    return (_STRICT_EXIT if strict else _EXIT)[verdict]
