"""`Video`: exact frames of a file at instants or indices, on a timeline from which moments can be cut.

Decides which frames are shown, by which index and second, and which frame replaces one that does not decode. Files are
read in `source`. A video and its edits are used by one thread at a time; different videos may be used
by different threads.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from ..errors import NoFrames, UsageError
from ..records import Moment
from ..records.base import Pictures
from .clock import Float64, Int64
from .decoding import UInt8
from .source import Source

_FIRST_REACH = 4  # frames looked at first, on either side, for one that stands in for a missing frame
_JITTER = 0.1  # share of a frame's duration by which a constant rate may waver
_ROUNDING = 1.5e-3  # seconds by which it may waver too: Matroska and FLV round times to milliseconds


def decoder_version() -> str:
    """Return what decodes, as results name it: `pyav 18.1.0 / ffmpeg 8.1.2`."""
    return f"pyav {av.__version__} / ffmpeg {av.ffmpeg_version_info}"


@dataclass(frozen=True, eq=False)
class Frames:
    """T frames of a video in the order asked for, and what was wrong with them.

    pixels: uint8 [T, height, width, 3], RGB, as a player shows them, all of one size; read-only, as it may be shared.
    timestamps: float64 [T], the player's seconds at which the frame given comes on screen: the original timeline.
    positions: float64 [T], the same on the timeline shown; equal to `timestamps` where nothing was cut.
    indices: int64 [T], indices on the timeline shown, as asked for.
    substituted: index asked for -> index given instead, because the frame asked for does not decode.
    corrupt: indices asked for whose pixels damage in the file may have changed.

    >>> import ecva_bench as eb

    >>> def shape(video, question):
    ...     frames = video.frames([0.0, 1.5])  # those on screen at these seconds
    ...     return f"{frames.pixels.dtype} {frames.pixels.shape}"
    >>> eb.run(shape, tasks="cause", limit=1).records[0].answer
    'uint8 (2, 240, 320, 3)'
    """

    pixels: UInt8
    timestamps: Float64
    positions: Float64
    indices: Int64
    substituted: dict[int, int]
    corrupt: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.indices)


class Video:
    """A video file, or an edit of one. Opens the file when it is first needed; a `VideoError` then says what is wrong.

    Frames are numbered on the timeline shown: frame i of a whole video is the i-th frame of a full decode, bit for
    bit. Seconds are on the original timeline, which is the player's: it begins where the first of sound and pictures
    does, so that the first frame may come later. `deadline` (seconds) bounds the
    reading of the index and every decode; with `isolate` both happen in a process of their own, which survives (and
    bounds) even a decoder that hangs or crashes. `on_frames`, where set, is told of all frames handed out. `removed`
    are the moments cut; `pictures` names what is shown instead of the video's own pictures (`PictureView`).

    >>> import ecva_bench as eb

    >>> mini = eb.load_dataset("mini", videos="clips")
    >>> mini.ensure_videos(only=["mini01"])
    >>> with eb.Video("clips/mini01.mp4") as video:
    ...     video.n_frames, video.duration, video.without([eb.Moment(start=0.0, end=2.0)]).duration
    (135, 9.0, 7.0)
    """

    def __init__(self, path: str | Path, *, deadline: float = 60.0, isolate: bool = False) -> None:
        self._source = Source(Path(path), deadline, isolate)
        self._kept_ranks: Int64 | None = None
        self.removed: tuple[Moment, ...] = ()
        self.pictures: Pictures | None = None
        self.on_frames: Callable[[Frames], None] | None = None

    def __enter__(self) -> Video:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Free the frames kept in memory. No file stays open between calls, so there is nothing else to close."""
        self.release()

    # What the file is

    @property
    def path(self) -> Path:
        """The file."""
        return self._source.path

    @property
    def sha256(self) -> str:
        """Hex SHA-256 of the file's bytes."""
        return self._source.sha256

    @property
    def codec(self) -> str:
        """FFmpeg's name of the codec, such as `h264`."""
        return self._source.index.stream.codec

    @property
    def pixel_format(self) -> str:
        """FFmpeg's name of the pixel format, such as `yuv420p`."""
        return self._source.index.picture.pixel_format

    @property
    def rotation(self) -> int:
        """Degrees counter-clockwise by which frames were turned for showing: 0, 90, 180 or 270."""
        return self._source.index.picture.rotation

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the frames as shown, in square pixels."""
        height, width = self._source.index.picture.shown_size
        return width, height

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame in memory."""
        width, height = self.size
        return width * height * 3

    @property
    def has_audio(self) -> bool:
        """Whether the file has sound."""
        return self._source.index.stream.has_audio

    @functools.cached_property
    def variable_frame_rate(self) -> bool:
        """Whether frames of the whole file stay on screen for clearly different times."""
        clock = self._source.index.clock
        seconds = clock.seconds(np.diff(clock.ticks))
        if not len(seconds):
            return False
        usual = float(np.median(seconds))
        return float(np.abs(seconds - usual).max()) > max(_JITTER * usual, _ROUNDING)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was noticed of the file so far, in plain words; decoding may add to it."""
        return self._source.warnings

    # What is shown

    @property
    def n_frames(self) -> int:
        """Number of frames shown."""
        return len(self._ranks)

    @functools.cached_property
    def duration(self) -> float:
        """Seconds from the beginning of the timeline shown to where its last frame leaves the screen."""
        clock = self._source.index.clock
        return float(clock.seconds(clock.durations()[self._ranks].sum(), self._late))

    @functools.cached_property
    def frame_rate(self) -> float:
        """Average frames per second of what is shown, from the first frame on."""
        clock = self._source.index.clock
        return self.n_frames / float(clock.seconds(clock.durations()[self._ranks].sum()))

    @functools.cached_property
    def timestamps(self) -> Float64:
        """float64 [n_frames], seconds on the original timeline at which each frame comes on screen."""
        clock = self._source.index.clock
        return _read_only(clock.seconds(clock.ticks[self._ranks] - clock.ticks[0], clock.late))

    @functools.cached_property
    def positions(self) -> Float64:
        """float64 [n_frames], seconds on the timeline shown: every frame stays on screen as long as it did."""
        clock = self._source.index.clock
        durations = clock.durations()[self._ranks]
        return _read_only(clock.seconds(np.cumsum(durations) - durations, self._late))

    def without(self, moments: Iterable[Moment]) -> Video:
        """Return this video with the frames of `start <= t < end` cut out; nothing is re-encoded.

        Moments are in seconds on the original timeline, may overlap, and add to those cut before. The edit shares
        the index and the frames kept in memory with this video. `NoFrames` if nothing is left.
        """
        edit = Video.__new__(Video)
        edit._source = self._source
        edit.removed = (*self.removed, *moments)
        edit.pictures = None
        edit.on_frames = None
        cut = np.zeros(self.n_frames, dtype=np.bool_)
        for moment in edit.removed:
            cut |= (moment.start <= self.timestamps) & (self.timestamps < moment.end)
        edit._kept_ranks = self._ranks[~cut]
        if cut.all():
            raise NoFrames("cutting the moments leaves no frame", self.path, "leave this view of the video out")
        return edit

    def within(self, start: float, end: float) -> Video:
        """Return this video with all frames cut out but those of `start <= t < end`, in the player's seconds.

        `NoFrames` if there is none.
        """
        return self.without(self._others(start, end))

    def _others(self, start: float, end: float) -> list[Moment]:
        """Return the moments before and after a span."""
        last = float(self.timestamps[-1]) + 1
        spans = [(0.0, start), (end, last)]
        return [Moment(start=one, end=other) for one, other in spans if one < other]

    # Frames

    def frames(self, instants: Sequence[float] | Float64) -> Frames:
        """Return the frame on screen at each instant, in seconds on the original timeline."""
        return self.frames_at(self.indices_at(instants))

    def indices_at(self, instants: Sequence[float] | Float64) -> Int64:
        """Return the index on the timeline shown of the frame on screen at each instant: the last one begun.

        Before the first frame it is the first; inside a cut it is the last frame before it. `UsageError` for what is
        no time.
        """
        times = np.asarray(instants, dtype=np.float64)
        if np.isnan(times).any():
            raise UsageError("an instant is not a number", self.path, "ask for seconds")
        return np.maximum(np.searchsorted(self.timestamps, times, side="right") - 1, 0).astype(np.int64)

    def frames_at(self, indices: Sequence[int] | Int64) -> Frames:
        """Return the frames at indices of the timeline shown, in any order, repeated if asked for repeatedly.

        A frame that does not decode is replaced by the nearest shown one that does, and listed in `substituted`.
        `UsageError` for an index that is not there, `NoFrames` if nothing decodes, `DecodeTimeout`, `VideoChanged`,
        `VideoTooLarge` for more frames than may be in memory at once.
        """
        requested = np.asarray(indices, dtype=np.int64)
        self._source.check_bytes(len(requested))
        ranks, places = np.unique(self.source_indices(requested), return_inverse=True)
        read = self._source.read(ranks)
        decoded = ranks.copy()
        for row in np.flatnonzero(~read.present):
            decoded[row], read.pixels[row], read.corrupt[row] = self._stand_in(int(ranks[row]))
        in_order = len(ranks) == len(requested) and bool((places[1:] > places[:-1]).all())
        pixels = read.pixels if in_order else read.pixels[places]
        pixels.flags.writeable = False
        wanted, shown = np.searchsorted(self._ranks, ranks), np.searchsorted(self._ranks, decoded)
        frames = Frames(
            pixels=pixels,
            timestamps=self.timestamps[shown][places],
            positions=self.positions[shown][places],
            indices=requested,
            substituted={int(wanted[row]): int(shown[row]) for row in np.flatnonzero(~read.present)},
            corrupt=tuple(int(wanted[row]) for row in np.flatnonzero(read.corrupt)),
        )
        if self.on_frames:
            self.on_frames(frames)
        return frames

    def source_indices(self, indices: Sequence[int] | Int64) -> Int64:
        """Return the indices in the whole video behind indices of the timeline shown."""
        return self._ranks[self._checked(indices)]

    def preload(self, source_indices: Sequence[int] | Int64) -> None:
        """Decode frames of the whole video once, in one pass, and serve them from memory from now on.

        They serve this video and all edits that share its file, until `release`; see `frame_bytes` for their size.
        """
        ranks = np.unique(np.asarray(source_indices, dtype=np.int64))
        n_frames = self._source.index.n_frames
        if len(ranks) and (ranks[0] < 0 or ranks[-1] >= n_frames):
            raise UsageError(
                f"frames {ranks[0]} to {ranks[-1]} were requested", self.path, f"it has 0 to {n_frames - 1}"
            )
        self._source.keep(ranks)

    def release(self) -> None:
        """Drop the frames that `preload` keeps in memory."""
        self._source.release()

    def _checked(self, indices: Sequence[int] | Int64) -> Int64:
        """Return indices of the timeline shown as an array; `UsageError` for one that is not there."""
        requested = np.asarray(indices, dtype=np.int64)
        if len(requested) and (requested.min() < 0 or requested.max() >= self.n_frames):
            raise UsageError(
                f"frames {requested.min()} to {requested.max()} were requested",
                self.path,
                f"it has 0 to {self.n_frames - 1}",
            )
        return requested

    @functools.cached_property
    def _ranks(self) -> Int64:
        """Indices in the whole video of the frames shown."""
        if self._kept_ranks is None:
            return np.arange(self._source.index.n_frames, dtype=np.int64)
        return self._kept_ranks

    @property
    def _late(self) -> Fraction:
        """Seconds of the timeline shown before its first frame; they go where the file's first frame is cut."""
        first_is_shown = len(self._ranks) > 0 and self._ranks[0] == 0
        return self._source.index.clock.late if first_is_shown else Fraction(0)

    def _stand_in(self, rank: int) -> tuple[int, UInt8, bool]:
        """Return rank, pixels and corruption of the nearest shown frame that decodes, the earlier one if two do.

        Only frames that are shown may stand in: one from a cut moment would show what was cut.
        """
        place, reach = int(np.searchsorted(self._ranks, rank)), _FIRST_REACH
        while True:
            near = self._ranks[max(0, place - reach) : place + reach + 1]
            read = self._source.read(near)
            if read.present.any():
                row = min(np.flatnonzero(read.present), key=lambda row: (abs(near[row] - rank), near[row]))
                return int(near[row]), read.pixels[row], bool(read.corrupt[row])
            if len(near) == self.n_frames:
                raise NoFrames("no frame that is to be shown decodes", self.path, "download it again, or leave it out")
            reach *= 2


def _read_only(values: Float64) -> Float64:
    values.flags.writeable = False
    return values
