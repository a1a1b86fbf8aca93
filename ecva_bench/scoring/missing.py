"""Samples without an answer: what is annotated of them, and in which columns they count as the worst.

In a column that nobody can have a value in for a sample (there is no curve, the reference tells of no place), an answer
to it is not owed. So an empty answer is made of what is annotated, and counts where a metric has a value for that.
Where nothing is known of the annotation, the sample counts in every column.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from ..records.annotations import question_of, sample_parts
from ..records.answers import Answer, Results, SampleAnnotation
from ..records.base import View
from ..records.verdicts import NO_VERDICT
from .checks import checked_gaps, checked_values
from .scorer import Gap, Scorable, Scorer

_LONGER = 1.0  # seconds that a video of unknown duration is taken to go on for behind what is annotated


class Missing:
    """What is known of the samples of a run that have no answer."""

    def __init__(self, results: Results) -> None:
        self._results = results

    @cached_property
    def _annotated(self) -> dict[str, SampleAnnotation]:
        """What is annotated by question: as answers to it on other views, or at other times, have it, else as told."""
        told = {question_of(sample): one for sample, one in self._results.annotated.items()}
        return told | {question_of(one.id): SampleAnnotation.of(one) for one in self._results.answers}

    @cached_property
    def _durations(self) -> dict[str, float]:
        return {one.video: one.duration for one in self._results.answers if one.duration}

    def answers(self, samples: Sequence[str], task: str, view: View) -> Iterator[Answer]:
        """Yield an empty answer to each sample of which the annotation is known.

        Where no answer tells how long the video is, it is taken to be longer than what is annotated of it: nothing is
        taken to fill it then.
        """
        for sample in samples:
            if known := self._annotated.get(question_of(sample)):
                video = sample_parts(sample).video
                last = max([*(one.end for one in known.moments), *(second for second, _ in known.curve)], default=0.0)
                yield Answer(
                    key=f"missing/{view}/{sample}",
                    id=sample,
                    video=video,
                    task=task,
                    view=view,
                    answer="",
                    duration=self._durations.get(video, last + _LONGER),
                    **dict(known),
                )


def not_owed(scorer: Scorer, items: Sequence[Scorable]) -> dict[str, frozenset[str]]:
    """Return by column which of these items, empty answers, nobody can have a value for: the ids of their questions.

    A judge may be asked what their references tell. Where it was not to be reached, that is not known, and they count.
    """
    columns = [column.name for column in scorer.columns]
    usable = [item for item in items if scorer.obstacle(item) is None]
    out = {question_of(item.id) for item in items} - {question_of(item.id) for item in usable}
    found = {name: set(out) for name in columns}
    if scorer.complete:
        usable = []
    for item, values in zip(usable, checked_values(scorer, usable), strict=True):
        gaps = checked_gaps(scorer, item)
        for name in columns:
            if name not in values and _is_for_all(gaps.get(name)):
                found[name].add(question_of(item.id))
    return {name: frozenset(questions) for name, questions in found.items()}


def _is_for_all(gap: Gap | None) -> bool:
    """Return whether a gap, or an optional column left out, is due to the annotation alone."""
    return gap is None or gap.unjudgeable or not (gap.unanswered or gap.reason.startswith(NO_VERDICT))
