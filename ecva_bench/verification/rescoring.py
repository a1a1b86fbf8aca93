"""Submissions scored again: from the answers and the judge's calls that they name, by the data set's own annotation.

What cannot be computed here is as stated; what is computed and differs is a contradiction.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from ..data import Dataset
from ..errors import ResultsError
from ..journal.results import read_results
from ..judging import Judge, open_judge
from ..judging.judge import LanguageJudge
from ..judging.panel import Panel, panel_of
from ..judging.replays import replayed_judge
from ..leaderboard.submission import Entry, Submission, submission
from ..leaderboard.verified import Verification
from ..records.answers import Results
from ..records.scores import Summary, settings_of, signature_parts
from ..scoring.factory import get_scorer
from ..scoring.neural import NeuralScorer
from ..scoring.protocol import AnomEvalSettings, get_protocol
from ..scoring.score import score_results
from ..scoring.scorer import Scorer
from ..scoring.unseen import without_videos
from .examining import check_answers, examined
from .keys import Keys
from .rows import Contradiction, check_row, metrics_here

_ROUNDED = 1e-6  # a submission's values have so many decimals
_OF_A_NETWORK = 1e-3  # that its numbers may differ on other hardware
_OF_RUN = (
    "name", "model", "baseline", "dataset", "dataset_sha256", "prompts", "served", "packages", "lacking", "imported",
    "repaired", "trained_on",
)  # fmt: skip


def verify(
    found: Submission, where: Path, *, answers: Path | None, calls: Path | None = None, dataset: Dataset | None = None
) -> Verification:
    """Return how far the scores of a submission could be computed again.

    `answers` is its results file, by its hash, and `calls` its judge's export, where they are at hand; `dataset` is
    its data set. Raises `ResultsError` with the first contradiction: of the submission with itself, of its answers with
    the data set, or of its scores with those computed from the answers; and `JudgeError` for calls that cannot be read.
    """
    check_row(found, where, dataset)
    if answers is None:
        return Verification(status="as stated", why=f"no answers with the hash {found.scores.results_sha256[:12]}")
    if dataset is None:
        return Verification(status="as stated", why=f"the data set {found.dataset} is not at hand: name it with --data")
    results = examined(read_results(answers), dataset)
    if results.sha256 != found.scores.results_sha256:
        raise ResultsError("the answers are not those of the submission", answers, "submit the run again")
    check_answers(results)
    if unknown := Keys(results, None).unknown:
        return Verification(status="as stated", why=unknown)
    here = metrics_here(found)
    with _replayed(calls, found) as judge:
        again, but_for = _scored_again(found, results, judge, here)
    networks = {name for name, kind in here.items() if issubclass(kind, NeuralScorer)}
    for one in _differences(found, again, but_for, networks):
        remedy = "score the answers again and submit them"
        raise ResultsError(f"the scores are not those of the answers: {one}", where, remedy)
    columns = [summary.column for entry in found.entries for summary in entry.summaries]
    left = tuple(dict.fromkeys(column for column in columns if column in but_for))
    if set(columns) <= set(left):
        return Verification(status="as stated", why=next(iter(but_for.values()), "it has no scores"))
    return Verification(status="verified", but_for=left, why=next((but_for[one] for one in left), ""))


def _replayed(calls: Path | None, found: Submission) -> AbstractContextManager[Judge | None]:
    """Return the judge of an export; of several, the one that the submission's signatures name."""
    if calls is None:
        return nullcontext()
    signatures = {summary.signature for entry in found.entries for summary in entry.summaries}
    named = {name for one in signatures for part in one.split("|") if (name := part.removeprefix("judge:")) != part}
    members = next(iter(named)).split(",") if len(named) == 1 else []
    if len(members) > 1:
        return panel_of(_replay(calls, name.removeprefix("openai:")) for name in members)
    return _replay(calls, members[0].removeprefix("openai:") if members else None)


def _replay(calls: Path, model: str | None) -> LanguageJudge:
    judge = replayed_judge(calls, model)
    return open_judge(judge.model, votes=judge.votes, max_tokens=judge.max_tokens, extras=judge.extras, replay=calls)


