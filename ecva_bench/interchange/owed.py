"""What a run owes, as files of other programs say it: a row for each question owed, and a field that tells these.

A data set alone does not tell it: a run may have been asked about some of its videos, and owes no more than that.
"""

from __future__ import annotations

from ..records.annotations import sample_parts
from ..records.answers import Answer, Failure, Results

OWED = "owed"  # the field of a row: whether its question is one that the run owed

_WORDS = {"yes": True, "no": False}


def owed_word(owed: bool) -> str:
    """Return what the field says."""
    return "yes" if owed else "no"


def is_owed(value: object) -> bool | None:
    """Return what the field of a row says; None where it says nothing."""
    return _WORDS.get(value) if isinstance(value, str) else None


def unanswered(results: Results) -> list[Failure]:
    """Return a failure for each question that a run owes and that has neither an answer nor an error."""
    told: tuple[Answer | Failure, ...] = (*results.answers, *results.failures)
    there = {(one.id, one.view) for one in told}
    return [
        Failure(
            key="",
            id=sample,
            video=sample_parts(sample).video,
            task=sample_parts(sample).task,
            view=view,
            stage="answer",
            error="NoAnswer",
            message="no answer",
        )
        for view, samples in results.expects.items()
        for sample in samples
        if (sample, view) not in there
    ]
