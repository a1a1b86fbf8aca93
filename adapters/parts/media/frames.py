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
# As LLaVA-Video's authors write it behind the video, for a model whose template tells no times.
LOCATED = (
    "The video lasts for {duration:.2f} seconds, and {count} frames are uniformly sampled from it. "
    "These frames are located at {times}. Please answer the following questions related to this video.\n"
)


def image_parts(frames: Frames, video: Video, pictures: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the parts of a message that show a video as pictures, each after its time on the timeline shown."""
    introduction = INTRODUCTION.format(duration=video.duration, frames=len(frames))
    parts: list[dict[str, Any]] = [{"type": "text", "text": introduction}]
    for seconds, picture in zip(frames.positions, pictures, strict=True):
        parts += [{"type": "text", "text": TIME.format(seconds=seconds)}, picture]
    return parts


def timed_video_parts(frames: Frames, video: Video, *, in_words: bool) -> list[dict[str, Any]]:
    """Return the parts of a message that show a video as one, with each frame's second behind it if `in_words`."""
    if not in_words:
        return [{"type": "video"}]
    times = ",".join(f"{seconds:.2f}s" for seconds in frames.positions)
    told = LOCATED.format(duration=video.duration, count=len(frames), times=times)
    return [{"type": "video"}, {"type": "text", "text": told}]


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
