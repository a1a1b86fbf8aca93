"""A tiny Chat-UniVi: language model and projector in one set of shards, CLIP apart."""

from __future__ import annotations

from pathlib import Path

import torch

from tests.adapters import tiny_llava
from tests.adapters.tiny import llm

RATES = {f"spatial_cluster_rate{step}": rate for step, rate in enumerate((8, 5, 4))} | {"temporal_cluster_rate": 0.8}


def build(folder: Path, *, form: str = "bin") -> dict[str, str]:
    """Write a checkpoint and return the options that name it."""
    tiny_llava.write_tower(folder / "clip")
    beside = {f"model.mm_projector.{name}": tensor for name, tensor in projector().items()}
    beside["model.ctm0.score.bias"] = beside["model.block0.norm1.bias"] = torch.ones(1)
    settings = {
        "model_type": "ChatUniVi",
        "architectures": ["ChatUniViLlamaForCausalLM"],
        "mm_vision_tower": str(folder / "clip"),
        "mm_hidden_size": tiny_llava.WIDTH,
        "mm_vision_select_layer": -2,
        "mm_vision_select_feature": "patch",
        "config": {"use_cluster": True, **RATES},
    }
    llm.write_language(folder / "model", "Llama", form=form, beside=beside, settings=settings)
    return {"model_path": str(folder / "model"), "device": "cpu", "max_new_tokens": "8"}


def projector() -> dict[str, torch.Tensor]:
    return llm.random_state(torch.nn.Linear(tiny_llava.WIDTH, llm.HIDDEN), 6)
