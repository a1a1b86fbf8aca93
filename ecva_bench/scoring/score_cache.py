"""A cache of the scores of neural metrics, by content address, in one SQLite file: scoring again costs nothing.

Knows only keys and numbers. A key is the hash of all that its number was computed from; beside the number stands a
checksum over both, and a number without its own is computed again. Every number is stored as soon as it is computed, so
that a killed run goes on where it was. Several processes may use one file at once.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..cache import keep_private, open_base, private_folder
from ..errors import ScoringError

_AT_ONCE = 500  # keys per query; SQLite takes at least 999 parameters


def default_cache_path() -> Path:
    """Return the default file of the cache; `CacheError` where its folder is not ours alone."""
    return private_folder("scores") / "scores.sqlite"


class ScoreCache:
    """The cached numbers of an open file."""

    def __init__(self, base: sqlite3.Connection) -> None:
        self._base = base

    def get(self, keys: Iterable[str]) -> dict[str, float]:
        """Return the stored numbers, by key."""
        wanted = list(keys)
        found: dict[str, float] = {}
        for start in range(0, len(wanted), _AT_ONCE):
            part = wanted[start : start + _AT_ONCE]
            marks = ",".join("?" * len(part))
            rows = self._base.execute(f"SELECT key, value, seal FROM numbers WHERE key IN ({marks})", part)  # noqa: S608
            found.update((key, value) for key, value, seal in rows if seal == _seal(key, value))
        return found

    def put(self, key: str, value: float) -> None:
        """Store a number; it is on disk when this returns."""
        self._base.execute("INSERT OR REPLACE INTO numbers VALUES (?, ?, ?)", (key, value, _seal(key, value)))


@contextmanager
def open_cache(path: Path) -> Iterator[ScoreCache]:
    """Open or create the file; `ScoringError` where it cannot be used, `CacheError` where others may write to it."""
    base: sqlite3.Connection | None = None
    try:
        path.touch(mode=0o600)
        keep_private(path)
        base = open_base(path)
        base.execute(
            "CREATE TABLE IF NOT EXISTS numbers (key TEXT PRIMARY KEY, value REAL NOT NULL, seal TEXT NOT NULL)"
            " WITHOUT ROWID"
        )
        yield ScoreCache(base)
    except (OSError, sqlite3.Error) as error:
        raise ScoringError(
            f"scores cannot be stored ({error})", path, "free some space, or name another folder in ECVA_CACHE"
        ) from None
    finally:
        if base is not None:
            base.close()


def _seal(key: str, value: object) -> str:
    return hashlib.sha256(f"{key} {value!r}".encode()).hexdigest()[:32]
