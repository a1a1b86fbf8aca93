"""ECVA and CUVA: the authors' workbook, and the JSON forms in which their annotations go round.

The form of a file is found by its content, and left to `workbook.py` and `json_forms.py`.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from ..errors import DataError, UsageError
from ..records import Annotation
from ..taxonomy import load_taxonomy
from .dataset import Dataset
from .json_forms import read_json_rows
from .rows import AnnotationTable
from .workbook import read_workbook

WORKBOOK = b"PK"  # the first bytes of a zip archive, which an .xlsx file is


def load_ecva(path: Path | None, videos: Path | None = None) -> Dataset:
    """Return ECVA as annotated in a workbook or JSON file; `DataError` if it cannot be read at all."""
    return _load("ecva", path, videos)


def load_cuva(path: Path | None, videos: Path | None = None) -> Dataset:
    """Return CUVA as annotated in a JSON file or workbook; `DataError` if it cannot be read at all."""
    return _load("cuva", path, videos)


def _load(name: str, path: Path | None, videos: Path | None) -> Dataset:
    if path is None:
        raise UsageError(f"{name} needs its annotation file", remedy=f"write {name}:PATH, or get it with data fetch")
    if videos is not None and not videos.is_dir():
        raise DataError("there is no such folder of videos", videos, "check the path")
    content = read_bytes(path)
    table = AnnotationTable(load_taxonomy("cuva"))
    examples: list[Annotation] = []
    if content.startswith(WORKBOOK):
        examples = read_workbook(content, path, table)
    else:
        read_json_rows(content, path, table)
    return Dataset(
        name=name,
        source=str(path),
        sha256=hashlib.sha256(content).hexdigest(),
        taxonomy=table.taxonomy,
        annotations=tuple(sorted(table.annotations.values(), key=lambda annotation: annotation.video)),
        excluded=tuple(sorted(table.excluded.values(), key=lambda annotation: annotation.video)),
        findings=tuple(sorted(table.findings, key=lambda finding: finding.video)),
        examples=tuple(examples),
        videos=videos,
    )


def form_of(path: Path) -> str:
    """Return the dataset a file is taken for by its content: a workbook is ECVA's, JSON is CUVA's."""
    return "ecva" if read_bytes(path).startswith(WORKBOOK) else "cuva"


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes; `DataError` where there is no such file, or an empty one."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"the file cannot be read ({error.strerror})", path, "check the path") from error
    if not content.strip():
        raise DataError("the file is empty", path, "get it again")
    return content
