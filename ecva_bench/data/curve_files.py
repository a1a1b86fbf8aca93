"""Importance curves of a file held against: a pseudo-reference, for a program made them and nobody annotated them.

Which model made them, and the file's hash, go where scores against them go. The file itself is read in `curves`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from ..errors import DataError
from ..names import Names, first_few
from ..records.annotations import sample_parts
from ..records.answers import Answer, Results
from ..records.base import sha256_of_file
from ..wording import counted
from .curves import load_curves
from .dataset import Dataset

# By how much a curve's video may last longer or shorter than the answer's: files of one video differ by a frame or so.
_SECONDS_APART, _SHARE_APART = 1.0, 0.05

Points = tuple[tuple[float, float], ...]  # seconds, importance from 0 to 1


@dataclass(frozen=True)
class CurveReferences:
    """The curves of a file by video, the hash of its bytes, and the models that made them, joined by a comma.

    `durations` are the seconds that the videos last of which they were made, and `files` the hashes of their files.
    """

    path: Path
    sha256: str
    made_by: str
    curves: Mapping[str, Points]
    durations: Mapping[str, float]
    files: Mapping[str, str]

    def describe(self) -> dict[str, str]:
        """Return what a manifest says of the file."""
        return {"sha256": self.sha256, "made_by": self.made_by}

    def of(self, video: str) -> Points:
        """Return the curve of a video, by the rule for video names; empty where there is none."""
        name = self._name(video)
        return self.curves[name] if name else ()

    def _name(self, video: str) -> str:
        """Return a video's name in the file; empty where there is none, or more than one."""
        if video in self.curves:
            return video
        found = self._names.find(video)
        return found[0] if len(found) == 1 else ""

    @cached_property
    def _names(self) -> Names:
        return Names((name, name) for name in self.curves)

    def of_dataset(self, dataset: Dataset) -> Dataset:
        """Return a data set with these curves alone; `DataError` where there is one for none of its videos."""
        found = {annotation.video: self.of(annotation.video) for annotation in dataset.annotations}
        if not any(found.values()):
            what = f"it has no curve of a video of {dataset.name}"
            raise DataError(what, self.path, "name the curves of this data set, which `data curves` makes")
        curved = (one.model_copy(update={"severity_curve": found[one.video]}) for one in dataset.annotations)
        return replace(dataset, annotations=tuple(curved))

    def of_results(self, results: Results) -> Results:
        """Return answers about severity with these curves alone, and their videos' durations where none is known.

        `DataError` where there is a curve for none of them, or one of a video that lasts longer or shorter.
        """
        kept = {"answers": results.answers, "extra": results.extra}
        asked = {one.video for some in kept.values() for one in some if one.task == "severity"}
        found = {video: self.of(video) for video in asked}
        if asked and not any(found.values()):
            what = f"it has no curve of a video of {results.source}"
            raise DataError(what, self.path, "name the curves of this run's videos, which `data curves` makes")
        curved = {name: tuple(self._curved(one, found) for one in some) for name, some in kept.items()}
        missing = {
            sample: told.model_copy(update={"curve": self.of(sample_parts(sample).video)})
            for sample, told in results.annotated.items()
            if sample_parts(sample).task == "severity"
        }
        others = {"other_files": names} if (names := self.of_other_files(results)) else {}
        made = {**self.describe(), **others}
        told = {"annotated": {**results.annotated, **missing}, "spec": {**results.spec, "curves": made}}
        return results.model_copy(update={**curved, **told})

    def of_other_files(self, results: Results) -> tuple[str, ...]:
        """Return the videos whose curve was made of another file than the model was shown, as far as both are known."""
        severities = [answer for answer in results.answers if answer.task == "severity" and answer.video_sha256]
        made_of = {one.video: self.files.get(self._name(one.video), "") for one in severities}
        other = {one.video for one in severities if made_of[one.video] not in ("", one.video_sha256)}
        return tuple(sorted(other))

    def tell_other_files(self, results: Results) -> str:
        """Return `of_other_files` in one line; empty where there is none."""
        names = self.of_other_files(results)
        if not names:
            return ""
        what = f"the curves of {counted(len(names), 'video')} were made of other files than the model was shown"
        return f"beware: {self.path}: {what}: {first_few(names)}: build them of the files that {results.source} is of"

    def _curved(self, answer: Answer, found: Mapping[str, Points]) -> Answer:
        if answer.task != "severity":
            return answer
        made_of = self.durations.get(self._name(answer.video))
        seconds = answer.duration or made_of
        if made_of and seconds and abs(made_of - seconds) > max(_SECONDS_APART, _SHARE_APART * seconds):
            what = f"the curve of {answer.video} is of a video of {made_of:g} s, and the answer of one of {seconds:g} s"
            raise DataError(what, self.path, "build the curves of the videos that the model was shown")
        return answer.model_copy(update={"curve": found[answer.video], "duration": seconds})


def read_curves(path: Path) -> CurveReferences:
    """Return the curves of a file, of which videos without a point are left out; `DataError` as of `load_curves`."""
    found = load_curves(path)
    makers = dict.fromkeys(str(curve.settings.get("model") or "an unknown model") for curve in found.values())
    curves = {video: curve.points for video, curve in found.items() if curve.points}
    durations = {video: curve.duration for video, curve in found.items()}
    files = {video: curve.video_sha256 for video, curve in found.items()}
    return CurveReferences(path, sha256_of_file(path), ", ".join(makers), curves, durations, files)
