"""The one writer of `curves.jsonl`: a line a video, appended; what is there is kept, and the same command goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from ..data.curves import curve_records
from ..errors import SpecMismatch
from ..journal.growing import open_growing, set_aside_torn_tail
from ..records.base import canonical_json
from ..records.curves import Curve, CurveFailure
from ..untrusted import scrubbed_json, secrets


class CurveJournal:
    """A file of curves that is written to. `done` are the videos whose curve it has; use it as a context manager."""

    def __init__(self, path: Path) -> None:
        """Open or create a file; an incomplete last line is set aside in `<file>.torn`.

        Raises `ResultsBusy` where another process writes it, `DataError` where it holds something else, and
        `ResultsError` where it cannot be written.
        """
        self.path = path
        self._settings: dict[str, Any] | None = None  # of its curves
        self.done: set[str] = set()
        self._failed: dict[str, CurveFailure] = {}
        self._secrets = secrets()
        self._file = open_growing(path, "file of curves")
        try:
            for _, record in curve_records(path):
                self._remember(record)
            set_aside_torn_tail(self._file)
        except BaseException:
            self._file.close()
            raise

    def check(self, settings: dict[str, Any]) -> None:
        """Raise `SpecMismatch`, which names what differs, where the curves in it were made with other settings."""
        there = self._settings
        if there is None or canonical_json(there) == canonical_json(settings):
            return
        names = sorted(name for name in {*there, *settings} if there.get(name) != settings.get(name))
        shown = "; ".join(f"{name}: {there.get(name)!r:.60}, and now {settings.get(name)!r:.60}" for name in names)
        what = f"the curves in the file were made with other settings ({shown})"
        raise SpecMismatch(what, self.path, "name another file with --out")

    def append(self, record: Curve | CurveFailure) -> None:
        """Write a record; a failure that the file ends with for its video already is not written again."""
        if isinstance(record, CurveFailure) and self._failed.get(record.video) == record:
            return
        text = canonical_json(record.model_dump(mode="json", by_alias=True, exclude_none=True))
        self._file.append(f"{scrubbed_json(text, self._secrets)}\n".encode())
        self._remember(record)

    def close(self) -> None:
        """Wait until all is on disk, and release the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _remember(self, record: Curve | CurveFailure) -> None:
        if isinstance(record, Curve):
            self.done.add(record.video)
            self._settings = record.settings
        else:
            self._failed[record.video] = record
