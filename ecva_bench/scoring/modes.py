"""What the fast mode costs in answers and in scores: two runs of the same questions, one in each mode, held together.

Knows results and scorers; knows no model and nothing of how an answer came about.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import UsageError
from ..records.answers import Results
from ..records.base import View
from ..records.scores import Scores, Summary
from ..statistics.paired import PairedBootstrap, paired_bootstrap
from .score import score_results


@dataclass(frozen=True)
class ScoreChange:
    """By how much one column of a scorer moves, fast less exact, paired by question; in the column's own unit.

    `summary` is the exact run's.
    """

    summary: Summary
    difference: PairedBootstrap


@dataclass(frozen=True)
class ModeCheck:
    """`compared` questions were answered in both modes, `differing` of them with another text.

    `one_only` were answered in one mode alone.
    """

    compared: int
    differing: int
    one_only: int
    changes: tuple[ScoreChange, ...]


def compare_modes(*, exact: Results, fast: Results, seed: int = 0) -> ModeCheck:
    """Return how far two runs of the same questions are apart, by the scorers that the tasks name.

    Intervals are bootstrap intervals over videos. `UsageError` where no question was answered in both.
    """
    texts = [{(answer.id, answer.view): answer.answer for answer in run.answers} for run in (exact, fast)]
    both = texts[0].keys() & texts[1].keys()
    if not both:
        raise UsageError("no question was answered in both modes", fast.source, "see the errors in both files")
    return ModeCheck(
        compared=len(both),
        differing=sum(texts[0][place] != texts[1][place] for place in both),
        one_only=len(texts[0].keys() ^ texts[1].keys()),
        changes=_changes(score_results(exact), score_results(fast), seed),
    )


def _changes(exact: Scores, fast: Scores, seed: int) -> tuple[ScoreChange, ...]:
    changes = []
    before, after = _values(exact), _values(fast)
    for summary in exact.summaries:
        column = (summary.task, summary.view, summary.scorer, summary.column)
        old, new = before.get(column, {}), after.get(column, {})
        ids = sorted(old.keys() & new.keys())
        if ids:
            found = paired_bootstrap([new[i] - old[i] for i in ids], ids, seed=seed)
            changes.append(ScoreChange(summary, found))
    return tuple(changes)


def _values(scores: Scores) -> dict[tuple[str, View, str, str], dict[str, float]]:
    """Return item values by column, each by video: one task asks one question about a video."""
    found: dict[tuple[str, View, str, str], dict[str, float]] = {}
    for score in scores.scores:
        for column, value in score.values.items():
            found.setdefault((score.task, score.view, score.scorer, column), {})[score.video] = value
    return found
