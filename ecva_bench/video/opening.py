"""Open a file and choose its moving pictures, or say in one typed error why that cannot be done.

Every way in which a file is not a video has its own error. Decodes nothing.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Discard, Disposition
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from ..errors import (
    CodecUnsupported,
    HeaderDamaged,
    NoFrames,
    NotAVideo,
    NoVideoStream,
    StillImage,
    StorageTrouble,
    VideoEmpty,
    VideoMissing,
)
from ..files.trouble import trouble_of
from .limits import MOST_PIXELS, check_pixels
from .watchdog import Deadline

FileStamp = tuple[int, int]  # bytes, modification time in ns: enough to notice that a file was replaced

_DOWNLOAD_AGAIN = "download or copy it again"
# What FFmpeg reads as a list of other files, devices or addresses.
_REFERRING = frozenset(("concat", "dash", "hls", "imf", "lavfi", "rtp", "rtsp", "sap", "sdp", "webm_dash_manifest"))
_SYNC_DISTANCE = 188  # bytes of an MPEG transport packet
_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"wide", b"skip")  # with one of which an MP4 begins
_LOOKED_AT = 5_000_000  # bytes, as many as FFmpeg looks at
_PIXELS = {"max_pixels": str(MOST_PIXELS)}


def file_stamp(path: Path) -> FileStamp:
    """Return what identifies the file's present content; `VideoMissing`, `NotAVideo` or `VideoEmpty` if nothing can."""
    try:
        status = path.stat()
    except OSError as error:
        raise _unreadable(error, path) from None
    if not stat.S_ISREG(status.st_mode):
        raise NotAVideo("neither a file nor a link to one", path, "name the video file itself")
    if status.st_size == 0:
        raise VideoEmpty("the file has zero bytes", path, _DOWNLOAD_AGAIN)
    return status.st_size, status.st_mtime_ns


