"""From results to scores: every scorer on every task and view, each mean with its interval and its floor.

Knows how item values become a mean and how sure it is; knows no metric and no file. Nothing is averaged in
silence: a sample without an answer is counted, and the mean with such samples as 0 stands beside the mean over
what was answered.
"""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import chain

from .. import registry
from ..errors import ScoringError, UsageError
from ..judging import Judge, JudgePrompt
from ..reading.text import final_answer
from ..reading.units import TimeUnit
from ..records import Moment
from ..records.annotations import NO_MOMENTS, sample_parts
from ..records.answers import Answer, Results
from ..records.base import LeanRecords, canonical_json
from ..records.scores import Aggregate, Score, Scores, ScoresHeader, Summary
from ..records.twins import original_of
from ..statistics.intervals import DRAWS, balanced_mean, bootstrap_interval
from ..tasks import TASKS, find_tasks
from ..untrusted import parse_json
from ..version import __version__
from .checks import check_distinct, checked_gaps, checked_summary, checked_values
from .join import AnswerGroup, group_answers
from .protocol import ANOMEVAL, AnomEvalSettings, ModelSettings, Protocol, get_protocol
from .readings import ReadingScorer
from .scorer import (
    Column,
    Gap,
    Scorable,
    Scorer,
    ScorerSource,
    ScoringProgress,
    available,
    get_scorer,
    needs_judge,
    silent,
)
from .second_reader import SecondReader
from .severity import PseudoReference, Severity
from .timestamp import Timestamp

_HASH_SHOWN = 16  # characters: enough to tell the files of one video apart
# Run beside a task's own scorers where there is a judge.
JUDGED = ("anomeval", "gpt", "twins-judge")


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
    models: Mapping[str, ModelSettings] | None = None,
    seed: int = 0,
    draws: int = DRAWS,
    progress: ScoringProgress = silent,
) -> Scores:
    """Score the answers of a run.

    `scorers` are names, classes or instances, ("all",) for every installed one, or None for those the tasks name and,
    with a `judge`, `JUDGED`. "all" leaves out those that cannot be computed here (no judge; no weights on this machine
    and none named in `models`), and the header says why. `tasks` restricts the tasks. Bare numbers in timestamp answers
    are read in `timestamp_unit`, else in the unit the run's prompt asked for; `anomeval` says how AnomEval is put
    together, `judge_prompts` stand in for packaged ones of the same id, and `models` says by scorer which weights
    metrics that are networks run on. A `reader` is a judge that reads classes and spans where the rules could not. The
    same answers in any order give the same scores. Raises `UsageError` for an unknown name or a request that leaves
    nothing to score, `ScoringError` for a scorer that does not give what it says, and `BudgetExhausted` where the
    judge's budget ends: asked again, it goes on from there.
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
    left_out: dict[str, str] = {}
    if scorers is not None and list(scorers) == ["all"]:
        left_out = _not_to_be_had(rules, judge)
        scorers = [name for name in available() if name not in left_out]
    chosen = _choose(scorers, groups, rules, judge)
    _equip(chosen, results, progress, SecondReader(reader, rules) if reader is not None else None)
    if not any(chosen.values()):
        raise UsageError("nothing to score", results.source, "choose tasks and scorers that fit these answers")
    found = _Found(seed, draws)
    for group in groups:
        found.compute(chosen[group.task], group)
    return Scores(
        header=_header(results, protocol, rules, chosen, seed=seed, draws=draws, left_out=left_out),
        coverage=tuple(group.coverage() for group in groups),
        summaries=tuple(found.summaries),
        aggregates=tuple(found.aggregates),
        scores=tuple(found.scores),
    )


def _header(
    results: Results,
    protocol: str,
    rules: Protocol,
    chosen: Mapping[str, Sequence[Scorer]],
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
        served=tuple(sorted({answer.served for answer in results.answers} - {""})),
        packages=results.packages,
        libraries={name: (version,) for found in ran_on for name, version in sorted(found.items())},
        videos=_videos(results),
        lacking=results.lacking,
        imported="imported" in results.spec,
        corrected=len({(doubt.id, doubt.view) for doubt in results.doubts if doubt.kind == "annotation"}),
        repaired=results.repaired,
    )


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


def rotate_references(batch: Sequence[Scorable], *, seed: int, stretch: bool = False) -> list[Scorable]:
    """Return the items, each with the reference of another: what a metric gives to answers about other videos.

    `stretch`: the other's times are brought to the item's duration; it needs all durations.
    """
    order = list(range(len(batch)))
    random.Random(seed).shuffle(order)
    rotated = list(batch)
    for place, following in zip(order, order[1:] + order[:1], strict=True):
        other = batch[following]
        ratio = (batch[place].duration or 1.0) / (other.duration or 1.0) if stretch else 1.0
        rotated[place] = replace(
            batch[place],
            reference=other.reference,
            key_sentences=other.key_sentences,
            moments=_stretched(other.moments, ratio) if stretch else other.moments,
            label=other.label,
            options=other.options,
            curve=tuple((seconds * ratio, importance) for seconds, importance in other.curve),
        )
    return rotated


def _stretched(moments: Sequence[Moment], ratio: float) -> tuple[Moment, ...]:
    return tuple(Moment(start=moment.start * ratio, end=moment.end * ratio) for moment in moments)


def unit_asked_for(results: Results) -> TimeUnit | None:
    """Return the unit a run asked for times in: all versions of our prompts ask for seconds, else None."""
    prompts = results.spec.get("prompts", {})
    asked = [prompts[task.name].get("id", "") for task in TASKS.values() if task.unit and task.name in prompts]
    return "seconds" if asked and all(prompt.startswith("ours/") for prompt in asked) else None


def _not_to_be_had(rules: Protocol, judge: Judge | None) -> dict[str, str]:
    """Return why scorers cannot be used. One whose weights were named is wanted: what it lacks is an error later."""
    found = {}
    for name in available():
        if needs_judge(name):
            reason = "needs a judge: name one with --judge" if judge is None else None
        else:
            reason = None if name in rules.models else get_scorer(name, rules).unavailable()
        if reason:
            found[name] = reason
    return found


def _choose(
    names: Sequence[ScorerSource] | None, groups: Sequence[AnswerGroup], protocol: Protocol, judge: Judge | None
) -> dict[str, list[Scorer]]:
    """Return the scorers to run on each task: those that take answers to it about any of its videos."""
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


def offer_none(chosen: Mapping[str, Sequence[Scorer]], results: Results) -> None:
    """Tell scorers of times that `none` is an answer, where the run's prompt offers it."""
    asked = str(results.spec.get("prompts", {}).get("timestamp", {}).get("id", ""))
    for scorer in chosen.get("timestamp", ()):
        if isinstance(scorer, Timestamp):
            scorer.none_offered = asked.partition(".")[0] == f"ours/{TASKS['timestamp'].or_none}"


