"""The reference as the answer: the ceiling of every metric, and a check that the pipeline loses nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ecva_bench.answering import Baseline, Question
from ecva_bench.errors import AdapterError
from ecva_bench.names import Names
from ecva_bench.reading.curves import SCALE, Point, cell_centres, points_at, segments_of_cells, severity_text
from ecva_bench.records import Moment, Sample
from ecva_bench.records.base import sha256_of

if TYPE_CHECKING:
    from ecva_bench.video import Video

A_DAY = 86_400.0  # seconds, longer than any video


def moments_as_severities(moments: Iterable[Moment]) -> str:
    """Return moments as an answer about severities: the highest within them; without any, none at all times."""
    return severity_text((one.start, one.end, SCALE) for one in moments) or severity_text([(0.0, A_DAY, 0.0)])


class Oracle(Baseline):
    """Looks the answer up in the annotations it studied."""

    source = "the reference"

    def __init__(self) -> None:
        self._answers: dict[tuple[str, str, str], str] = {}  # by file name, task and question
        self._curves: dict[tuple[str, str, str], Sequence[Point]] = {}
        self._described: list[list[str]] = []  # file name, question and answer
        self._media: dict[str, str] = {}
        self._files = self._names = Names(())

    def lookup(self, sample: Sample) -> str | None:
        """Return what is known of a sample, None if nothing; of severities without a curve, the moments as one."""
        return moments_as_severities(sample.moments) if sample.asked and not sample.curve else sample.reference

    def curve(self, sample: Sample) -> Sequence[Point]:
        """Return the importance curve that is known of a sample, empty if none."""
        return sample.curve

    def study(self, samples: Sequence[Sample]) -> None:
        """Remember the known answer of every sample by file name, task and question."""
        self._media = {sample.video: sample.media for sample in samples}
        self._files = Names((video, media) for video, media in self._media.items())
        self._names = Names((video, video) for video in self._media)
        known = [(sample, text) for sample in samples if (text := self.lookup(sample)) is not None]
        self._answers = {(sample.media, sample.task, sample.question): text for sample, text in known}
        self._curves = {(one.media, one.task, one.question): curve for one, _ in known if (curve := self.curve(one))}
        self._described = sorted([sample.media, sample.question, text] for sample, text in known)

    def answer(self, video: Video, question: str) -> str:
        """Return the known answer; `AdapterError` where there is none."""
        found = self._files.find(str(video.path)) or self._names.find(str(video.path))
        if len({self._media[one] for one in found}) > 1:  # several may be asked about one file
            raise AdapterError(f"this may be {found[0]!r} or {found[1]!r}", video.path, "give each a name of its own")
        place = (self._media[found[0]], Question.of(question).task, str(question)) if found else None
        known = self._answers.get(place) if place else None
        if known is None:
            raise AdapterError(f"the annotation has no {self.source} for this question", video.path.name)
        if place in self._curves:
            values = points_at(self._curves[place], cell_centres(video.duration))
            return severity_text(segments_of_cells(values, video.duration))
        return known

    def describe(self) -> dict[str, Any]:
        """Return the hash of all known answers: other annotations make another oracle."""
        return {"answers_sha256": sha256_of(self._described)}
