"""What people judged of texts about videos, in the forms in which it was published, as triples for `meta-eval`.

| set | what is named | how people judged |
| --- | --- | --- |
| TRECVID VTT (LLebronC/TRECvid-VTT_HA) | a folder of a year, of years, or a year's table | a score for each caption |
| VideoAutoBench (VideoAutoArena) | videoautobench.latest.json | the better of two answers |
| LAVE (mair-lab/lave-human-feedback) | a parquet file | a score for each answer about an image |
| EmoPrefer (zeroQiaoba/AffectGPT) | a table with name, a1, a2 and preference | the better of two descriptions |

The form is told by the content. A record that cannot be used is named and left out, one about which people see no
difference is counted. All are taken as the task `description`, for what was asked fits no other task.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ...errors import UsageError
from ...files.parquet import MAGIC
from ...scoring.rankings import Rankings, read_rankings
from .found import FoundTriples
from .tables import read_emoprefer, read_lave, read_videoautobench
from .trecvid import read_trecvid

_LOOKED_AT = 1 << 16  # bytes of a file that tell its form


def read_judgements(path: Path, *, criterion: str = "") -> Rankings:
    """Return the triples of a rankings file, or of judgements in one of the published forms.

    Raises `DataError` where nothing of it can be used, `UsageError` where a published form has no such criterion.
    """
    reader = _reader_of(path)
    if reader is None:
        return read_rankings(path, criterion=criterion)
    if criterion:
        raise UsageError("people judged by no criterion here", path, "leave --criterion out")
    found = FoundTriples(path)
    ordered = reader(path, found)
    return found.rankings(ordered=ordered)


def _reader_of(path: Path) -> Callable[[Path, FoundTriples], bool] | None:
    """Return the reader of a published form, by what a file holds; None where it is none."""
    if path.is_dir():
        return read_trecvid
    try:
        with path.open("rb") as file:
            head = file.read(_LOOKED_AT)
    except OSError:
        return None  # for the reader of rankings to say
    if head.startswith(MAGIC):
        return read_lave
    if b'"triple_id"' in head.partition(b"\n")[0]:
        return None  # whatever its answers are called
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return read_videoautobench if b'"selected answer"' in head or b'"rejected answer"' in head else None
    columns = {name.strip().strip('"') for name in head.partition(b"\n")[0].decode("utf-8-sig", "replace").split(",")}
    if {"SYS", "SID"} <= columns:
        return lambda table, found: read_trecvid(table.parent, found)
    return read_emoprefer if {"a1", "a2"} <= columns else None