def name_references(chosen: Mapping[str, Sequence[Scorer]], results: Results) -> None:
    """Tell scorers of severities what made the importance curves, where a program did; nobody annotated them then."""
    made = results.spec.get("curves")
    if not isinstance(made, dict):
        return
    described = canonical_json([results.model, results.spec.get("model"), results.spec.get("description")])
    for scorer in chosen.get("severity", ()):
        if isinstance(scorer, Severity):
            scorer.reference = PseudoReference(str(made.get("made_by", "")), str(made.get("sha256", "")), described)


def _equip(
    chosen: Mapping[str, Sequence[Scorer]], results: Results, progress: ScoringProgress, second: SecondReader | None
) -> None:
    """Give each scorer the progress to tell and what it must know of the run, and those that read texts the reader."""
    offer_none(chosen, results)
    name_references(chosen, results)
    for scorer in {scorer for named in chosen.values() for scorer in named}:
        scorer.progress = progress
        if isinstance(scorer, ReadingScorer):
            scorer.second = second


class _Found:
    """What scorers found, group by group: the records alone, for all that they are made of would fill the memory."""

    def __init__(self, seed: int, draws: int) -> None:
        self.summaries: list[Summary] = []
        self.aggregates: list[Aggregate] = []
        self.scores: list[Score] = []
        self._seed, self._draws = seed, draws
        self._records = LeanRecords()

    def compute(self, scorers: Sequence[Scorer], group: AnswerGroup) -> None:
        """Add the records of the scorers on one group, as far as they score its view."""
        for scorer in scorers:
            if group.view in scorer.views:
                with registry.no_exit(ScoringError, f"scorer {scorer.name!r}"):
                    part = _Part(scorer, group, self._seed, self._draws)
                    self.summaries += part.summaries()
                    self.aggregates += part.aggregates()
                    self.scores += map(self._records.lean, part.scores())


