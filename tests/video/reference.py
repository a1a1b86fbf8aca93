"""The truth these tests compare with: a plain decode from the first packet to the last, nothing clever."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import VideoReformatter


@dataclass
class Reference:
    """What a full decode yields: digests of the frames as shown, and their pts in seconds as a player counts them."""

    digests: list[str]
    seconds: list[float] | None  # from where FFmpeg says the file begins; None where it has no presentation times
    pts: list[int | None]
    size: tuple[int, int]


def digest(pixels: np.ndarray) -> str:
    return hashlib.sha1(np.ascontiguousarray(pixels).tobytes(), usedforsecurity=False).hexdigest()


def decode_plainly(path: Path) -> Reference:
    """Decode the best video stream from start to end; packets that do not decode are passed over."""
    reformatter, digests, pts = VideoReformatter(), [], []
    size = shown = (0, 0)
    with av.open(str(path)) as container:
        stream = container.streams.best("video")
        stream.codec_context.thread_count = 1
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except av.error.InvalidDataError:
                continue
            for frame in frames:
                size = size if digests else (frame.width, frame.height)
                rgb = reformatter.reformat(frame, size[0], size[1], "rgb24", threads=1).to_ndarray()
                picture = np.rot90(rgb, round(frame.rotation / 90))
                shown = (picture.shape[1], picture.shape[0])
                digests.append(digest(picture))
                pts.append(frame.pts)
        time_base, begins = Fraction(stream.time_base), container.start_time
        timed = container.format.name != "avi"
    seconds = None
    if timed and begins is not None and None not in pts and pts == sorted(set(pts)):
        seconds = [float(tick * time_base - Fraction(begins, 10**6)) for tick in pts]
    return Reference(digests, seconds, pts, shown)
