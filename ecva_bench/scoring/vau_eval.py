"""VAU-Eval: a judge grades an answer from 0 to 10 for each of five aspects, in one call.

The metric of VAU-R1 (arXiv 2505.23504, Sec. 3.4) with the aspects, scale and total of its published evaluation code.
That holds a description and an analysis against the annotated ones together; here each answer is held against the
reference of its own question, and what each aspect means is told in words of ours. An empty answer gets 0 without a
call.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..judging import Verdict
from .judged import JudgedScorer, Part
from .scorer import Column, Gap, Scorable

_PROMPT = "vau-eval-ours"
_TOP = 10
# The columns of the paper's tables, and what its code calls them.
ASPECTS = {
    "cls": "Classification Correctness",
    "km": "Key Object and Action Matching",
    "flu": "Fluency and Coherence",
    "inf": "Informativeness and Domain Awareness",
    "fac": "Factual Consistency",
}


class VauEval(JudgedScorer):
    """Five grades of a free-text answer, and their sum."""

    name = "vau-eval"
    columns = (
        Column("vau_total", "sum of the five aspects; 0 to 50", "points", high=_TOP * len(ASPECTS)),
        *(Column(f"vau_{name}", f"{text}; 0 to {_TOP}", "points", high=_TOP) for name, text in ASPECTS.items()),
    )

    untested = frozenset({"vau_flu", "vau_inf"})  # what is said of another video may be as well said

    def prompt_names(self) -> tuple[str, ...]:
        """Return the one prompt: one call per answer."""
        return (_PROMPT,)

    def score(self, batch: Sequence[Scorable]) -> list[dict[str, float]]:
        """Return the grades of each item and their sum: all, or none."""
        scores = []
        settled = self.settle(batch, [{"grades": self._part(item)} for item in batch])
        for item, parts in zip(batch, settled, strict=True):
            grades = parts["grades"]
            lacking = dict.fromkeys((c.name for c in self.columns), grades) if isinstance(grades, Gap) else {}
            self.note(item, parts, lacking)
            values = () if isinstance(grades, Gap) else grades.values or ()
            total = {"vau_total": sum(values)} if values else {}
            scores.append(total | {f"vau_{name}": value for name, value in zip(ASPECTS, values, strict=bool(values))})
        return scores

    def _part(self, item: Scorable) -> Part:
        if not item.candidate.strip():
            return Verdict((0.0,) * len(ASPECTS))
        return self.call(_PROMPT, item, aspects=list(ASPECTS.values()))
