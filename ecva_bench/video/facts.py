"""The facts of a video stream: what the container states, and what the first decoded frame shows.

Containers and codecs state size, pixel shape, rotation and time in several ways, some of which mean nothing. Reads no
packet.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from av.container import InputContainer
from av.sidedata.sidedata import Type
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

# Containers without a presentation time per picture: FFmpeg's guess is wrong where pictures are reordered.
_GUESSED_TIMES = {"avi", "h264", "hevc", "m4v", "mpeg", "mpegvideo"}
# Codecs whose standard says that a picture marked as unreferenced is never needed to decode another one.
_UNREFERENCED_EXACT = {"h264", "mpeg1video", "mpeg2video", "mpeg4"}
_HDR = {16: "PQ", 18: "HLG"}  # transfer characteristics by their number in ITU-T H.273
_FALLBACK_RATE = Fraction(25)  # frames per second where a file states none
_MOST_ASPECT = 4  # times as wide as high, or as high as wide: no camera's pixels are more
_MICROSECOND = Fraction(1, 10**6)


@dataclass(frozen=True)
class StreamFacts:
    """What the container and the codec say of the stream before any packet is read."""

    codec: str
    has_audio: bool
    time_base: Fraction  # seconds per tick
    rate: Fraction  # nominal frames per second
    zero: Fraction | None  # seconds on the container's clock at which players begin to count; None: it has no clock
    stated_frames: int  # 0: not stated
    pixel_aspect: Fraction  # width of a pixel over its height, as stated, nonsense included
    counted: bool  # the container has no presentation times: pictures follow each other from its first decode time on
    guessed_times: bool  # presentation times of packets are not to be trusted
    skips_unreferenced: bool  # pictures nothing refers to need not be decoded on the way to a wanted one


@dataclass(frozen=True)
class FrameFormat:
    """What the first decoded frame says of all: its size as coded, and how frames become what is shown.

    They are made `shown_width` wide, so that pixels are square, then mirrored left to right, then turned.
    """

    width: int
    height: int
    shown_width: int  # before turning; `width` where pixels are square
    mirrored: bool
    rotation: int  # degrees counter-clockwise: 0, 90, 180 or 270
    pixel_format: str
    notes: tuple[str, ...]  # ways in which players may show it otherwise

    @property
    def shown_size(self) -> tuple[int, int]:
        """Height and width as shown."""
        upright = self.rotation % 180 == 0
        return (self.height, self.shown_width) if upright else (self.shown_width, self.height)


def stream_facts(container: InputContainer, stream: VideoStream) -> StreamFacts:
    """Return the facts of a stream of an open container."""
    context, name = stream.codec_context, container.format.name
    rate = _positive(stream.guessed_rate) or _positive(stream.average_rate) or _FALLBACK_RATE
    return StreamFacts(
        codec=context.codec.canonical_name,
        has_audio=bool(container.streams.audio),
        time_base=_positive(stream.time_base) or 1 / rate,
        rate=rate,
        zero=_zero(container),
        stated_frames=stream.frames,
        pixel_aspect=_positive(stream.sample_aspect_ratio) or Fraction(1),
        counted=name == "avi",
        guessed_times=name in _GUESSED_TIMES and bool(context.has_b_frames),
        skips_unreferenced=_skips_unreferenced(context),
    )


def frame_format(frame: VideoFrame, aspect: Fraction) -> FrameFormat:
    """Return the picture facts of a decoded frame, whose pixels are said to be `aspect` times as wide as high."""
    rotation, mirrored = _orientation(frame)
    shown_width, shape = _shape(frame.width, frame.height, aspect)
    components = frame.format.components
    depth = max(component.bits for component in components)
    notes = {
        shape: bool(shape),
        f"{depth} bits per colour: RGB values depend on the decoding library": depth > 8,
        f"HDR ({_HDR.get(frame.color_trc)}): colours are not mapped and look paler than on screen": (
            frame.color_trc in _HDR
        ),
        "interlaced: both fields are shown in one frame; some players show one after the other": frame.interlaced_frame,
        "transparent: what is under transparent pixels is shown": any(part.is_alpha for part in components),
    }
    return FrameFormat(
        width=frame.width,
        height=frame.height,
        shown_width=shown_width,
        mirrored=mirrored,
        rotation=rotation,
        pixel_format=frame.format.name,
        notes=tuple(note for note, applies in notes.items() if applies),
    )


def _zero(container: InputContainer) -> Fraction | None:
    """Return where the earliest stream begins, which is time zero to players.

    FFmpeg says it in whole microseconds; the stream's own clock says it exactly.
    """
    if container.start_time is None:
        return None
    stated = container.start_time * _MICROSECOND
    for stream in container.streams:
        time_base = _positive(stream.time_base)
        if stream.start_time is not None and time_base is not None:
            start = stream.start_time * time_base
            if abs(start - stated) <= _MICROSECOND:
                return start
    return stated


def _skips_unreferenced(context: VideoCodecContext) -> bool:
    """Whether skipping unreferenced pictures is exact; in HEVC only where there is a single temporal layer."""
    codec = context.codec.canonical_name
    if codec != "hevc":
        return codec in _UNREFERENCED_EXACT
    extradata = context.extradata or b""
    configured = len(extradata) > 21 and extradata[0] == 1  # an hvcC box; byte 21 holds the number of layers
    return configured and extradata[21] >> 3 & 7 == 1


def _shape(width: int, height: int, aspect: Fraction) -> tuple[int, str]:
    """Return the width in square pixels, the height being kept, and what there is to say of it.

    One pixel more or less is no shape: encoders cut widths to even numbers, and say so (854 x 480 of 1280:1281).
    """
    ratio = f"pixels are said to be {aspect.numerator}:{aspect.denominator}"
    if max(aspect, 1 / aspect) > _MOST_ASPECT:
        return width, f"{ratio}, which no camera's are: frames are shown as if they were square"
    shown = math.floor(width * aspect + Fraction(1, 2))
    if abs(shown - width) <= 1:
        return width, ""
    return shown, f"{ratio}: frames are brought from {width}x{height} to {shown}x{height}, as players do"


def _orientation(frame: VideoFrame) -> tuple[int, bool]:
    """Return by how many degrees counter-clockwise a frame is to be turned, and whether it is mirrored before."""
    typed_wrongly: Any = frame.side_data
    try:
        matrix = typed_wrongly.get(Type.DISPLAYMATRIX)
    except ValueError:  # PyAV, where a frame carries data of a kind it has no name for
        matrix = None
    if matrix is None:
        return round(frame.rotation / 90) % 4 * 90, False
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(matrix))  # (x, y) goes to (ax + cy, bx + dy), y downwards
    mirrored = a * d < b * c
    if mirrored:
        a, b = -a, -b
    return round(math.degrees(math.atan2(-b, a)) / 90) % 4 * 90, mirrored


def _positive(value: Fraction | None) -> Fraction | None:
    """Return a rational of PyAV as a positive Fraction; None where it is absent or not positive."""
    if value is None or value.denominator == 0 or value.numerator <= 0:
        return None
    return Fraction(value.numerator, value.denominator)
