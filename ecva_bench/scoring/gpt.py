"""GPT-based score: a judge grades an answer from 0 to 5 for correctness, detail, context and temporal order.

The four dimensions of Video-ChatGPT's quantitative evaluation (arXiv 2306.05424), which the paper's column adds up
as far as its values, which exceed 5, show. Needs one answer and one reference; an empty answer gets 0 without a call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from ..judging import Verdict
from .judged import JudgedScorer, Part, Settled
from .scorer import Column, Gap, Scorable, first_gap

DIMENSIONS = {
    "correctness": "does what it says agree with the reference",
    "detail": "how much of the reference it covers, and how specifically",
    "context": "does it grasp the situation",
    "temporal": "does it tell the order of events",
}
_TOP = 5
_EXPECTED = "_expected"


def _columns(suffix: str) -> tuple[Column, ...]:
    def column(name: str, description: str, high: float) -> Column:
        how = ", expected over the judge's token probabilities" if suffix else ""
        return Column(f"gpt_{name}{suffix}", description + how, "points", high=high, optional=bool(suffix))

    return (
        *(column(name, f"{text}; 0 to {_TOP}", _TOP) for name, text in DIMENSIONS.items()),
        column("sum", "sum of the four dimensions; 0 to 20, the scale of the paper's column", _TOP * len(DIMENSIONS)),
        column("mean", f"mean of the four dimensions; 0 to {_TOP}", _TOP),
    )


class Gpt(JudgedScorer):
    """Four grades of a free-text answer, their sum and their mean."""

    name = "gpt"
    columns = (*_columns(""), *_columns(_EXPECTED))
    counted_in: ClassVar[Mapping[str, str]] = {name: f"gpt_{name}" for name in DIMENSIONS}

    def prompt_names(self) -> tuple[str, ...]:
        """Return one prompt per dimension."""
        return tuple(f"gpt-{name}" for name in DIMENSIONS)

    def score(self, batch: Sequence[Scorable]) -> list[dict[str, float]]:
        """Return the grades of each item; sum and mean only where all four are there."""
        scores = []
        found = self.settle(batch, [self._parts(item) for item in batch])
        expects = any(part.expectations for parts in found for part in parts.values() if isinstance(part, Verdict))
        for item, parts in zip(batch, found, strict=True):
            gaps = {name: part for name, part in parts.items() if isinstance(part, Gap)}
            incomplete = first_gap(gaps.values())
            totals = {"sum": incomplete, "mean": incomplete} if incomplete else {}
            lacking = {f"gpt_{name}": gap for name, gap in {**gaps, **totals}.items()}
            if expects:  # what is missing is missing from the expectation too
                lacking |= {f"{name}{_EXPECTED}": gap for name, gap in lacking.items()}
            self.note(item, parts, lacking)
            values = _with_totals(parts, lambda verdict: verdict.value)
            expected = _with_totals(parts, lambda verdict: verdict.expectation)
            scores.append(
                {f"gpt_{name}": value for name, value in values.items()}
                | {f"gpt_{name}{_EXPECTED}": value for name, value in expected.items()}
            )
        return scores

    def _parts(self, item: Scorable) -> dict[str, Part]:
        if not item.candidate.strip():
            return {name: Verdict((0.0,)) for name in DIMENSIONS}
        return {name: self.call(f"gpt-{name}", item) for name in DIMENSIONS}


def _with_totals(parts: dict[str, Settled], read: Callable[[Verdict], float | None]) -> dict[str, float]:
    read_parts = {name: read(part) for name, part in parts.items() if isinstance(part, Verdict)}
    grades = {name: grade for name, grade in read_parts.items() if grade is not None}
    if len(grades) < len(DIMENSIONS):
        return grades
    total = sum(grades.values())
    return {**grades, "sum": total, "mean": total / len(DIMENSIONS)}