def _not_in_replay(judge: Judge | None) -> int:
    """Return how many calls of a judge, or of a panel's members, the export lacks."""
    members = judge.members if isinstance(judge, Panel) else (judge,)
    return sum(one.usage.not_in_replay for one in members if isinstance(one, LanguageJudge))


def _scored_again(
    found: Submission, results: Results, judge: Judge | None, here: Mapping[str, type[Scorer]]
) -> tuple[Submission, dict[str, str]]:
    """Return the submission as its answers give it, and why columns could not be computed, by column."""
    header, settings = found.scores, found.scores.settings
    if header.unseen_only is not None:
        results = without_videos(results, header.unseen_only)
    scorers = {summary.scorer: summary for entry in found.entries for summary in entry.summaries}
    lacking = {name: why for name, one in scorers.items() if (why := _obstacle(one, here.get(name), settings, judge))}
    if "curves" in results.spec and "severity" in scorers:
        lacking["severity"] = "its importance curves are of a file, and not of the data set"
    usable = [name for name in scorers if name not in lacking]
    reads = any("|read-with:" in summary.signature for summary in scorers.values())
    scores = None
    if usable:
        scores = score_results(
            results,
            scorers=usable,
            tasks=sorted({entry.task for entry in found.entries}),
            protocol=header.protocol,
            timestamp_unit=settings.get("timestamp_unit"),
            anomeval=_anomeval(settings.get("anomeval") or {}),
            judge=judge,
            qualify=True,
            reader=judge if reads else None,
            seed=header.seed,
            draws=header.draws,
        )
    if absent := _not_in_replay(judge):
        judged = [name for name in usable if here[name].needs_judge]
        lacking |= dict.fromkeys(judged, f"the judge's export lacks {absent} of its calls")
    but_for = {
        summary.column: lacking[summary.scorer]
        for entry in found.entries
        for summary in entry.summaries
        if summary.scorer in lacking
    }
    again = submission(scores, results, hardware=found.hardware, usd=found.usd) if scores else found
    return again, but_for | _made_otherwise(found, again)


def _made_otherwise(found: Submission, again: Submission) -> dict[str, str]:
    """Return by column how it was computed, where that is not as the metric is computed here: in another version."""
    here = {(one.task, one.view, one.column): one for entry in again.entries for one in entry.summaries}
    ways = {}
    for entry in found.entries:
        for summary in entry.summaries:
            same = here.get((summary.task, summary.view, summary.column), summary)
            settings = [settings_of(one.signature) for one in (summary, same)]
            other_parts = signature_parts(summary.signature) != signature_parts(same.signature)
            if settings[0] != settings[1] or (other_parts and not _equal(summary.mean, same.mean, _ROUNDED)):
                ways[summary.column] = f"{summary.column} was made as {summary.signature}, here as {same.signature}"
            elif summary.qualification and not same.qualification:
                ways[summary.column] = "the judge's export lacks the controls by which it qualified"
    return ways


def _obstacle(summary: Summary, kind: type[Scorer] | None, settings: Mapping[str, Any], judge: Judge | None) -> str:
    """Return why a metric cannot be computed here; empty where it can."""
    name = summary.scorer
    if kind is None:
        return f"the metric {name} is not installed here"
    if judge is None and (kind.needs_judge or "|read-with:" in summary.signature):
        return "no export of the judge's calls"
    if kind.needs_judge and settings.get("judge_prompts"):
        return "the judge was asked with prompts of the submitter's"
    if issubclass(kind, NeuralScorer):
        if name in settings.get("models", {}):
            return f"{name} ran on weights that the submitter named"
        return get_scorer(name, get_protocol("standard")).unavailable() or ""
    return ""


def _anomeval(settings: Mapping[str, Any]) -> AnomEvalSettings:
    weights = {"weights": tuple(settings["weights"])} if "weights" in settings else {}
    try:
        return AnomEvalSettings(**{**settings, **weights})
    except TypeError as error:
        raise ResultsError(f"these are no settings of AnomEval ({error})", remedy="submit the run again") from None


