"""The videos of a data set, found by their names and by what annotators wrote of them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

from ..data import Dataset
from ..names import Names
from ..records import Annotation
from ..records.annotations import REFERENCES


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
    def _references(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, dict[str, None]] = defaultdict(dict)
        for each in self.dataset.annotations:
            for reference in REFERENCES.values():
                found[_folded(reference(each) or "")][each.video] = None
        return {text: tuple(videos) for text, videos in found.items() if text}

    def by_reference(self, text: str) -> tuple[str, ...]:
        """Return the ids of the videos that annotators wrote a text of."""
        return self._references.get(_folded(text), ())


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
