"""One scorer on the answers to one task and view: the values of items, and their means with interval and floor.

Knows how values become a mean and how sure it is; knows no metric and no file. Nothing is averaged in silence: a
sample without an answer is counted, and the mean with such samples at the worst value stands beside the mean over what
was answered. Where a question is asked several times, its value is the mean over its answers, and it counts once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from ..reading.text import final_answer, join_descriptions
from ..records.annotations import question_of, sample_parts
from ..records.answers import Answer
from ..records.repeats import Stability
from ..records.scores import Aggregate, Score, Summary
from ..records.twins import original_of
from ..statistics.intervals import bootstrap_interval, mean_of
from ..statistics.repeats import question_means, spread_within
from .aggregates import aggregates_of
from .checks import checked_gaps, checked_values
from .floor import rotate_references
from .join import AnswerGroup
from .missing import not_owed
from .scorer import Column, Gap, Scorable, Scorer


class ScoredGroup:
    """One scorer on one group: the items, their values, and what they come to in `scores`, `summaries`, `aggregates`.

    Raises `ScoringError` where the scorer does not give what it says.
    """

    def __init__(self, scorer: Scorer, group: AnswerGroup, seed: int, draws: int) -> None:
        self._scorer, self._group, self._seed, self._draws = scorer, group, seed, draws
        self._items = scorables_of(scorer, group)
        self._absent = [sample for sample in group.absent if scorer.counts(sample_parts(sample).video)]
        self._obstacles = {item.id: reason for item in self._items if (reason := scorer.obstacle(item))}
        self._batch = [item for item in self._items if item.id not in self._obstacles]
        missing = scorables_of(scorer, group, group.unanswered)
        self._not_owed = not_owed(scorer, missing)
        self._not_counted = {question_of(sample) for sample in {*group.absent} - {*self._absent}}
        self._absent_strata = {one.id: stratum for one in missing if (stratum := scorer.stratum(one))}
        self._strata = {question_of(sample): stratum for sample, stratum in self._absent_strata.items()}
        self._strata |= {question_of(item.id): scorer.stratum(item) for item in self._batch}
        self._videos = {question_of(sample): original_of(sample_parts(sample).video) for sample in self._absent}
        self._videos |= {question_of(item.id): original_of(item.video) for item in self._batch}
        self._values = self._of_several_strata(checked_values(scorer, self._batch))
        self._gaps = {
            item.id: _gaps(scorer, item, value) for item, value in zip(self._batch, self._values, strict=True)
        }
        self._rotated = self._rotate() if scorer.has_floor and not scorer.needs_judge else []
        self._floor = checked_values(scorer, self._rotated)
        self._aggregates, self._undefined = aggregates_of(scorer, self._batch, self._values)

    def _rotate(self) -> list[Scorable]:
        """Return the items with others' references; those that answer one question again apart, so none keeps its own.

        None where there is no other.
        """
        again: dict[int, list[Scorable]] = {}
        for item in self._batch:
            again.setdefault(sample_parts(item.id).repeat, []).append(item)
        parts = [part for part in again.values() if len(part) > 1]
        stretch = self._scorer.stretches
        return [item for part in parts for item in rotate_references(part, seed=self._seed, stretch=stretch)]

    def _of_several_strata(self, values: list[dict[str, float]]) -> list[dict[str, float]]:
        """Return values without the balanced columns, where all samples are of one stratum: nothing is to balance."""
        if len({*map(self._scorer.stratum, self._batch), *self._absent_strata.values()} - {""}) > 1:
            return values
        balanced = {column.name for column in self._scorer.columns if column.balanced}
        return [{name: one for name, one in own.items() if name not in balanced} for own in values]

    def scores(self) -> Iterator[Score]:
        """Yield a record per answer, scored or not."""
        values = {item.id: value for item, value in zip(self._batch, self._values, strict=True)}
        return (self._score(item, values.get(item.id, {})) for item in self._items)

    def _score(self, item: Scorable, values: dict[str, float]) -> Score:
        found = self._gaps.get(item.id, {})
        gaps = {column: gap.reason for column, gap in found.items()}
        judged = {} if item.id in self._obstacles else dict(self._scorer.parts(item))
        reason = self._obstacles.get(item.id) or ("" if values else "; ".join(dict.fromkeys(gaps.values())))
        return Score(
            key=item.key,
            id=item.id,
            video=item.video,
            task=self._group.task,
            view=self._group.view,
            scorer=self._scorer.name,
            status="unscored" if reason else "ok",
            reason=reason,
            values=values,
            gaps=gaps,
            unanswered=tuple(column for column, gap in found.items() if gap.unanswered),
            stratum=self._scorer.stratum(item),
            parts=judged,
            reading=None if item.id in self._obstacles else self._scorer.reading(item),
        )

    def summaries(self) -> list[Summary]:
        """Return a record per column."""
        of_questions = {question_of(sample): reason for sample, reason in self._obstacles.items()}
        reasons = dict(sorted(Counter(of_questions.values()).items()))
        columns = [c for c in self._scorer.columns if not c.optional or any(c.name in value for value in self._values)]
        return [self._summary(column, reasons) for column in columns]

    def _summary(self, column: Column, reasons: dict[str, int]) -> Summary:
        name, exempt = column.name, self._exempt(column.name)
        given: dict[str, list[float]] = {}
        for item, own in zip(self._batch, self._values, strict=True):
            if name in own:
                given.setdefault(question_of(item.id), []).append(own[name])
        values = question_means(given)
        gaps = [(question_of(item.id), gap) for item in self._batch if (gap := self._gaps[item.id].get(name))]
        without = {question: gap for question, gap in reversed(gaps) if question not in values}
        unjudgeable = {one for one, gap in without.items() if gap.unjudgeable and one not in exempt}
        exempt = tuple(sorted({*exempt, *self._not_owed[name], *self._not_counted} - unjudgeable))
        out = {*exempt, *unjudgeable}  # nor does another time of asking that brought no answer count
        worst = Counter(question for sample in self._absent if (question := question_of(sample)) not in out)
        worst.update(question for question, gap in gaps if gap.unanswered)
        filled = question_means({one: [*given.get(one, ()), *[column.worst] * worst[one]] for one in [*given, *worst]})
        if not values and not all(gap.unanswered or question in exempt for question, gap in gaps):
            filled = {}  # what is missing alone is no mean
        interval = self._interval(column, values)
        return Summary(
            task=self._group.task,
            view=self._group.view,
            scorer=self._scorer.name,
            column=name,
            signature=self._scorer.signature(),
            unit=column.unit,
            decimals=column.decimals,
            higher_is_better=column.higher_is_better,
            worst=column.worst,
            n=len(values),
            expected=len(self._questions([item.id for item in self._batch]) - {*exempt, *self._without(name)}),
            unscored=len(without),
            gaps=dict(sorted(Counter(gap.reason for gap in without.values()).items())),
            exempt=exempt,
            unjudgeable=tuple(sorted(unjudgeable)),
            unscorable=sum(reasons.values()),
            reasons=reasons,
            mean=mean_of(list(values.values()), self._strata_of(column, values)),
            interval=interval,
            zero_filled=mean_of(list(filled.values()), self._strata_of(column, filled)),
            zero_filled_interval=self._interval(column, filled) if filled and worst else interval,
            floor=self._floor_of(column),
            hits=round(sum(values.values())) if self._counts_hits(column) else None,
            balanced=column.balanced,
            absent_strata=self._absent_strata_of(worst) if column.balanced and filled else {},
            stability=self._stability(column, given, [gap for _, gap in gaps]),
            qualification=self._scorer.qualification(name),
        )

    def _counts_hits(self, column: Column) -> bool:
        return column.binary and not column.balanced and self._group.times_asked == 1

    def _questions(self, answered: Iterable[str]) -> set[str]:
        return {question_of(sample) for sample in (*answered, *self._absent)}

    def _without(self, column: str) -> set[str]:
        """Return the answered questions that an optional column does not apply to."""
        pairs = zip(self._batch, self._values, strict=True)
        lacking = (item.id for item, own in pairs if column not in own and column not in self._gaps[item.id])
        return set(map(question_of, lacking))

    def _stability(self, column: Column, given: Mapping[str, Sequence[float]], gaps: Sequence[Gap]) -> Stability | None:
        """Return how much values of one question differ; None where each is asked once."""
        if self._group.times_asked == 1:
            return None
        found = spread_within(given, self._videos, seed=self._seed, draws=self._draws)
        return Stability(
            answers=sum(map(len, given.values())),
            questions=found.changed.n,
            changed=found.changed.mean,
            interval=found.changed.interval,
            deviation=found.deviation,
            hits=round(sum(map(sum, given.values()))) if column.binary else None,
            gaps=dict(sorted(Counter(gap.reason for gap in gaps).items())),
        )

    def _floor_of(self, column: Column) -> float | None:
        pairs = zip(self._rotated, self._floor, strict=True)
        found = [(self._scorer.stratum(item), own[column.name]) for item, own in pairs if column.name in own]
        return mean_of([value for _, value in found], [own for own, _ in found] if column.balanced else ())

    def _strata_of(self, column: Column, questions: Iterable[str]) -> list[str]:
        """Return the strata of questions in a balanced column; none in another."""
        return [self._strata.get(question, "") for question in questions] if column.balanced else []

    def _absent_strata_of(self, questions: Collection[str]) -> dict[str, str]:
        known = {question_of(sample): stratum for sample, stratum in self._absent_strata.items()}
        return {question: stratum for question, stratum in known.items() if question in questions}

    def _exempt(self, column: str) -> tuple[str, ...]:
        """Return the questions nobody has a value of in a column, for the edited view that it needs cannot be made."""
        view = self._scorer.needs.get(column)
        questions = self._questions(item.id for item in self._batch)
        return tuple(sorted(one for one in questions if view in self._group.impossible.get(one, {})))

    def _interval(self, column: Column, values: Mapping[str, float]) -> tuple[float, float] | None:
        numbers, strata = list(values.values()), self._strata_of(column, values)
        if mean_of(numbers, strata) is None:  # draws of one stratum give an interval all the same
            return None
        videos = [self._videos[question] for question in values]
        return bootstrap_interval(numbers, videos, strata=strata, seed=self._seed, draws=self._draws)

    def aggregates(self) -> list[Aggregate]:
        """Return a record per number the scorer gives over all items; none where no item was scored."""
        return [
            Aggregate(
                task=self._group.task,
                view=self._group.view,
                scorer=self._scorer.name,
                column=column.name,
                signature=self._scorer.signature(),
                description=column.description,
                unit=column.unit,
                decimals=column.decimals,
                value=self._aggregates[column.name],
                blind=column.blind,
            )
            for column in self._scorer.aggregates
            if column.name in self._aggregates
        ]

    def left_out(self) -> dict[str, str]:
        """Return the reasons why numbers over all items are left out, by what they are of."""
        of = f"of {self._scorer.name} ({self._group.task}, {self._group.view})"
        return {f"{column} {of}": reason for column, reason in self._undefined.items()}


def scorables_of(scorer: Scorer, group: AnswerGroup, answers: Sequence[Answer] | None = None) -> list[Scorable]:
    """Return answers of a group, all but for others, as a scorer sees them: those that count for it, as compared."""
    strips = scorer.protocol.strip_special_tokens
    joined = join_descriptions if strips and group.task == "description" else str

    def clean(text: str) -> str:
        return joined(final_answer(text)) if strips else text

    def item(answer: Answer) -> Scorable:
        twins = {
            video: Scorable.of(twin, candidate=clean(twin.answer), reference=joined(twin.reference)) if twin else None
            for video, twin in group.twins(answer).items()
        }
        return Scorable.of(
            answer,
            candidate=clean(answer.answer),
            reference=joined(answer.reference),
            others={view: clean(other.answer) if other else None for view, other in group.others(answer).items()},
            impossible=group.impossible.get(question_of(answer.id), {}),
            twins=twins,
        )

    found = group.answers if answers is None else answers
    return [item(answer) for answer in found if scorer.counts(answer.video)]


def _gaps(scorer: Scorer, item: Scorable, values: dict[str, float]) -> dict[str, Gap]:
    """Return a reason for every column without a value; an optional one may be left out without."""
    known = checked_gaps(scorer, item)
    lacking = [c for c in scorer.columns if c.name not in values and (c.name in known or not c.optional)]
    alike = Gap(f"all samples are of one class ({scorer.stratum(item)}), and nothing is to be balanced")
    nothing = Gap("the scorer gave no value")
    return {column.name: known.get(column.name, alike if column.balanced else nothing) for column in lacking}
