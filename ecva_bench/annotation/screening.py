"""Whether an annotator may annotate: acts on videos whose adjudicated answer is known, against fixed thresholds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from ..records.acts import AnnotationAct
from ..scoring.time_spans import iou
from ..statistics.agreement import krippendorff_alpha
from ..wording import counted
from .acts import latest
from .adjudicating import ADJUDICATED
from .agreement import class_rating, rated_videos
from .over_time import alpha_over_time

ENOUGH_VIDEOS, ENOUGH_NORMAL = 50, 10  # of a qualification set, and of these without an anomaly
CLASS_ALPHA, TIME_ALPHA, MEAN_IOU = 0.80, 0.67, 0.70
FASTEST = 0.5  # of the video's length that an annotator must have spent on it
RECENT, RECENT_ALPHA = 40, 0.67  # hidden items last annotated, and the least agreement on them


@dataclass(frozen=True)
class Screening:
    """How an annotator compares with the adjudicated answers to `videos`, of which `normal` have no anomaly.

    `passed` is None where there are too few videos to tell. `reasons` say what is below which threshold, and `batch`
    what is on the last 40 videos: with any, the annotator's batch goes back to the queue.
    """

    annotator: str
    videos: int
    normal: int
    class_alpha: float | None
    time_alpha: float | None
    mean_iou: float | None
    too_fast: int
    passed: bool | None
    reasons: tuple[str, ...]
    batch: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as plain values for JSON."""
        return asdict(self)


def screen(acts: Iterable[AnnotationAct], gold: Iterable[AnnotationAct]) -> list[Screening]:
    """Return how the blind acts of everybody who has any on adjudicated videos compare with the adjudicated answers."""
    right = {act.video: act for act in gold}
    by: dict[str, list[AnnotationAct]] = {}
    for act in latest(acts):
        if act.blind and act.video in right:
            by.setdefault(act.annotator, []).append(act)
    return [_screened(name, done, right) for name, done in sorted(by.items())]


def _screened(name: str, done: Sequence[AnnotationAct], right: Mapping[str, AnnotationAct]) -> Screening:
    classes, time, mean = _compared(done, right)
    normal = sum(right[act.video].anomalous is False for act in done)
    too_fast = sum(map(_is_too_fast, done))
    known = {one.video: one.label.major for one in right.values() if one.label}
    missing = set(known.values()) - {known[act.video] for act in done if act.video in known}
    lacking = [
        *([f"{counted(len(done), 'video')} of {ENOUGH_VIDEOS}"] if len(done) < ENOUGH_VIDEOS else []),
        *([f"{counted(normal, 'video')} of {ENOUGH_NORMAL} without an anomaly"] if normal < ENOUGH_NORMAL else []),
        *([f"no video of class {', '.join(map(str, sorted(missing)))}"] if missing else []),
    ]
    below = [
        *_below("class alpha", classes, CLASS_ALPHA),
        *_below("alpha over time", time, TIME_ALPHA),
        *_below("mean IoU", mean, MEAN_IOU),
        *([f"{counted(too_fast, 'video')} annotated in less than half their length"] if too_fast else []),
    ]
    batch: list[str] = []
    if len(done) >= RECENT:
        recent_classes, recent_time, _ = _compared(done[-RECENT:], right)
        batch += _below("class alpha", recent_classes, RECENT_ALPHA)
        batch += _below("alpha over time", recent_time, RECENT_ALPHA)
    passed = None if lacking else not below
    return Screening(name, len(done), normal, classes, time, mean, too_fast, passed, (*lacking, *below), tuple(batch))


def _compared(
    done: Sequence[AnnotationAct], right: Mapping[str, AnnotationAct]
) -> tuple[float | None, float | None, float | None]:
    """Return class alpha, alpha over time and mean IoU of some acts with the adjudicated answers."""
    classes = [(class_rating(right[act.video].label), class_rating(act.label)) for act in done]
    videos = rated_videos({act.video: {ADJUDICATED: right[act.video], "annotator": act} for act in done})
    time = alpha_over_time(list(videos.values()), seed=0)
    ious = [iou(a, b) for one in videos.values() for a, b in one.pairs if [*a, *b]]
    return krippendorff_alpha(classes, level="nominal"), time.alpha if time else None, fmean(ious) if ious else None


def _below(name: str, value: float | None, threshold: float) -> list[str]:
    if value is None:
        return [f"{name} is undefined: there is too little to compare"]
    return [f"{name} {value:.2f} of {threshold:.2f}"] if value < threshold else []


def _is_too_fast(act: AnnotationAct) -> bool:
    return act.seconds_spent is not None and act.duration is not None and act.seconds_spent < FASTEST * act.duration
