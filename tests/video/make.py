"""Tiny clips encoded on the spot, so that there is something to test without any file."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

WIDTH, HEIGHT = 96, 64

# One thread, and no macroblock tree: it reads memory nobody wrote, and a clip would differ with every encoding.
REPEATABLE = {"threads": "1", "mbtree": "0"}

# Where the format is, what it is for: each is a way in which finding a frame goes wrong.
ENCODINGS = {
    "b-frames.mp4": ("libx264", {"g": "12", "bf": "3", "x264-params": "b-pyramid=normal:scenecut=0"}),
    "open-gop.mp4": ("libx264", {"x264-params": "open-gop=1:keyint=12:min-keyint=12:bframes=3:b-adapt=0:scenecut=0"}),
    "open-gop.ts": ("libx264", {"x264-params": "open-gop=1:keyint=12:min-keyint=12:bframes=3:b-adapt=0:scenecut=0"}),
    "intra-refresh.ts": ("libx264", {"x264-params": "intra-refresh=1:keyint=12:bframes=0"}),
    "intra-only.mkv": ("libx264", {"g": "1"}),
    "one-key.mp4": ("libx264", {"g": "1000", "bf": "2"}),
    "closed-gop.ts": ("libx264", {"g": "12", "bf": "2"}),
    "reordered.avi": ("mpeg4", {"g": "12", "bf": "2"}),
    "plain.avi": ("mpeg4", {"g": "12"}),
    "open-gop-2.ts": ("mpeg2video", {"g": "9", "bf": "2", "sc_threshold": "1000000000"}),
    "program.mpg": ("mpeg2video", {"g": "9", "bf": "2", "b": "2M"}),
    "hevc.mp4": ("libx265", {"x265-params": "log-level=none:open-gop=1:keyint=12:bframes=4"}),
    "vp8.webm": ("libvpx", {"g": "24", "auto-alt-ref": "1", "lag-in-frames": "16", "b": "200k"}),
    "vp9.webm": ("libvpx-vp9", {"g": "24", "b": "200k", "cpu-used": "8", "deadline": "realtime"}),
}  # fmt: skip


def write(
    path: Path,
    *,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    ticks: Sequence[int] | None = None,
    count: int = 60,
    pixels: str = "yuv420p",
) -> Path:
    """Encode frames of noise and a moving square: `count` at 25 fps, or one at each of the ticks of 1/100 s."""
    random = np.random.default_rng(3)
    settled = REPEATABLE if codec == "libx264" else {"threads": "1"}
    time_base = Fraction(1, 25) if ticks is None else Fraction(1, 100)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options={**settled, **(options or {})})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, pixels
        stream.time_base = stream.codec_context.time_base = time_base
        for number, tick in enumerate(range(count) if ticks is None else ticks):
            picture = random.integers(90, 120, (HEIGHT, WIDTH, 3), dtype=np.uint8)
            left = number * 3 % (WIDTH - 16)
            picture[16:32, left : left + 16] = (number * 4 % 256, 255 - number, 30)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = tick, time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def turn_right(path: Path) -> Path:
    """Rewrite an MP4's track header so that players turn the picture by 90 degrees clockwise."""
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 44  # after version, flags, times, track id, duration, layer, group and volume
    one, unit = 1 << 16, 1 << 30
    data[matrix : matrix + 36] = struct.pack(">9i", 0, one, 0, -one, 0, 0, HEIGHT * one, 0, unit)
    path.write_bytes(data)
    return path
