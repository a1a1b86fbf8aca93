"""A tiny Video-ChatGPT: the projector's file, a LLaMA with LLaVA's added tokens, CLIP."""

from __future__ import annotations

from pathlib import Path

import torch

from tests.adapters import tiny_llava
from tests.adapters.tiny import llm

ADDED = {"<im_patch>": llm.PIECES, "<im_start>": llm.PIECES + 1, "<im_end>": llm.PIECES + 2}
WORDS = llm.PIECES + len(ADDED)


def build(folder: Path) -> dict[str, str]:
    """Write all three and return the options that name them."""
    tiny_llava.write_tower(folder / "clip")
    other = {"model.mm_projector.weight": torch.ones(3), "model.mm_projector.bias": torch.ones(3)}  # LLaVA's own
    llm.write_language(folder / "base", "Llama", form="bin", vocab=WORDS, beside=other)
    llm.write_vocabulary(folder / "base", ADDED)
    torch.save(own_state(), write(folder / "model") / "video_chatgpt-7B.bin")
    return {
        "model_path": str(folder / "model"),
        "base": str(folder / "base"),
        "vision_tower": str(folder / "clip"),
        "device": "cpu",
        "max_new_tokens": "8",
    }


def own_state() -> dict[str, torch.Tensor]:
    """What the authors' one file holds."""
    own = torch.nn.ModuleDict(
        {
            "mm_projector": torch.nn.Linear(tiny_llava.WIDTH, llm.HIDDEN),
            "embed_tokens": torch.nn.Embedding(WORDS + 3, llm.HIDDEN),
        }
    )
    return {f"model.{name}": tensor for name, tensor in llm.random_state(own, 5).items()}


def write(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
