"""Small files beside weights. Knows JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ecva_bench.errors import AdapterError


def read_json(path: Path, *, optional: bool = False) -> dict[str, Any]:
    """Return the object in a JSON file, an empty one where the file is `optional` and not there.

    Raises `AdapterError` where it is missing or no object.
    """
    if not path.is_file():
        if optional:
            return {}
        raise AdapterError(f"the folder holds no {path.name}", path.parent, "name a folder in the authors' layout")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise AdapterError(f"the file is no JSON ({error})", path, "download it again") from None
    if not isinstance(found, dict):
        raise AdapterError("the file holds no JSON object", path, "download it again")
    return found
