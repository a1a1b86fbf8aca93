"""A tiny PandaGPT: its own file (a LoRA and a linear layer), a LLaMA whole or as a delta, ImageBind's file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from ecva_bench.adapters.pandagpt.imagebind import ImageBindVision
from tests.adapters.tiny import llm

WIDTH, OUT, RANK = 80, 12, 3
LAYER = "llama_model.base_model.model.model.layers.{}.self_attn.{}_proj.lora_{}.default.weight"


def build(folder: Path, *, delta: bool = False, form: str = "bin") -> dict[str, str]:
    """Write all of it and return the options that name it; `form` is that of the LLaMA, as shards or `single`."""
    for name in ("model", "imagebind"):
        (folder / name).mkdir(parents=True)
    torch.save(own_state(), folder / "model" / "pytorch_model.pt")
    torch.save(seeing_state(), folder / "imagebind" / "imagebind_huge.pth")
    llm.write_language(folder / "base", "Llama", form=form)
    options = {
        "model_path": str(folder / "model"),
        "imagebind": str(folder / "imagebind"),
        "base": str(folder / "base"),
    }
    if delta:
        llm.write_language(folder / "delta", "Llama", seed=1, tokenizer=False, vocab=llm.PIECES + 1)
        options["delta"] = str(folder / "delta")
    return {**options, "device": "cpu", "max_new_tokens": "8"}


def own_state() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    shapes: dict[str, tuple[int, ...]] = {"llama_proj.weight": (llm.HIDDEN, OUT), "llama_proj.bias": (llm.HIDDEN,)}
    for layer in range(2):
        for part in "qkvo":
            shapes[LAYER.format(layer, part, "A")] = (RANK, llm.HIDDEN)
            shapes[LAYER.format(layer, part, "B")] = (llm.HIDDEN, RANK)
    return {name: torch.randn(shape, generator=generator) * 0.1 for name, shape in shapes.items()}


def tower() -> ImageBindVision:
    return ImageBindVision(width=WIDTH, layers=2, mlp=24, out=OUT, patch=7, side=28)


def seeing_state() -> dict[str, torch.Tensor]:
    """The tensors of ImageBind's file, in its shapes and under its names, with another sense's among them."""
    own = llm.random_state(tower().model, 4)
    embeddings, trunk = "vision_model.embeddings.", "modality_trunks.vision."
    stem = own[f"{embeddings}patch_embedding.weight"].unflatten(1, (2, 3)).transpose(1, 2)
    state: dict[str, Any] = {
        "modality_preprocessors.vision.cls_token": own[f"{embeddings}class_embedding"][None, None],
        "modality_preprocessors.vision.rgbt_stem.proj.1.weight": stem.contiguous(),
        "modality_preprocessors.vision.pos_embedding_helper.pos_embed": own[f"{embeddings}position_embedding.weight"][
            None
        ],
        "modality_heads.vision.2.weight": own["visual_projection.weight"],
        "modality_trunks.audio.blocks.0.norm_1.weight": torch.ones(3),
        "modality_postprocessors.text.1.log_logit_scale": torch.ones(()),
    }
    for kind in ("weight", "bias"):
        state[f"{trunk}pre_transformer_layer.0.{kind}"] = own[f"vision_model.pre_layrnorm.{kind}"]
        state[f"modality_heads.vision.0.{kind}"] = own[f"vision_model.post_layernorm.{kind}"]
        for layer in range(2):
            theirs, ours = f"{trunk}blocks.{layer}.", f"vision_model.encoder.layers.{layer}."
            joint = [own[f"{ours}self_attn.{part}_proj.{kind}"] for part in "qkv"]
            state[f"{theirs}attn.in_proj_{kind}"] = torch.cat(joint)
            state[f"{theirs}attn.out_proj.{kind}"] = own[f"{ours}self_attn.out_proj.{kind}"]
            for number in "12":
                state[f"{theirs}norm_{number}.{kind}"] = own[f"{ours}layer_norm{number}.{kind}"]
                state[f"{theirs}mlp.fc{number}.{kind}"] = own[f"{ours}mlp.fc{number}.{kind}"]
    return state
