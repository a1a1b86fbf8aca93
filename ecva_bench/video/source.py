"""A video file with its index and the frames kept of it: what a video shares with its edits.

Keeps what has been decoded and what is known not to decode. Frames are numbered by rank, their place in the whole file.
"""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

import numpy as np

from ..files.archives import on_disk
from .clock import Int64
from .decoding import Decoded, UInt8, decode
from .index import VideoIndex, build_index
from .limits import check_bytes
from .opening import check_trouble, file_stamp
from .watchdog import isolated


class Source:
    """One file, which may lie in an archive, opened when it is first needed.

    `deadline` (seconds) holds for the index and for each decode.
    """

    def __init__(self, path: Path, deadline: float, isolate: bool) -> None:
        self.path, self.deadline, self.isolate = path, deadline, isolate
        self.kept: dict[int, UInt8] = {}
        self._corrupt: set[int] = set()  # of the kept ones
        self._last: tuple[bytes, Decoded] | None = None  # the last read that came from memory alone
        self._missing: set[int] = set()
        self._warnings: dict[str, None] = {}  # in order, each once

    @functools.cached_property
    def index(self) -> VideoIndex:
        """The index, read once."""
        file = on_disk(self.path)
        if self.isolate:
            return isolated(build_index, file, self.deadline, path=self.path, seconds=self.deadline)
        return build_index(file, self.deadline)

    @functools.cached_property
    def sha256(self) -> str:
        """Hex SHA-256 of the file's bytes."""
        path = on_disk(self.path)
        file_stamp(path)
        try:
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            check_trouble(error, path)
            raise

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was noticed of the file so far, in plain words."""
        return (*self.index.warnings, *self._warnings)

    def keep(self, ranks: Int64) -> None:
        """Decode the given ranks (distinct, increasing) and keep them in memory."""
        new = self._not_known(ranks)
        if len(new):
            decoded = self._decode(new)
            self.kept.update((int(new[row]), decoded.pixels[row]) for row in np.flatnonzero(decoded.present))
            self._corrupt.update(new[decoded.corrupt].tolist())

    def release(self) -> None:
        """Drop the frames kept."""
        self.kept.clear()
        self._corrupt.clear()
        self._last = None

    def read(self, ranks: Int64) -> Decoded:
        """Return the given ranks (distinct, increasing); only those neither kept nor known as missing are decoded.

        Questions about a video look at the same frames one after another: what was read from memory last is handed
        out again as it is, not copied again.
        """
        if self._last is not None and self._last[0] == ranks.tobytes():
            return self._last[1]
        new = self._not_known(ranks)
        if len(new) == len(ranks) > 0:
            return self._decode(new)
        height, width = self.index.picture.shown_size
        self.check_bytes(len(ranks))
        pixels = np.empty((len(ranks), height, width, 3), dtype=np.uint8)
        corrupt = np.array([rank in self._corrupt for rank in ranks.tolist()], dtype=np.bool_)
        if len(new):
            decoded, rows = self._decode(new), np.isin(ranks, new)
            pixels[rows], corrupt[rows] = decoded.pixels, decoded.corrupt
        present = np.array([rank not in self._missing for rank in ranks.tolist()], dtype=np.bool_)
        for row, rank in enumerate(ranks.tolist()):
            if rank in self.kept:
                pixels[row] = self.kept[rank]
        whole = Decoded(pixels, present, corrupt, ())
        if all(rank in self.kept for rank in ranks.tolist()):
            self._last = ranks.tobytes(), whole
        return whole

    def check_bytes(self, frames: int) -> None:
        """Raise `VideoTooLarge` for more frames than may be in memory at once."""
        height, width = self.index.picture.shown_size
        check_bytes(frames, height * width * 3, self.path)

    def _not_known(self, ranks: Int64) -> Int64:
        new = [rank for rank in ranks.tolist() if rank not in self.kept and rank not in self._missing]
        return np.array(new, dtype=np.int64)

    def _decode(self, ranks: Int64) -> Decoded:
        self.check_bytes(len(self.kept) + len(ranks))
        on_disk(self.path)  # of a video in an archive, the copy may have been removed in the meantime
        if self.isolate:
            limit = self.deadline
            decoded = isolated(decode, self.index, ranks, limit, path=self.path, seconds=limit)
        else:
            decoded = decode(self.index, ranks, self.deadline)
        self._missing.update(ranks[~decoded.present].tolist())
        self._warnings.update(dict.fromkeys(decoded.warnings))
        return decoded
