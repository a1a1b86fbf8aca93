"""A tiny LLaMA-VID: all in one set of shards, or the tower apart, as LAVIS's file of it or as InstructBLIP has it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from tests.adapters.tiny import lavis, llm

Change = Mapping[str, torch.Tensor | None]


def build(
    folder: Path,
    *,
    tower: str = "inside",
    model: str = "model",
    change: Change | None = None,
    **settings: Any,
) -> dict[str, str]:
    """Write a checkpoint and return the options that name it; `tower` is `inside`, `alone` or `lavis`."""
    state = own() | (tower_state() if tower == "inside" else {})
    beside = {f"model.{name}": tensor for name, tensor in lavis.changed(state, change or {}).items()}
    described = {
        "model_type": "llava",
        "architectures": ["LlavaLlamaAttForCausalLM"],
        "bert_type": "qformer_pretrain",
        "compress_type": "mean",
        "num_query": lavis.QUERIES,
        "mm_hidden_size": lavis.WIDTH,
        "mm_projector_type": "mlp2x_gelu",
        "mm_vision_tower": "./model_zoo/LAVIS/eva_vit_g.pth",
        "mm_vision_select_feature": "patch",
        **settings,
    }
    llm.write_language(folder / model, "Llama", form="bin", beside=beside, settings=described)
    options = {"bert": str(lavis.write_bert(folder / "bert")), "device": "cpu", "max_new_tokens": "8"}
    if tower != "inside":
        options["lavis"] = str(lavis.write_lavis(folder / "lavis"))
        alone = {name.rpartition("vision_tower.")[2]: tensor for name, tensor in tower_state().items()}
        torch.save(alone, folder / "lavis" / "eva_vit_g.pth")
    if tower == "alone":
        (folder / "lavis" / "instruct_blip_vicuna7b_trimmed.pth").unlink()
    return {"model_path": str(folder / model), **options}


def own() -> dict[str, torch.Tensor]:
    """The connector, as the checkpoint has it."""
    width, hidden = lavis.WIDTH, llm.HIDDEN
    shapes = {
        **lavis.under("vlm_att_encoder.", lavis.qformer(layers=3)),
        "vlm_att_query": (1, lavis.QUERIES, lavis.BERT),
        **lavis.norm("vlm_att_ln", width),
        **lavis.linear("vlm_att_projector", width, lavis.BERT),
        **lavis.linear("vlm_att_key_projector", width, width),
        **lavis.linear("vlm_att_val_projector", hidden, width),
        **lavis.linear("mm_projector.0", hidden, width),
        **lavis.linear("mm_projector.2", hidden, hidden),
    }
    return lavis.random(shapes, 16)


def tower_state() -> dict[str, torch.Tensor]:
    return lavis.random(lavis.under("vision_tower.vision_tower.", lavis.eva()), 17)
