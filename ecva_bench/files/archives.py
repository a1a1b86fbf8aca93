"""Videos inside archives: each has a path below its archive, and is brought into the cache when it is opened.

`raw/group_0.zip/videos/00001.mp4` is a member of a zip; a parquet file with a column of videos holds them under the
names written there. Nothing is ever unpacked beside an archive. What is in the cache can be made again: the longest
unused goes first once there is more than `ROOM` of it.
"""

from __future__ import annotations

import contextlib
import hashlib
import lzma
import os
import re
import shutil
import tarfile
import threading
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import IO

from .. import wording
from ..cache import cache_dir
from ..errors import DataError, HeaderDamaged, StorageTrouble, VideoError, VideoMissing
from . import parquet
from .trouble import trouble_of

SUFFIXES = (".zip", ".parquet")
ROOM = 20 << 30  # bytes of videos kept in the cache
SPARE = 1 << 30  # bytes left free on the cache's disk
IN_USE = 600.0  # seconds for which a video that was asked for is not removed

# What Python's readers of archives raise for damaged, locked and foreign ones, and the file system for lack of space.
UNREADABLE = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, RuntimeError, ValueError, OSError,
)  # fmt: skip


def is_archive(path: Path) -> bool:
    """Return whether a file's videos can be read where they are."""
    return path.suffix.lower() in SUFFIXES


def members(archive: Path) -> tuple[str, ...]:
    """Return the names of the files in an archive; `DataError` where it cannot be read."""
    status = archive.stat()
    try:
        return _members(archive, status.st_size, status.st_mtime_ns)
    except UNREADABLE as error:
        what, remedy = trouble_of(error, archive) or (str(error), "get it again")
        raise DataError(f"the archive cannot be read ({what})", archive, remedy) from error


@lru_cache(maxsize=64)
def _members(archive: Path, size: int, changed: int) -> tuple[str, ...]:
    if archive.suffix.lower() == ".parquet":
        return tuple(parquet.videos(archive))
    with zipfile.ZipFile(archive) as opened:
        return tuple(one.filename for one in opened.infolist() if not one.is_dir())


def on_disk(path: Path) -> Path:
    """Return where the bytes of a video lie: the path itself, or a file of the cache for one in an archive.

    A `VideoError` says why one in an archive cannot be had.
    """
    place = _place(path)
    if place is None:
        return path
    archive, member = place
    status = archive.stat()
    stamp = f"{archive.resolve()}\n{status.st_size}\n{status.st_mtime_ns}\n{member}"
    name = re.sub(r"[^\w.-]+", "_", member.rpartition("/")[2])[-60:].lstrip(".")
    kept = cache_dir() / "videos" / f"{hashlib.sha256(stamp.encode()).hexdigest()[:16]}-{name}"
    # The time of use is kept as that of access; the time of change is how a decoder knows that a file is the same.
    with contextlib.suppress(FileNotFoundError):
        os.utime(kept, ns=(time.time_ns(), kept.stat().st_mtime_ns))
        return kept
    partial = kept.with_name(f".{kept.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with _content(archive, member) as (content, size):
            _make_room(kept.parent, size, path)
            with partial.open("wb") as out:
                shutil.copyfileobj(content, out, 1 << 20)
        os.utime(partial, ns=(time.time_ns(), status.st_mtime_ns))
        partial.replace(kept)
    except VideoError:
        raise
    except (*UNREADABLE, DataError) as error:
        if trouble := trouble_of(error, kept.parent):
            raise StorageTrouble(
                f"it cannot be taken out of its archive, {trouble.what}", path, trouble.remedy
            ) from error
        raise HeaderDamaged(f"it cannot be read out of its archive ({error})", path, "get the archive again") from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
    return kept


def _place(path: Path) -> tuple[Path, str] | None:
    """Return the archive a path leads into and the name in it; None for a path that leads into none."""
    for above in path.parents:
        if is_archive(above) and above.is_file():
            return above, path.relative_to(above).as_posix()
    return None


@contextmanager
def _content(archive: Path, member: str) -> Iterator[tuple[IO[bytes], int]]:
    """Yield a member's content and its size in bytes, of which no more is ever read."""
    if archive.suffix.lower() == ".parquet":
        yield parquet.content(archive, member)
        return
    with zipfile.ZipFile(archive) as opened:
        try:
            info = opened.getinfo(member)
        except KeyError:
            raise VideoMissing("no such file in the archive", archive / member, "check the archive") from None
        with opened.open(info) as content:
            yield content, info.file_size


def _make_room(folder: Path, size: int, path: Path) -> None:
    """Remove what was not used for longest until a file of a size fits; `StorageTrouble` where it never will."""
    kept = []
    for file in folder.iterdir():
        with contextlib.suppress(OSError):  # another process removes too
            kept.append((file.stat().st_atime, file.stat().st_size, file))
    held = sum(bytes_ for _, bytes_, _ in kept) + size
    for used, bytes_, file in sorted(kept):
        lacking = held > ROOM or shutil.disk_usage(folder).free < size + SPARE
        if not lacking or used > time.time() - IN_USE:
            break
        file.unlink(missing_ok=True)
        held -= bytes_
    if size > ROOM or shutil.disk_usage(folder).free < size + SPARE:
        what = f"there is no room to take it out of its archive ({wording.size(size)})"
        raise StorageTrouble(what, path, f"free some space, or set ECVA_CACHE to a folder with more: now {folder}")
