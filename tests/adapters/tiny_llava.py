"""Tiny models with random weights in the layouts of LLaVA's trainers, made on the spot."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import CLIPVisionConfig, CLIPVisionModel, MistralForCausalLM

from tests.adapters.tiny import llm
from tests.adapters.tiny.llm import HIDDEN, PIECES, TEMPTING, random_state, vocabulary, write_shards

__all__ = ["HIDDEN", "PIECES", "random_state", "vocabulary", "write_shards"]

WIDTH = 16
CLIP = {
    "hidden_size": WIDTH,
    "intermediate_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "image_size": 28,
    "patch_size": 7,
}
MISTRAL = llm.config("Mistral")


def language(seed: int = 0) -> MistralForCausalLM:
    found: MistralForCausalLM = llm.language("Mistral", seed=seed)
    return found


def write_tower(folder: Path) -> dict[str, torch.Tensor]:
    """Write a vision tower as the hub has CLIP, with a part that is not wanted; return its tensors."""
    config = CLIPVisionConfig(**CLIP)
    state = {f"vision_model.{k}": v for k, v in random_state(CLIPVisionModel(config), 1).items()}
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"model_type": "clip_vision_model", **CLIP}))
    extra = {"text_model.final_layer_norm.weight": torch.ones(3), "logit_scale": torch.ones(())}
    buffer = {"vision_model.embeddings.position_ids": torch.arange(17)[None]}
    torch.save({**state, **extra, **buffer}, folder / "pytorch_model.bin")
    return state


def write_config(folder: Path, tower: Path, **more: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "model_type": "videollama2_mistral",
        "architectures": ["Videollama2MistralForCausalLM"],
        **MISTRAL,
        "mm_vision_tower": str(tower),
        "mm_hidden_size": WIDTH,
        "mm_projector_type": "stc_connector",
        "mm_vision_select_layer": -2,
        "mm_vision_select_feature": "patch",
        "num_frames": 8,
        "use_cache": False,
        **more,
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "generation_config.json").write_text(json.dumps(TEMPTING))


def write_whole(
    folder: Path, projector: Mapping[str, torch.Tensor], tower: Path, *, form: str = "bin", **config: Any
) -> Path:
    """Write language model, projector and tower as one set of shards (`bin`, `safetensors`) or one file (`single`)."""
    write_config(folder, tower, **config)
    state = dict(language().state_dict())
    state |= {f"model.mm_projector.{name}": tensor for name, tensor in projector.items()}
    for name, tensor in torch.load(tower / "pytorch_model.bin", weights_only=True).items():
        if name.startswith("vision_model."):
            state[f"model.vision_tower.vision_tower.{name}"] = tensor
    if form == "single":
        torch.save(state, folder / "pytorch_model.bin")
    else:
        if form == "bin":
            state["model.layers.0.self_attn.rotary_emb.inv_freq"] = torch.ones(4)
        write_shards(folder, state, form)
    (folder / "tokenizer.model").write_bytes(vocabulary())
    return folder


def write_base(folder: Path) -> Path:
    """Write a language model alone, as its own authors have it."""
    language().save_pretrained(folder)
    (folder / "generation_config.json").write_text(json.dumps(TEMPTING))
    (folder / "tokenizer.model").write_bytes(vocabulary())
    return folder


def write_stage_1(folder: Path, projector: Mapping[str, torch.Tensor], tower: Path, **config: Any) -> Path:
    """Write what the first stage leaves: the projector, beside a language model that was not touched."""
    write_config(folder, tower, **config)
    torch.save({f"model.mm_projector.{k}": v for k, v in projector.items()}, folder / "mm_projector.bin")
    return folder


def write_lora(
    folder: Path, projector: Mapping[str, torch.Tensor], tower: Path, *, safe: bool = True, **config: Any
) -> dict[str, torch.Tensor]:
    """Write what the LoRA stage leaves; return the language model's weights with the LoRA added by hand."""
    base = language()
    merged = {name: tensor.clone() for name, tensor in base.state_dict().items()}
    model = get_peft_model(base, LoraConfig(r=2, lora_alpha=6, target_modules=["q_proj", "down_proj"]))
    for name, tensor in random_state(model, 2).items():
        if "lora_" in name:
            model.state_dict()[name].copy_(tensor)
    for name, tensor in model.state_dict().items():
        if "lora_A" in name:
            other = model.state_dict()[name.replace("lora_A", "lora_B")]
            target = name.removeprefix("base_model.model.").replace("lora_A.default.", "")
            merged[target] += 6 / 2 * other @ tensor
    model.save_pretrained(folder, safe_serialization=safe)
    write_config(folder, tower, **config)
    names = {f"base_model.model.model.mm_projector.{k}": v for k, v in projector.items()}
    torch.save(names, folder / "non_lora_trainables.bin")
    return merged
