"""A tiny Video-LLaVA: language model, projector and both towers in one set of shards, or the video tower apart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from transformers import CLIPVisionConfig

from ecva_bench.adapters.parts.connectors.mlp import mlp2x
from ecva_bench.adapters.video_llava.languagebind import LanguageBindTower
from tests.adapters.tiny import llm

WIDTH = 16
TOWER: dict[str, Any] = {
    "hidden_size": WIDTH,
    "intermediate_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "image_size": 14,
    "patch_size": 7,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-5,
}


def build(folder: Path, *, tower_inside: bool = True) -> dict[str, str]:
    """Write a checkpoint and return the options that name it."""
    tower, projector = tower_state(), llm.random_state(mlp2x(WIDTH, llm.HIDDEN), 6)
    write_tower(folder / "languagebind")
    beside = {f"model.mm_projector.{name}": tensor for name, tensor in projector.items()}
    if tower_inside:
        beside |= {f"model.video_tower.video_tower.{name}": tensor for name, tensor in tower.items()}
        beside["model.image_tower.image_tower.pre_layrnorm.bias"] = torch.ones(WIDTH)
    settings = {
        "model_type": "llava",
        "architectures": ["LlavaLlamaForCausalLM"],
        "mm_video_tower": str(folder / "languagebind"),
        "mm_image_tower": "LanguageBind/LanguageBind_Image",
        "mm_hidden_size": WIDTH,
        "mm_projector_type": "mlp2x_gelu",
        "mm_vision_select_layer": -2,
        "mm_vision_select_feature": "patch",
    }
    llm.write_language(folder / "model", "Llama", form="bin", beside=beside, settings=settings)
    return {"model_path": str(folder / "model"), "device": "cpu", "max_new_tokens": "8"}


def tower_state() -> dict[str, torch.Tensor]:
    return llm.random_state(LanguageBindTower(CLIPVisionConfig(**TOWER), 8).model, 7)


def write_tower(folder: Path) -> None:
    """Write the tower as its own authors have it: a whole model, of which the half that sees is wanted."""
    folder.mkdir(parents=True)
    settings = {"model_type": "LanguageBindVideo", "text_config": {"hidden_size": 4}}
    seeing = {**TOWER, "num_frames": 8, "add_time_attn": True}
    (folder / "config.json").write_text(json.dumps({**settings, "vision_config": seeing}))
    state = {f"vision_model.{name}": tensor for name, tensor in tower_state().items()}
    state["vision_model.embeddings.position_ids"] = torch.arange(5)[None]
    extra = {"text_model.final_layer_norm.weight": torch.ones(3), "logit_scale": torch.ones(())}
    torch.save({**state, **extra}, folder / "pytorch_model.bin")
