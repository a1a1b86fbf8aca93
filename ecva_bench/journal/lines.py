"""The lines of a results file as records."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from shlex import quote

from pydantic import ValidationError

from .. import registry
from ..errors import ResultsError, ViewUnavailable
from ..records.answers import Answer, End, Event, Failure, Manifest, Unasked
from ..records.base import LeanRecords, Record
from ..records.seals import RecordLine, check_sealed, checked_lines
from ..untrusted import parse_json

_TYPES: dict[str, type[Record]] = {
    "run": Manifest,
    "answer": Answer,
    "error": Failure,
    "unasked": Unasked,
    "event": Event,
    "end": End,
}


# How a manifest begins, and with it every results file, its keys being sorted.
MANIFEST_BEGINS = b'{"environment":{'
_NAMED = 5  # results files that a message names
_LONGEST_LINE = 1 << 26  # bytes of a manifest that are read to tell one


def parse_records(path: Path) -> Iterator[Record]:
    """Yield the records of complete lines; skip record types of newer minor versions and an incomplete last line.

    Raises `ResultsError` for a line that is no record, and `SealBroken` for one that was changed since it was written.
    """
    if not path.is_file():
        raise absent(path)
    records = LeanRecords()
    with path.open("rb") as lines:
        for line in checked_lines(lines, path):
            if not line.complete:
                return
            yield from map(records.lean, parse_line(line, path))


def results_file(model: str, dataset: str, part: tuple[int, int] | None = None) -> Path:
    """Return what a results file is called unless the user names it, in the present folder.

    `motion-mini.jsonl`; of the second of four parts, `motion-mini-part2of4.jsonl`. Of a path the last part counts, and
    of `my.py:Mine` the name in the file.
    """
    parts = [registry.short_name(model), dataset, *([f"part{part[0]}of{part[1]}"] if part else [])]
    return Path("-".join(re.sub(r"[^\w.]+", "-", text.rpartition("/")[2]).strip("-.") for text in parts) + ".jsonl")


def is_results(path: Path) -> bool:
    """Return whether a file begins as a results file does, or is one of which the first line is damaged."""
    if not path.is_file():
        return False
    with path.open("rb") as lines:
        for line in (lines.readline(_LONGEST_LINE) for _ in range(3)):
            if line.startswith(MANIFEST_BEGINS):
                return True
            try:
                data = parse_json(line)
            except ValueError:
                continue
            if isinstance(data, dict) and (
                str(data.get("schema", "")).startswith("ecva.results/")
                or (
                    data.get("type") in ("answer", "error", "unasked") and {"key", "id", "task", "video"} <= data.keys()
                )
                or (data.get("type") == "event" and {"event", "detail", "t"} <= data.keys())
            ):
                return True
    return False


def absent(path: Path) -> ResultsError:
    """Return the error for a results file that is not there, with the name that is most like it and those there are."""
    there = [str(found) for found in _results_in(path.parent)]
    remedy = "check the path, or write one with `ecva-bench run`"
    if there:
        like = difflib.get_close_matches(str(path), there, n=1)
        meant = f"did you mean {like[0]}? " if like else ""
        remedy = f"{meant}results files there: {', '.join(there[:_NAMED])}{', …' if len(there) > _NAMED else ''}"
    return ResultsError("there is no results file", path, remedy)


def newest_results(folder: Path) -> Path:
    """Return the results file in a folder that was written last; `ResultsError` where there is none."""
    found = _results_in(folder)
    if not found:
        raise ResultsError("there is no results file", folder.resolve(), "write one with `ecva-bench run`")
    return max(found, key=lambda path: (path.stat().st_mtime_ns, path.name))


def _results_in(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.glob("*.jsonl")) if is_results(path)]


def parse_line(line: RecordLine, path: Path) -> Iterable[Record]:
    """Return the record of a line, none where it is of a newer minor version; `ResultsError` where it is no record."""
    try:
        data = parse_json(line.record)
        kind = _TYPES.get(data["type"])
        record = kind.model_validate(data) if kind else None
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        remedy = f"see what is wrong with `ecva-bench repair {quote(str(path))}`, or restore the file from a copy"
        what = f"line {line.number} is no record ({_reason(line.record, error)})"
        raise ResultsError(what, path, remedy) from error
    if isinstance(record, Manifest):
        check_sealed(record.sealed, line, path)
    if isinstance(record, Failure) and record.error == ViewUnavailable.code:  # as written before there was `Unasked`
        shared = record.model_dump(include={"key", "id", "video", "task", "view", "t"})
        record = Unasked(**shared, reason=record.message)
    return [record] if record else []


def _reason(line: bytes, error: Exception) -> str:
    """Return what is wrong with a line; for a record its sample, the field and its value."""
    if isinstance(error, KeyError):
        return f"it has no {error}"
    if not isinstance(error, ValidationError):
        return str(error).partition("\n")[0]
    first, sample = error.errors()[0], parse_json(line).get("id", "without an id")
    field = ".".join(map(str, first["loc"]))
    given = "" if first["type"] == "missing" else f": {json.dumps(first['input'], default=str)[:60]}"
    return f"{sample}: {field or 'the record'}: {first['msg'].lower()}{given}"