def _differences(
    found: Submission, again: Submission, but_for: Collection[str], networks: Collection[str]
) -> Iterator[Contradiction]:
    """Yield where a submission says something else than its answers give, but for columns not computed."""
    for name in _OF_RUN:
        yield from _other(name, getattr(found.scores, name), getattr(again.scores, name))
    if found.scores.videos:  # of an older version, it does not say
        yield from _other("videos", found.scores.videos, again.scores.videos)
    yield from _other("sealed_answers", found.sealed_answers, again.sealed_answers)
    for name in dict.fromkeys([*found.spec, *again.spec]):
        yield from _other(f"{name} of the run", found.spec.get(name), again.spec.get(name))
    for video in dict.fromkeys([*found.classes, *again.classes]):
        yield from _other(f"class of {video}", found.classes.get(video), again.classes.get(video))
    there = {(entry.task, entry.view): entry for entry in again.entries}
    for entry in found.entries:
        name = f"{entry.task} ({entry.view})"
        right = there.get((entry.task, entry.view))
        if right is None:
            yield Contradiction(f"answers of {name}", "scored", "none in the results file")
            continue
        for one in _of_entry(entry, right, but_for, networks):
            yield one._replace(field=f"{one.field} of {name}")


def _of_entry(
    entry: Entry, right: Entry, but_for: Collection[str], networks: Collection[str]
) -> Iterator[Contradiction]:
    for name in type(entry.coverage).model_fields:
        yield from _other(name, getattr(entry.coverage, name), getattr(right.coverage, name))
    yield from _other("strata", entry.strata, right.strata)
    yield from _other("answers_sha256", entry.answers_sha256, right.answers_sha256)
    for name in ("seconds", "words", "frames"):
        yield from _other(name, getattr(entry.effort, name), getattr(right.effort, name))
    summaries = {summary.column: summary for summary in right.summaries}
    for summary in entry.summaries:
        if summary.column in but_for:
            continue
        if summary.column not in summaries:
            yield Contradiction("the column", summary.column, "none that its metric gives")
            continue
        tolerance = _OF_A_NETWORK if summary.scorer in networks else _ROUNDED
        for one in _of_column(entry, right, summary, summaries[summary.column], tolerance):
            yield one._replace(field=f"{one.field} of {summary.column}")
    aggregates = {(one.scorer, one.column): one for one in right.aggregates}
    computed_here = {summary.scorer for summary in right.summaries if summary.column not in but_for}
    for aggregate in entry.aggregates:
        if aggregate.scorer in computed_here:
            same = aggregates.get((aggregate.scorer, aggregate.column))
            yield from _other(aggregate.column, aggregate.value, same.value if same else None)


def _of_column(
    entry: Entry, right: Entry, summary: Summary, computed: Summary, tolerance: float
) -> Iterator[Contradiction]:
    values, recomputed = entry.values[summary.column], right.values[summary.column]
    for place in dict.fromkeys([*values, *recomputed]):
        yield from _other(f"value of {place}", values.get(place), recomputed.get(place), tolerance)
    for name in type(summary).model_fields:
        if name != "signature":
            yield from _other(name, getattr(summary, name), getattr(computed, name), tolerance)
    yield from _other("whether the judge qualified", not summary.disqualified, not computed.disqualified)


def _other(name: str, stated: object, right: object, tolerance: float = _ROUNDED) -> Iterator[Contradiction]:
    if not _equal(stated, right, tolerance):
        yield Contradiction(name, stated, right)


def _equal(stated: object, right: object, tolerance: float) -> bool:
    if isinstance(stated, float) and isinstance(right, float):
        return math.isclose(stated, right, abs_tol=tolerance)
    if isinstance(stated, tuple | list) and isinstance(right, tuple | list):
        return len(stated) == len(right) and all(map(_equal, stated, right, [tolerance] * len(right)))
    return stated == right
