"""How long video files say they are, remembered between runs: containers are asked, and nothing is decoded."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Collection, Iterable
from pathlib import Path

from ..cache import cache_dir, open_base
from ..errors import VideoError
from ..files import archives
from .dataset import Dataset

_TABLE = "CREATE TABLE IF NOT EXISTS durations (file TEXT PRIMARY KEY, bytes INT, changed INT, seconds REAL)"
_KEEP = "INSERT OR REPLACE INTO durations VALUES (?, ?, ?, ?)"
_FIND = "SELECT seconds FROM durations WHERE file = ? AND bytes = ? AND changed = ?"
_UNKNOWN = -1.0  # where a file states no duration, or is no video


def stated_durations(paths: Iterable[Path]) -> dict[Path, float]:
    """Return the seconds that video files state, by path; those that state none or cannot be opened are left out.

    A path may lead into an archive. What a file said is kept in the cache folder until the file changes.
    """
    from ..video.probing import stated_duration

    found: dict[Path, float] = {}
    with contextlib.closing(_base()) as base:
        for path in paths:
            try:
                place = archives.on_disk(path).absolute()
                status = place.stat()
            except (VideoError, OSError):
                continue
            stamp = (str(place), status.st_size, status.st_mtime_ns)
            known = base.execute(_FIND, stamp).fetchone()
            seconds = known[0] if known else stated_duration(place) or _UNKNOWN
            if not known:
                base.execute(_KEEP, (*stamp, seconds))
            if seconds > 0:
                found[path] = seconds
    return found


def shown_durations(dataset: Dataset, videos: Collection[str]) -> dict[str, float]:
    """Return for how many seconds the files of some videos of a data set show pictures, as runs say it of answers.

    Clips that are drawn are drawn for it. Videos without a file that can be read are left out.
    """
    from ..video import Video

    if dataset.videos is None:
        return {}
    dataset.ensure_videos(only=videos)
    found: dict[str, float] = {}
    for annotation in dataset.annotations:
        if annotation.video in videos:
            with contextlib.suppress(VideoError, OSError), Video(dataset.media_path(annotation)) as video:
                found[annotation.video] = video.duration
    return found


def _base() -> sqlite3.Connection:
    """Return the file of durations; one in memory where it cannot be had."""
    try:
        base = open_base(cache_dir() / "durations.sqlite")
        base.execute(_TABLE)
    except (OSError, sqlite3.Error):
        base = open_base(None)
        base.execute(_TABLE)
    return base
