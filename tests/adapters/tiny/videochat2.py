"""A tiny VideoChat2: all that was trained in one file, and a Mistral."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from tests.adapters.tiny import lavis, llm

WIDTH, PATCH, BLOCKS = 64, 56, 2
RANK = 2


def build(folder: Path, *, change: Mapping[str, torch.Tensor | None] | None = None) -> dict[str, str]:
    """Write both, and the vocabulary, and return the options that name them."""
    (folder / "model").mkdir(parents=True)
    torch.save(lavis.changed(own(), change or {}), folder / "model" / "videochat2_mistral_7b_stage3.pth")
    llm.write_language(folder / "base", "Mistral")
    return {
        "model_path": str(folder / "model"),
        "base": str(folder / "base"),
        "bert": str(lavis.write_bert(folder / "bert")),
        "device": "cpu",
        "max_new_tokens": "8",
    }


def umt(*, width: int = WIDTH, blocks: int = BLOCKS, patch: int = PATCH, mlp: int = 96) -> lavis.Shapes:
    """UMT's tower."""
    shapes: lavis.Shapes = {"patch_embed.proj.weight": (width, 3, 1, patch, patch), "patch_embed.proj.bias": (width,)}
    for number in range(blocks):
        shapes |= lavis.block(f"blocks.{number}", width, mlp)
    return shapes


def own() -> dict[str, torch.Tensor]:
    """What was trained."""
    shapes = {
        **lavis.under("vision_encoder.encoder.", umt()),
        **lavis.norm("vision_layernorm", WIDTH),
        **lavis.under("qformer.", lavis.qformer(encoder=WIDTH)),
        "query_tokens": (1, lavis.QUERIES, lavis.BERT),
        "extra_query_tokens": (1, 3, lavis.BERT),
        **lavis.linear("mistral_proj", llm.HIDDEN, lavis.BERT),
    }
    state = llm.language("Mistral").state_dict()
    for name, tensor in state.items():
        module = name.removesuffix(".weight")
        if module.endswith(("_proj", "lm_head")):
            lora = f"mistral_model.base_model.model.{module}.lora_"
            shapes[f"{lora}A.default.weight"] = (RANK, tensor.shape[1])
            shapes[f"{lora}B.default.weight"] = (tensor.shape[0], RANK)
    return lavis.random(shapes, 15)
