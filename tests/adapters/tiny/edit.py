"""Weight files with a name too many or too few."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from ecva_bench.adapters.parts.families.composed import Composed
from ecva_bench.errors import CheckpointError


def edit(path: Path, change: dict[str, torch.Tensor | None]) -> None:
    """Put tensors into a file (or into its `model`) under new names, or take the names with None out of it."""
    state = load_file(path) if path.suffix == ".safetensors" else torch.load(path)
    named = state.get("model", state)
    for name, tensor in change.items():
        named.pop(name, None)
        if tensor is not None:
            named[name] = tensor.clone()
    if path.suffix == ".safetensors":
        save_file(state, path, metadata={"format": "pt"})
    else:
        torch.save(state, path)


def refused(model: Composed, path: Path, change: dict[str, torch.Tensor | None]) -> str:
    """Edit a file of a model that is not loaded yet, and return what it says when it is to be."""
    edit(path, change)
    with pytest.raises(CheckpointError) as error:
        model.load()
    return str(error.value)
