"""The value of every sample in one column, as the mean by which leaderboards rank counts it."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..errors import ResultsError
from ..records.scores import Scores, Summary
from ..statistics.intervals import mean_of


def sample_values(scores: Scores, summary: Summary) -> dict[str, float]:
    """Return the values of one column by sample id; a sample that lacks an answer has the column's worst value.

    Their mean is the summary's `zero_filled`. Samples that cannot be scored, or that the scorer gave no value, are
    left out, and so are the `unjudgeable`; where the scorer gave no answer a value, samples without an answer are left
    out too. Raises `ResultsError` where the mean differs: the file is incomplete, or older than this version.
    """
    place = (summary.task, summary.view)
    values: dict[str, float] = {}
    exempt, out = set(summary.exempt), set(summary.unjudgeable)
    if not summary.n and summary.zero_filled is None:
        return values
    for score in scores.scores:
        if (score.task, score.view, score.scorer) == (*place, summary.scorer) and score.id not in out:
            if summary.column in score.values:
                values[score.id] = score.values[summary.column]
            elif summary.column in score.unanswered:
                values[score.id] = summary.worst
    for coverage in scores.coverage:
        if (coverage.task, coverage.view) == place:
            values |= {sample: summary.worst for sample in coverage.absent if sample not in exempt | out}
    strata = sample_strata(scores, summary)
    check_mean(summary, values, strata, scores.source or scores.header.name, tolerance=1e-9)
    return values


def sample_strata(scores: Scores, summary: Summary) -> dict[str, str]:
    """Return the stratum of each sample of a balanced column, by its id; nothing of other columns."""
    if not summary.balanced:
        return {}
    place = (summary.task, summary.view, summary.scorer)
    there = (score for score in scores.scores if (score.task, score.view, score.scorer) == place)
    return {**summary.absent_strata, **{score.id: score.stratum for score in there if score.stratum}}


def check_mean(
    summary: Summary, values: Mapping[str, float], strata: Mapping[str, str], where: str, *, tolerance: float
) -> None:
    """Raise `ResultsError` where the values of a column, by sample or video, do not give its mean."""
    mean = mean_of(list(values.values()), [strata.get(place, "") for place in values] if summary.balanced else ())
    stated = summary.zero_filled
    alike = mean is stated if mean is None or stated is None else math.isclose(mean, stated, abs_tol=tolerance)
    if not alike:
        what = f"the values of {summary.column} ({summary.task}, {summary.view}) do not give their mean"
        raise ResultsError(what, where, "score the answers again")
