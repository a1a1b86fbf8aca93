"""Joins answers to the samples that a run owes, by id and never by position, and counts them before any mean.

Knows ids, and no metric.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field, replace
from functools import cached_property

from ..reading.text import final_answer
from ..records.annotations import question_of, sample_parts
from ..records.answers import Answer, Results
from ..records.base import View, sha256_of
from ..records.repeats import Repeats
from ..records.scores import Coverage
from ..records.twins import original_of, twins_of
from .missing import Missing


@dataclass(frozen=True)
class AnswerGroup:
    """The samples of one task and view. `answers` holds at most one per owed sample, ordered by id.

    `absent` are the ids of owed samples without an answer, `failed` those of them with a recorded failure.
    `siblings` are the task's other groups. All counts are of questions, however often each is asked.
    `impossible` says, by question, why other views cannot be made of its video, and `unasked` counts, by reason, the
    questions of which this view cannot. `trained_on` counts those owed about videos that the model was trained on.
    `unanswered` are what empty answers to the absent samples would be, as far as their annotation is known.
    """

    task: str
    view: View
    samples: int
    samples_sha256: str
    answers: tuple[Answer, ...]
    absent: tuple[str, ...]
    failed: frozenset[str]
    extra: int
    duplicates: int
    trained_on: int = 0
    siblings: tuple[AnswerGroup, ...] = ()
    impossible: Mapping[str, Mapping[View, str]] = field(default_factory=dict)
    unanswered: tuple[Answer, ...] = ()
    unasked: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def videos(self) -> frozenset[str]:
        """The videos asked about."""
        return frozenset(sample_parts(sample).video for sample in self._by_id)

    def others(self, answer: Answer) -> dict[View, Answer | None]:
        """Return the answers to the same question on the other views, by view; None where one is owed and missing."""
        return {one.view: one._by_id[answer.id] for one in self.siblings if answer.id in one._by_id}

    def twins(self, answer: Answer) -> dict[str, Answer | None]:
        """Return the answers to the same question on the other videos of its clip, by video; None where missing."""
        asked = answer.id.removeprefix(answer.video)
        others = [other for other in twins_of(original_of(answer.video)) if other != answer.video]
        return {other: self._by_id[other + asked] for other in others if other + asked in self._by_id}

    @cached_property
    def _by_id(self) -> dict[str, Answer | None]:
        return {**dict.fromkeys(self.absent), **{answer.id: answer for answer in self.answers}}

    def coverage(self) -> Coverage:
        """Return how many questions were answered, failed or are missing."""
        answered = {question_of(answer.id) for answer in self.answers}
        absent = {question_of(sample) for sample in self.absent} - answered
        failed = absent & {question_of(sample) for sample in self.failed}
        return Coverage(
            task=self.task,
            view=self.view,
            samples=self.samples,
            samples_sha256=self.samples_sha256,
            owed=len(answered) + len(absent),
            answered=len(answered),
            failed=len(failed),
            missing=len(absent) - len(failed),
            empty=sum(not final_answer(answer.answer) for answer in self.answers),
            cut_off=sum(answer.cut_off for answer in self.answers),
            extra=self.extra,
            duplicates=self.duplicates,
            trained_on=self.trained_on,
            absent=tuple(sorted(absent)),
            unasked=dict(self.unasked),
            repeats=self._repeats(answered),
        )

    @cached_property
    def times_asked(self) -> int:
        """How often a question is asked at most."""
        return 1 + max((sample_parts(sample).repeat for sample in self._by_id), default=0)

    def _repeats(self, answered: Set[str]) -> Repeats | None:
        """Return how many answers there are to questions of which these have any; None where each is asked once."""
        if self.times_asked == 1:
            return None
        return Repeats(
            each=self.times_asked,
            owed=len(self.answers) + len(self.absent),
            answered=len(self.answers),
            absent=tuple(sample for sample in self.absent if question_of(sample) in answered),
        )


def group_answers(results: Results, *, include_extra: bool) -> list[AnswerGroup]:
    """Return the groups of a results file, ordered by task and view.

    Of several answers to one sample the first in the results counts. Answers to samples that are not owed are
    left out; `include_extra` includes them as if they were owed.
    """
    expects: dict[tuple[str, View], set[str]] = defaultdict(set)
    for view, samples in results.expects.items():
        for sample in samples:
            expects[sample_parts(sample).task, view].add(sample)
    given: dict[tuple[str, View], list[Answer]] = defaultdict(list)
    for answer in (*results.answers, *results.extra):
        given[answer.task, answer.view].append(answer)
    failures = {(failure.id, failure.view) for failure in results.failures}
    impossible, unasked = _impossible(results)
    missing = Missing(results)
    trained = set(results.trained_on.videos) if results.trained_on else set()
    groups = []
    for task, view in sorted(expects.keys() | given.keys() | unasked.keys()):
        first: dict[str, Answer] = {}
        for answer in given[task, view]:
            first.setdefault(answer.id, answer)
        owed = expects[task, view]
        extra = first.keys() - owed
        counted = owed | extra if include_extra else owed
        absent = counted - first.keys()
        questions = {question_of(sample) for sample in owed}
        seen = {question_of(sample) for sample in counted if sample_parts(sample).video in trained} if trained else ()
        groups.append(
            AnswerGroup(
                task=task,
                view=view,
                samples=len(questions),
                samples_sha256=sha256_of(sorted(questions)),
                answers=tuple(first[sample] for sample in sorted(counted & first.keys())),
                absent=tuple(sorted(absent)),
                failed=frozenset(sample for sample in absent if (sample, view) in failures),
                extra=0 if include_extra else len(extra),
                duplicates=len(given[task, view]) - len(first),
                trained_on=len(seen),
                impossible=impossible,
                unanswered=tuple(missing.answers(sorted(absent), task, view)),
                unasked=dict(sorted(unasked[task, view].items())),
            )
        )
    return [replace(group, siblings=_siblings(group, groups)) for group in groups]


def _impossible(
    results: Results,
) -> tuple[dict[str, dict[View, str]], dict[tuple[str, View], Counter[str]]]:
    """Return why views cannot be made, by question and view, and of how many of each task and view, by reason."""
    reasons: dict[str, dict[View, str]] = defaultdict(dict)
    counts: dict[tuple[str, View], Counter[str]] = defaultdict(Counter)
    for view, samples in results.unasked.items():
        of_questions = {question_of(sample): reason for sample, reason in samples.items()}
        for question, reason in of_questions.items():
            reasons[question][view] = reason
            counts[sample_parts(question).task, view][reason] += 1
    return dict(reasons), counts


def _siblings(group: AnswerGroup, groups: Iterable[AnswerGroup]) -> tuple[AnswerGroup, ...]:
    return tuple(other for other in groups if other.task == group.task and other.view != group.view)
