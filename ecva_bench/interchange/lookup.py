"""The videos of a data set, found by their names and by what annotators wrote of them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

from ..data import Dataset
from ..names import Names
from ..records import Annotation, Sample
from ..records.annotations import REFERENCES, question_of, sample_parts
from ..samples import OptionOrder, samples, tasks_of
from ..tasks import TASKS, Prompt, Task

_OF_SOME_SETS = ("detection", "choice", "grounding")
_UNKNOWN = Prompt("", 0, "", "")  # what others asked with


@dataclass(frozen=True)
class Lookup:
    """The videos of a data set, found by names and by what annotators wrote."""

    dataset: Dataset

    @cached_property
    def annotations(self) -> dict[str, Annotation]:
        """All annotations by video, those left out among them."""
        return {each.video: each for each in (*self.dataset.excluded, *self.dataset.annotations)}

    @cached_property
    def names(self) -> Names:
        """The names of all videos."""
        return Names((each.video, each.media) for each in (*self.dataset.annotations, *self.dataset.excluded))

    def find(self, written: str) -> tuple[str, ...]:
        """Return the ids of the videos that a name may mean; an id means its own video."""
        return (written,) if written in self.annotations else self.names.find(written)

    @cached_property
    def _tasks(self) -> dict[str, Task]:
        return {task.name: task for task in tasks_of(self.dataset.annotations, self.dataset.taxonomy)}

    def task(self, named: str) -> str:
        """Return the task that a name means here: where no sentence is to be grounded, the anomaly is."""
        return "timestamp" if named == "grounding" and named not in self._tasks else named

    def is_asked(self, task: str) -> bool:
        """Return whether a task is one of the data set's: ECVA's are every set's, even where nothing is annotated."""
        return task in self._tasks or task not in _OF_SOME_SETS

    def samples(self, video: str, task: str, prompt: Prompt = _UNKNOWN, seed: int | None = None) -> dict[str, Sample]:
        """Return the questions of a task about a video, by id, in all rotations of their options.

        The options are in the order drawn by the seed, without one in the data set's.
        """
        if video not in self.annotations or task not in TASKS:
            return {}
        asked = self._tasks.get(task, TASKS[task])
        order = OptionOrder(seed, rotate=True)
        return {one.id: one for one in samples(self.annotations[video], asked, prompt, order)}

    def sample(self, sample: str, prompt: Prompt = _UNKNOWN, seed: int | None = None) -> Sample | None:
        """Return the question of this id, which may be asked again; None where the data set has none such."""
        parts, question = sample_parts(sample), question_of(sample)
        found = self.samples(parts.video, parts.task, prompt, seed).get(question)
        return found and found.model_copy(update={"id": sample, "repeat": parts.repeat})

    @cached_property
    def _references(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, dict[str, None]] = defaultdict(dict)
        for each in self.dataset.annotations:
            for task, reference in REFERENCES.items():
                if task == "detection":  # yes and no tell no video
                    continue
                found[_folded(reference(each) or "")][each.video] = None
        return {text: tuple(videos) for text, videos in found.items() if text}

    def by_reference(self, text: str) -> tuple[str, ...]:
        """Return the ids of the videos that annotators wrote a text of."""
        return self._references.get(_folded(text), ())


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
