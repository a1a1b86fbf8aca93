"""From results to scores: every scorer on every task and view, and a header that says how the scores were made.

Knows neither a metric nor a file.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

from .. import registry
from ..errors import ScoringError, UsageError
from ..judging import Judge, JudgePrompt
from ..reading.units import TimeUnit
from ..records.answers import Results
from ..records.base import LeanRecords, canonical_json
from ..records.scores import Aggregate, Coverage, Score, Scores, ScoresHeader, Summary
from ..records.training import TrainedShare
from ..statistics.intervals import DRAWS
from ..tasks import find_tasks
from ..untrusted import parse_json
from ..version import __version__
from .choosing import choose_scorers, not_computable
from .factory import available
from .join import AnswerGroup, group_answers
from .protocol import ANOMEVAL, AnomEvalSettings, ModelSettings, Protocol, get_protocol
from .qualification import ask_controls
from .run_facts import equip, unit_asked_for
from .scored_group import ScoredGroup
from .scorer import Scorer, ScorerSource, ScoringProgress, silent
from .second_reader import SecondReader

_HASH_SHOWN = 16  # characters: enough to tell the files of one video apart


def score_results(
    results: Results,
    *,
    scorers: Sequence[ScorerSource] | None = None,
    tasks: Sequence[str] = (),
    protocol: str = "standard",
    timestamp_unit: TimeUnit | None = None,
    anomeval: AnomEvalSettings = ANOMEVAL["paper"],
    judge: Judge | None = None,
    judge_prompts: Sequence[JudgePrompt] = (),
    reader: Judge | None = None,
    qualify: bool = False,
    models: Mapping[str, ModelSettings] | None = None,
    seed: int = 0,
    draws: int = DRAWS,
    progress: ScoringProgress = silent,
) -> Scores:
    """Score the answers of a run.

    `scorers` are names, classes or instances, ("all",) for every installed one, or None for those the tasks name and,
    with a `judge`, `JUDGED`. "all" leaves out those that cannot be computed here (no judge; no weights), and the header
    says why. Bare numbers in timestamp answers are read in `timestamp_unit`, else in the unit the run's prompt asked
    for; `anomeval` says how AnomEval is put together, `judge_prompts` stand in for packaged ones of the same id, and
    `models` says by scorer which weights networks run on. A `reader` is a judge that reads classes and spans where the
    rules could not. With `qualify`, the judge is first asked about answers known to be right or wrong, and its columns
    say the outcome. The same answers in any order give the same scores. Raises `UsageError` for an unknown name or a
    request that leaves nothing to score, `ScoringError` for a scorer that does not give what it says, and
    `BudgetExhausted` where the judge's budget ends: asked again, it goes on from there.
    """
    rules = replace(
        get_protocol(protocol),
        timestamp_unit=timestamp_unit or unit_asked_for(results),
        anomeval=anomeval,
        judge_prompts=tuple(judge_prompts),
        models=dict(models or {}),
    )
    wanted = {task.name for task in find_tasks(tasks)}
    groups = [
        one for one in group_answers(results, include_extra=rules.include_extra) if one.task in wanted or not tasks
    ]
    every = scorers is not None and list(scorers) == ["all"]
    left_out = not_computable(rules, judge) if every else {}
    named = [name for name in available() if name not in left_out] if every else scorers
    chosen = choose_scorers(named, groups, rules, judge)
    equip(chosen, results, progress, SecondReader(reader, rules) if reader is not None else None)
    if not any(chosen.values()):
        raise UsageError("nothing to score", results.source, "choose tasks and scorers that fit these answers")
    if qualify:
        ask_controls(chosen, groups)
    found = _Found(seed, draws, left_out)
    for group in groups:
        found.compute(chosen[group.task], group)
    coverage = tuple(group.coverage() for group in groups)
    return Scores(
        header=_header(results, protocol, rules, chosen, coverage, seed=seed, draws=draws, left_out=found.left_out),
        coverage=coverage,
        summaries=tuple(found.summaries),
        aggregates=tuple(found.aggregates),
        scores=tuple(found.scores),
    )


class _Found:
    """What scorers found, group by group: the records alone, for all that they are made of would fill the memory."""

    def __init__(self, seed: int, draws: int, left_out: Mapping[str, str]) -> None:
        self.summaries: list[Summary] = []
        self.aggregates: list[Aggregate] = []
        self.left_out = dict(left_out)
        self.scores: list[Score] = []
        self._seed, self._draws = seed, draws
        self._records = LeanRecords()

    def compute(self, scorers: Sequence[Scorer], group: AnswerGroup) -> None:
        """Add the records of the scorers on one group, as far as they score its view."""
        for scorer in scorers:
            if group.view in scorer.views:
                with registry.no_exit(ScoringError, f"scorer {scorer.name!r}"):
                    scored = ScoredGroup(scorer, group, self._seed, self._draws)
                    self.summaries += scored.summaries()
                    self.aggregates += scored.aggregates()
                    self.left_out |= scored.left_out()
                    self.scores += map(self._records.lean, scored.scores())


def _header(
    results: Results,
    protocol: str,
    rules: Protocol,
    chosen: Mapping[str, Sequence[Scorer]],
    coverage: Sequence[Coverage],
    *,
    seed: int,
    draws: int,
    left_out: dict[str, str],
) -> ScoresHeader:
    """Return how the scores were made."""
    ran_on = [scorer.libraries() for scorers in chosen.values() for scorer in scorers]
    return ScoresHeader(
        name=results.name,
        results=results.source,
        results_sha256=results.sha256,
        model=results.model,
        baseline=bool(results.spec.get("baseline", False)),
        protocol=protocol,
        settings=parse_json(canonical_json(asdict(rules))),
        seed=seed,
        draws=draws,
        version=__version__,
        left_out=left_out,
        dataset=str(results.spec.get("dataset", {}).get("name", "")),
        dataset_sha256=results.spec.get("dataset", {}).get("sha256", ""),
        prompts=_prompts(results),
        asked_with=_asked_with(results),
        served=tuple(sorted({answer.served for answer in results.answers} - {""})),
        packages=results.packages,
        libraries={name: (version,) for found in ran_on for name, version in sorted(found.items())},
        videos=_videos(results),
        lacking=results.lacking,
        imported="imported" in results.spec,
        corrected=len({(doubt.id, doubt.view) for doubt in results.doubts if doubt.kind == "annotation"}),
        repaired=results.repaired,
        trained_on=_trained_share(results, coverage),
        unseen_only=results.unseen_only,
    )


def _trained_share(results: Results, coverage: Sequence[Coverage]) -> TrainedShare | None:
    """Return on how many of the questions' videos the model was trained; None where that is not known."""
    if (told := results.trained_on) is None:
        return None
    seen = [one for one in told.videos if one not in (results.unseen_only or ())]
    owed = sum(one.owed for one in coverage)
    return TrainedShare(
        questions=sum(one.trained_on for one in coverage),
        of=owed,
        videos=len(seen),
        sha256=told.sha256,
        at_least=told.at_least,
    )


