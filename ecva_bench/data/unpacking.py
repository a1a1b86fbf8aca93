"""Unpacking tar archives, of which a member cannot be read without all before it; zips are read where they are.

An archive is unpacked into a folder of its own beside it, whole or not at all. Only plain files and folders
inside that folder are accepted: a path that leads out, a link or a device refuses the archive.
"""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path, PurePosixPath

from ..errors import DataError
from ..files.archives import UNREADABLE
from ..files.trouble import trouble_of

SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")


def target_of(archive: Path) -> Path:
    """Return the folder an archive is unpacked into: its name without the suffix, beside it."""
    suffix = max((suffix for suffix in SUFFIXES if archive.name.endswith(suffix)), key=len)
    return archive.with_name(archive.name.removesuffix(suffix))


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a tar archive into a new folder, whole or not at all.

    `DataError` for a damaged archive and for one with a member that is no plain file or folder inside it.
    """
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir()
        with tarfile.open(archive) as stream:
            for member in stream:
                _write(partial, archive, stream, member)
        partial.rename(folder)
    except UNREADABLE as error:
        what, remedy = trouble_of(error, folder.parent) or (str(error), "move it elsewhere and fetch again")
        raise DataError(f"the archive cannot be unpacked ({what})", archive, remedy) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _write(partial: Path, archive: Path, stream: tarfile.TarFile, member: tarfile.TarInfo) -> None:
    name, parts = member.name, PurePosixPath(member.name).parts
    if name.startswith("/") or ".." in parts or any(sign in name for sign in "\\:\0"):
        raise _refused(archive, f"the path {name!r} leads out of its folder")
    target = partial.joinpath(*parts)
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
        return
    content = stream.extractfile(member) if member.isreg() else None
    if content is None:
        raise _refused(archive, f"{name!r} is a link or device")
    target.parent.mkdir(parents=True, exist_ok=True)
    with content, target.open("wb") as out:
        shutil.copyfileobj(content, out)


def _refused(archive: Path, what: str) -> DataError:
    return DataError(f"the archive is refused, {what}", archive, "do not use it; tell its publisher")
