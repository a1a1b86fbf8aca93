"""A tiny Otter: CLIP, perceiver, LLaMA and the blocks between its layers, in one set of shards."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from transformers import CLIPVisionConfig, CLIPVisionModel

from ecva_bench.adapters.otter.gated import GatedBlocks
from ecva_bench.adapters.otter.perceiver import Perceiver
from tests.adapters.tiny import llm
from tests.adapters.tiny_llava import CLIP, WIDTH

ADDED = {"<|endofchunk|>": llm.PIECES + 1, "<image>": llm.PIECES + 2, "<answer>": llm.PIECES + 3, "<PAD>": llm.PIECES}
LAYERS, EVERY = 4, 2
INNER = 64
PLACES = 20  # frames the perceiver knows places for


def build(folder: Path, *, form: str = "bin", vocabulary: str = "own") -> dict[str, str]:
    """Write the checkpoint, as shards or `single`, and return the options that name it.

    Its `vocabulary` has the tokens that the authors add (`own`), or is LLaMA's and lies elsewhere (`apart`).
    """
    model = folder / "model"
    model.mkdir(parents=True)
    text = {"model_type": "llama", **llm.config("Llama", num_hidden_layers=LAYERS)}  # without the added tokens
    config = {"text_config": text, "vision_config": CLIP, "cross_attn_every_n_layers": EVERY}
    (model / "config.json").write_text(json.dumps({"model_type": "otter", **config}))
    (model / "generation_config.json").write_text(json.dumps(llm.TEMPTING))
    if form == "single":
        torch.save(state(), model / "pytorch_model.bin")
    else:
        llm.write_shards(model, state(), form)
    options = {"model_path": str(model), "device": "cpu", "max_new_tokens": "8"}
    if vocabulary == "own":
        llm.write_vocabulary(model, ADDED)
        return options
    (folder / "llama").mkdir()
    llm.write_vocabulary(folder / "llama")
    return {**options, "tokenizer": str(folder / "llama")}


def state() -> dict[str, torch.Tensor]:
    """All tensors under the authors' names."""
    found = {f"perceiver.{name}": tensor for name, tensor in perceiver_state().items()}
    seeing = llm.random_state(CLIPVisionModel(CLIPVisionConfig(**CLIP)), 1)
    found |= {f"vision_encoder.vision_model.{name}": tensor for name, tensor in seeing.items()}
    found["vision_encoder.vision_model.embeddings.position_ids"] = torch.arange(17)[None]
    for name, tensor in language().state_dict().items():
        parts = name.split(".")
        if "layers" in parts:
            parts.insert(3, "decoder_layer")
        found[f"lang_encoder.{'.'.join(parts)}"] = tensor
    found["lang_encoder.model.layers.0.decoder_layer.self_attn.rotary_emb.inv_freq"] = torch.ones(4)
    for name, tensor in gated_state().items():
        layer, _, rest = name.partition(".")
        found[f"lang_encoder.model.layers.{layer}.gated_cross_attn_layer.{rest}"] = tensor
    return found


def language() -> torch.nn.Module:
    found: torch.nn.Module = llm.language("Llama", vocab=llm.PIECES + 4, num_hidden_layers=LAYERS)
    return found


def perceiver_state() -> dict[str, torch.Tensor]:
    return llm.random_state(Perceiver(WIDTH, 5, PLACES, 2, INNER * 2, 24), 2)


def gated_state() -> dict[str, torch.Tensor]:
    blocks = GatedBlocks(range(EVERY - 1, LAYERS, EVERY), llm.HIDDEN, WIDTH, INNER, 40).blocks
    state = llm.random_state(blocks, 3)
    return {name: tensor + 0.5 if "gate" in name else tensor for name, tensor in state.items()}
