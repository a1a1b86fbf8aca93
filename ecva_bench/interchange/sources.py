"""Which files are read, and what the user says of them that they may not say themselves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..records.base import View
from ..tasks import find_tasks
from .words import view_of


@dataclass(frozen=True)
class AnswerSource:
    """A file of answers. `task` and `view` are those of all its rows, `else_task` where the file tells no task."""

    path: Path
    task: str | None = None
    view: View | None = None
    else_task: str | None = None

    @classmethod
    def parse(cls, written: str, else_task: str | None = None) -> AnswerSource:
        """Return the source that `FILE`, `FILE@cause`, `FILE@anomaly` or `FILE@cause@anomaly` means.

        `UsageError` for a word that is no task and no view.
        """
        path = Path(written)
        task: str | None = None
        view: View | None = None
        while not path.exists() and "@" in path.name:
            stem, _, word = str(path).rpartition("@")
            path = Path(stem)
            if found := view_of(word):
                view = found
            else:
                task = find_tasks([word])[0].name
        return cls(path, task, view, find_tasks([else_task])[0].name if else_task else None)