def _asked_with(results: Results) -> dict[str, dict[str, str]]:
    """Return by task what went with its questions as words of their own, as far as the manifest says."""
    description = results.spec.get("description")
    times = description.get("times") if isinstance(description, dict) else None  # the words, where all tasks have them
    of_all = {"times": times} if isinstance(times, str) else {}
    found = {task: of_all | one.get("with", {}) for task, one in results.spec.get("prompts", {}).items()}
    return {task: words for task, words in sorted(found.items()) if words}


def _prompts(results: Results) -> dict[str, tuple[str, ...]]:
    """Return the hashes of the prompts that were asked, by task, sorted; none where they are unknown."""
    asked: dict[str, set[str]] = defaultdict(set)
    for answer in results.answers:
        if answer.prompt_sha256:
            asked[answer.task].add(answer.prompt_sha256)
    return {task: tuple(sorted(hashes)) for task, hashes in sorted(asked.items())}


def _videos(results: Results) -> dict[str, str]:
    """Return the beginnings of the hashes of each video's file, sorted: several where it changed during the run."""
    shown: dict[str, set[str]] = defaultdict(set)
    for answer in results.answers:
        if answer.video_sha256:
            shown[answer.video].add(answer.video_sha256[:_HASH_SHOWN])
    return {video: "+".join(sorted(hashes)) for video, hashes in sorted(shown.items())}
