"""Numbers of metrics that are networks, by content address, in one SQLite file: scoring again costs nothing.

Knows keys and numbers and nothing of what they stand for. Every number is kept as it comes, so that a killed run
goes on where it was. Several processes may use one file at once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..cache import cache_dir, open_base
from ..errors import ScoringError

_AT_ONCE = 500  # keys per query; SQLite takes at least 999 parameters


def default_cache_path() -> Path:
    """Return the file in which numbers are kept."""
    return cache_dir() / "scores.sqlite"


class ScoreCache:
    """The numbers in an open file."""

    def __init__(self, base: sqlite3.Connection) -> None:
        self._base = base

    def get(self, keys: Iterable[str]) -> dict[str, float]:
        """Return the numbers that are there, by key."""
        wanted = list(keys)
        found: dict[str, float] = {}
        for start in range(0, len(wanted), _AT_ONCE):
            part = wanted[start : start + _AT_ONCE]
            marks = ",".join("?" * len(part))
            found.update(self._base.execute(f"SELECT key, value FROM scores WHERE key IN ({marks})", part))  # noqa: S608
        return found

    def put(self, key: str, value: float) -> None:
        """Keep a number; it outlives this process when this returns."""
        self._base.execute("INSERT OR REPLACE INTO scores VALUES (?, ?)", (key, value))


@contextmanager
def open_cache(path: Path) -> Iterator[ScoreCache]:
    """Open or create the file; `ScoringError` where it cannot be used."""
    base: sqlite3.Connection | None = None
    try:
        base = open_base(path)
        base.execute("CREATE TABLE IF NOT EXISTS scores (key TEXT PRIMARY KEY, value REAL NOT NULL) WITHOUT ROWID")
        yield ScoreCache(base)
    except (OSError, sqlite3.Error) as error:
        raise ScoringError(
            f"scores cannot be kept ({error})", path, "make room, or name another folder in ECVA_CACHE"
        ) from None
    finally:
        if base is not None:
            base.close()
