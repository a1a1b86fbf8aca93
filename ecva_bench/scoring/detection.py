"""Whether answers tell videos with an anomaly from normal ones: balanced accuracy, false alarms, missed anomalies.

An answer that says neither yes nor no is wrong. Where all videos are of one class, nothing tells a model that looks
from one that always says the same, so there is no balanced accuracy.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..reading.yes_no import VERSION, read_yes_no
from ..records.readings import Reading
from .readings import ReadingScorer, unread_columns
from .scorer import Column, Scorable


class Detection(ReadingScorer):
    """Answers of yes and no against whether an anomaly is annotated."""

    name = "detection"
    tasks = ("detection",)
    columns = (
        Column(
            "balanced_accuracy", "mean of the shares of anomalous and of normal videos answered rightly", balanced=True
        ),
        Column("correct", "share of answers that are right", binary=True),
        Column("parsed", "share of answers that say yes or no", binary=True),
    )
    aggregates = (
        Column("constant_answer", "balanced accuracy of always giving the same answer", blind=True),
        Column("majority", "share right of always giving the more frequent answer"),
        Column("false_alarm", "share of normal videos called anomalous"),
        Column("missed", "share of anomalous videos called normal"),
        *unread_columns("unread", "ambiguous"),
    )

    def score(self, batch: Sequence[Scorable]) -> list[dict[str, float]]:
        """Return 1 or 0 for a right or wrong answer; one that says neither is wrong."""
        columns = ("balanced_accuracy", "correct")
        return [
            dict.fromkeys(columns, float(reading.yes is _anomalous(item))) | {"parsed": float(reading.yes is not None)}
            for item, reading in zip(batch, self.readings(batch), strict=True)
        ]

    def obstacle(self, item: Scorable) -> str | None:
        """Return the reason why a video of unknown class is scored for nobody."""
        return None if item.reference in ("yes", "no") else "not annotated whether there is an anomaly"

    def summary(self, batch: Sequence[Scorable], values: Sequence[dict[str, float]]) -> dict[str, float]:
        """Return the rates of both classes, as far as there are both, and the unread by kind."""
        said = [reading.yes for reading in self.readings(batch)]
        of = {kind: [yes for item, yes in zip(batch, said, strict=True) if _anomalous(item) is kind]
              for kind in (True, False)}  # fmt: skip
        found = {"majority": max(map(len, of.values())) / len(batch)}
        if of[False]:
            found["false_alarm"] = of[False].count(True) / len(of[False])
        if of[True]:
            found["missed"] = of[True].count(False) / len(of[True])
        if of[True] and of[False]:
            found["constant_answer"] = 0.5
        return {**found, **self.unread(batch)}

    def stratum(self, item: Scorable) -> str:
        """Return the class of a sample, by which accuracy is balanced."""
        return item.reference

    def settings(self) -> dict[str, str]:
        """Return how answers are read."""
        return {"parse": f"yes-no.v{VERSION}"}

    def read(self, item: Scorable) -> Reading:
        """Return whether an answer says that there is an anomaly."""
        return read_yes_no(item.text)


def _anomalous(item: Scorable) -> bool:
    return item.reference == "yes"
