"""What a training tells of itself, line by line: `run`, `step`, `error` and `end`, appended and never changed."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from ..errors import TrainingError
from ..journal.growing import GrowingFile, set_aside_torn_tail

NAME = "train.jsonl"


class TrainingLog:
    """The file `train.jsonl` of a folder. One process writes it at a time.

    Raises `TrainingError` where another process does.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            self._file = GrowingFile(folder / NAME, "log of the training")
        except BlockingIOError:
            raise TrainingError("another process trains into the folder", folder, "wait for its end") from None
        set_aside_torn_tail(self._file)

    def write(self, kind: str, **facts: Any) -> None:
        """Append a line; a number that is none becomes null."""
        self._file.append((json.dumps({"kind": kind, **_finite(facts)}, ensure_ascii=False) + "\n").encode())

    def close(self) -> None:
        """Have all on disk and let others write."""
        self._file.close()


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
