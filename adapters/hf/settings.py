"""The settings of a model of transformers without its weights."""

from __future__ import annotations

from pathlib import Path

from ecva_bench.checkpoints.finding import Checkpoint
from ecva_bench.errors import AdapterError


def find_settings(name: str) -> Checkpoint:
    """Return the folder with a model's settings; of a hub id they are fetched, and no weights.

    Raises `AdapterError` where they are not to be had.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        return Checkpoint(folder.resolve().name, folder, "")
    hub_id, _, revision = name.partition("@")
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        remedy = "pip install 'ecva-bench[data]', or name a folder"
        raise AdapterError("the package huggingface_hub is not installed", hub_id, remedy) from None
    try:
        found = Path(snapshot_download(hub_id, revision=revision or None, allow_patterns=["*.json"]))
    except (OSError, ValueError) as error:  # every error of the hub's client is one of these
        why = str(error).strip().partition(chr(10))[0]
        raise AdapterError(f"its settings are not to be had ({why})", hub_id, "name a folder") from None
    return Checkpoint(hub_id, found, found.name)
