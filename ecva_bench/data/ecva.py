"""ECVA and CUVA: the authors' workbook, and the JSON forms in which their annotations go round.

The form of a file is found by its content, and left to `workbook.py` and `json_forms.py`; rows of a parquet file are
those of the JSON forms.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from ..errors import DataError, UsageError
from ..files import parquet
from ..records import Annotation
from ..taxonomy import load_taxonomy
from .dataset import Dataset
from .json_forms import read_json_rows, read_rows
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
    table = AnnotationTable(load_taxonomy("cuva"))
    examples: list[Annotation] = []
    if _begin_of(path) == parquet.MAGIC:  # it may hold videos, so that not all of it is read
        read_rows(parquet.rows(path), path, table)
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    else:
        content = read_bytes(path)
        sha256 = hashlib.sha256(content).hexdigest()
        if content.startswith(WORKBOOK):
            examples = read_workbook(content, path, table)
        else:
            read_json_rows(content, path, table)
    return Dataset(
        name=name,
        source=str(path),
        sha256=sha256,
        taxonomy=table.taxonomy,
        annotations=tuple(sorted(table.annotations.values(), key=lambda annotation: annotation.video)),
        excluded=tuple(sorted(table.excluded.values(), key=lambda annotation: annotation.video)),
        findings=tuple(sorted(table.findings, key=lambda finding: finding.video)),
        examples=tuple(examples),
        videos=videos,
    )


def form_of(path: Path) -> str:
    """Return the dataset a file is taken for by its content: a workbook is ECVA's, JSON and parquet are CUVA's."""
    return "ecva" if _begin_of(path).startswith(WORKBOOK) else "cuva"


def _begin_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(len(parquet.MAGIC))
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> DataError:
    return DataError(f"the file cannot be read ({error.strerror})", path, "check the path")


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes; `DataError` where there is no such file, or an empty one."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error
    if not content.strip():
        raise DataError("the file is empty", path, "get it again")
    return content
