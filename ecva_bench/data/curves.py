"""Reads `curves.jsonl` (schema `ecva.curve/1`): the importance curves that `ecva-bench data curves` builds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..errors import DataError
from ..records.base import canonical_json
from ..records.curves import CURVE_SCHEMA, Curve, CurveFailure
from .record_lines import record_of

_REMEDY = "name a file that `ecva-bench data curves` wrote, or correct that line"


def load_curves(path: Path) -> dict[str, Curve]:
    """Return the curve of each video of a file, by the video's id in the annotations they were built from.

    Videos of which there is an error alone are left out, and so is a last line that a kill cut off. Raises `DataError`
    where a line is no record of a curve, where curves were made with different settings, and where there is none.
    """
    found: dict[str, Curve] = {}
    for number, record in curve_records(path):
        if isinstance(record, Curve):
            first = next(iter(found.values()), record)
            if canonical_json(first.settings) != canonical_json(record.settings):
                what = f"line {number}: the curve of {record.video!r} was made with other settings than those before"
                raise DataError(what, path, "keep curves of different settings in different files")
            found.setdefault(record.video, record)
    if not found:
        raise DataError("the file holds no curve", path, "build some with `ecva-bench data curves`")
    return found


def curve_records(path: Path) -> Iterator[tuple[int, Curve | CurveFailure]]:
    """Yield the number of each whole line of a file, from 1, and its record; `DataError` where it is none."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"the curves cannot be read ({error.strerror})", path, "check the path") from error
    for number, line in enumerate(content.split(b"\n")[:-1], start=1):
        yield number, record_of(line, path, number, CURVE_SCHEMA, _type_of, _REMEDY)


def _type_of(kind: object) -> type[Curve | CurveFailure]:
    return CurveFailure if kind == "error" else Curve
