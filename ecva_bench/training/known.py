"""What was read of a training's files, kept in its folder, so that going on with it reads none of them again.

A file is the one that was read as long as its path, size and time of change are the same.
"""

from __future__ import annotations

import json
from pathlib import Path

from ..untrusted import parse_json

READ = "read.jsonl"  # its name in the folder of a training


class KnownFiles:
    """Hashes of files, by what tells that a file is still the same. Without `file`, they are kept in memory alone.

    With `writes`, what is added is appended to `file`, a line each, which has left the process when `add` returns.
    """

    def __init__(self, file: Path | None = None, *, writes: bool = True) -> None:
        self._file = file if writes else None  # to be written to
        self._known: dict[str, tuple[int, int, str]] = {}
        lines = file.read_bytes().split(b"\n") if file and file.is_file() else []
        self._torn = bool(lines and lines[-1])
        for line in filter(None, lines):
            try:
                entry = parse_json(line)
                self._known[entry["path"]] = entry["size"], entry["mtime_ns"], entry["sha256"]
            except (ValueError, TypeError, KeyError, RecursionError):
                continue  # what a kill left of a line: the file is read again

    def sha256(self, path: Path) -> str:
        """Return the hash of a file that was read; empty where it was not, or is another one now."""
        size, changed, found = self._known.get(str(path.absolute()), (-1, -1, ""))
        return found if found and (size, changed) == _state(path) else ""

    def add(self, path: Path, sha256: str) -> None:
        """Keep the hash of a file; one in an archive has no state of its own and is not kept."""
        if (state := _state(path)) is None:
            return
        name = str(path.absolute())
        self._known[name] = (*state, sha256)
        if self._file:
            told = {"path": name, "size": state[0], "mtime_ns": state[1], "sha256": sha256}
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("ab", buffering=0) as file:
                file.write((b"\n" if self._torn else b"") + json.dumps(told).encode() + b"\n")
            self._torn = False


def _state(path: Path) -> tuple[int, int] | None:
    """Return size and time of change of a file; None where it is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
