"""Files of importance curves, `ecva.curve/1`: JSON lines that a program wrote, a video each; its last line counts.

Such a curve is a pseudo-reference: nobody annotated it. Which program and model made it, and the file's hash, go where
scores against it go.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from ..errors import DataError
from ..names import Names
from ..records.answers import Answer, Results
from ..records.base import sha256_of_file
from ..untrusted import parse_json
from .dataset import Dataset

SCHEMA = "ecva.curve/1"

Points = tuple[tuple[float, float], ...]  # seconds, importance from 0 to 1


@dataclass(frozen=True)
class CurveFile:
    """The curves of a file by video, the hash of its bytes, and the models that made them, joined by a comma."""

    path: Path
    sha256: str
    made_by: str
    curves: Mapping[str, Points]

    def describe(self) -> dict[str, str]:
        """Return what a manifest says of the file."""
        return {"sha256": self.sha256, "made_by": self.made_by}

    def of(self, video: str) -> Points:
        """Return the curve of a video, by the rule for video names; empty where there is none."""
        if video in self.curves:
            return self.curves[video]
        found = Names((name, name) for name in self.curves).find(video)
        return self.curves[found[0]] if len(found) == 1 else ()

    def of_dataset(self, dataset: Dataset) -> Dataset:
        """Return a data set with these curves alone; `DataError` where there is one for none of its videos."""
        found = {annotation.video: self.of(annotation.video) for annotation in dataset.annotations}
        if not any(found.values()):
            what = f"it has no curve of a video of {dataset.name}"
            raise DataError(what, self.path, "name the curves of this data set, which `data curves` makes")
        curved = (one.model_copy(update={"severity_curve": found[one.video]}) for one in dataset.annotations)
        return replace(dataset, annotations=tuple(curved))

    def of_results(self, results: Results) -> Results:
        """Return answers about severity with these curves alone; `DataError` where there is one for none of them."""
        kept = {"answers": results.answers, "extra": results.extra}
        asked = {one.video for some in kept.values() for one in some if one.task == "severity"}
        found = {video: self.of(video) for video in asked}
        if asked and not any(found.values()):
            what = f"it has no curve of a video of {results.source}"
            raise DataError(what, self.path, "name the curves of this run's videos, which `data curves` makes")
        curved = {name: tuple(self._curved(one, found) for one in some) for name, some in kept.items()}
        return results.model_copy(update={**curved, "spec": {**results.spec, "curves": self.describe()}})

    def _curved(self, answer: Answer, found: Mapping[str, Points]) -> Answer:
        return answer.model_copy(update={"curve": found[answer.video]}) if answer.task == "severity" else answer


def read_curves(path: Path) -> CurveFile:
    """Return the curves of a file; a last line that was not written whole is left out.

    Raises `DataError` for a file that cannot be read, and a line that is no curve.
    """
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"the curves cannot be read ({error})", path, "name a file that `data curves` wrote") from None
    lines = content.split("\n")[:-1]  # behind the last line break is nothing, or what a crash left
    curves: dict[str, Points] = {}
    makers: dict[str, None] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            record = parse_json(line)
            if record.get("schema") != SCHEMA:
                raise ValueError(f"its schema is {record.get('schema')!r}, not {SCHEMA!r}")
            curves[str(record["video"])] = _points(record)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
            raise DataError(f"this is no curve ({reason})", f"{path}, line {number}", "make it again") from None
        made = record.get("settings", {})
        makers[str(made.get("model", "")) if isinstance(made, dict) else ""] = None
    if not curves:
        raise DataError("the file holds no curve", path, "name a file that `data curves` wrote")
    return CurveFile(path, sha256_of_file(path), ", ".join(filter(None, makers)) or "an unknown program", curves)


def _points(record: Mapping[str, Any]) -> Points:
    """Return the points of a record, in order of time; ValueError where they are none."""
    times, importance = [[float(one) for one in record[name]] for name in ("times", "importance")]
    if len(times) != len(importance) or not times:
        raise ValueError(f"{len(times)} times and {len(importance)} values")
    if not all(map(math.isfinite, (*times, *importance))):
        raise ValueError("a value is not finite")
    if any(one >= other for one, other in pairwise(times)) or times[0] < 0:
        raise ValueError("its times do not increase from 0")
    if min(importance) < 0 or max(importance) > 1:
        raise ValueError("an importance is not from 0 to 1")
    return tuple(zip(times, importance, strict=True))
