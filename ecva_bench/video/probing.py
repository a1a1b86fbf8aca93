"""A quick check of a video file: whether it decodes, how long it is, what is unusual about it.

Reads the index and decodes three frames, not the whole file. Never raises for a bad file: it reports the error. Where
only the length is asked for, the container's own statement is quicker.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av

from ..errors import VideoError
from .opening import open_video
from .samplers import linspace
from .video import Video
from .watchdog import Deadline

# Raw streams without a container: FFmpeg guesses their length from their size.
_WITHOUT_LENGTH = ("h264", "hevc", "m4v", "mpegvideo", "mjpeg")


@dataclass(frozen=True)
class Probe:
    """The facts of one file. Where `decodes` is false, only `path`, `error` and `message` mean anything."""

    path: Path
    decodes: bool
    error: str | None = None  # the stable code of the VideoError, such as `header_damaged`
    message: str = ""
    frames: int = 0
    duration: float = 0.0  # seconds
    frame_rate: float = 0.0  # average frames per second
    variable_frame_rate: bool = False
    rotation: int = 0  # degrees
    has_audio: bool = False
    codec: str = ""
    pixel_format: str = ""
    size: tuple[int, int] = (0, 0)  # width, height as shown
    sha256: str = ""
    warnings: tuple[str, ...] = ()


def probe(path: str | Path, *, deadline: float = 60.0, isolate: bool = False) -> Probe:
    """Return the facts of a file, having decoded its first, middle and last frame (`deadline`: see `Video`)."""
    try:
        with Video(path, deadline=deadline, isolate=isolate) as video:
            frames = video.frames_at(linspace(video.n_frames, min(3, video.n_frames)))
            warnings = list(video.warnings)
            if frames.substituted:
                warnings.append(f"frames that do not decode, of 3 tried: {len(frames.substituted)}")
            if frames.corrupt:
                warnings.append(f"frames damage may have reached, of 3 tried: {len(frames.corrupt)}")
            return Probe(
                path=video.path,
                decodes=True,
                frames=video.n_frames,
                duration=video.duration,
                frame_rate=video.frame_rate,
                variable_frame_rate=video.variable_frame_rate,
                rotation=video.rotation,
                has_audio=video.has_audio,
                codec=video.codec,
                pixel_format=video.pixel_format,
                size=video.size,
                sha256=video.sha256,
                warnings=tuple(warnings),
            )
    except VideoError as error:
        return Probe(path=Path(path), decodes=False, error=error.code, message=str(error))


def stated_duration(path: Path, *, deadline: float = 10.0) -> float | None:
    """Return the seconds that a file's container states; None where it states none, or is no video. Decodes nothing.

    It may differ a little from the duration that is found by reading the file (`probe`).
    """
    try:
        with open_video(path, Deadline(path, deadline)) as (container, _):
            if container.duration is None or container.format.name in _WITHOUT_LENGTH:
                return None
            return container.duration / av.time_base
    except VideoError:
        return None
