"""The numbers of a page: what each sample counts in each metric and run, as boards count it, and the means of that."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from ..leaderboard.values import sample_values
from ..records.annotations import sample_parts
from ..records.scores import Score
from .run import Metric, MetricKey, Run, main_metric

# A column of a metric holds whole numbers, each so many to its unit (to the fraction 1 where that is %).
PERCENT_SCALE, UNIT_SCALE = 10_000, 100


def scale_of(metric: Metric) -> int:
    """Return the number that a column's whole numbers are divided by."""
    return PERCENT_SCALE if metric.unit == "%" else UNIT_SCALE


class CountedValues:
    """The metrics of the runs added, with their values by sample and their means.

    A sample without an answer has the metric's worst value, as in `sample_values`.
    """

    def __init__(self) -> None:
        self.metrics: dict[MetricKey, Metric] = {}
        self._values: dict[MetricKey, dict[int, dict[str, int]]] = defaultdict(dict)
        self._scored: list[Mapping[Metric, bool]] = []
        self._means: dict[MetricKey, dict[int, dict[str, Any]]] = defaultdict(dict)

    def places(self) -> dict[MetricKey, int]:
        """Return the numbers by which the page knows the metrics."""
        return {key: place for place, key in enumerate(self.metrics)}

    def add(self, run: Run, number: int) -> None:
        """Add the metrics, values and means of a run.

        Raises `ResultsError` where a scores file's values do not give its means.
        """
        self._scored.append(run.scored)
        of_scorer: dict[tuple[str, str, str], list[Score]] = defaultdict(list)
        for scores in run.scores:
            for score in scores.scores:
                of_scorer[scores.header.protocol, score.task, score.scorer].append(score)
        for metric, (scores, summary) in run.metrics.items():
            self.metrics.setdefault(metric.key, metric)
            there = of_scorer[scores.header.protocol, summary.task, summary.scorer]  # not all, for columns are many
            values = sample_values(scores.model_copy(update={"scores": tuple(there)}), summary)
            scale = scale_of(metric)
            self._values[metric.key][number] = {sample: round(scale * value) for sample, value in values.items()}
            if summary.zero_filled is not None:
                self._means[metric.key][number] = {
                    "mean": summary.zero_filled,
                    "interval": summary.zero_filled_interval,
                    "samples": len(values),
                    "floor": summary.floor,
                }

    def main(self, task: str) -> Metric | None:
        """Return the metric a task is looked at by (`main_metric`)."""
        return main_metric(task, self._scored)

    def column(self, metric: Metric, samples: Iterable[str], runs: int) -> list[list[int | None]]:
        """Return a metric's values [samples of its task, runs], in the order of the samples; None where there is none.

        A run's number is its place.
        """
        columns = [self._values[metric.key].get(run, {}) for run in range(runs)]
        of_task = (sample for sample in samples if sample_parts(sample).task == metric.task)
        return [[column.get(sample) for column in columns] for sample in of_task]

    def means(self, runs: int) -> list[list[dict[str, Any] | None]]:
        """Return the means [metrics, runs]: {mean, interval, samples, floor}; None where a run has none."""
        return [[self._means[key].get(run) for run in range(runs)] for key in self.metrics]
