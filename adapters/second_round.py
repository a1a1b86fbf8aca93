"""The reviewed class and moments as the answer: how far a second look by people agrees with the first."""

from __future__ import annotations

from collections.abc import Sequence

from ecva_bench.reading.curves import Point
from ecva_bench.records import Sample
from ecva_bench.records.annotations import format_moments

from .oracle import Oracle, moments_as_severities


class SecondRound(Oracle):
    """Answers classification, timestamp and severity questions with the reviewer's code and moments."""

    tasks = ("classification", "timestamp", "severity")
    source = "second round"

    def lookup(self, sample: Sample) -> str | None:
        """Return the review's label or moments, None where the video was not reviewed."""
        if sample.review is None:
            return None
        if sample.task == "severity":
            return moments_as_severities(sample.review.moments) if sample.review.moments else None
        if sample.task == "timestamp":
            return format_moments(sample.review.moments) or None
        return f"[{sample.review.label.major}]" if sample.review.label else None

    def curve(self, sample: Sample) -> Sequence[Point]:
        """Return nothing: a review has moments and no curve."""
        return ()
