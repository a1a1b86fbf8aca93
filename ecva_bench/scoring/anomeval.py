"""AnomEval, the paper's metric: does an answer reason well, say what the annotator said, and rest on what is shown?

S = 0.2 s1 + 0.4 s2 + 0.4 s3, per item, then the mean (arXiv 2412.07183, Eq. 11 to 14; design/anomeval.md):
s1, basic reasoning: the share of annotated key sentences the answer states, times how logical it is;
s2, consistency: is the answer in substance the annotator's;
s3, hallucination: did the answer change when the anomaly was cut from the video.
The answers on the edited views come with the item. An empty answer gets 0 everywhere without a call to the judge; in s3
too, because an empty answer neither changed nor declined. So in s3 is an answer to a video without any picture: it
cannot rest on what was shown. Of the other views of other pictures no cut is asked, so they have no s3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from ..judging import Verdict
from ..records.base import View
from .judged import JudgedScorer, Part, Settled
from .protocol import AnomEvalSettings
from .scorer import Column, Gap, Scorable, first_gap

_TOP = 5
YES, NO = Verdict((1.0,)), Verdict((0.0,))
_EXPECTED = "_expected"
# The parts each column is made of; those of s2 are joined by coverage where key sentences are among its questions.
NEEDS = {
    "coverage": ("coverage",),
    "logic": ("logic",),
    "s1": ("coverage", "logic"),
    "s2": ("consistency",),
    "s3": ("change",),
    "S": ("coverage", "logic", "consistency", "change"),
    "gated": ("coverage", "logic", "consistency", "change"),
    "s3_control": ("control",),
}
_ONE_PART = {made_of[0]: column for column, made_of in NEEDS.items() if len(made_of) == 1}
EDITED: dict[str, View] = {"change": "anomaly", "control": "control"}  # the view a part takes an answer from
_EXPECTATIONS = ("s1", "s2", "s3", "S", "gated")


@dataclass(frozen=True)
class ItemVerdicts:
    """The verdicts on one item, None where there is none.

    `coverage` is 0 or 1 per key sentence, `logic` 0 to 5, the rest 0 or 1 (a fraction where votes are tied).
    `change` and `control` are s3 on the video without its anomaly, and without a normal span as long.
    """

    coverage: tuple[float, ...] | None
    logic: float | None
    consistency: float | None
    change: float | None
    control: float | None


def combine(found: ItemVerdicts, settings: AnomEvalSettings) -> dict[str, float]:
    """Return the columns that can be computed for an item; all in [0, 1] but `logic`, in points from 0 to 5."""
    share = sum(found.coverage) / len(found.coverage) if found.coverage else None
    logic = None if found.logic is None else found.logic / _TOP
    s1 = s2 = score = gated = None
    if share is not None and logic is not None:
        s1 = share * logic if settings.s1 == "product" else (share + logic) / 2
    if found.consistency is not None:
        s2 = found.consistency
        if settings.questions == "key-sentences":
            s2 = (s2 + sum(found.coverage)) / (1 + len(found.coverage)) if found.coverage else None
    s3 = found.change
    if s1 is not None and s2 is not None and s3 is not None:
        w1, w2, w3 = settings.weights
        score = w1 * s1 + w2 * s2 + w3 * s3
        gated = w1 * s1 + w2 * s2 + w3 * s3 * s2
    columns = {
        "s1": s1,
        "s2": s2,
        "s3": s3,
        "S": score,
        "gated": gated,
        "s3_control": found.control,
        "coverage": share,
        "logic": found.logic,
    }
    return {name: value for name, value in columns.items() if value is not None}


class AnomEval(JudgedScorer):
    """The paper's metric with its parts, the gated total, and s3 on the control."""

    name = "anomeval"
    counted_in: ClassVar[Mapping[str, str]] = {part: column for part, column in _ONE_PART.items() if part != column}
    needs: ClassVar[Mapping[str, View]] = {
        f"{column}{suffix}": view
        for part, view in EDITED.items()
        for column, made_of in NEEDS.items()
        if part in made_of
        for suffix in ("", _EXPECTED)
    }
    columns = (
        Column("s1", "basic reasoning: key sentences stated, times logic"),
        Column("s2", "consistency: the annotator's answer in substance"),
        Column("s3", "hallucination: the answer changed when the anomaly was cut"),
        Column("S", "AnomEval: weighted sum of s1, s2 and s3"),
        Column("gated", "AnomEval with s3 counted only where s2 holds"),
        Column("s3_control", "s3 on a cut of normal time as long", higher_is_better=False, optional=True),
        Column("coverage", "share of the annotated key sentences that the answer states"),
        Column("logic", "how logical the answer is; 0 to 5", "points", high=_TOP),
        *(Column(f"{name}{_EXPECTED}", f"{name} over token probabilities", optional=True) for name in _EXPECTATIONS),
    )

    def prompt_names(self) -> tuple[str, ...]:
        """Return the four prompts: one call each per answer, and one more per control answer."""
        return ("coverage", "logic", "consistency", "agreement" if self._compares else "refusal")

    @property
    def _compares(self) -> bool:
        return self.protocol.anomeval.s3 == "compare"

    def settings(self) -> dict[str, str]:
        """Return weights and forms, prompts and judge."""
        form = self.protocol.anomeval
        weights = ",".join(f"{100 * weight:.12g}" for weight in form.weights)
        forms = {"weights": weights, "s1": form.s1, "s3": form.s3, "questions": form.questions}
        return {**forms, **super().settings()}

    def score(self, batch: Sequence[Scorable]) -> list[dict[str, float]]:
        """Return the columns of each item."""
        scores = []
        found = self.settle(batch, [self._parts(item) for item in batch])
        expects = any(part.expectations for parts in found for part in parts.values() if isinstance(part, Verdict))
        for item, parts in zip(batch, found, strict=True):
            values = combine(self._read(parts, lambda verdict: verdict.values), self.protocol.anomeval)
            expected = combine(self._read(parts, lambda verdict: verdict.expectations), self.protocol.anomeval)
            gaps = self._reasons(parts)
            if expects:  # what is missing is missing from the expectation too
                gaps |= {f"{name}{_EXPECTED}": gaps[name] for name in _EXPECTATIONS if name in gaps}
            self.note(item, parts, gaps)
            scores.append(values | {f"{name}{_EXPECTED}": expected[name] for name in _EXPECTATIONS if name in expected})
        return scores

    def _parts(self, item: Scorable) -> dict[str, Part]:
        """Return the parts of an item's score: four calls, and a fifth where there is a control."""
        if item.candidate.strip():
            parts: dict[str, Part] = {name: self.call(name, item) for name in ("coverage", "logic", "consistency")}
        else:
            parts = {"coverage": Verdict((0.0,) * len(item.key_sentences)), "logic": NO, "consistency": NO}
        if not item.key_sentences:
            parts["coverage"] = Gap("no key sentence annotated")
        parts["change"] = self._changed(item, EDITED["change"])
        if item.view == "full" and "control" in (*item.others, *item.impossible):
            parts["control"] = self._changed(item, EDITED["control"])
        return parts

    def _changed(self, item: Scorable, view: View) -> Part:
        """Return the part that says how the answer changed on an edited view."""
        unchanged = YES if self._compares else NO
        if item.view == "blank":
            return unchanged
        if item.view != "full":
            return Gap(f"no cut is asked of the {item.view} view")
        if view in item.impossible:
            return Gap(item.impossible[view])
        if view not in item.others:
            return Gap(f"the run did not ask the {view} view (run --edited {view})")
        edited = item.others[view]
        if edited is None:
            return Gap(f"no answer on the {view} view", unanswered=True)
        if not (edited.strip() and item.candidate.strip()):
            return unchanged
        return self.call("agreement" if self._compares else "refusal", item, edited_candidate=edited)

    def _read(self, parts: dict[str, Settled], read: Callable[[Verdict], tuple[float, ...] | None]) -> ItemVerdicts:
        found = {name: numbers for name, part in parts.items() if isinstance(part, Verdict) and (numbers := read(part))}
        one = {name: numbers[0] for name, numbers in found.items()}
        s3 = {name: 1 - one[name] if self._compares else one[name] for name in ("change", "control") if name in one}
        return ItemVerdicts(
            coverage=found.get("coverage"),
            logic=one.get("logic"),
            consistency=one.get("consistency"),
            change=s3.get("change"),
            control=s3.get("control"),
        )

    def _reasons(self, parts: dict[str, Settled]) -> dict[str, Gap]:
        """Return for each column the first of its parts that is missing."""
        gaps = {name: part for name, part in parts.items() if isinstance(part, Gap)}
        needs = dict(NEEDS)
        if self.protocol.anomeval.questions == "key-sentences":
            needs["s2"] = ("consistency", "coverage")
        lacking = {
            column: first_gap(gaps[part] for part in made_of if part in gaps) for column, made_of in needs.items()
        }
        return {column: gap for column, gap in lacking.items() if gap}
