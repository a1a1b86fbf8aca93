"""From several people's annotations of a video to one, or to a third person: the rules of adjudication.

What is equal is taken; moments that overlap by an IoU of 0.9 become the means of their ends; of anything else a third
person, who saw both, says what it is. Every field of the outcome says how it was settled.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from statistics import fmean
from typing import Any

from ..records.acts import AnnotationAct
from ..records.annotations import LETTERS
from ..scoring.time_spans import iou
from .acts import latest
from .queue import QueuedVideo

ADJUDICATED = "adjudicated"
ALIKE = 0.9  # IoU from which moments are the same, but for their ends
_FIELDS = ("label", "moments", "description", "cause", "effect", "key_sentences")


def reviewed_alone(acts: Iterable[AnnotationAct]) -> list[str]:
    """Return the videos of which there are reviews, and not what they review: they cannot be settled."""
    blind = {act.video: act.blind for act in sorted(acts, key=lambda act: act.blind)}
    return sorted(video for video, any_blind in blind.items() if not any_blind)


def adjudicate(acts: Iterable[AnnotationAct], *, third: str) -> tuple[list[AnnotationAct], list[QueuedVideo]]:
    """Return the settled videos, and those that the person `third` has to see, with all that was said of them.

    A video that one person annotated blind is settled by that person, or by who reviewed it.
    """
    by_video: dict[str, list[AnnotationAct]] = {}
    for act in latest(acts):
        by_video.setdefault(act.video, []).append(act)
    settled, open_ = [], []
    for video, own in by_video.items():
        blind = [act for act in own if act.blind]
        names = {act.annotator for act in blind}
        reviews = [act for act in own if not act.blind and names and names <= set(act.saw)]
        if not blind:
            continue
        values, by = _settled(blind, reviews[-1] if reviews else None)
        if len(by) < len(_FIELDS):
            open_.append(_for_third(video, blind, third))
            continue
        sources = (*blind, *reviews[-1:])
        settled.append(
            AnnotationAct.model_validate(
                {
                    "video": video,
                    "media": blind[0].media,
                    "annotator": ADJUDICATED,
                    "round": 1 + max(act.round for act in sources),
                    "blind": False,
                    "saw": tuple(act.annotator for act in sources),
                    "duration": next((act.duration for act in sources if act.duration is not None), None),
                    "by": by,
                    "from": tuple(act.annotator for act in sources),
                    **values,
                    "moments": [{"start": start, "end": end} for start, end in values.get("moments", ())],
                }
            )
        )
    return settled, open_


def _settled(blind: Sequence[AnnotationAct], review: AnnotationAct | None) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the values of the fields that are settled, and how each was."""
    values: dict[str, Any] = {}
    by: dict[str, str] = {}
    for field in _FIELDS:
        said = [content for act in blind if (content := _content(act, field)) is not None]
        reviewed = _content(review, field) if review is not None else None
        if reviewed is not None and review is not None:
            values |= reviewed
            by[field] = review.annotator
        elif len(said) == 1:
            values |= said[0]
            by[field] = "single"
        elif all(one == said[0] for one in said):
            values |= said[0] if said else {}
            by[field] = "equal"
        elif field == "moments" and (mean := _mean_ends(said)):
            values |= {"moments": mean, "anomalous": True}
            by[field] = "mean"
    return values, by


def _content(act: AnnotationAct, field: str) -> dict[str, Any] | None:
    """Return what an act says in a field; None where it was not annotated."""
    if field == "moments":
        return None if act.spans is None else {"moments": sorted(act.spans), "anomalous": bool(act.spans)}
    value = getattr(act, field)
    if field == "key_sentences":
        return {"key_sentences": value, "scores": act.scores} if value else None
    return None if value is None else {field: value}


def _mean_ends(said: Sequence[dict[str, Any]]) -> list[tuple[float, float]]:
    """Return the moments whose ends are the means of all annotators'; none where they are not alike, one by one."""
    spans = [one["moments"] for one in said]
    if len({len(one) for one in spans}) > 1:
        return []
    moments = list(zip(*spans, strict=True))
    if any(iou([a], [b]) < ALIKE for same in moments for a, b in combinations(same, 2)):
        return []
    return [(fmean(one[0] for one in same), fmean(one[1] for one in same)) for same in moments]


def _for_third(video: str, blind: Sequence[AnnotationAct], third: str) -> QueuedVideo:
    shown = [
        act.model_copy(update={"annotator": letter, "t": "", "tool": "", "seconds_spent": None})
        for letter, act in zip(LETTERS, sorted(blind, key=lambda act: act.annotator), strict=False)
    ]
    known = next((act.duration for act in blind if act.duration is not None), None)
    return QueuedVideo(
        video=video,
        media=blind[0].media,
        annotator=third,
        round=2,
        blind=False,
        duration=known,
        shown=tuple(shown),
    )
