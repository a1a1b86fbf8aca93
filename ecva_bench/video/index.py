"""The index of a video: every frame's time and where decoding for it may begin, read from packets alone.

Knows packets, key frames and clocks. Decodes one frame (for size and rotation), and the whole file only where
packets do not tell which frames there will be; the reason then stands in `sequential`.

Frames are numbered in presentation order: frame i is the i-th frame of a full decode. Times are kept as whole
ticks of the container's clock, so that seconds are exact quotients.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from ..errors import NoFrames
from ..wording import counted
from .clock import Clock, Int64, distinct, typical_duration
from .facts import FrameFormat, StreamFacts, frame_format, stream_facts
from .limits import check_frames, check_pixels
from .opening import FileStamp, file_stamp, open_video
from .watchdog import Deadline

_LATE = Fraction(1, 10)  # seconds by which pictures may begin after the sound without a word
_VP8_SHOWN = 0x10  # bit of a VP8 packet's first byte: the picture is shown


@dataclass(frozen=True, eq=False)
class SeekTable:
    """Where decoding may begin, and where in the file each packet lies."""

    key_ticks: Int64  # [n_keys] presentation times of key frames, increasing
    key_dts: tuple[int | None, ...]  # [n_keys] their decode times in ticks
    places: dict[int, int]  # presentation time of a packet -> its place in the file (0 is the first)

    def place(self, tick: int | None) -> int:
        """Return the place in the file of the packet with a presentation time; past the end if there is none."""
        return len(self.places) if tick is None else self.places.get(tick, len(self.places))


@dataclass(frozen=True, eq=False)
class VideoIndex:
    """What is known of a video's frames without decoding them."""

    path: Path
    stamp: FileStamp
    stream: StreamFacts
    picture: FrameFormat
    clock: Clock
    seek: SeekTable | None  # None: frames are found only by decoding from the start
    warnings: tuple[str, ...]

    @property
    def n_frames(self) -> int:
        """Number of frames a full decode yields."""
        return len(self.clock.ticks)


@dataclass
class _Scan:
    """The packets of one stream in file order."""

    pts: list[int | None] = field(default_factory=list)
    dts: list[int | None] = field(default_factory=list)
    durations: list[int] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)  # places of key frames
    hidden: set[int] = field(default_factory=set)  # places of packets whose picture is never shown
    picture: FrameFormat | None = None
    warnings: list[str] = field(default_factory=list)


def build_index(path: Path, seconds: float) -> VideoIndex:
    """Read the index of a video file within a time limit; a `VideoError` says why there is none."""
    deadline = Deadline(path, seconds)
    stamp = file_stamp(path)
    with open_video(path, deadline) as (container, stream):
        facts = stream_facts(container, stream)
        scan = _scan(container, stream, facts, deadline, path)
    reason = _why_sequential(scan, facts)
    seek: SeekTable | None = None
    if reason is None and scan.picture is not None:
        clock, seek, picture = _packet_clock(scan, facts), _seek_table(scan), scan.picture
    else:
        clock, picture = _decoded_clock(path, scan, facts, deadline)
        scan.warnings.append(f"decoded from the start: {reason}")
    check_pixels(picture.shown_width, picture.height, path)  # not square pixels may make them more
    n_frames = len(clock.ticks)
    if facts.stated_frames not in (0, n_frames):
        scan.warnings.append(f"the header states {facts.stated_frames} frames, there are {n_frames}")
    if clock.late > _LATE:
        scan.warnings.append(f"the first picture comes {float(clock.late):.3f} s after the beginning, as in players")
    scan.warnings += picture.notes
    return VideoIndex(path, stamp, facts, picture, clock, seek, tuple(scan.warnings))


def _scan(container: InputContainer, stream: VideoStream, facts: StreamFacts, deadline: Deadline, path: Path) -> _Scan:
    """Read all packets of the stream, decoding only the first key frame that decodes by itself."""
    scan = _Scan()
    vp8 = facts.codec == "vp8"
    corrupt = 0
    try:
        for place, packet in enumerate(_packets(container, stream, deadline)):
            check_frames(place + 1, path)
            scan.pts.append(packet.pts)
            scan.dts.append(packet.dts)
            scan.durations.append(packet.duration or 0)
            corrupt += packet.is_corrupt
            if packet.is_keyframe:
                scan.keys.append(place)
                if scan.picture is None:
                    scan.picture = _picture_in(packet, stream, facts)
            if packet.is_discard or (vp8 and not memoryview(packet)[0] & _VP8_SHOWN):
                scan.hidden.add(place)
    except av.error.FFmpegError as error:
        scan.warnings.append(f"reading broke off after {counted(len(scan.pts), 'packet')}: {error.strerror}")
    if corrupt:
        scan.warnings.append(f"packets flagged as corrupt: {corrupt}")
    return scan


