"""Small pictures of the frames that models were shown, in one file per video.

They are decoded here, by what showed the frames to the models, so that a reader sees exactly those, and also of files
that a browser cannot play.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..errors import VideoError
from ..records.answers import Answer
from ..records.base import changes_pictures
from ..video import Video

WIDTH, HIGHEST = 128, 160  # pixels of a thumbnail; one of a tall video is narrower
COLUMNS = 8
MOST = 256  # of one video
AT_ONCE = 8  # frames in memory
NEAR = 0.02  # seconds between the frame of a file and the time that an answer names
DECODING = 30.0  # seconds for one step of a video


def seen_times(answers: Iterable[Answer]) -> set[float]:
    """Return the times of the frames that models were shown in the video's own pictures."""
    return {
        seconds
        for answer in answers
        if answer.frames and not changes_pictures(answer.view)
        for seconds in answer.frames.timestamps
    }


def draw_thumbnails(path: Path, times: Iterable[float], target: Path) -> Mapping[str, Any] | None:
    """Write the frames of a video at some times as one JPEG, row by row, and return where they are in it.

    That is {file, width, height, columns, times}, sizes in pixels, times rounded as in the tracks. Of more than `MOST`
    times the first are drawn. None where the file cannot be read, or has none of these frames.
    """
    try:
        with Video(path, deadline=DECODING) as video:
            wanted = np.array(sorted(times)[:MOST])
            shown = video.timestamps
            nearest = np.array([np.abs(shown - seconds).argmin() for seconds in wanted])  # one by one, for the memory
            there = np.abs(shown[nearest] - wanted) <= NEAR
            indices, wanted = nearest[there], wanted[there]
            if not len(indices):
                return None
            sheet, (width, height) = _sheet(video, indices.tolist())
    except VideoError:
        return None
    target.parent.mkdir(exist_ok=True)
    sheet.save(target, quality=70)
    return {
        "file": f"{target.parent.name}/{target.name}",
        "width": width,
        "height": height,
        "columns": COLUMNS,
        "times": [round(seconds, 2) for seconds in wanted.tolist()],
    }


def _sheet(video: Video, indices: list[int]) -> tuple[Image.Image, tuple[int, int]]:
    width, height = video.size
    scale = min(WIDTH / width, HIGHEST / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    sheet = Image.new("RGB", (COLUMNS * size[0], -(-len(indices) // COLUMNS) * size[1]))
    for first in range(0, len(indices), AT_ONCE):
        frames = video.frames_at(indices[first : first + AT_ONCE])
        for place, pixels in enumerate(frames.pixels, start=first):
            row, column = divmod(place, COLUMNS)
            picture = Image.fromarray(pixels).resize(size, Image.Resampling.BOX)
            sheet.paste(picture, (column * size[0], row * size[1]))
    return sheet, size
