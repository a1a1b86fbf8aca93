"""What a model of `hf:` is shown, by its settings alone: of a hub id no weights are fetched."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from ecva_bench.checkpoints.finding import Checkpoint
from ecva_bench.errors import AdapterError

from .adapter import Hf


class SettingsOnly(Hf):
    """A model of which only the settings are read."""

    @cached_property
    def checkpoint(self) -> Checkpoint:
        """The folder with the settings; of a hub id they are fetched, and no weights."""
        folder = Path(self._name).expanduser()
        if folder.is_dir():
            return Checkpoint(folder.resolve().name, folder, "")
        hub_id, _, revision = self._name.partition("@")
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
