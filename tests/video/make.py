"""Tiny clips encoded on the spot, so that there is something to test without any file."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

WIDTH, HEIGHT = 96, 64
_BITS, _SQUARE = 8, 12  # of a frame's number, written along its upper edge
_HERTZ = 48_000
_PICTURES = {".avi": "mpeg4", ".mpg": "mpeg2video"}  # else H.264
_SOUND = {".mp4": "aac", ".flv": "aac", ".ts": "mp2", ".mpg": "mp2"}  # else numbers as they are

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


def write_numbered(
    path: Path,
    *,
    count: int = 50,
    ticks: Sequence[int] | None = None,
    begins: Fraction = Fraction(0),
    sound: Fraction | None = None,
    aspect: Fraction | None = None,
) -> Path:
    """Encode frames that carry their numbers (`number_in`), and silence beside them where `sound` says when it begins.

    They come at 25 fps, or at the `ticks` of 1/100 s, counted from `begins`, in seconds on the container's clock, as
    `sound` is. `aspect` is the width of a pixel over its height.
    """
    packets = []
    with av.open(str(path), "w") as container:
        codec = _PICTURES.get(path.suffix, "libx264")
        stream = container.add_stream(codec, rate=25, options={"g": "12", "bf": "2", **REPEATABLE})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        time_base = Fraction(1, 25 if ticks is None else 100)
        stream.codec_context.time_base = time_base
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        heard = None
        if sound is not None:
            heard = container.add_stream(_SOUND.get(path.suffix, "pcm_s16le"), rate=_HERTZ, layout="mono")
        for number, tick in enumerate(range(count) if ticks is None else ticks):
            picture = np.full((HEIGHT, WIDTH, 3), 100, dtype=np.uint8)
            bits = number >> np.arange(_BITS) & 1
            picture[:_SQUARE, : _SQUARE * _BITS] = np.repeat(bits * 255, _SQUARE)[None, :, None]
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = tick + round(begins / time_base), time_base
            packets += stream.encode(frame)
        packets += stream.encode()
        if heard is not None and sound is not None:
            packets += _silence(heard, sound, seconds=4)
        for packet in sorted(packets, key=lambda packet: packet.dts * packet.time_base):
            container.mux(packet)
    return path


def write_flat(path: Path, colour: tuple[int, int, int], *, full: bool, space: int) -> Path:
    """Encode, without loss, one picture of one colour: luma and both chromas, of a range and a matrix that are stated.

    `space` is the matrix by its number in ITU-T H.273.
    """
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"qp": "0", **REPEATABLE})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.color_range, stream.codec_context.colorspace = 2 if full else 1, space
        frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
        for plane, value in zip(frame.planes, colour, strict=True):
            plane.update(bytes([value]) * plane.buffer_size)
        frame.color_range, frame.colorspace, frame.pts = 2 if full else 1, space, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def number_in(picture: np.ndarray) -> int:
    """Return the number a frame of `write_numbered` carries, of whatever width it is shown."""
    square = picture.shape[1] * _SQUARE / WIDTH
    centres = (square * (np.arange(_BITS) + 0.5)).astype(int)
    return int((picture[_SQUARE // 2, centres].mean(axis=1) > 127) @ (1 << np.arange(_BITS)))


def _silence(stream: av.AudioStream, begins: Fraction, *, seconds: int) -> list[av.Packet]:
    """Return encoded silence whose first packet lies at `begins`, whatever an encoder would have put before it."""
    packets, length = [], stream.codec_context.frame_size or 1024
    for start in range(0, seconds * _HERTZ, length):
        frame = av.AudioFrame(format=stream.format.name, layout="mono", samples=length)
        frame.planes[0].update(bytes(frame.planes[0].buffer_size))
        frame.sample_rate, frame.pts, frame.time_base = _HERTZ, start, Fraction(1, _HERTZ)
        packets += stream.encode(frame)
    for number, packet in enumerate(packets):
        packet.pts = packet.dts = number * length + int(begins * _HERTZ)
    return packets


def turn_right(path: Path) -> Path:
    """Rewrite an MP4's track header so that players turn the picture by 90 degrees clockwise."""
    return turn(path, 0, 1, -1, 0)


def turn(path: Path, a: float, b: float, c: float, d: float) -> Path:
    """Rewrite an MP4's track header so that players show at (ax + cy, bx + dy), shifted, what is at (x, y)."""
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 44  # after version, flags, times, track id, duration, layer, group and volume
    one, unit = 1 << 16, 1 << 30
    a, b, c, d = (int(value * one) for value in (a, b, c, d))
    data[matrix : matrix + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, unit)
    path.write_bytes(data)
    return path
