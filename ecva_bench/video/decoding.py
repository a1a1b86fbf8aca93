"""Decode wanted frames of an indexed video, exactly and with as little work as possible.

Knows how to seek, what to feed to the decoder, and what came out. Does not choose frames, and puts nothing in the
place of a frame that damage ate: it says that it is missing.

The method: wanted frames are grouped by the key frame before them in presentation order (so that the leading
pictures of an open group of pictures belong to the previous key). Per group the file is sought to the key, packets
are fed up to the last wanted one, pictures nothing refers to are skipped unless wanted, and the decoder is drained.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import av
import numpy as np
import numpy.typing as npt
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from ..errors import VideoChanged
from .clock import Int64
from .facts import FrameFormat
from .index import SeekTable, VideoIndex, decode_to_end, packets_to_end
from .opening import file_stamp, open_video
from .watchdog import Deadline

UInt8 = npt.NDArray[np.uint8]
VideoPacket: TypeAlias = "Packet[VideoStream]"

_EARLIER = (1, 2, 4)  # how many key frames to go back where seeking or decoding from a key does not work


@dataclass(frozen=True, eq=False)
class Decoded:
    """Decoded frames in the order of the ranks asked for."""

    pixels: UInt8  # [n, height, width, 3] RGB as shown; rows of missing frames hold nothing of meaning
    present: npt.NDArray[np.bool_]  # [n] the frame came out
    corrupt: npt.NDArray[np.bool_]  # [n] damage in the file may have reached the frame
    warnings: tuple[str, ...]


def decode(index: VideoIndex, ranks: Int64, seconds: float) -> Decoded:
    """Decode the frames of the given ranks (distinct, increasing) within a time limit.

    `VideoChanged` if the file is not the one indexed, `DecodeTimeout` when time is over. Damage raises nothing.
    """
    if file_stamp(index.path) != index.stamp:
        raise VideoChanged("the file changed since it was indexed", index.path, "open the video anew")
    deadline = Deadline(index.path, seconds)
    canvas = _Canvas(index, ranks)
    if index.seek is None:
        _decode_sequentially(index, canvas, deadline)
    else:
        _decode_by_seeking(index, index.seek, canvas, deadline)
    if canvas.corrupt.any() or not canvas.present.all():
        canvas.warn("damaged: some frames do not decode or may be wrong")
    return Decoded(canvas.pixels, canvas.present, canvas.corrupt, tuple(canvas.warnings))


class _Canvas:
    """Where decoded frames are put: converted to RGB, as they are shown, and all of the first frame's size."""

    def __init__(self, index: VideoIndex, ranks: Int64) -> None:
        self.ranks = ranks
        self._picture = index.picture
        self.pixels: UInt8 = np.empty((len(ranks), *index.picture.shown_size, 3), dtype=np.uint8)
        self.present = np.zeros(len(ranks), dtype=np.bool_)
        self.corrupt = np.zeros(len(ranks), dtype=np.bool_)
        self.warnings: list[str] = []
        self._reformatter = VideoReformatter()

    def put(self, slot: int, frame: VideoFrame) -> None:
        """Convert a frame into its row. One thread: FFmpeg would start and join a pool for every frame."""
        width, height = self._picture.width, self._picture.height
        if (frame.width, frame.height) != (width, height):
            self.warn(f"the resolution changes: frames are brought to {width}x{height}")
        image = self._reformatter.reformat(frame, width, height, "rgb24", threads=1)
        plane = image.planes[0]
        rows = np.frombuffer(memoryview(plane), dtype=np.uint8).reshape(-1, plane.line_size)[:height, : width * 3]
        self.pixels[slot] = _as_shown(rows.reshape(height, width, 3), self._picture)
        self.present[slot] = True

    def warn(self, text: str) -> None:
        """Note what a reader of the results should know, once."""
        if text not in self.warnings:
            self.warnings.append(text)


