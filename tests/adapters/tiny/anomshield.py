"""A tiny AnomShield: a LoRA and its projector, on a language model and a tower of their own."""

from __future__ import annotations

from pathlib import Path

from ecva_bench.adapters.anomshield.connector import MambaConnector
from tests.adapters import tiny_llava


def build(folder: Path) -> dict[str, str]:
    """Write a checkpoint and return the options that name it."""
    tiny_llava.write_tower(folder / "tower")
    tiny_llava.write_base(folder / "base")
    projector = tiny_llava.random_state(MambaConnector(tiny_llava.WIDTH, tiny_llava.HIDDEN), 3)
    described = {"mm_projector_type": "mamba_scan", "num_frames": 16}
    tiny_llava.write_lora(folder / "model", projector, folder / "tower", **described)
    lies = {"model_path": str(folder / "model"), "base": str(folder / "base")}
    return {**lies, "device": "cpu", "max_new_tokens": "8"}
