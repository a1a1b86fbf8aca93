"""ECVA and CUVA: the authors' workbook, and the JSON forms in which their annotations go round.

The form of a file is found by its content, and left to `workbook.py` and `json_forms.py`; rows of a parquet file are
those of the JSON forms. Which of the two data sets it is, its content says as well (`identity.py`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..errors import DataError, UsageError
from ..files import parquet
from ..files.trouble import trouble_of
from ..names import number_of
from ..records import Annotation
from ..records.base import sha256_of_file
from ..taxonomy import load_taxonomy
from .dataset import Dataset
from .identity import CUVA_VIDEOS, ECVA_VIDEOS, NO_FINGERPRINT, fingerprint, recognise
from .json_forms import read_json_rows, read_rows
from .rows import AnnotationTable
from .workbook import read_workbook

WORKBOOK = b"PK"  # the first bytes of a zip archive, which an .xlsx file is


def load_ecva(path: Path | None, videos: Path | None = None) -> Dataset:
    """Return ECVA as annotated in a workbook, JSON or parquet file; `DataError` if it cannot be read at all.

    Annotations that are CUVA's are returned as CUVA, with a finding that says so.
    """
    return _load("ecva", path, videos)


def load_cuva(path: Path | None, videos: Path | None = None) -> Dataset:
    """Return CUVA as annotated in a workbook, JSON or parquet file; `DataError` if it cannot be read at all.

    Annotations that are ECVA's are returned as ECVA, with a finding that says so.
    """
    return _load("cuva", path, videos)


def load_annotation_file(path: Path, videos: Path | None = None) -> Dataset:
    """Return the data set of an annotation file, CUVA or ECVA by its content; `DataError` if it cannot be read."""
    return _load(None, path, videos)


def _load(asked: str | None, path: Path | None, videos: Path | None) -> Dataset:
    """Return the data set of a file, under the name `asked` for unless its content is known to be the other's."""
    if path is None:
        raise UsageError(f"{asked} needs its annotation file", remedy=f"write {asked}:PATH, or get it with data fetch")
    if videos is not None and not videos.is_dir():
        raise DataError("there is no such folder of videos", videos, "check the path")
    table = AnnotationTable(load_taxonomy("cuva"))
    examples, sha256 = _read(path, table)
    annotations = tuple(sorted(table.annotations.values(), key=lambda annotation: annotation.video))
    for video, first in _repeated(annotations):
        table.report(video, "row", "annotation-repeated", "kept", first)
    known = recognise(annotations)
    name = known.name if known else asked or _by_numbers(annotations)
    if known and asked not in (None, name):
        table.report("", "data set", "other-data-set", "repaired", str(asked), f"{name}: {known.why}")
    return Dataset(
        name=name,
        source=str(path),
        sha256=sha256,
        taxonomy=table.taxonomy,
        annotations=annotations,
        excluded=tuple(sorted(table.excluded.values(), key=lambda annotation: annotation.video)),
        findings=tuple(sorted(table.findings, key=lambda finding: finding.video)),
        examples=examples,
        videos=videos,
    )


def _repeated(annotations: Iterable[Annotation]) -> Iterator[tuple[str, str]]:
    """Yield each video of which the very same is annotated as of an earlier one, with that one."""
    seen: dict[tuple[object, ...], str] = {}
    for each in annotations:
        texts = (each.description, each.cause, each.effect)
        first = seen.setdefault((each.label, each.moments, *texts), each.video)
        if first != each.video and fingerprint(each.cause) != NO_FINGERPRINT:  # short texts are alike by chance
            yield each.video, first


def _read(path: Path, table: AnnotationTable) -> tuple[tuple[Annotation, ...], str]:
    """Take the rows of a file into a table and return its examples and the hash of its bytes."""
    if _begin_of(path) == parquet.MAGIC:  # it may hold videos, so that not all of it is read
        read_rows(parquet.rows(path), path, table)
        return (), sha256_of_file(path)
    content = read_bytes(path)
    examples: list[Annotation] = []
    if content.startswith(WORKBOOK):
        examples = read_workbook(content, path, table)
    else:
        read_json_rows(content, path, table)
    return tuple(examples), hashlib.sha256(content).hexdigest()


def _by_numbers(annotations: Iterable[Annotation]) -> str:
    """Return the data set that unknown annotations are taken for: CUVA's numbers end before ECVA's."""
    numbers = (number_of(annotation.video) for annotation in annotations)
    return "ecva" if any(CUVA_VIDEOS < (number or 0) <= ECVA_VIDEOS for number in numbers) else "cuva"


def _begin_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(len(parquet.MAGIC))
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> DataError:
    what, remedy = trouble_of(error, path) or (error.strerror, "check the path")
    return DataError(f"the file cannot be read ({what})", path, remedy)


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes; `DataError` where there is no such file, or an empty one."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error
    if not content.strip():
        raise DataError("the file is empty", path, "get it again")
    return content
