"""The lines of a results file as records, and which run they belong to."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..errors import ResultsError, SpecMismatch, ViewUnavailable
from ..reading.text import parse_json
from ..records.answers import RESULTS_SCHEMA, Answer, End, Event, Failure, Manifest, Unasked
from ..records.base import Record

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
_LONGEST_LINE = 1 << 26  # bytes of a manifest that are read to tell one


def parse_records(path: Path) -> Iterator[Record]:
    """Yield the records of complete lines; skip record types of newer minor versions and an incomplete last line."""
    if not path.is_file():
        raise ResultsError("there is no results file", path, "check the path, or write one with `ecva-bench run`")
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.endswith(b"\n"):
                return
            yield from _parse_line(line, path, number)


def is_results(path: Path) -> bool:
    """Return whether a file begins as a results file does, or is one of which the first line is damaged."""
    if not path.is_file():
        return False
    with path.open("rb") as lines:
        for line in (lines.readline(_LONGEST_LINE) for _ in range(3)):
            if line.startswith(MANIFEST_BEGINS):
                return True
            try:
                data = json.loads(line)
            except ValueError:
                continue
            if isinstance(data, dict) and (
                str(data.get("schema", "")).startswith("ecva.results/")
                or (data.get("type") in ("answer", "error") and {"key", "id", "task", "video"} <= data.keys())
            ):
                return True
    return False


def _parse_line(line: bytes, path: Path, number: int) -> Iterable[Record]:
    try:
        data = parse_json(line)
        kind = _TYPES.get(data["type"])
        record = kind.model_validate(data) if kind else None
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        remedy = "correct that line, or restore the file from a copy"
        raise ResultsError(f"line {number} is no record ({_reason(line, error)})", path, remedy) from error
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


def manifest_of(path: Path, records: Sequence[Record]) -> Manifest:
    """Return the last manifest, which counts; `ResultsError` where there is none, or where there are several runs."""
    if not records or not isinstance(records[0], Manifest):
        raise ResultsError("the first line is no run manifest", path, "is this a results file?")
    manifests = [record for record in records if isinstance(record, Manifest)]
    for manifest in manifests:
        if manifest.schema_ != RESULTS_SCHEMA:
            raise ResultsError(
                f"the file has schema {manifest.schema_!r}, this version reads {RESULTS_SCHEMA!r}",
                path,
                "use the version of ecva-bench that wrote it",
            )
        if shown := differences(manifests[0], manifest):
            what = f"the file holds several runs ({shown})"
            raise ResultsError(what, path, "keep each in its own file; join parts of one run with `ecva-bench merge`")
    return manifests[-1]


def unsharded(manifest: Manifest) -> Manifest:
    """Return a manifest with the settings of the whole run instead of those of a shard."""
    selection = {k: v for k, v in manifest.spec.get("selection", {}).items() if k != "shard"}
    return manifest.model_copy(update={"spec": {**manifest.spec, "selection": {**selection, "shard": None}}})


def as_requested(manifest: Manifest) -> Manifest:
    """Return a manifest with the settings as requested, which a resumed run repeats, not as they were granted."""
    return manifest.model_copy(update={"spec": {**manifest.spec, **manifest.requested}})


def differences(there: Manifest, here: Manifest) -> str:
    """Return in words where the settings of two runs differ; empty where they are the same.

    A data set is known by the hash of its annotations, where there is one: its name may have changed.
    """
    old, new = _flat(there.spec), _flat(here.spec)
    differing = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
    if old.get("dataset.sha256") and old["dataset.sha256"] == new.get("dataset.sha256"):
        differing = [key for key in differing if key != "dataset.name"]
    return "; ".join(f"{key} is {old.get(key)!r} there and {new.get(key)!r} here" for key in differing[:8])


def check_spec(path: Path, in_file: Manifest, requested: Manifest) -> None:
    """Raise `SpecMismatch` where the manifest in a file has other settings than the requested one."""
    if shown := differences(in_file, requested):
        raise SpecMismatch(
            f"the file belongs to a run with other settings ({shown})",
            path,
            "use the same settings, or another --out",
        )


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(value, dict) or not value:
        return {prefix: value}
    parts = (_flat(item, f"{prefix}.{key}" if prefix else str(key)) for key, item in value.items())
    return {name: item for part in parts for name, item in part.items()}
