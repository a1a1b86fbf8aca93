"""Write a file whole or not at all, and tell whether it was written before."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from pathlib import Path


def write_whole(path: Path, content: str | bytes | Iterable[str | bytes]) -> None:
    """Put `content`, a text as UTF-8, in the file `path`, making its folder; what was there stays where that fails.

    Several pieces are written one after another as they come, so that a large file is never whole in memory.

    The content is written beside it, synced and renamed, so that neither a full disk nor a kill leaves half a file. A
    link stays one; a pipe or a device is written to as it is. Raises `OSError`.
    """
    texts = [content] if isinstance(content, str | bytes) else content
    data = (text.encode() if isinstance(text, str) else text for text in texts)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not path.is_file():
        with path.open("wb") as file:
            file.writelines(data)
        return
    path = path.resolve()
    part = path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}")
    try:
        with part.open("xb") as file:
            file.writelines(data)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            part.chmod(path.stat().st_mode & 0o777)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def holds(path: Path, content: str | bytes | Iterable[str | bytes]) -> bool:
    """Return whether a file is there already with this content, which is compared as it comes. Raises `OSError`."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        for piece in [content] if isinstance(content, str | bytes) else content:
            data = piece.encode() if isinstance(piece, str) else piece
            if file.read(len(data)) != data:
                return False
        return not file.read(1)
