"""The folder of cached files, which can be made again, and how processes share one. Knows nothing of their content."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

from .errors import CacheError

_BUSY_S = 60.0  # another process may hold a file so long


def cache_dir() -> Path:
    """Return the cache folder, which need not exist: `$ECVA_CACHE`, else the platform's (`~/.cache/ecva-bench`)."""
    own = os.environ.get("ECVA_CACHE")
    if own:
        return Path(own).expanduser()
    platform = os.environ.get("XDG_CACHE_HOME")
    base = Path(platform).expanduser() if platform else Path.home() / ".cache"
    return base / "ecva-bench"


def private_folder(name: str) -> Path:
    """Return a folder of the cache for what is taken for computed here, made where it is absent: ours alone (0700).

    Raises `CacheError` where it belongs to another user or others may write to it, and `OSError`.
    """
    folder = cache_dir() / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    keep_private(folder)
    return folder


def keep_private(path: Path) -> None:
    """Let nobody else read a folder or file of the cache; `CacheError` where others may have written to it already."""
    if os.name != "posix":  # where rights are no bits of a mode
        return
    status = path.stat()
    if status.st_uid != os.geteuid() or status.st_mode & 0o022:
        whose = "belongs to another user" if status.st_uid != os.geteuid() else "can be written to by others"
        remedy = "name a folder of your own in ECVA_CACHE, or move this one away: what was in it is computed again"
        raise CacheError(f"what lies in the cache {whose}, so nobody knows who computed it", path, remedy)
    if status.st_mode & 0o077:
        path.chmod(0o700 if path.is_dir() else 0o600)


def open_base(path: Path | None) -> sqlite3.Connection:
    """Open or create an SQLite file that several processes may use at once; in memory where `path` is None.

    Every statement is committed by itself, to a log beside the file: a killed process loses none, a machine without
    power may lose the last. Raises `OSError` and `sqlite3.Error`. To be used by one thread at a time.
    """
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    base = sqlite3.connect(path or ":memory:", timeout=_BUSY_S, check_same_thread=False, isolation_level=None)
    try:
        _keep_log(base)
        base.execute("PRAGMA synchronous=NORMAL")
    except UnicodeDecodeError as error:  # of SQLite's own message, which quotes a damaged file
        base.close()
        raise sqlite3.DatabaseError("the file is damaged") from error
    except sqlite3.Error:
        base.close()
        raise
    return base


def _keep_log(base: sqlite3.Connection) -> None:
    """Turn the log on. Of several that do so to a new file SQLite lets only one wait: the others must ask again."""
    last = time.monotonic() + _BUSY_S
    while True:
        try:
            base.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > last:
                raise
            time.sleep(0.01)
