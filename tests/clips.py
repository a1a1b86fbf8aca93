"""Small clips encoded on the spot, for tests that need a video and not a particular one."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import av
import numpy as np

from ecva_bench.records import Annotation, Label, Moment
from ecva_bench.taxonomy import load_taxonomy
from tests.video.make import REPEATABLE


class Clips:
    """A data set of the clips in a folder; what is annotated of each names it."""

    source = "test"
    taxonomy = load_taxonomy("cuva")

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.annotations = [
            Annotation(
                video=path.stem,
                media=path.name,
                label=Label(major=5),
                moments=(Moment(start=2.0, end=2.8),),
                description=f"what happens in {path.stem}",
                cause=f"cause of {path.stem}",
                effect=f"effect of {path.stem}",
            )
            for path in sorted(folder.glob("*.mp4"))
        ]

    def media_path(self, annotation: Annotation) -> Path:
        return self.folder / annotation.media

    def missing(self, videos: Iterable[str]) -> tuple[str, ...]:
        return ()

    def unusable(self, videos: Iterable[str]) -> dict[str, str]:
        return {}


def write_clip(
    path: Path, *, frames: int = 40, rate: int = 10, event: tuple[int, int] = (20, 28), ramp: int = 4
) -> Path:
    """Write a 64x48 clip of a slow grey ramp in which a square moves through the lower right during `event`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"crf": "18", **REPEATABLE})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(frames):
            picture = np.full((48, 64, 3), 60 + index % ramp, np.uint8)
            if event[0] <= index < event[1]:
                left = 40 + 2 * (index - event[0])
                picture[34:44, left : left + 8] = 250
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path
