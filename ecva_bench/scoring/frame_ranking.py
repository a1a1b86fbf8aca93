"""How the spans that answers name tell abnormal frames from others: ROC area and average precision, as for curves.

A frame's score is how many of the spans named cover it. Frames are taken at `RATE` a second; with those of normal
videos, on which no frame should be called abnormal, they are also ranked together, as sets of surveillance videos are
scored. Beside that stands what a curve about the middle of each video reaches that saw none: on many sets it is much.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from ..reading.curves import middle
from ..reading.spans.conclusions import says_none
from ..reading.spans.reader import VERSION, Span, read_spans
from ..reading.text import plain
from ..records.readings import Reading
from ..statistics.rankings import average_precision, roc_area
from .readings import ReadingScorer
from .scorer import Column, Gap, Scorable
from .timestamp import annotated_spans

RATE = 10.0  # frames a second

_Floats = npt.NDArray[np.float64]


class FrameRanking(ReadingScorer):
    """Frames ranked by the spans an answer names, against those annotated as abnormal."""

    name = "frame-ranking"
    tasks = ("timestamp",)
    columns = (
        Column("frame_auc", "ROC area over the frames of a video; 0 where no answer was read, 0.5 for none named"),
        Column("frame_ap", "average precision over the frames of a video; 0 where no answer was read"),
    )
    aggregates = (
        Column("auc_pooled", "ROC area over the frames of all videos together"),
        Column("ap_pooled", "average precision over the frames of all videos together"),
        Column("base_rate", "share of abnormal frames, which average precision is to be read against"),
        Column("auc_middle", "ROC area of a Gaussian about the middle of every video, a quarter of it wide"),
        Column("ap_middle", "average precision of the same Gaussian"),
        Column("frame_auc_middle", "mean ROC area of the same Gaussian within a video"),
        Column("flagged", "share of the frames of normal videos called abnormal"),
    )

    def score(self, batch: Sequence[Scorable]) -> list[dict[str, float]]:
        """Return area and precision within each video that has both kinds of frames."""
        return [self._values(item, reading) for item, reading in zip(batch, self.readings(batch), strict=True)]

    def obstacle(self, item: Scorable) -> str | None:
        """Return the reason why a video is scored for nobody."""
        if not item.duration:
            return "duration not known"
        return None if item.reference.strip() else "no reference"

    def gaps(self, item: Scorable) -> Mapping[str, Gap]:
        """Return why frames of one kind cannot be ranked within their video."""
        positive = _abnormal(item)
        if positive.any() and not positive.all():
            return {}
        what = "every frame is abnormal" if positive.all() else "no frame is abnormal"
        return dict.fromkeys(("frame_auc", "frame_ap"), Gap(what))

    def summary(self, batch: Sequence[Scorable], values: Sequence[dict[str, float]]) -> dict[str, float]:
        """Return the ranking of all frames together, with that of curves about the middle."""
        positives = [_abnormal(item) for item in batch]
        scores = [_scores(item, reading.spans) for item, reading in zip(batch, self.readings(batch), strict=True)]
        middles = [middle(len(positive)) for positive in positives]
        found = {"base_rate": float(np.concatenate(positives).mean())}
        if 0 < found["base_rate"] < 1:
            together = np.concatenate(positives)
            for name, curves in (("pooled", scores), ("middle", middles)):
                found[f"auc_{name}"] = roc_area(np.concatenate(curves), together)
                found[f"ap_{name}"] = average_precision(np.concatenate(curves), together)
        within = [roc_area(m, p) for m, p in zip(middles, positives, strict=True) if p.any() and not p.all()]
        if within:
            found["frame_auc_middle"] = float(np.mean(within))
        normal = [own for own, positive in zip(scores, positives, strict=True) if not positive.any()]
        if normal:
            found["flagged"] = float((np.concatenate(normal) > 0).mean())
        return found

    def settings(self) -> dict[str, str]:
        """Return how spans are read, in which unit bare numbers are, and how many frames there are."""
        return {
            "parse": f"named.v{VERSION}",
            "bare": self.protocol.timestamp_unit or "unread",
            "frames": f"{RATE:g}Hz",
            "score": "spans-covering",
        }

    def read(self, item: Scorable) -> Reading:
        """Return the spans an answer names; one that says that there are none is read, too."""
        found = read_spans(item.text, unit=self.protocol.timestamp_unit, duration=item.duration)
        none = found.status == "unread" and says_none(plain(item.text), 0)
        return Reading(rule="none") if none else found

    def _values(self, item: Scorable, reading: Reading) -> dict[str, float]:
        positive = _abnormal(item)
        if positive.all() or not positive.any():
            return {}
        if reading.status != "read":
            return {"frame_auc": 0.0, "frame_ap": 0.0}
        scores = _scores(item, reading.spans)
        return {"frame_auc": roc_area(scores, positive), "frame_ap": average_precision(scores, positive)}


def _instants(item: Scorable) -> _Floats:
    """Return the middles of a video's frames in seconds, at least one."""
    frames = max(1, round((item.duration or 0) * RATE))
    return (np.arange(frames, dtype=np.float64) + 0.5) / RATE


def _scores(item: Scorable, spans: Sequence[Span]) -> _Floats:
    """Return how many spans cover each frame."""
    instants = _instants(item)
    scores = np.zeros_like(instants)
    for start, end in spans:
        scores += (start <= instants) & (instants < end)
    return scores


def _abnormal(item: Scorable) -> npt.NDArray[np.bool_]:
    return _scores(item, annotated_spans(item)) > 0
