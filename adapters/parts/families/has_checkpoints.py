"""A model that is read from files: its own weights and those of its parts, found or downloaded, and their settings.

Knows which files are meant and what config.json says in them; no network and no video. Importing this module imports no
torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from ecva_bench.answering import Adapter, ModelCard
from ecva_bench.checkpoints.files import read_json_object, section_in, size_in
from ecva_bench.checkpoints.finding import Checkpoint, find_checkpoint
from ecva_bench.errors import UsageError


class HasCheckpoints(Adapter):
    """An adapter with weights, named by a folder or a hub id; `default_checkpoint` where the user names none.

    `files` are patterns of what is downloaded of a hub id, by role: `model`, and those of `extras`. One that
    `is_inspected` reads what is on this machine and downloads nothing.
    """

    card: ClassVar[ModelCard]
    default_checkpoint: ClassVar[str] = ""
    files: ClassVar[Mapping[str, tuple[str, ...]]] = {"model": ("*.json", "*.model", "*.safetensors", "*.bin")}

    def __init__(self, model_path: str) -> None:
        self.model_path = model_path or self.default_checkpoint
        self.is_inspected = False

    def extras(self) -> dict[str, str]:
        """Return folders or hub ids of the weights beside the model's own, by the option that names them."""
        return {}

    @cached_property
    def checkpoint(self) -> Checkpoint:
        """The model's own weights, found or downloaded."""
        if not self.model_path:
            raise UsageError("the model has no weights of its own", self.card.name, "name a folder with --model-path")
        return self.find(self.model_path, "model")

    @cached_property
    def checkpoints(self) -> dict[str, Checkpoint]:
        """All weights by role: `model`, and what `extras` names."""
        return {"model": self.checkpoint, **{role: self.find(name, role) for role, name in self.extras().items()}}

    @cached_property
    def config(self) -> dict[str, Any]:
        """The config.json beside the weights."""
        return read_json_object(self.checkpoint.folder / "config.json")

    def size(self, name: str, default: int | None = None) -> int:
        """Return a whole number above 0 of config.json; `CheckpointError` where there is none and no default."""
        return size_in(self.config, name, self.checkpoint.folder / "config.json", default)

    def section(self, name: str) -> dict[str, Any]:
        """Return settings within config.json, none where it has none; `CheckpointError` for another thing."""
        return section_in(self.config, name, self.checkpoint.folder / "config.json")

    def training_file(self) -> Path | None:
        """Return the record of the model's training, where one lies beside its own weights."""
        return self.checkpoint.training_file if self.model_path else None

    def find(self, name: str, role: str) -> Checkpoint:
        """Return weights by folder or hub id; `role` is the option that names them."""
        option = "--model-path" if role == "model" else f"--model-arg {role}="
        there = not self.is_inspected
        return find_checkpoint(name, files=self.files[role], download=there, identify=there, option=option)