def _as_shown(coded: UInt8, picture: FrameFormat) -> UInt8:
    """Return a frame as coded, uint8 [height, width, 3], in square pixels and upright."""
    if picture.shown_width != picture.width:
        from PIL import Image

        size = picture.shown_width, picture.height
        coded = np.asarray(Image.fromarray(coded).resize(size, Image.Resampling.BICUBIC))
    return np.rot90(coded[:, ::-1] if picture.mirrored else coded, picture.rotation // 90)


def _decode_sequentially(index: VideoIndex, canvas: _Canvas, deadline: Deadline) -> None:
    """Decode from the start, counting frames, up to the last wanted one."""
    slots = {int(rank): slot for slot, rank in enumerate(canvas.ranks)}
    with open_video(index.path, deadline) as (container, stream):
        for rank, (frame, tainted) in enumerate(decode_to_end(container, stream, deadline)):
            if rank in slots:
                slot = slots.pop(rank)
                canvas.put(slot, frame)
                canvas.corrupt[slot] = tainted
                if not slots:
                    return


def _decode_by_seeking(index: VideoIndex, table: SeekTable, canvas: _Canvas, deadline: Deadline) -> None:
    """Decode group by group. A frame that does not come out though nothing is damaged is tried from earlier keys.

    Such frames stand behind a recovery point, where a picture is complete only some frames after decoding began.
    """
    ticks = index.clock.ticks[canvas.ranks]
    keys = np.maximum(np.searchsorted(table.key_ticks, ticks, side="right") - 1, 0)
    with _Reader(index, table, deadline) as reader:
        for key in np.unique(keys).tolist():
            wanted = {int(ticks[slot]): int(slot) for slot in np.flatnonzero(keys == key)}
            beginnings = dict.fromkeys([key, *(max(0, key - back) for back in _EARLIER), 0])
            for beginning in beginnings:
                damaged = _decode_group(reader, beginning, wanted, canvas)
                wanted = {tick: slot for tick, slot in wanted.items() if not canvas.present[slot]}
                if damaged or not wanted:
                    break


def _decode_group(reader: _Reader, key: int, wanted: dict[int, int], canvas: _Canvas) -> bool:
    """Decode the frames `wanted` (ticks -> row) from a key frame on; return whether damage was met.

    Damage taints what is decoded after it in the group, as later pictures are built from earlier ones.
    """
    packets = reader.packets_from(key)
    context, table = reader.context, reader.table
    skip: Literal["NONREF", "DEFAULT"] = "NONREF" if reader.skips_unreferenced else "DEFAULT"
    tainted: set[int] = set()
    for packet in _up_to_last(wanted, packets):
        context.skip_frame = "DEFAULT" if packet is None or packet.pts in wanted else skip
        try:
            frames = context.decode(packet)
        except av.error.FFmpegError:
            frames = []
            if packet is not None:
                tainted |= {tick for tick in wanted if table.place(tick) >= table.place(packet.pts)}
        for frame in frames:
            tick = frame.pts
            if tick in wanted:
                canvas.put(wanted[tick], frame)
            if frame.is_corrupt and tick is not None:
                tainted |= {later for later in wanted if later >= tick}
    for tick in tainted:
        canvas.corrupt[wanted[tick]] = True
    return bool(tainted)


def _up_to_last(wanted: Iterable[int], packets: Iterator[VideoPacket | None]) -> Iterator[VideoPacket | None]:
    """Yield packets until all of the wanted ticks have passed, then None: the decoder is to hand out its rest."""
    ahead = set(wanted)
    for packet in packets:
        if packet is None:
            break
        yield packet
        ahead.discard(packet.pts)
        if not ahead:
            break
    yield None


class _Reader:
    """An open file that hands out packets from any key frame on."""

    def __init__(self, index: VideoIndex, table: SeekTable, deadline: Deadline) -> None:
        self.table, self.skips_unreferenced = table, index.stream.skips_unreferenced
        self._path, self._deadline = index.path, deadline
        self._stack = contextlib.ExitStack()
        self._untouched = False

    def __enter__(self) -> _Reader:
        self._open()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def context(self) -> VideoCodecContext:
        """The decoder; another one after `packets_from` had to open the file again."""
        return self._stream.codec_context

    def packets_from(self, key: int) -> Iterator[VideoPacket | None]:
        """Return the packets from a key frame's on, then None.

        A seek may land anywhere (in MPEG-TS up to a group late): the packet found there says whether it was right.
        Where none is, the file is opened again and read up to the key frame.
        """
        place = self.table.place(int(self.table.key_ticks[key]))
        if self._untouched:
            self._untouched = False
            if place == 0:
                return self._packets()
            self._prime()
        for offset in self._seek_targets(key) if place else ():
            packets = self._sought(offset)
            first = next(packets)
            if first is not None and self.table.place(first.pts) <= place:
                return self._from_place(place, itertools.chain([first], packets))
        self._open()
        self._untouched = False
        if place:
            self._prime()
        return self._from_place(place, self._packets())

    def _open(self) -> None:
        self._stack.close()
        self._container, self._stream = self._stack.enter_context(open_video(self._path, self._deadline))
        self._untouched = True

    def _packets(self) -> Iterator[VideoPacket | None]:
        return packets_to_end(self._container, self._stream, self._deadline)

    def _prime(self) -> None:
        """Show the decoder the file's first packet: x264 tells its version only there, and it changes pixels."""
        with contextlib.suppress(av.error.FFmpegError):  # a damaged first packet has nothing to tell
            self.context.decode(next(self._packets()))
        self.context.flush_buffers()

    def _seek_targets(self, key: int) -> Iterator[int]:
        """Yield the ticks to try: the key frame's presentation and decode times, then earlier key frames'."""
        yield int(self.table.key_ticks[key])
        decode_time = self.table.key_dts[key]
        if decode_time is not None:
            yield decode_time
        for back in _EARLIER:
            if key >= back:
                yield int(self.table.key_ticks[key - back])

    def _sought(self, offset: int) -> Iterator[VideoPacket | None]:
        try:
            self._container.seek(offset, stream=self._stream)
        except av.error.FFmpegError:
            return iter([None])
        return self._packets()

    def _from_place(self, place: int, packets: Iterator[VideoPacket | None]) -> Iterator[VideoPacket | None]:
        table = self.table
        return itertools.dropwhile(lambda packet: packet is not None and table.place(packet.pts) < place, packets)
