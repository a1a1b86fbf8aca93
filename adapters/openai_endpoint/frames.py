"""Which frames an endpoint is sent, and how each becomes a picture. Knows no endpoint."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ecva_bench.errors import UsageError
from ecva_bench.video import samplers

from ..parts.media.frames import image_parts
from ..parts.options import choice, count, positive

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecva_bench.video import Frames, Video

JPEG_QUALITY = 95

_COUNTED = {name: samplers.SAMPLERS[name] for name in ("linspace", "midpoints", "starts")}


@dataclass(frozen=True)
class FrameRule:
    """At most `count` frames, or none: by `sampler`, or where `fps` is given, so many a second."""

    count: int
    sampler: str = "linspace"
    fps: float | None = None

    @classmethod
    def of(cls, frames: str, sampler: str, fps: str) -> FrameRule:
        """Read the rule from a model's options; `UsageError` for a value that has no meaning."""
        if fps and sampler:
            raise UsageError("frames are taken by fps or by a sampler, not by both", remedy="leave one of them out")
        per_second = float(positive("fps", fps)) if fps else None
        wanted = 0 if frames == "0" else count("frames", frames)
        return cls(wanted, choice("sampler", sampler or "linspace", _COUNTED), per_second)

    def indices(self, video: Video) -> NDArray[np.int64]:
        """Return the frames to show, each once, in order."""
        if not self.count:
            return np.empty(0, dtype=np.int64)
        if self.fps is not None:
            return samplers.at_fps(video.positions, self.fps, self.count)
        return _COUNTED[self.sampler](video.n_frames, min(self.count, video.n_frames))

    def describe(self) -> dict[str, Any]:
        """Return the rule as data."""
        if not self.count:
            return {"rule": "none"}
        if self.fps is not None:
            return {"rule": "at_fps", "fps": self.fps, "cap": self.count}
        return {"rule": self.sampler, "count": self.count}


@dataclass(frozen=True)
class FrameEncoding:
    """How a frame becomes a picture: `jpeg` at `JPEG_QUALITY`, or `png`, which is exact; at most `max_side` pixels."""

    form: str
    max_side: int

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Return the width and height in pixels that a frame of these is sent with."""
        if max(width, height) <= self.max_side:
            return width, height
        scale = self.max_side / max(width, height)
        return max(1, round(width * scale)), max(1, round(height * scale))

    def encode(self, pixels: NDArray[np.uint8]) -> str:
        """Return a frame, uint8 [height, width, 3], as base64. A larger one is made smaller, its shape kept."""
        from PIL import Image

        image = Image.fromarray(pixels)
        if (size := self.size(*image.size)) != image.size:
            image = image.resize(size, Image.Resampling.LANCZOS)
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


def video_parts(
    frames: Frames, video: Video, picture: FrameEncoding, *, as_video: bool, detail: str = ""
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the parts of a message that show a video, as pictures or as one video, and the parameters beside it."""
    pictures = [picture.encode(pixels) for pixels in frames.pixels]
    if as_video:
        url = f"data:video/jpeg;base64,{','.join(pictures)}"
        # Of the frames sent all are to be taken (-1); the rest says where in the video they lie.
        extra = {"media_io_kwargs": {"video": {"num_frames": -1, **video_metadata(frames, video)}}}
        return [{"type": "video_url", "video_url": {"url": url}}], extra
    said = {"detail": detail} if detail else {}
    urls = [f"data:image/{picture.form};base64,{data}" for data in pictures]
    return image_parts(frames, video, [{"type": "image_url", "image_url": {"url": url, **said}} for url in urls]), {}


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