@contextmanager
def open_video(path: Path, deadline: Deadline) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Yield the open container and its main video stream, one codec thread, everything else discarded.

    `VideoTooLarge` where its pictures have more pixels than are decoded.

    One thread: threads per video gain nothing over threads across videos, and cost memory and deadlocks.
    """
    if not _lists_its_streams(path):
        _check_pixels_unseen(path, deadline)
    container = _open(path, deadline)
    try:
        stream = _main_stream(container, path)
        for other in container.streams:
            if other.index != stream.index:
                other.discard = Discard.all
        if not stream.codec_context.width:  # a decoder that refused the pictures forgets what the header says of them
            _check_pixels_unseen(path, deadline)
        check_pixels(stream.codec_context.width, stream.codec_context.height, path)
        stream.codec_context.thread_count = 1
        stream.codec_context.options = _PIXELS  # a later picture may be larger than the header says
        yield container, stream
    finally:
        container.close()


def _lists_its_streams(path: Path) -> bool:
    """Whether the header of a file says which streams there are, as those of MP4, Matroska and AVI do."""
    head = _head(path)
    return head[4:8] in _BOXES or head.startswith((b"\x1a\x45\xdf\xa3", b"RIFF"))


def _check_pixels_unseen(path: Path, deadline: Deadline) -> None:
    """Raise `VideoTooLarge` by what container and codec headers say; where they say nothing, by a picture.

    Where streams are found only as their packets come (FLV, MPEG), FFmpeg's look at a file decodes pictures by its own
    limit. Here it looks without decoders, and our limit holds for the one that is then needed. `NoFrames` if none
    decodes within what FFmpeg looks at.
    """
    with _open(path, deadline, codec_whitelist="none") as container:
        for stream in container.streams.video:
            context: VideoCodecContext | None = getattr(stream, "codec_context", None)
            if context is None or stream.disposition & Disposition.attached_pic:
                continue
            if not context.width:
                _decode_one(container, stream, path)
            check_pixels(context.width, context.height, path)


def _decode_one(container: InputContainer, stream: VideoStream, path: Path) -> None:
    stream.codec_context.thread_count = 1
    stream.codec_context.options = _PIXELS
    seen = 0
    with suppress(av.error.FFmpegError):
        for packet in container.demux(stream):
            seen += packet.size
            with suppress(av.error.FFmpegError):
                if packet.decode():
                    return
            if seen > _LOOKED_AT:
                break
    what = f"its first pictures do not decode, or have more than {MOST_PIXELS:,} pixels"
    raise NoFrames(what, path, f"{_DOWNLOAD_AGAIN}, or leave it out")


def _open(path: Path, deadline: Deadline, **also: str) -> InputContainer:
    name = str(path.absolute())  # a relative name with a colon would be taken for an address
    # A playlist under a video's name must not reach for the network, nor for another file.
    local = {"protocol_whitelist": "file", "format_whitelist": ",".join(sorted(av.formats_available - _REFERRING))}
    options = {**local, **_PIXELS, **also}  # also those of the decoders with which FFmpeg looks at the streams
    try:
        return av.open(name, options=options, metadata_errors="replace", timeout=deadline.seconds)
    except av.error.ExitError:
        raise deadline.timeout() from None
    except av.error.ArgumentError:  # before anything that it names is opened
        raise NotAVideo("a playlist or manifest, which only names videos", path, "name the video itself") from None
    except (av.error.FFmpegError, PermissionError) as error:
        check_trouble(error, path)
        if _has_container_magic(path):
            raise HeaderDamaged(
                "the header or index is missing or cut off", path, f"{_DOWNLOAD_AGAIN}, or repair it"
            ) from None
        raise NotAVideo("the bytes are not a known video container", path, _DOWNLOAD_AGAIN) from None


def check_trouble(error: BaseException, path: Path) -> None:
    """Raise `StorageTrouble` where an error speaks of the machine and not of the file."""
    if trouble := trouble_of(error, path):
        raise StorageTrouble(f"the file cannot be read, {trouble.what}", path, trouble.remedy) from None


def _unreadable(error: OSError, path: Path) -> VideoMissing:
    check_trouble(error, path)
    return VideoMissing(f"no readable file ({error.strerror})", path, "check the path")


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_SYNC_DISTANCE + 1)
    except OSError as error:
        raise _unreadable(error, path) from None


def _has_container_magic(path: Path) -> bool:
    """Whether the file begins as MP4, Matroska, AVI, FLV, Ogg, ASF, MPEG or raw H.264 files do."""
    head = _head(path)
    return (
        head[4:8] in _BOXES
        or head.startswith(
            (b"\x1a\x45\xdf\xa3", b"FLV", b"OggS", b"\x30\x26\xb2\x75", b"\x00\x00\x01", b"\x00\x00\x00\x01")
        )
        or (head.startswith(b"RIFF") and head[8:12] == b"AVI ")
        or (len(head) > _SYNC_DISTANCE and head[0] == head[_SYNC_DISTANCE] == 0x47)
    )


def _main_stream(container: InputContainer, path: Path) -> VideoStream:
    """Return the stream FFmpeg calls best, which is the moving one where covers and previews lie beside it."""
    kind = container.format.name
    if kind.endswith("_pipe") or kind == "image2":
        raise StillImage("a picture under a video's name", path, _DOWNLOAD_AGAIN)
    stream = container.streams.best("video")
    if not isinstance(stream, VideoStream) or stream.disposition & Disposition.attached_pic:
        others = {other.type for other in container.streams} - {"video"}
        found = f"only {', '.join(sorted(others))}" if others else "nothing"
        raise NoVideoStream(f"it contains no video stream, {found}", path, "get the version with pictures")
    if getattr(stream, "codec_context", None) is None:  # which PyAV's types say cannot happen
        raise CodecUnsupported("no decoder for its pictures in this FFmpeg", path, "re-encode it, for example as H.264")
    return stream
