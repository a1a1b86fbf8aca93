"""Which frames an endpoint is sent, and how each becomes a picture. Knows no endpoint."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ecva_bench.errors import UsageError
from ecva_bench.video import samplers

from ..parts.options import choice, count, positive

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecva_bench.video import Frames, Video

JPEG_QUALITY = 95

_COUNTED = {name: samplers.SAMPLERS[name] for name in ("linspace", "midpoints", "starts")}


@dataclass(frozen=True)
class FrameRule:
    """At most `count` frames: by `sampler`, or where `fps` is given, so many a second."""

    count: int
    sampler: str = "linspace"
    fps: float | None = None

    @classmethod
    def of(cls, frames: str, sampler: str, fps: str) -> FrameRule:
        """Read the rule from a model's options; `UsageError` for a value that has no meaning."""
        if fps and sampler:
            raise UsageError("frames are taken by fps or by a sampler, not by both", remedy="leave one of them out")
        per_second = float(positive("fps", fps)) if fps else None
        return cls(count("frames", frames), choice("sampler", sampler or "linspace", _COUNTED), per_second)

    def indices(self, video: Video) -> NDArray[np.int64]:
        """Return the frames to show, each once, in order."""
        if self.fps is not None:
            return samplers.at_fps(video.positions, self.fps, self.count)
        return _COUNTED[self.sampler](video.n_frames, min(self.count, video.n_frames))

    def describe(self) -> dict[str, Any]:
        """Return the rule as data."""
        if self.fps is not None:
            return {"rule": "at_fps", "fps": self.fps, "cap": self.count}
        return {"rule": self.sampler, "count": self.count}


@dataclass(frozen=True)
class FrameEncoding:
    """How a frame becomes a picture: `jpeg` at `JPEG_QUALITY`, or `png`, which is exact; at most `max_side` pixels."""

    form: str
    max_side: int

    def encode(self, pixels: NDArray[np.uint8]) -> str:
        """Return a frame, uint8 [height, width, 3], as base64. A larger one is made smaller, its shape kept."""
        from PIL import Image

        image = Image.fromarray(pixels)
        if max(image.size) > self.max_side:
            scale = self.max_side / max(image.size)
            width, height = (max(1, round(side * scale)) for side in image.size)
            image = image.resize((width, height), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        if self.form == "png":
            image.save(buffer, "PNG", compress_level=1)
        else:
            image.save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0)
        return base64.b64encode(buffer.getvalue()).decode("ascii")

    def describe(self) -> dict[str, Any]:
        """Return the encoding as data."""
        quality = {"quality": JPEG_QUALITY, "subsampling": "4:4:4"} if self.form == "jpeg" else {}
        return {"form": self.form, **quality, "max_side": self.max_side, "resampling": "lanczos"}


def video_metadata(frames: Frames, video: Video) -> dict[str, Any]:
    """Return what vLLM and transformers call a video's metadata: where in the video shown its frames were taken.

    Whoever reads it takes index over `fps` for a frame's second. So indices are those of an even rate, which are the
    frames' own but where the rate varies: there seconds are right to half a frame of the mean rate.
    """
    total = max(1, round(video.duration * video.frame_rate))
    places = np.minimum(np.round(frames.positions * video.frame_rate).astype(np.int64), total - 1)
    return {
        "total_num_frames": total,
        "fps": video.frame_rate,
        "duration": video.duration,
        "frames_indices": places.tolist(),
        "do_sample_frames": False,
    }
