"""How severe answers say the parts of a video are, against its importance curve and its moments.

Both curves are taken at the centres of a video's cells (`reading.curves`). Against a curve stand the ranks, the
highlights and the closeness; against moments the ranking of frames, as for spans (`frame_ranking`). What the annotation
lacks is scored for nobody, and a curve that a program made is a pseudo-reference, which the signature names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..reading.curves import cell_centres, is_constant, middle, points_at, segments_at
from ..reading.severities import VERSION, read_severities
from ..records.annotations import NO_MOMENTS
from ..records.readings import Reading
from .curves import CellReference, curve_columns, moment_columns, pooled_columns
from .readings import ReadingScorer, unread_columns
from .scorer import Column, Gap, Scorable, Share
from .timestamp import annotated_spans

_BY_CURVE = (
    Column("hit1", "share of the most severe cells among those that the answer puts first: what a pick of them hits"),
    Column("highlight_ap", "average precision for the most severe cells"),
    Column(
        "spearman",
        "Spearman's rank correlation with the curve; 0 for the same severity throughout",
        "points",
        3,
        low=-1.0,
    ),
    Column("kendall", "Kendall's tau-b with the curve; 0 for the same severity throughout", "points", 3, low=-1.0),
    Column("closeness", "1 less the mean absolute difference from the curve"),
)
_BY_MOMENTS = (
    Column("frame_auc", "ROC area over the cells of a video, for those of a moment"),
    Column("frame_ap", "average precision over the cells of a video, to be read against `base`"),
    Column("iou_half", "overlap of the moments with the cells above the middle of the answer's range"),
)
# For diagnosis alone: at other levels, and at the threshold that is best in hindsight.
_LOWER_LEVELS = tuple(
    Column(f"{name}_{level}", f"{name} at the level {level}")
    for name in ("hit1", "highlight_ap")
    for level in ("fair", "good")
)
_BEST = Column("iou_best", "that overlap at the threshold that is best in hindsight: no result, for diagnosis")
_DURATION_REMEDY = "name the videos' folder (import --videos), or curves made of these videos (score --curves)"
_OF_CURVE = {column.name for column in (*_BY_CURVE, *_LOWER_LEVELS)}


@dataclass(frozen=True)
class PseudoReference:
    """Importance curves that a program made, by the hash of their file, and what the model that is scored is made of.

    A model whose encoder made the curves, too, agrees with itself. `other_files` is how many of the videos were made
    into curves from another file than the model was shown.
    """

    made_by: str
    sha256: str
    model: str
    other_files: int = 0

    def settings(self) -> dict[str, str]:
        """Return what a signature says of the reference; texts of others are made plain, for `|` and `:` divide it."""
        made = re.sub(r"[^\w.,+/-]+", "-", self.made_by)[:80]
        alike = all("clip" in text.lower() for text in (self.made_by, self.model))
        beware = {"beware": "self-agreement,both-have-CLIP"} if alike else {}
        others = {"curves-of-other-files": str(self.other_files)} if self.other_files else {}
        return {"reference": f"pseudo-reference,{made},{self.sha256[:12]}", **beware, **others}


class Severity(ReadingScorer):
    """Severities over time against an importance curve and annotated moments."""

    name = "severity"
    tasks = ("severity",)
    columns = (
        *_BY_CURVE,
        *_BY_MOMENTS,
        *_LOWER_LEVELS,
        _BEST,
        Column("parsed", "share of answers in which segments with a severity were found", binary=True),
    )
    aggregates = (
        Column("auc_pooled", "ROC area over the cells of all videos together, each weighing its seconds"),
        Column("ap_pooled", "average precision over the cells of all videos together, each weighing its seconds"),
        Column("hit1_middle", "hit1 of a Gaussian about the middle of every video, which sees no picture", blind=True),
        Column("frame_auc_middle", "mean ROC area of the same Gaussian within a video"),
        Column("base", "mean share of a video's cells within a moment, which `frame_ap` is to be read against"),
        Column("base_rate", "share of all seconds within a moment, which `ap_pooled` is to be read against"),
        Column("segments_unparsed", "share of the segments whose severity could not be read, among those named"),
        *unread_columns("unread", "out of range", "no unit"),
    )
    stretches = True

    reference: PseudoReference | None = None  # what made the curves, where no person did

    def score(self, batch: Sequence[Scorable]) -> list[dict[str, float]]:
        """Return the columns that the annotation allows; the worst of each where an answer was not read."""
        return [self._values(item, reading) for item, reading in zip(batch, self.readings(batch), strict=True)]

    def obstacle(self, item: Scorable) -> str | None:
        """Return the reason why a video is scored for nobody."""
        if not item.duration:
            return f"duration not known: {_DURATION_REMEDY}"
        annotated = item.curve or item.moments or item.reference == NO_MOMENTS
        return None if annotated else "neither an importance curve nor a moment annotated"

    def gaps(self, item: Scorable) -> Mapping[str, Gap]:
        """Return why columns have no value, which is for the annotation alone to say."""
        reference = cell_reference(item)
        found: dict[str, Gap] = {}
        if reference.importance is None:
            found |= dict.fromkeys(_OF_CURVE, Gap("no importance curve"))
        elif is_constant(reference.importance):
            found |= dict.fromkeys(_OF_CURVE - {"closeness"}, Gap("the importance curve is constant"))
        else:
            found |= dict.fromkeys(_OF_CURVE - {"closeness"}, Gap("every cell is of the level"))
        if not reference.abnormal.any():
            found |= dict.fromkeys(("frame_auc", "frame_ap", "iou_half", "iou_best"), Gap("no cell is within a moment"))
        elif reference.abnormal.all():
            found |= dict.fromkeys(("frame_auc", "frame_ap"), Gap("every cell is within a moment"))
        return found

    def summary(self, batch: Sequence[Scorable], values: Sequence[dict[str, float]]) -> dict[str, float]:
        """Return the ranking of the cells of all videos together, its base rates, and what was not read."""
        readings, references = self.readings(batch), [cell_reference(item) for item in batch]
        named = sum(len(reading.spans) + len(reading.unparsed) for reading in readings)
        found = {
            **pooled_columns([self._predicted(*pair) for pair in zip(batch, readings, strict=True)], references),
            "base": float(np.mean([reference.abnormal.mean() for reference in references])),
            **self.unread(batch),
        }
        middles = [_against(reference, middle(len(reference.abnormal))) for reference in references]
        for name, column in (("hit1_middle", "hit1"), ("frame_auc_middle", "frame_auc")):
            if known := [one[column] for one in middles if column in one]:
                found[name] = float(np.mean(known))
        if named:
            found["segments_unparsed"] = Share(sum(len(reading.unparsed) for reading in readings), named)
        return found

    def settings(self) -> dict[str, str]:
        """Return how severities are read, the cells, the levels, and what made the curves where no person did."""
        made = self.reference.settings() if self.reference else {}
        return {"parse": f"severities.v{VERSION}", "cells": "1s,at-least-20", "ties": "expected", **made}

    def read(self, item: Scorable) -> Reading:
        """Return the segments an answer names."""
        return read_severities(item.text, unit=self.protocol.timestamp_unit, duration=item.duration)

    def _values(self, item: Scorable, reading: Reading) -> dict[str, float]:
        found = _against(cell_reference(item), self._predicted(item, reading))
        if reading.status != "read":
            worst = {column.name: column.worst for column in self.columns}
            found = {name: worst[name] for name in found}
        return {**found, "parsed": float(reading.status == "read")}

    def _predicted(self, item: Scorable, reading: Reading) -> npt.NDArray[np.float64]:
        """Return the importance [n] that an answer gives to a video's cells; 0 throughout where it was not read."""
        named = zip(reading.spans, reading.severities, strict=True) if reading.status == "read" else ()
        return segments_at([(*span, severity) for span, severity in named], cell_centres(item.duration or 0))


def _against(reference: CellReference, predicted: npt.NDArray[np.float64]) -> dict[str, float]:
    return {**curve_columns(predicted, reference), **moment_columns(predicted, reference)}


def cell_reference(item: Scorable) -> CellReference:
    """Return what is annotated of an item's cells."""
    centres = cell_centres(item.duration or 0)
    abnormal = segments_at([(*span, 1.0) for span in annotated_spans(item)], centres) > 0
    importance = points_at(item.curve, centres) if item.curve else None
    return CellReference(importance, abnormal, (item.duration or 0) / len(centres))
