"""Frames as parts of one message: pictures, each after its time, and a warning where times are uneven.

Knows the words around pictures; knows neither an endpoint nor an engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecva_bench.video import Frames, Video

INTRODUCTION = "A video of {duration:.1f} seconds, as {frames} frames. Before each stands its time."
UNSEEN = "You cannot see the video that the question is about. Give the answer that is most likely all the same."
TIME = "{seconds:.1f} s:"


def image_parts(frames: Frames, video: Video, pictures: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the parts of a message that show a video as pictures, each after its time on the timeline shown."""
    introduction = INTRODUCTION.format(duration=video.duration, frames=len(frames))
    parts: list[dict[str, Any]] = [{"type": "text", "text": introduction}]
    for seconds, picture in zip(frames.positions, pictures, strict=True):
        parts += [{"type": "text", "text": TIME.format(seconds=seconds)}, picture]
    return parts


def uneven(video: Video, indices: NDArray[np.int64]) -> tuple[str, ...]:
    """Return a warning where one number of seconds between the frames shown is wrong by more than half of it.

    `indices` are those of the frames shown. Up to a frame is no fault: frames come when they come.
    """
    seconds = video.positions[indices]
    if len(seconds) < 3:
        return ()
    step = float(seconds[-1] - seconds[0]) / (len(seconds) - 1)
    astray = float(np.abs(seconds - np.linspace(seconds[0], seconds[-1], len(seconds))).max())
    if astray <= max(step / 2, 1 / video.frame_rate):
        return ()
    return (
        f"frames are shown at uneven times, up to {astray:.1f} s from even ones:"
        " a model that is told one number of seconds between them is told wrong ones",
    )
