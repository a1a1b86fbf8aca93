"""Files whose lines a test edits: sealed anew, as somebody would who knows how, or without seals, as once written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ecva_bench.records.base import canonical_json
from ecva_bench.records.seals import sealed_json, sealed_lines


def reseal(path: Path) -> None:
    """Seal the lines of a file anew."""
    records = [json.loads(line) for line in path.read_bytes().splitlines()]
    for record in records:
        record.pop("seal", None)
    path.write_bytes(b"".join(sealed_lines(canonical_json(record).encode() for record in records)))


def unseal(path: Path) -> None:
    """Take the seals off a file, with what says that it has some."""
    records = [json.loads(line) for line in path.read_bytes().splitlines()]
    for record in records:
        record.pop("seal", None)
        record.pop("sealed", None)
    path.write_bytes(b"".join(canonical_json(record).encode() + b"\n" for record in records))


def resealed(content: dict[str, Any]) -> dict[str, Any]:
    """Return a submission, as JSON, sealed anew."""
    return sealed_json({name: value for name, value in content.items() if name != "seal"})
