"""Where the weights of a metric lie: a local folder, or a hub id found in the hub's cache or downloaded.

Knows files and revisions and nothing of what is in them. A revision is the hub's commit, or the hash of a local
folder's files, so that two scores under one revision were made with the same weights.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ..errors import ScoringError

WEIGHTS = ("*.safetensors", "*.bin")
_HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?(@[\w./-]+)?")
_READ = frozenset({".bin", ".json", ".model", ".safetensors", ".txt"})


@dataclass(frozen=True)
class Checkpoint:
    """Weights in a folder. `name` is fit to be published: the hub id, or the last part of a local path."""

    name: str
    folder: Path
    revision: str

    def __str__(self) -> str:
        return f"{self.name}@{self.revision[:8]}"


def find_checkpoint(name: str, *, files: Sequence[str], download: bool, scorer: str) -> Checkpoint:
    """Return the checkpoint of a local folder or a hub id, `ID` or `ID@REVISION`.

    What the hub's cache holds is taken as it is, so that a second run has the revision of the first; else `files`
    (patterns) are downloaded, if `download`. Raises `ScoringError` that names what to do where it is not to be had.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        if not _has_weights(folder):
            raise ScoringError("the folder holds no weights", folder, f"put one of {', '.join(WEIGHTS)} there")
        return Checkpoint(folder.resolve().name, folder, _hash_of(_stamps(folder)))
    if not _HUB_ID.fullmatch(name):
        remedy = f"name a folder or a hub id with --metric-arg {scorer}.checkpoint=…"
        raise ScoringError("there is no such checkpoint", name, remedy)
    hub_id, _, revision = name.partition("@")
    found = _from_hub(hub_id, revision or None, files=files, download=download, scorer=scorer)
    return Checkpoint(hub_id, found, found.name)


def _from_hub(hub_id: str, revision: str | None, *, files: Sequence[str], download: bool, scorer: str) -> Path:
    from huggingface_hub import snapshot_download

    why = "not in the hub's cache"
    for local in (True, False) if download else (True,):
        try:
            found = Path(snapshot_download(hub_id, revision=revision, allow_patterns=[*files], local_files_only=local))
        except (OSError, ValueError) as error:  # every error of the hub's client is one of these
            why = why if local else f"the hub: {str(error).strip().splitlines()[0]}"
        else:
            if _has_weights(found):
                return found
    command = f"hf download {hub_id}" + (f" --revision {revision}" if revision else "")
    remedy = f"run `{command}` where there is a network, or name a folder with --metric-arg {scorer}.checkpoint=FOLDER"
    raise ScoringError(f"there are no weights ({why})", hub_id, remedy)


def _has_weights(folder: Path) -> bool:
    return any(next(folder.glob(pattern), None) for pattern in WEIGHTS)


def _stamps(folder: Path) -> tuple[tuple[Path, int, int], ...]:
    """The files of a folder with size and time of change, so that a hash is taken again where one changed."""
    files = sorted(path for path in folder.iterdir() if path.suffix in _READ)
    return tuple((path, path.stat().st_size, path.stat().st_mtime_ns) for path in files)


@lru_cache
def _hash_of(stamps: tuple[tuple[Path, int, int], ...]) -> str:
    whole = hashlib.sha256()
    for path, _, _ in stamps:
        with path.open("rb") as file:
            whole.update(f"{path.name} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return whole.hexdigest()
