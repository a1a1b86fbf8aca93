"""The columns and means of a page are those that boards count."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ecva_bench.report.counted import CountedValues, scale_of
from ecva_bench.report.run import Metric, Run, main_metric

from .build import story


def test_the_mean_of_a_column_is_the_mean_of_the_board() -> None:
    runs = story()
    counted = CountedValues()
    for number, run in enumerate(runs):
        counted.add(run, number)
    means = counted.means(len(runs))
    samples = sorted({sample for run in runs for sample in run.results.expects["full"]})
    for place, metric in enumerate(counted.metrics.values()):
        column = counted.column(metric, samples, len(runs))
        for number, run in enumerate(runs):
            stated = run.metrics[metric][1].zero_filled if metric in run.metrics else None
            values = [row[number] for row in column if row[number] is not None]
            if stated is None:
                assert (values, means[place][number]) == ([], None)
            else:
                assert sum(values) / len(values) / scale_of(metric) == pytest.approx(stated, abs=1 / scale_of(metric))
                assert means[place][number]["mean"] == stated


def test_the_metric_of_a_task_is_the_first_to_rank_by_that_every_run_has() -> None:
    gated, rouge2, rouge1 = (Metric("cause", "x", name) for name in ("gated", "rouge2", "rouge1"))
    iou = Metric("timestamp", "x", "iou")

    def main(*runs: list[Metric], but_for: int | None = None) -> Metric | None:
        """Return the main metric of runs; the judge of the run of this number does not qualify for `gated`."""
        return main_metric(
            "cause", [{one: not (one == gated and number == but_for) for one in run} for number, run in enumerate(runs)]
        )

    assert main([rouge1, rouge2, gated], [rouge2, gated]) == gated
    assert main([rouge1, rouge2, gated], [rouge2], [iou]) == rouge2
    assert main([rouge2, rouge1], [rouge1]) == rouge2  # by which a board ranks those that have it
    assert main([gated], [rouge1]) == gated
    assert main([iou]) is None
    assert main([gated, rouge2], [gated, rouge2], but_for=1) == gated  # it takes no column from the others
    assert main([gated, rouge1], but_for=0) == rouge1
    assert main([gated], but_for=0) is None


def test_no_task_is_looked_at_by_a_judge_that_is_not_qualified() -> None:
    honest, _ = story()

    def main(run: Run) -> str:
        counted = CountedValues()
        counted.add(run, 0)
        found = counted.main("cause")
        return found.column if found else ""

    def told(signature: str) -> str:
        return signature.replace("|judge:", "|qualified:no|judge:")

    failed = tuple(
        one.model_copy(
            update={
                "summaries": tuple(
                    each.model_copy(update={"signature": told(each.signature)}) for each in one.summaries
                )
            }
        )
        for one in honest.scores
    )
    assert (main(honest), main(replace(honest, scores=failed))) == ("gated", "rouge2")
