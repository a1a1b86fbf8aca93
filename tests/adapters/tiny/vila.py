"""A tiny VILA 1.5: a folder each for language model, tower and projector, and a vocabulary in the manner of Llama 3."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import SiglipVisionConfig, SiglipVisionModel

from ecva_bench.adapters.vila.adapter import SPECIAL
from ecva_bench.adapters.vila.downsample import MlpDownsample
from tests.adapters.tiny import llm

WIDTH, FRAMES = 12, 4
SIGLIP: dict[str, Any] = {
    "hidden_size": WIDTH,
    "intermediate_size": 20,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "image_size": 30,
    "patch_size": 6,
}
NAMES = (*SPECIAL, "<|eot_id|>")


def build(folder: Path) -> dict[str, str]:
    """Write a checkpoint and return the options that name it."""
    model = folder / "model"
    tower = llm.random_state(SiglipVisionModel(SiglipVisionConfig(**SIGLIP)), 7)
    _write(model / "vision_tower", SIGLIP, {f"vision_model.{name}": tensor for name, tensor in tower.items()})
    _write(model / "mm_projector", {"mm_projector_type": "mlp_downsample"}, projector())
    vocabulary = tokenizer()
    llm.write_language(model / "llm", "Llama", tokenizer=False, vocab=vocabulary.get_vocab_size())
    vocabulary.save(str(model / "llm" / "tokenizer.json"))
    (model / "llm" / "tokenizer_config.json").write_text(json.dumps({"bos_token": SPECIAL[0]}))
    settings = {"model_type": "llava_llama", "num_video_frames": FRAMES, "image_aspect_ratio": "resize"}
    selected = {"mm_vision_select_layer": -2, "mm_vision_select_feature": "cls_patch"}
    (model / "config.json").write_text(json.dumps({**settings, **selected}))
    return {"model_path": str(model), "device": "cpu", "max_new_tokens": "8"}


def projector() -> dict[str, torch.Tensor]:
    return llm.random_state(MlpDownsample(WIDTH, llm.HIDDEN), 6)


def tokenizer() -> Tokenizer:
    """Bytes, and the names of special tokens behind them."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    pairs = [("Ġ", "t"), ("h", "e"), ("Ġt", "he"), ("Ċ", "Ċ")]
    words = [*alphabet, *(first + second for first, second in pairs)]
    found = Tokenizer(models.BPE({word: number for number, word in enumerate(words)}, pairs))
    found.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    found.decoder = decoders.ByteLevel()
    found.add_special_tokens([AddedToken(name, special=True) for name in NAMES])
    return found


def _write(folder: Path, settings: dict[str, Any], state: dict[str, torch.Tensor]) -> None:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(settings))
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
