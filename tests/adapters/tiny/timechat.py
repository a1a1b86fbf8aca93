"""A tiny TimeChat: what was trained in one file, LAVIS's files, a LLaMA 2."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from tests.adapters.tiny import lavis, llm

RANK = 2


def build(folder: Path, *, change: Mapping[str, torch.Tensor | None] | None = None) -> dict[str, str]:
    """Write all of them and return the options that name them."""
    (folder / "model").mkdir(parents=True)
    torch.save({"model": lavis.changed(own(), change or {})}, folder / "model" / "timechat_7b.pth")
    llm.write_language(folder / "video-llama" / "llama-2-7b-chat-hf", "Llama", form="bin")
    return {
        "model_path": str(folder / "model"),
        "base": str(folder / "video-llama"),
        "lavis": str(lavis.write_lavis(folder / "lavis")),
        "bert": str(lavis.write_bert(folder / "bert")),
        "device": "cpu",
        "max_new_tokens": "8",
    }


def own() -> dict[str, torch.Tensor]:
    """What was trained."""
    frozen = {name: shape for name, shape in lavis.frozen().items() if not name.startswith("ln_vision")}
    video = lavis.qformer(layers=2, encoder=lavis.BERT, crossed=1, text=False)
    shapes = {
        **frozen,
        **lavis.under("video_Qformer.", video),
        "video_query_tokens": (1, 3, lavis.BERT),
        "video_frame_position_embedding.weight": (96, lavis.BERT),
        **lavis.linear("llama_proj", llm.HIDDEN, lavis.BERT),
    }
    for layer in range(2):
        for module in "qkvo":
            name = f"llama_model.base_model.model.model.layers.{layer}.self_attn.{module}_proj.lora_"
            shapes[f"{name}A.default.weight"] = (RANK, llm.HIDDEN)
            shapes[f"{name}B.default.weight"] = (llm.HIDDEN, RANK)
    return lavis.random(shapes, 14)
