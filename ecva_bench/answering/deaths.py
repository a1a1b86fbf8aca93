"""Which videos a run was at when it was killed: a loop of resumes would die at the same one again and again.

What is opened and asked about is noted beside the results file, in `<file>.open`, which an orderly end removes. Where
one is found, the last run was killed: for want of memory, by a crash in native code, or by somebody.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from ..errors import VideoFatal
from ..untrusted import parse_json

DEATHS_AT_MOST = 3  # at a video, without a new answer: somebody may have killed the run, for no fault of the video's

_Step = Literal["begin", "open", "opened", "ask", "asked"]


class UnderWay:
    """What a run is at. Use as a context manager; any thread may call the methods."""

    def __init__(self, results: Path, given_up: frozenset[str] = frozenset()) -> None:
        """Take up what a run of this results file noted that was killed; `given_up` are videos not to be asked."""
        self._path = results.with_name(f"{results.name}.open")
        self._given_up = given_up
        self._lock = threading.Lock()
        self._suspects: set[str] = set()
        self._deaths: Counter[tuple[str, int]] = Counter()  # by video and questions that were settled then
        with suppress(OSError):
            self._take_up(self._path.read_text(encoding="utf-8").splitlines())
        self.note("begin", "")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    def is_suspect(self, video: str) -> bool:
        """Return whether a process died while it opened the video: it is to be opened in a process of its own."""
        return video in self._suspects

    def check(self, video: str, media: Path, settled: int) -> None:
        """Raise `VideoFatal` where a video, so many of its questions being settled, is not to be asked about again."""
        if self._deaths[video, settled] >= DEATHS_AT_MOST or video in self._given_up:
            remedy = "look for what memory is left, then give --isolate and --retry-errors, or leave the video out"
            raise VideoFatal("runs were killed while they were at this video, which is not asked about", media, remedy)

    def note(self, step: _Step, video: str, settled: int = 0) -> None:
        """Note what is begun or done; a full disk is for the results file to tell."""
        with self._lock, suppress(OSError), self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps([step, video, settled]) + "\n")

    def _take_up(self, lines: Iterable[str]) -> None:
        opening, asking = set[tuple[str, int]](), set[tuple[str, int]]()
        for line in [*lines, '["begin", "", 0]']:
            with suppress(ValueError):  # a line that was cut off
                step, video, settled = parse_json(line)
                if step == "begin":  # what is not done now never was
                    self._suspects |= {name for name, _ in opening}
                    self._deaths.update(asking or opening)
                    opening, asking = set(), set()
                elif step in ("open", "ask"):
                    (opening if step == "open" else asking).add((video, settled))
                else:
                    (opening if step == "opened" else asking).discard((video, settled))
