"""Open a file and choose its moving pictures, or say in one typed error why that cannot be done.

Every way in which a file is not a video has its own error. Decodes nothing.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Discard, Disposition
from av.video.stream import VideoStream

from ..errors import (
    CodecUnsupported,
    HeaderDamaged,
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
_PIXELS = {"max_pixels": str(MOST_PIXELS)}


def file_stamp(path: Path) -> FileStamp:
    """Return what identifies the file's present content; `VideoMissing`, `NotAVideo` or `VideoEmpty` if nothing can."""
    try:
        status = path.stat()
    except OSError as error:
        check_trouble(error, path)
        raise VideoMissing(f"no readable file ({error.strerror})", path, "check the path") from None
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
    container = _open(path, deadline)
    try:
        stream = _main_stream(container, path)
        for other in container.streams:
            if other.index != stream.index:
                other.discard = Discard.all
        check_pixels(stream.codec_context.width, stream.codec_context.height, path)
        stream.codec_context.thread_count = 1
        stream.codec_context.options = _PIXELS  # a later picture may be larger than the header says
        yield container, stream
    finally:
        container.close()


def _open(path: Path, deadline: Deadline) -> InputContainer:
    name = str(path.absolute())  # a relative name with a colon would be taken for an address
    # A playlist under a video's name must not reach for the network, nor for another file.
    local = {"protocol_whitelist": "file", "format_whitelist": ",".join(sorted(av.formats_available - _REFERRING))}
    options = {**local, **_PIXELS}  # also those of the decoders with which FFmpeg looks at the streams
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


def _has_container_magic(path: Path) -> bool:
    """Whether the file begins as MP4, Matroska, AVI, FLV, Ogg, ASF, MPEG or raw H.264 files do."""
    with path.open("rb") as file:
        head = file.read(_SYNC_DISTANCE + 1)
    return (
        head[4:8] in (b"ftyp", b"moov", b"mdat", b"free", b"wide", b"skip")
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
