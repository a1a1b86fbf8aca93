"""Where weights lie: a local folder, or a hub id found in the hub's cache or downloaded.

Knows files and revisions and nothing of what is in them, nor what they are for. A revision is the hub's commit, or the
hash of a local folder's files of weights, settings and vocabulary, so that two results under one revision were made
with the same weights.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ..errors import CheckpointError
from ..hub_ids import HUB_ID, HUB_NAME

# What a language model of transformers is loaded from.
LANGUAGE_MODEL = ("*.json", "*.jinja", "*.model", "*.txt", "*.safetensors", "*.bin")
WEIGHTS = ("*.safetensors", "*.bin", "*.pth", "*.pt", "*/*.safetensors", "*/*.bin")
_OF_HUB = re.compile(rf"(?:{HUB_ID}|{HUB_NAME})(?:@[\w./-]+)?")  # a few old repositories have no owner
_RECORD = "training.json"  # of how weights were trained: written after them, too, and no part of what they are
_READ = frozenset({".bin", ".json", ".model", ".pt", ".pth", ".safetensors", ".txt"})


@dataclass(frozen=True)
class Checkpoint:
    """Weights in a folder. `name` is fit to be published: the hub id, or the last part of a local path."""

    name: str
    folder: Path
    revision: str

    @property
    def training_file(self) -> Path | None:
        """The record of how the weights were trained; None where none lies beside them."""
        file = self.folder / _RECORD
        return file if file.is_file() else None

    def __str__(self) -> str:
        return f"{self.name}@{self.revision[:8]}"


def find_checkpoint(
    name: str, *, files: Sequence[str], download: bool, option: str, identify: bool = True
) -> Checkpoint:
    """Return the checkpoint of a local folder or a hub id, `ID` or `ID@REVISION`.

    What the hub's cache holds is taken as it is, so that a second run has the revision of the first; else `files`
    (patterns) are downloaded, if `download`. Of a local folder, its files of weights and settings and all that `files`
    name make the revision, for which they are read; without `identify` they are not, and it is empty. Where they name
    no weights but, say, a vocabulary, one of them must be there, else weights. Raises a `CheckpointError` that says
    what to do where it is not to be had; `option` is what a user writes to name another.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        if not _holds(folder, files):
            needed = _needed(files)
            what = "weights" if "*" in needed[0] else needed[0]
            raise CheckpointError(f"the folder holds no {what}", folder, f"put one of {', '.join(needed)} there")
        return Checkpoint(folder.resolve().name, folder, _hash_of(_stamps(folder, files)) if identify else "")
    if not _OF_HUB.fullmatch(name):
        raise CheckpointError(
            "there is no such checkpoint", name, f"name a folder or a hub id with {_option(option, '…')}"
        )
    hub_id, _, revision = name.partition("@")
    found, why = _from_hub(hub_id, revision or None, files=files, download=download)
    if found is None:
        command = f"hf download {hub_id}" + (f" --revision {revision}" if revision else "")
        remedy = f"run `{command}` where there is a network, or name a folder with {_option(option, 'FOLDER')}"
        raise CheckpointError(f"there are no weights ({why})", hub_id, remedy)
    return Checkpoint(hub_id, found, found.name)


def _from_hub(hub_id: str, revision: str | None, *, files: Sequence[str], download: bool) -> tuple[Path | None, str]:
    """Return the folder of a hub id's weights, or None and why there is none."""
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        return None, "the package huggingface_hub is not installed: pip install 'ecva-bench[models]'"

    why = "not in the hub's cache"
    for local in (True, False) if download else (True,):
        try:
            found = Path(snapshot_download(hub_id, revision=revision, allow_patterns=[*files], local_files_only=local))
        except (OSError, ValueError) as error:  # every error of the hub's client is one of these
            why = why if local else f"the hub: {str(error).strip().partition(chr(10))[0]}"
        else:
            if _holds(found, files):
                return found, ""
    return None, why


def _option(option: str, value: str) -> str:
    return f"{option}{value}" if option.endswith(("=", ":")) else f"{option} {value}"


def _holds(folder: Path, files: Sequence[str]) -> bool:
    return any(next(folder.glob(pattern), None) for pattern in _needed(files))


def _needed(files: Sequence[str]) -> Sequence[str]:
    suffixes = {Path(pattern).suffix for pattern in WEIGHTS}
    return files if files and not any(Path(pattern).suffix in suffixes for pattern in files) else WEIGHTS


def _stamps(folder: Path, files: Sequence[str]) -> tuple[tuple[str, Path, int, int], ...]:
    """The files of a folder with size and time of change, so that a hash is taken again where one changed."""
    found = {path for path in folder.iterdir() if path.suffix in _READ and path.is_file()}
    found |= {path for pattern in files for path in folder.glob(pattern) if path.is_file()}
    return tuple(
        (path.relative_to(folder).as_posix(), path, path.stat().st_size, path.stat().st_mtime_ns)
        for path in sorted(found)
        if path != folder / _RECORD
    )


@lru_cache
def _hash_of(stamps: tuple[tuple[str, Path, int, int], ...]) -> str:
    whole = hashlib.sha256()
    for name, path, _, _ in stamps:
        with path.open("rb") as file:
            whole.update(f"{name} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return whole.hexdigest()
