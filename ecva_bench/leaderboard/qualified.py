"""What readers are told of a judge that was asked controls: how far it tells right answers from wrong ones."""

from __future__ import annotations

from collections.abc import Iterable

from ..records.scores import Summary
from ..records.verdicts import QUALIFIES, Qualification

HEADER = ("judge's ceiling", "judge's floor", "one fact changed", "told apart")
MEANING = (
    "judge's ceiling and floor: what this judge gives to references, and to wrong answers. told apart: of pairs of "
    f"both, the share in which the right one is ahead; a judge needs {QUALIFIES} in every column of a metric."
)


def qualification_texts(summaries: Iterable[Summary]) -> list[str]:
    """Return a line for each metric whose judge did not qualify, by its worst column, or was not asked controls."""
    worst: dict[str, tuple[Summary, Qualification]] = {}
    asked: dict[str, bool] = {}
    for one in summaries:
        found = one.qualification
        if one.judged:
            asked[one.scorer] = asked.get(one.scorer, False) or found is not None
        if one.disqualified and found and (one.scorer not in worst or found.auc < worst[one.scorer][1].auc):
            worst[one.scorer] = (one, found)
    unknown = [
        f"{scorer}: the judge was asked no controls, so how well it tells right answers from wrong ones is not known"
        for scorer, was in asked.items()
        if not was
    ]
    return [_text(summary, found) for summary, found in worst.values()] + unknown


def _text(summary: Summary, found: Qualification) -> str:
    bounds = " ({:.2f} to {:.2f})".format(*found.interval) if found.interval else ""
    return (
        f"{summary.scorer} is not qualified, and takes no rank: the judge tells {found.auc:.2f}{bounds} of pairs of a "
        f"right and a wrong answer apart in {summary.column}, and {QUALIFIES} is needed in every column"
    )
