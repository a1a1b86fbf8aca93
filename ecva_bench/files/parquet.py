"""Parquet files, as hubs hold data sets: rows of texts and numbers, and videos as bytes under a name.

A column of videos is one of bytes, or of records with `bytes` and `path`. Needs pyarrow, of the extra `data`.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ..errors import DataError, VideoMissing
from .trouble import trouble_of

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

MAGIC = b"PAR1"
NAMES = ("video_name", "file_name", "visual_input", "video_path", "path", "name")  # columns that may name a video


def rows(path: Path) -> list[dict[str, Any]]:
    """Return the rows as dictionaries, without bytes: of a video there is its name. `DataError` if unreadable."""
    return list(iter_rows(path))


def iter_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield what `rows` returns, a thousand in memory at a time."""
    with _opened(path) as file:
        for batch in file.iter_batches(batch_size=1000, columns=_without_bytes(file), use_threads=False):
            names = batch.schema.names
            for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                yield {
                    name: value["path"] if isinstance(value, dict) and "path" in value else value
                    for name, value in zip(names, values, strict=True)
                }
    _give_back_memory()


def videos(path: Path) -> list[str]:
    """Return the names of the videos whose bytes a file holds; none where it holds no bytes."""
    with _opened(path) as file:
        return [name for _, name in _named(file)]


def content(path: Path, video: str) -> tuple[IO[bytes], int]:
    """Return the content of a video and its size; `VideoMissing` where the file has none of the name."""
    with _opened(path) as file:
        column = _video_column(file)
        group = next((group for group, name in _named(file) if name == video), None)
        if column is None or group is None:
            raise VideoMissing("no such video in the file", path / video, "check the file")
        names = list(_names_in(file, group, column))
        cell = file.read_row_group(group, columns=[column]).column(column)[names.index(video)].as_py()
    found = cell["bytes"] if isinstance(cell, dict) else cell
    return io.BytesIO(found), len(found)


def _named(file: ParquetFile) -> Iterator[tuple[int, str]]:
    """Yield (row group, name) of every video with a name, each once."""
    column = _video_column(file)
    seen: set[str] = set()
    for group in range(file.num_row_groups if column else 0):
        for name in _names_in(file, group, str(column)):
            if name and name not in seen:
                seen.add(name)
                yield group, name


def _names_in(file: ParquetFile, group: int, column: str) -> Iterator[str]:
    """Yield the names of a row group's videos, row by row: that beside the bytes, or of a column that names them."""
    names = file.schema_arrow.names
    inside = not _is_bytes(file.schema_arrow.field(column).type)
    named_by = f"{column}.path" if inside else next((name for name in NAMES if name in names), None)
    if named_by is None:
        return
    for row in file.read_row_group(group, columns=[named_by]).to_pylist():
        value = row[column]["path"] if inside else row[named_by]
        yield str(value or "").replace("\\", "/").strip("/")


def _video_column(file: ParquetFile) -> str | None:
    """Return the column of videos: the first of bytes, alone or in a record beside a path."""
    for field in file.schema_arrow:
        if _is_bytes(field.type) or _holds_bytes(field.type):
            return str(field.name)
    return None


def _without_bytes(file: ParquetFile) -> list[str]:
    """Return the columns to read, as pyarrow names them: of a record with bytes, its path alone."""
    kept = []
    for field in file.schema_arrow:
        if not _is_bytes(field.type):
            kept.append(f"{field.name}.path" if _holds_bytes(field.type) else str(field.name))
    return kept


def _is_bytes(kind: object) -> bool:
    from pyarrow import types

    return bool(types.is_binary(kind) or types.is_large_binary(kind))


def _holds_bytes(kind: Any) -> bool:
    from pyarrow import types

    return types.is_struct(kind) and {"bytes", "path"} <= {inner.name for inner in kind}


def _give_back_memory() -> None:
    """Give back what pyarrow would keep for the next file, which is more than the file has."""
    from pyarrow import default_memory_pool

    default_memory_pool().release_unused()


@contextmanager
def _opened(path: Path) -> Iterator[ParquetFile]:
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile as Opened
    except ImportError as error:
        raise DataError("a parquet file needs pyarrow", path, "pip install 'ecva-bench[data]'") from error
    try:
        with Opened(path) as file:
            yield file
    except (ArrowException, OSError) as error:
        if trouble := trouble_of(error, path):
            raise DataError(f"the parquet file cannot be read ({trouble.what})", path, trouble.remedy) from error
        raise DataError(f"the parquet file is damaged ({error!s:.120})", path, "get it again") from error
