"""Whether a judge is fit to score with: it is asked about answers that are known to be right or wrong, before all else.

The controls are drawn from the references at hand, always the same ones of a data set, and asked as all calls are:
stored, paid for, exported and replayed. Knows scorers that ask a judge, and no metric.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain
from statistics import fmean

from ..judging import Call, Judge, Verdict
from ..judging.calls import ReplayingJudge
from ..records.annotations import question_of
from ..records.twins import original_of
from ..records.verdicts import NO_VERDICT, Qualification
from ..statistics.separation import separation
from .checks import checked_values
from .controls import Controls
from .join import AnswerGroup
from .judged import JudgedScorer
from .scored_group import scorables_of
from .scorer import Column, Scorable, Scorer

REFERENCES = 8  # that controls are made of
FEWEST = 4  # below which nothing is said of the judge
SEED = 0  # not the user's: the controls of a data set are the same in every run, so that runs compare


def ask_controls(chosen: Mapping[str, Sequence[Scorer]], groups: Sequence[AnswerGroup]) -> None:
    """Ask the judge of each scorer, by task, about controls made of the references in these groups, and tell it.

    A scorer is told nothing where there are too few references, where the judge gives no verdicts, or where its calls
    are only replayed and these are not among them: nobody asked then.
    """
    full = [group for group in groups if group.view == "full"]
    for scorer in dict.fromkeys(scorer for scorers in chosen.values() for scorer in scorers):
        if isinstance(scorer, JudgedScorer):
            _ask_controls(scorer, full)


def _ask_controls(scorer: JudgedScorer, groups: Sequence[AnswerGroup]) -> None:
    controls = _drawn(scorer, groups)
    batch = [item for one in controls for item in one.items]
    if len(controls) < FEWEST:
        return
    judge = _Probing(scorer.judge)
    asked = scorer.with_judge(judge)
    values = checked_values(asked, batch)
    if judge.lacking:
        return
    silent = {item.key: dict.fromkeys(_without_verdict(asked, item), math.nan) for item in batch}
    found = {item.key: silent[item.key] | value for item, value in zip(batch, values, strict=True)}
    tested = [column for column in scorer.columns if column.name not in scorer.untested]
    columns = {column.name: _told_apart(column, controls, found) for column in tested}
    scorer.qualifications = {name: one for name, one in columns.items() if one}


def _drawn(scorer: JudgedScorer, groups: Sequence[AnswerGroup]) -> list[Controls]:
    """Return controls for `REFERENCES` items, drawn by a hash of their ids: the same ones whoever answered."""
    items = chain.from_iterable(scorables_of(scorer, group) for group in groups if group.task in scorer.tasks)
    once = {question_of(item.id): item for item in items if not scorer.obstacle(item)}
    usable = sorted(once.values(), key=_lot)
    return [found for item in usable[:REFERENCES] if (found := scorer.controls(item, _other(item, usable)))]


def _lot(item: Scorable) -> str:
    return hashlib.sha256(f"{SEED}/{question_of(item.id)}".encode()).hexdigest()


def _other(item: Scorable, items: Sequence[Scorable]) -> Scorable | None:
    """Return the first item behind this one of the same task, about another clip and with another reference."""
    place = items.index(item)
    behind = (*items[place + 1 :], *items[:place])
    clip = original_of(item.video)
    others = (one for one in behind if one.task == item.task and original_of(one.video) != clip)
    return next((one for one in others if one.reference != item.reference), None)


class _Probing:
    """The judge, but for calls of which its replay lacks some: these have no verdict, and it is remembered."""

    def __init__(self, judge: Judge) -> None:
        self.judge, self.lacking = judge, False

    def ask(self, calls: Sequence[Call]) -> list[Verdict]:
        """Return the judge's verdicts, or none."""
        if isinstance(self.judge, ReplayingJudge) and self.judge.lacks(calls):
            self.lacking = True
            return [Verdict(None, reason="not in the replay", passing=True)] * len(calls)
        return self.judge.ask(calls)

    def identity(self, keys: Collection[str] = ()) -> dict[str, str]:
        """Return what the judge says of itself."""
        return self.judge.identity(keys)


def _without_verdict(scorer: JudgedScorer, item: Scorable) -> list[str]:
    """Return the columns in which the judge has no verdict on an item, and would have none the next time either."""
    gaps = scorer.gaps(item).items()
    return [name for name, gap in gaps if gap.reason.startswith(NO_VERDICT) and (gap.unanswered or gap.unjudgeable)]


def _told_apart(
    column: Column, controls: Sequence[Controls], values: dict[str, dict[str, float]]
) -> Qualification | None:
    """Return what the controls come to in a column; None where it applies to fewer than `FEWEST` of a kind.

    A control without a verdict (NaN) is not told apart from any, and counts in neither mean.
    """

    def of(items: Iterable[Scorable]) -> list[float]:
        return [values[item.key][column.name] for item in items if column.name in values[item.key]]

    right, wrong = [of([one.right]) for one in controls], [of(one.wrong) for one in controls]
    changed = _with_verdict(of(one.changed for one in controls if one.changed))
    if min(sum(map(len, right)), sum(map(len, wrong))) < FEWEST:
        return None
    sign = 1.0 if column.higher_is_better else -1.0
    apart = separation(*([[sign * one for one in some] for some in kind] for kind in (right, wrong)), seed=SEED)
    ceiling, floor = (_with_verdict(chain.from_iterable(kind)) for kind in (right, wrong))
    return Qualification(
        n=len(ceiling),
        ceiling=fmean(ceiling or [column.worst]),
        floor=fmean(floor or [column.worst]),
        changed=fmean(changed) if changed else None,
        auc=apart.mean,
        interval=apart.interval,
    )


def _with_verdict(values: Iterable[float]) -> list[float]:
    return [value for value in values if not math.isnan(value)]
