"""Files beside weights, and what becomes of those that cannot be read. Knows JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import CheckpointError, EcvaError
from ..untrusted import parse_json

CODE_REMEDY = "read the code that lies beside the weights; to run it, add --model-arg trust_remote_code=yes"


def read_json_object(path: Path, *, optional: bool = False) -> dict[str, Any]:
    """Return the object in a JSON file, an empty one where the file is `optional` and not there.

    Raises `CheckpointError` where it is missing or no object.
    """
    if not path.is_file():
        if optional:
            return {}
        raise CheckpointError(f"the folder holds no {path.name}", path.parent, "name a folder in the authors' layout")
    try:
        found = parse_json(path.read_bytes(), lenient=True)  # configurations of the hub hold Infinity
    except ValueError as error:
        raise CheckpointError(f"the file is no JSON ({error})", path, "download it again") from None
    if not isinstance(found, dict):
        raise CheckpointError("the file holds no JSON object", path, "download it again")
    return found


def size_in(settings: Mapping[str, Any], name: str, file: Path, default: int | None = None) -> int:
    """Return a whole number above 0 among a file's settings.

    Raises `CheckpointError` where it is another thing, or is not there and has no default.
    """
    found = settings.get(name, default)
    if type(found) is not int or found < 1:
        what = f"{name} is {found!r:.50}, and no whole number above 0" if name in settings else f"{name} is not there"
        raise CheckpointError(what, file, "take the config.json of the release")
    return found


def section_in(settings: Mapping[str, Any], name: str, file: Path) -> dict[str, Any]:
    """Return the settings under a name among a file's, none where it is not there.

    Raises `CheckpointError` where it is another thing.
    """
    found = settings.get(name, {})
    if not isinstance(found, dict):
        raise CheckpointError(f"{name} is {found!r:.50}, and no settings", file, "take the config.json of the release")
    return found


@contextmanager
def reading(what: str, where: object) -> Iterator[None]:
    """Turn what a library raises of a file it cannot use into an `CheckpointError` that names the file.

    It goes round a library's call, never round ours: of a damaged file libraries raise anything at all.
    """
    try:
        yield
    except EcvaError:
        raise
    except Exception as error:
        raise CheckpointError(f"{what} cannot be read ({first_line(error)})", where, _remedy(error)) from error


def _remedy(error: Exception) -> str:
    if isinstance(error, ImportError):
        return "install the package it names"
    if "trust_remote_code" in str(error):
        return CODE_REMEDY
    return "download it again"


def first_line(error: Exception) -> str:
    """Return what an exception says in its first line, or its name where it says nothing."""
    return str(error).strip().partition("\n")[0] or type(error).__name__
