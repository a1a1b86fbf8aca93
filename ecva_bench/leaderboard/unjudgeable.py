"""Samples of which no answer can be judged: one run finds them, and they count for none of the runs beside it.

A judge that gives no verdict on an answer is asked about the reference. Where it gives none on that either, the answer
is not to blame, and another model's verdict on the same sample would be a gain or a loss that the first could not have.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from ..records.annotations import question_of, sample_parts
from ..records.base import View
from ..records.scores import Scores, ScoresHeader, Summary, settings_of
from ..records.twins import original_of
from ..records.verdicts import UNJUDGEABLE
from ..statistics.intervals import bootstrap_interval, mean_of
from ..wording import counted
from .submission import Entry, Submission, place_of
from .values import sample_strata, sample_values

_IDS_SHOWN = 3

_Way = tuple[str, tuple[str, ...]]  # a column and how it was made


def on_the_same(runs: Sequence[Submission], task: str, view: View) -> list[Submission]:
    """Return submissions over the same samples of a task, without what in one of them no answer can be judged of.

    Only columns that were made alike, and verified where verification was tried, say it of the others. It is left out
    of the other views too. Runs of which nothing is left out are returned as they are.
    """
    found: dict[_Way, set[str]] = defaultdict(set)
    for run in runs:
        for entry in run.entries:
            if (entry.task, entry.view) == (task, view):
                for one in entry.summaries:
                    if run.verification is None or run.verification.covers(one.column):
                        found[_way(one)].update(one.unjudgeable)
    if not any(found.values()):
        return list(runs)
    return [
        run.model_copy(
            update={"entries": tuple(_less(one, found, run.scores) if one.task == task else one for one in run.entries)}
        )
        for run in runs
    ]


def both_on_the_same(*, base: Scores, new: Scores) -> tuple[Scores, Scores]:
    """Return two scored runs without what in either of them no answer to the full video can be judged of."""
    found: dict[tuple[str, _Way], set[str]] = defaultdict(set)
    for scores in (base, new):
        for one in scores.summaries:
            if one.view == "full":
                found[one.task, _way(one)].update(one.unjudgeable)
    if not any(found.values()):
        return base, new
    first, second = (
        scores.model_copy(
            update={
                "summaries": tuple(
                    _summary_less(scores, one, found[one.task, _way(one)]) if one.view == "full" else one
                    for one in scores.summaries
                )
            }
        )
        for scores in (base, new)
    )
    return first, second


def unjudgeable_texts(columns: Iterable[tuple[str, Summary]]) -> list[str]:
    """Return a line for each set of samples that are left out of columns, by the names given for these."""
    left: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name, summary in columns:
        if summary.unjudgeable and name not in left[summary.unjudgeable]:
            left[summary.unjudgeable].append(name)
    why = "the judge gives no verdict on the reference either"
    return [
        f"unscorable for all runs, for {why}: {counted(len(ids), 'sample')} "
        f"({', '.join(ids[:_IDS_SHOWN])}{', …' if len(ids) > _IDS_SHOWN else ''}) of {', '.join(names)}"
        for ids, names in left.items()
        if ids
    ]


def _way(summary: Summary) -> _Way:
    return summary.column, settings_of(summary.signature)


def _less(entry: Entry, found: Mapping[_Way, Collection[str]], made: ScoresHeader) -> Entry:
    """Return an entry in which these samples, by column, count in no mean."""
    places = {way: set(map(place_of, ids)) for way, ids in found.items()}
    values, summaries = dict(entry.values), []
    absent = set(map(place_of, entry.coverage.absent))
    for one in entry.summaries:
        out = places.get(_way(one)) or set()
        before = values.get(one.column, {})
        values[one.column] = {place: value for place, value in before.items() if place not in out}
        clusters = [original_of(entry.video_of(place)) for place in values[one.column]]
        scored = len(out & before.keys() - absent)
        summaries.append(
            _changed(one, found[_way(one)], values[one.column], clusters, entry.strata, scored, made) if out else one
        )
    return entry.model_copy(update={"values": values, "summaries": tuple(summaries)})


def _summary_less(scores: Scores, summary: Summary, ids: Collection[str]) -> Summary:
    """Return a summary in which these samples count in no mean."""
    if not ids:
        return summary
    values = {sample: value for sample, value in sample_values(scores, summary).items() if sample not in ids}
    videos = {question_of(score.id): score.video for score in scores.scores}
    clusters = [original_of(videos.get(sample) or sample_parts(sample).video) for sample in values]
    place = (summary.task, summary.view, summary.scorer)
    scored = {
        question
        for score in scores.scores
        if (score.task, score.view, score.scorer) == place and summary.column in score.values
        if (question := question_of(score.id)) in ids
    }
    return _changed(summary, ids, values, clusters, sample_strata(scores, summary), len(scored), scores.header)


def _changed(
    summary: Summary,
    ids: Collection[str],
    values: Mapping[str, float],
    clusters: Sequence[str],
    strata: Mapping[str, str],
    scored: int,
    made: ScoresHeader,
) -> Summary:
    """Return a summary over the values left, by sample or video, less `scored` samples that had a verdict.

    The interval is drawn as the scores `made` theirs: with the same seed, as often.
    """
    numbers = list(values.values())
    own = [strata.get(place, "") for place in values] if summary.balanced else []
    gaps, stability = _judgeable(summary.gaps), summary.stability
    return summary.model_copy(
        update={
            "unjudgeable": tuple(sorted(ids)),
            "n": summary.n - min(scored, summary.n),
            "unscored": sum(gaps.values()),
            "gaps": gaps,
            "stability": stability and stability.model_copy(update={"gaps": _judgeable(stability.gaps)}),
            "zero_filled": (mean := mean_of(numbers, own)),
            "zero_filled_interval": None
            if mean is None
            else bootstrap_interval(numbers, clusters, strata=own, seed=made.seed, draws=made.draws),
        }
    )


def _judgeable(gaps: Mapping[str, int]) -> dict[str, int]:
    return {reason: count for reason, count in gaps.items() if not reason.endswith(UNJUDGEABLE)}
