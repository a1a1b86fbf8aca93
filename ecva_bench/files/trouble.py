"""What the system says of this machine and not of a file: a full disk, no permission, too many open files."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import NamedTuple


class Trouble(NamedTuple):
    """What is wrong, and what to do about it."""

    what: str
    remedy: str


_ROOM = "free some space there, or set ECVA_CACHE to a folder with more, and run the same command again"
_RIGHTS = "give this user the right, or name another place, and run the same command again"
_OPEN = "raise the limit (ulimit -n), or take fewer --workers or --decoders, and run the same command again"
_DEVICE = "check the disk or its connection, and run the same command again"
_TROUBLES = {
    errno.ENOSPC: Trouble("the disk is full", _ROOM),
    errno.EDQUOT: Trouble("the disk quota is used up", _ROOM),
    errno.EACCES: Trouble("permission denied", _RIGHTS),
    errno.EPERM: Trouble("permission denied", _RIGHTS),
    errno.EROFS: Trouble("the disk can only be read", _RIGHTS),
    errno.EMFILE: Trouble("too many open files", _OPEN),
    errno.ENFILE: Trouble("too many open files", _OPEN),
    errno.EIO: Trouble("the disk fails", _DEVICE),
    errno.ESTALE: Trouble("the disk is not connected any more", _DEVICE),
}


def trouble_of(error: BaseException | None, place: Path) -> Trouble | None:
    """Return what of this machine an error, or the error behind it, says; None where it speaks of the file.

    `place` is the disk's place where the error names no file.
    """
    while error is not None:
        found = _TROUBLES.get(error.errno or 0) if isinstance(error, OSError) else None
        if found:
            named = error.filename if isinstance(error, OSError) and error.filename else place
            return Trouble(f"{found.what}: {named}", found.remedy)
        error = error.__cause__
    return None