class _Part:
    """One scorer on one group: the items, their values, and what they come to."""

    def __init__(self, scorer: Scorer, group: AnswerGroup, seed: int, draws: int) -> None:
        self.scorer, self.group, self.seed, self.draws = scorer, group, seed, draws
        self.items = [self._item(answer) for answer in group.answers if scorer.counts(answer.video)]
        self.absent = [sample for sample in group.absent if scorer.counts(sample_parts(sample).video)]
        self.obstacles = {item.id: reason for item in self.items if (reason := scorer.obstacle(item))}
        self.batch = [item for item in self.items if item.id not in self.obstacles]
        self.absent_strata = self._absent_strata()
        self.values = self._of_several_strata(checked_values(scorer, self.batch))
        self.gaps = {item.id: _gaps(scorer, item, value) for item, value in zip(self.batch, self.values, strict=True)}
        rotates = len(self.batch) > 1 and scorer.has_floor and not scorer.needs_judge
        self._rotated = rotate_references(self.batch, seed=seed, stretch=scorer.stretches) if rotates else []
        self.floor = checked_values(scorer, self._rotated)

    def _item(self, answer: Answer) -> Scorable:
        clean = final_answer if self.scorer.protocol.strip_special_tokens else str
        others = self.group.others(answer)
        texts = {view: clean(other.answer) if other else None for view, other in others.items()}
        impossible = self.group.impossible.get(answer.id, {})
        twins = {
            video: Scorable.of(twin, candidate=clean(twin.answer)) if twin else None
            for video, twin in self.group.twins(answer).items()
        }
        return Scorable.of(answer, candidate=clean(answer.answer), others=texts, impossible=impossible, twins=twins)

    def _absent_strata(self) -> dict[str, str]:
        """Return the strata of the samples without an answer, as far as the run says what is annotated of them."""
        known = [(sample, self.group.references.get(sample, "")) for sample in self.absent]
        place = (self.group.task, self.group.view)
        return {
            sample: self.scorer.stratum(
                Scorable("", sample, sample_parts(sample).video, *place, candidate="", reference=reference)
            )
            for sample, reference in known
            if reference
        }

    def _of_several_strata(self, values: list[dict[str, float]]) -> list[dict[str, float]]:
        """Return values without the balanced columns, where all samples are of one stratum: nothing is to balance."""
        if len({*map(self.scorer.stratum, self.batch), *self.absent_strata.values()} - {""}) > 1:
            return values
        balanced = {column.name for column in self.scorer.columns if column.balanced}
        return [{name: one for name, one in own.items() if name not in balanced} for own in values]

    def scores(self) -> Iterator[Score]:
        """Yield a record per answer, scored or not."""
        values = {item.id: value for item, value in zip(self.batch, self.values, strict=True)}
        return (self._score(item, values.get(item.id, {})) for item in self.items)

    def _score(self, item: Scorable, values: dict[str, float]) -> Score:
        found = self.gaps.get(item.id, {})
        gaps = {column: gap.reason for column, gap in found.items()}
        judged = {} if item.id in self.obstacles else dict(self.scorer.parts(item))
        reason = self.obstacles.get(item.id) or ("" if values else "; ".join(dict.fromkeys(gaps.values())))
        return Score(
            key=item.key,
            id=item.id,
            video=item.video,
            task=self.group.task,
            view=self.group.view,
            scorer=self.scorer.name,
            status="unscored" if reason else "ok",
            reason=reason,
            values=values,
            gaps=gaps,
            unanswered=tuple(column for column, gap in found.items() if gap.unanswered),
            stratum=self.scorer.stratum(item),
            parts=judged,
            reading=None if item.id in self.obstacles else self.scorer.reading(item),
        )

    def summaries(self) -> list[Summary]:
        """Return a record per column."""
        reasons = dict(sorted(Counter(self.obstacles.values()).items()))
        columns = [c for c in self.scorer.columns if not c.optional or any(c.name in value for value in self.values)]
        return [self._summary(column, reasons) for column in columns]

    def _summary(self, column: Column, reasons: dict[str, int]) -> Summary:
        name = column.name
        scored = [
            (v[name], original_of(item.video)) for item, v in zip(self.batch, self.values, strict=True) if name in v
        ]
        values, videos = [value for value, _ in scored], [video for _, video in scored]
        strata = self._strata(column)
        interval = self._interval(values, videos, strata)
        gaps = [(item, gap) for item in self.batch if (gap := self.gaps[item.id].get(name))]
        exempt = self._exempt(name)
        owing = [sample for sample in self.absent if sample not in exempt]
        unanswered = [item for item, gap in gaps if gap.unanswered]
        absent = [original_of(sample_parts(sample).video) for sample in owing]
        absent += [original_of(item.video) for item in unanswered]
        filled = values + [column.worst] * len(absent)
        of_absent = {sample: self.absent_strata[sample] for sample in owing if sample in self.absent_strata}
        if column.balanced:
            own = [self.absent_strata.get(sample, "") for sample in owing]
            filled_strata = strata + own + [self.scorer.stratum(item) for item in unanswered]
        else:
            filled_strata, of_absent = [], {}
        if not values and not all(gap.unanswered or item.id in exempt for item, gap in gaps):
            filled, absent, filled_strata, of_absent = [], [], [], {}  # what is missing alone is no mean
        return Summary(
            task=self.group.task,
            view=self.group.view,
            scorer=self.scorer.name,
            column=name,
            signature=self.scorer.signature(),
            unit=column.unit,
            decimals=column.decimals,
            higher_is_better=column.higher_is_better,
            worst=column.worst,
            n=len(values),
            expected=len(self.batch) + len(self.absent) - len(exempt),
            unscored=len(gaps),
            gaps=dict(sorted(Counter(gap.reason for _, gap in gaps).items())),
            exempt=exempt,
            unscorable=len(self.obstacles),
            reasons=reasons,
            mean=_mean(values, strata),
            interval=interval,
            zero_filled=_mean(filled, filled_strata),
            zero_filled_interval=self._interval(filled, videos + absent, filled_strata) if absent else interval,
            floor=_mean([value[name] for value in self.floor if name in value], self._strata(column, floor=True)),
            hits=round(sum(values)) if column.binary and not column.balanced else None,
            balanced=column.balanced,
            absent_strata=of_absent,
        )

    def _strata(self, column: Column, *, floor: bool = False) -> list[str]:
        """Return the strata of the items that have a value in a balanced column; none of another."""
        items, values = (self._rotated, self.floor) if floor else (self.batch, self.values)
        pairs = zip(items, values, strict=True) if column.balanced else ()
        return [self.scorer.stratum(item) for item, value in pairs if column.name in value]

    def _exempt(self, column: str) -> tuple[str, ...]:
        """Return the samples nobody has a value of in a column, for the edited view that it needs cannot be made."""
        view = self.scorer.needs.get(column)
        samples = (*(item.id for item in self.batch), *self.absent)
        return tuple(sorted(sample for sample in samples if view in self.group.impossible.get(sample, {})))

    def _interval(self, values: list[float], videos: list[str], strata: list[str]) -> tuple[float, float] | None:
        if strata and balanced_mean(values, strata) is None:
            return None
        return bootstrap_interval(values, videos, strata=strata, seed=self.seed, draws=self.draws)

    def aggregates(self) -> list[Aggregate]:
        """Return a record per number the scorer gives over all items; none where no item was scored."""
        values = checked_summary(self.scorer, self.batch, self.values) if self.batch else {}
        return [
            Aggregate(
                task=self.group.task,
                view=self.group.view,
                scorer=self.scorer.name,
                column=column.name,
                signature=self.scorer.signature(),
                description=column.description,
                unit=column.unit,
                decimals=column.decimals,
                value=values[column.name],
                blind=column.blind,
            )
            for column in self.scorer.aggregates
            if column.name in values
        ]


def _gaps(scorer: Scorer, item: Scorable, values: dict[str, float]) -> dict[str, Gap]:
    """Return a reason for every column without a value; an optional one may be left out without."""
    known = checked_gaps(scorer, item)
    lacking = [c for c in scorer.columns if c.name not in values and (c.name in known or not c.optional)]
    alike = Gap(f"all samples are of one class ({scorer.stratum(item)}), and nothing is to be balanced")
    nothing = Gap("the scorer gave no value")
    return {column.name: known.get(column.name, alike if column.balanced else nothing) for column in lacking}


def _mean(values: Sequence[float], strata: Sequence[str] = ()) -> float | None:
    if strata:
        return balanced_mean(values, strata)
    return math.fsum(values) / len(values) if values else None
