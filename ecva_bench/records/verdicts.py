"""What a scores file keeps of a judge: its replies, why there is none, and whether it is to be believed."""

from __future__ import annotations

from .base import Count, Measured, Record

NO_VERDICT = "judge: "  # begins the reasons of gaps where a judge was asked and gave no verdict
UNJUDGEABLE = "; no answer to this question can be scored"  # ends the reasons of gaps that are so
# Pairs of a right and a wrong answer that a judge must tell apart, as a share, in each column of a metric.
QUALIFIES = 0.8


class JudgedPart(Record):
    """A judge's reply to one question about an answer: a number per verdict, and its reasons in its own words."""

    values: tuple[float, ...]
    rationale: str = ""


class Qualification(Record):
    """How well a judge tells right answers from wrong ones in a column, by controls that it was asked before all else.

    `ceiling` is the mean of `n` references as answers, `floor` that of wrong answers (another video's reference, the
    word None), `changed` that of the references with one fact changed, as the column has them. `auc` is the share of
    pairs of a right and a wrong answer in which the right one has the better value, ties half, with its 95 % interval.
    """

    n: Count
    floor: Measured
    ceiling: Measured
    changed: Measured | None = None
    auc: Measured
    interval: tuple[Measured, Measured] | None = None

    @property
    def qualifies(self) -> bool:
        """Whether the judge tells enough of them apart."""
        return self.auc >= QUALIFIES