def _picture_in(packet: Packet[VideoStream], stream: VideoStream, facts: StreamFacts) -> FrameFormat | None:
    """Return the picture facts of a key frame, decoded by itself; None if it does not decode."""
    context = stream.codec_context
    try:
        frames = context.decode(packet) + context.decode(None)
    except av.error.FFmpegError:
        frames = []
    context.flush_buffers()
    return frame_format(frames[0], facts.pixel_aspect) if frames else None


def _why_sequential(scan: _Scan, facts: StreamFacts) -> str | None:
    """Return why packets do not tell which frames there will be, or None if they do."""
    if facts.guessed_times:
        return "the container has no presentation times and the pictures are reordered"
    pts = [ticks for ticks in scan.pts if ticks is not None]
    if len(pts) < len(scan.pts):
        return "packets without a timestamp"
    if len(set(pts)) < len(pts):
        return "packets share a timestamp"
    if not scan.keys:
        return "no packet is marked as a key frame"
    if scan.picture is None:
        return "no key frame decodes by itself"
    if scan.keys[0] != 0 or min(pts) < pts[0]:
        return "it begins with pictures built from ones that were cut off"
    return None


def _packet_clock(scan: _Scan, facts: StreamFacts) -> Clock:
    """Return the clock from packets alone."""
    shown = {ticks: place for place, ticks in enumerate(scan.pts) if ticks is not None and place not in scan.hidden}
    ticks = np.array(sorted(shown), dtype=np.int64)
    duration = scan.durations[shown[int(ticks[-1])]] or typical_duration(ticks, facts.time_base, facts.rate)
    return Clock(facts.time_base, ticks, duration, _late(int(ticks[0]), scan, facts))


def _late(first: int | None, scan: _Scan, facts: StreamFacts) -> Fraction:
    """Return the seconds from the player's time zero to the first picture, shown at the tick `first` if it is known."""
    if facts.counted:
        first = scan.dts[0]
    if first is None or facts.zero is None:
        return Fraction(0)
    return max(Fraction(0), first * facts.time_base - facts.zero)


def _seek_table(scan: _Scan) -> SeekTable:
    places = {ticks: place for place, ticks in enumerate(scan.pts) if ticks is not None}
    key_places = set(scan.keys)
    keys = sorted((ticks, scan.dts[place]) for ticks, place in places.items() if place in key_places)
    return SeekTable(np.array([ticks for ticks, _ in keys], dtype=np.int64), tuple(dts for _, dts in keys), places)


def _decoded_clock(path: Path, scan: _Scan, facts: StreamFacts, deadline: Deadline) -> tuple[Clock, FrameFormat]:
    """Return the clock and the picture facts from a full decode.

    The n-th frame comes at the n-th decode time where every packet gives a frame, else at the n-th smallest of the
    frames' own times (right as a set, though dealt out in the wrong order), else at the nominal rate.
    """
    pts: list[int | None] = []
    picture: FrameFormat | None = None
    with open_video(path, deadline) as (container, stream):
        for frame, _ in decode_to_end(container, stream, deadline):
            picture = picture or frame_format(frame, facts.pixel_aspect)
            pts.append(frame.pts)
    if picture is None:
        raise NoFrames("not a single frame decodes", path, "download it again, or leave it out")
    time_base = facts.time_base
    ticks = distinct(scan.dts, len(pts))
    if ticks is None:
        ticks = distinct(pts, len(pts))
    if ticks is None:
        ticks, time_base = np.arange(len(pts), dtype=np.int64), 1 / facts.rate
    late = _late(pts[0], scan, facts)
    return Clock(time_base, ticks, typical_duration(ticks, time_base, facts.rate), late), picture


def decode_to_end(
    container: InputContainer, stream: VideoStream, deadline: Deadline
) -> Iterator[tuple[VideoFrame, bool]]:
    """Yield every frame from where the container stands, and whether damage may have reached it.

    A packet that does not decode, or a frame the decoder calls corrupt, taints all frames up to the next key frame.
    """
    context, tainted = stream.codec_context, False
    for packet in packets_to_end(container, stream, deadline):
        try:
            frames = context.decode(packet)
        except av.error.FFmpegError:
            frames, tainted = [], True
        for frame in frames:
            tainted = frame.is_corrupt or (tainted and not frame.key_frame)
            yield frame, tainted


def packets_to_end(
    container: InputContainer, stream: VideoStream, deadline: Deadline
) -> Iterator[Packet[VideoStream] | None]:
    """Yield the stream's packets from where the container stands, then None: the decoder is to hand out its rest."""
    with contextlib.suppress(av.error.FFmpegError):  # where the index broke off, too, and has a warning of it
        yield from _packets(container, stream, deadline)
    yield None


def _packets(container: InputContainer, stream: VideoStream, deadline: Deadline) -> Iterator[Packet[VideoStream]]:
    try:
        for packet in container.demux(stream):
            deadline.check()
            if packet.size:
                yield packet
    except av.error.ExitError:
        raise deadline.timeout() from None
    except IndexError:
        return  # PyAV, behind the last packet of a file in which another stream begins late
