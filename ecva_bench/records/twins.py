"""Twins: which videos belong together, because they differ in what happens and in nothing else.

Ids tell, so that it is known of videos without an answer too: `NAME-normal` is the clip `NAME` without its anomaly, and
`NAME-context` has the movement of `NAME` where it means something else.
"""

from __future__ import annotations

NORMAL, CONTEXT = "normal", "context"


def kind_of(video: str) -> str:
    """Return which kind of twin a video is, `normal` or `context`; empty where it is none."""
    clip, _, kind = video.rpartition("-")
    return kind if clip and kind in (NORMAL, CONTEXT) else ""


def original_of(video: str) -> str:
    """Return the id of the video that another is a twin of; the id itself where it is no twin.

    >>> original_of("mini01-normal"), original_of("mini01")
    ('mini01', 'mini01')
    """
    return video.rpartition("-")[0] if kind_of(video) else video


def twins_of(clip: str) -> tuple[str, str, str]:
    """Return the ids of a clip, of its normal twin and of its changed-context twin."""
    return clip, f"{clip}-{NORMAL}", f"{clip}-{CONTEXT}"
