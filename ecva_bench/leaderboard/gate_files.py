"""Write the outcome of a gate: `verdict.json`, `junit.xml`, and a summary in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..errors import ResultsError
from ..records.base import Record, canonical_json
from ..writing import write_whole
from .github import step_summary
from .junit import as_junit
from .table import Table
from .verdict import Case


def write_gate(found: Record, cases: Sequence[Case], folder: Path, *, suite: str, strict: bool) -> list[Path]:
    """Write `verdict.json`, the whole outcome, and `junit.xml`, with a test case per case; return the paths."""
    texts = {
        "verdict.json": canonical_json(found.model_dump(mode="json")) + "\n",
        "junit.xml": as_junit(cases, suite=suite, strict=strict),
    }
    paths = []
    try:
        for name, text in texts.items():
            path = folder / name
            write_whole(path, text)
            paths.append(path)
    except OSError as error:
        raise ResultsError("the verdict cannot be written", folder, f"choose another folder ({error})") from None
    return paths


def append_summary(tables: Sequence[Table], path: Path) -> None:
    """Append tables to a summary page, which other steps of a job may have begun."""
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(step_summary(tables))
    except OSError as error:
        raise ResultsError("the summary cannot be written", path, f"choose another file ({error})") from None
