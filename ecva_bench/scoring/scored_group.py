"""One scorer on the answers to one task and view: the values of items, and their means with interval and floor.

Knows how values become a mean and how sure it is; knows no metric and no file. Nothing is averaged in silence: a
sample without an answer is counted, and the mean with such samples at the worst value stands beside the mean over what
was answered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ..reading.text import final_answer, join_descriptions
from ..records.annotations import sample_parts
from ..records.answers import Answer
from ..records.scores import Aggregate, Score, Summary
from ..records.twins import original_of
from ..statistics.intervals import bootstrap_interval, mean_of
from .checks import checked_gaps, checked_summary, checked_values
from .floor import rotate_references
from .join import AnswerGroup
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
        self._absent_strata = self._strata_of_absent()
        self._values = self._of_several_strata(checked_values(scorer, self._batch))
        self._gaps = {
            item.id: _gaps(scorer, item, value) for item, value in zip(self._batch, self._values, strict=True)
        }
        rotates = len(self._batch) > 1 and scorer.has_floor and not scorer.needs_judge
        self._rotated = rotate_references(self._batch, seed=seed, stretch=scorer.stretches) if rotates else []
        self._floor = checked_values(scorer, self._rotated)

    def _strata_of_absent(self) -> dict[str, str]:
        """Return the strata of the samples without an answer, as far as the run says what is annotated of them."""
        references, place = self._group.references, (self._group.task, self._group.view)
        return {
            sample: self._scorer.stratum(
                Scorable("", sample, sample_parts(sample).video, *place, candidate="", reference=reference)
            )
            for sample in self._absent
            if (reference := references.get(sample))
        }

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
        reasons = dict(sorted(Counter(self._obstacles.values()).items()))
        columns = [c for c in self._scorer.columns if not c.optional or any(c.name in value for value in self._values)]
        return [self._summary(column, reasons) for column in columns]

    def _summary(self, column: Column, reasons: dict[str, int]) -> Summary:
        name = column.name
        scored = [
            (v[name], original_of(item.video)) for item, v in zip(self._batch, self._values, strict=True) if name in v
        ]
        values, videos = [value for value, _ in scored], [video for _, video in scored]
        strata = self._strata(column)
        interval = self._interval(values, videos, strata)
        gaps = [(item, gap) for item in self._batch if (gap := self._gaps[item.id].get(name))]
        exempt = self._exempt(name)
        owing = [sample for sample in self._absent if sample not in exempt]
        unanswered = [item for item, gap in gaps if gap.unanswered]
        absent = [original_of(sample_parts(sample).video) for sample in owing]
        absent += [original_of(item.video) for item in unanswered]
        filled = values + [column.worst] * len(absent)
        of_absent = {sample: self._absent_strata[sample] for sample in owing if sample in self._absent_strata}
        if column.balanced:
            own = [self._absent_strata.get(sample, "") for sample in owing]
            filled_strata = strata + own + [self._scorer.stratum(item) for item in unanswered]
        else:
            filled_strata, of_absent = [], {}
        if not values and not all(gap.unanswered or item.id in exempt for item, gap in gaps):
            filled, absent, filled_strata, of_absent = [], [], [], {}  # what is missing alone is no mean
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
            expected=len(self._batch) + len(self._absent) - len(exempt),
            unscored=len(gaps),
            gaps=dict(sorted(Counter(gap.reason for _, gap in gaps).items())),
            exempt=exempt,
            unjudgeable=tuple(sorted(item.id for item, gap in gaps if gap.unjudgeable and item.id not in exempt)),
            unscorable=len(self._obstacles),
            reasons=reasons,
            mean=mean_of(values, strata),
            interval=interval,
            zero_filled=mean_of(filled, filled_strata),
            zero_filled_interval=self._interval(filled, videos + absent, filled_strata) if absent else interval,
            floor=mean_of([value[name] for value in self._floor if name in value], self._strata(column, floor=True)),
            hits=round(sum(values)) if column.binary and not column.balanced else None,
            balanced=column.balanced,
            absent_strata=of_absent,
            qualification=self._scorer.qualification(name),
        )

    def _strata(self, column: Column, *, floor: bool = False) -> list[str]:
        """Return the strata of the items that have a value in a balanced column; none of another."""
        items, values = (self._rotated, self._floor) if floor else (self._batch, self._values)
        pairs = zip(items, values, strict=True) if column.balanced else ()
        return [self._scorer.stratum(item) for item, value in pairs if column.name in value]

    def _exempt(self, column: str) -> tuple[str, ...]:
        """Return the samples nobody has a value of in a column, for the edited view that it needs cannot be made."""
        view = self._scorer.needs.get(column)
        samples = (*(item.id for item in self._batch), *self._absent)
        return tuple(sorted(sample for sample in samples if view in self._group.impossible.get(sample, {})))

    def _interval(self, values: list[float], videos: list[str], strata: list[str]) -> tuple[float, float] | None:
        if mean_of(values, strata) is None:  # draws of one stratum give an interval all the same
            return None
        return bootstrap_interval(values, videos, strata=strata, seed=self._seed, draws=self._draws)

    def aggregates(self) -> list[Aggregate]:
        """Return a record per number the scorer gives over all items; none where no item was scored."""
        values = checked_summary(self._scorer, self._batch, self._values) if self._batch else {}
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
                value=values[column.name],
                blind=column.blind,
            )
            for column in self._scorer.aggregates
            if column.name in values
        ]


def scorables_of(scorer: Scorer, group: AnswerGroup) -> list[Scorable]:
    """Return the answers of a group as a scorer sees them: those that count for it, with their texts as compared."""
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
            impossible=group.impossible.get(answer.id, {}),
            twins=twins,
        )

    return [item(answer) for answer in group.answers if scorer.counts(answer.video)]


def _gaps(scorer: Scorer, item: Scorable, values: dict[str, float]) -> dict[str, Gap]:
    """Return a reason for every column without a value; an optional one may be left out without."""
    known = checked_gaps(scorer, item)
    lacking = [c for c in scorer.columns if c.name not in values and (c.name in known or not c.optional)]
    alike = Gap(f"all samples are of one class ({scorer.stratum(item)}), and nothing is to be balanced")
    nothing = Gap("the scorer gave no value")
    return {column.name: known.get(column.name, alike if column.balanced else nothing) for column in lacking}
