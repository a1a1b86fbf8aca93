"""Which scorers run on the answers to each task: those that were named, or those that fit.

Knows what scorers say of themselves, and computes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from ..judging import Judge
from ..records.annotations import NO_MOMENTS
from ..tasks import TASKS
from .checks import check_distinct
from .factory import available, get_scorer, scorer_class
from .join import AnswerGroup
from .protocol import Protocol
from .scorer import Scorer, ScorerSource

# Run beside a task's own scorers where there is a judge.
JUDGED = ("anomeval", "gpt", "twins-judge")


def not_computable(rules: Protocol, judge: Judge | None) -> dict[str, str]:
    """Return why installed scorers cannot be computed here, by name.

    One whose weights were named is wanted: what it lacks is an error later.
    """
    found = {}
    for name in available():
        if scorer_class(name).needs_judge:
            reason = "needs a judge: name one with --judge" if judge is None else None
        else:
            reason = None if name in rules.models else get_scorer(name, rules).unavailable()
        if reason:
            found[name] = reason
    return found


def choose_scorers(
    names: Sequence[ScorerSource] | None, groups: Sequence[AnswerGroup], protocol: Protocol, judge: Judge | None
) -> dict[str, list[Scorer]]:
    """Return the scorers to run on each task: those that take answers to it about any of its videos.

    `names` is None for those the tasks name and, with a `judge`, `JUDGED`. Raises as `get_scorer` does, and
    `UsageError` where two scorers of a task or their columns have one name.
    """
    tasks = {group.task for group in groups}
    videos = {task: {video for group in groups if group.task == task for video in group.videos} for task in tasks}
    if names is None:
        extra = JUDGED if judge else ()
        named = {task: (*TASKS[task].scorers, *extra) if task in TASKS else () for task in tasks}
        if any(one.reference == NO_MOMENTS for group in groups if group.task == "timestamp" for one in group.answers):
            named["timestamp"] += ("frame-ranking",)  # as sets with normal videos are scored
    else:
        named = dict.fromkeys(tasks, tuple(names))
    made = {name: get_scorer(name, protocol, judge) for name in dict.fromkeys(chain.from_iterable(named.values()))}
    fit = {task: [made[name] for name in dict.fromkeys(named[task]) if task in made[name].tasks] for task in tasks}
    found = {task: [each for each in fit[task] if any(map(each.counts, videos[task]))] for task in tasks}
    for scorers in found.values():
        check_distinct(scorers)
    return found
