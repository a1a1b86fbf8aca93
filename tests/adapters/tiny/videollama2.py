"""A tiny VideoLLaMA 2: language model, projector and tower in one set of shards."""

from __future__ import annotations

from pathlib import Path

from ecva_bench.adapters.videollama2.stc import Stc
from tests.adapters import tiny_llava


def build(folder: Path) -> dict[str, str]:
    """Write a checkpoint and return the options that name it."""
    tiny_llava.write_tower(folder / "tower")
    projector = tiny_llava.random_state(Stc(tiny_llava.WIDTH, tiny_llava.HIDDEN), 3)
    tiny_llava.write_whole(folder / "model", projector, folder / "tower")
    return {"model_path": str(folder / "model"), "device": "cpu", "max_new_tokens": "8"}
