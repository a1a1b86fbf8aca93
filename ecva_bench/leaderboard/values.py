"""The value of every sample in one column, as the mean by which leaderboards rank counts it."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..errors import ResultsError
from ..records.annotations import question_of
from ..records.scores import Scores, Summary
from ..statistics.intervals import mean_of
from ..statistics.repeats import question_means


def sample_values(scores: Scores, summary: Summary) -> dict[str, float]:
    """Return the values of one column by sample id; a sample that lacks an answer has the column's worst value.

    Their mean is the summary's `zero_filled`. Where questions are asked several times, they are by question: the mean
    over its answers. Samples that cannot be scored, or that the scorer gave no value, are left out, and so are the
    `unjudgeable`; where the scorer gave no answer a value, samples without an answer are left out too. Raises
    `ResultsError` where the mean differs: the file is incomplete, or older than this version.
    """
    place = (summary.task, summary.view)
    found: dict[str, list[float]] = {}
    exempt, out = set(summary.exempt), set(summary.unjudgeable)
    if not summary.n and summary.zero_filled is None:
        return {}
    for score in scores.scores:
        if (score.task, score.view, score.scorer) == (*place, summary.scorer):
            if summary.column in score.values:
                found.setdefault(question_of(score.id), []).append(score.values[summary.column])
            elif summary.column in score.unanswered:
                found.setdefault(question_of(score.id), []).append(summary.worst)
    for coverage in scores.coverage:
        if (coverage.task, coverage.view) == place:
            for sample in coverage.all_absent:
                if (question := question_of(sample)) not in exempt:
                    found.setdefault(question, []).append(summary.worst)
    values = question_means({question: some for question, some in found.items() if question not in out})
    strata = sample_strata(scores, summary)
    check_mean(summary, values, strata, scores.source or scores.header.name, tolerance=1e-9)
    return values


def scored_values(scores: Scores, summary: Summary) -> dict[str, float]:
    """Return the same of answers with a value alone; the `unjudgeable` are left out."""
    place, out = (summary.task, summary.view, summary.scorer), set(summary.unjudgeable)
    found: dict[str, list[float]] = {}
    for score in scores.scores:
        if (score.task, score.view, score.scorer) == place and summary.column in score.values:
            found.setdefault(question_of(score.id), []).append(score.values[summary.column])
    return question_means({question: some for question, some in found.items() if question not in out})


def sample_strata(scores: Scores, summary: Summary) -> dict[str, str]:
    """Return the stratum of each sample of a balanced column, by the id of its question; nothing of other columns."""
    if not summary.balanced:
        return {}
    place = (summary.task, summary.view, summary.scorer)
    there = (score for score in scores.scores if (score.task, score.view, score.scorer) == place)
    return {**summary.absent_strata, **{question_of(score.id): score.stratum for score in there if score.stratum}}


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
