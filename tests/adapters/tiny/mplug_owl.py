"""A tiny mPLUG-Owl: language model, tower and abstractor in one set of files, BLOOM for pictures or LLaMA for video."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from ecva_bench.adapters.mplug_owl.abstractor import Abstractor
from ecva_bench.adapters.mplug_owl.owl_vit import OwlVit
from tests.adapters.tiny import llm

WIDTH = 16
VISION = {
    "hidden_size": WIDTH,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 28,
    "patch_size": 14,
}
SPECIAL = ("<unk>", "<s>", "</s>", "<pad>")


def build(folder: Path, variant: str = "bloomz", *, form: str = "bin") -> dict[str, str]:
    """Write the checkpoint of a variant, as shards (`bin`, `safetensors`) or `single`; return the options for it."""
    kind, temporal = ("Bloom", False) if variant == "bloomz" else ("Llama", True)
    model = folder / "model"
    model.mkdir(parents=True)
    text = {"model_type": kind.lower(), **llm.config(kind)}
    abstractor = {"num_attention_heads": 2, "intermediate_size": 4096}  # which says nothing of the files' own width
    config = {"vision_config": VISION, "visual_abstractor_config": abstractor, "text_config": text}
    (model / "config.json").write_text(json.dumps({"model_type": "mplug-owl", "num_query_tokens": 3, **config}))
    (model / "generation_config.json").write_text(json.dumps(llm.TEMPTING))
    state = {f"language_model.{name}": tensor for name, tensor in language(kind).items()}
    if kind == "Llama":
        state["language_model.model.layers.0.self_attn.rotary_emb.inv_freq"] = torch.ones(4)
    state |= {**tower(temporal), **connector(temporal)}
    if form == "single":
        torch.save(state, model / "pytorch_model.bin")
    else:
        llm.write_shards(model, state, form)
    if kind == "Llama":
        llm.write_vocabulary(model)
    else:
        write_bytes_vocabulary(model)
    return {"model_path": str(model), "variant": variant, "device": "cpu", "max_new_tokens": "8"}


def language(kind: str) -> dict[str, torch.Tensor]:
    state: dict[str, torch.Tensor] = llm.language(kind).state_dict()
    for name in state:
        if "word_embeddings_layernorm" in name:  # one that does something
            state[name] = llm.random_state(torch.nn.LayerNorm(llm.HIDDEN), 4)[name.rpartition(".")[2]] + 0.5
    return state


def tower(temporal: bool) -> dict[str, torch.Tensor]:
    """The tower's tensors under the authors' names."""
    return {_seeing(name): t for name, t in llm.random_state(OwlVit(VISION, temporal=temporal), 1).items()}


def connector(temporal: bool) -> dict[str, torch.Tensor]:
    """The abstractor's tensors under the authors' names."""
    made = Abstractor(3, WIDTH, 20, 2, 2, llm.HIDDEN, temporal=temporal)
    return {_abstracting(name): t for name, t in llm.random_state(made, 2).items()}


def _seeing(name: str) -> str:
    if not name.startswith("layers."):
        inside = "" if name.startswith("post_layernorm") else "embeddings."
        return f"vision_model.{inside}{name}"
    for part, inside in {"query_key_value": "self_attn.", "dense": "self_attn.", "fc1": "mlp.", "fc2": "mlp."}.items():
        name = name.replace(f".{part}.", f".{inside}{part}.")
    return f"vision_model.encoder.{name}"


def _abstracting(name: str) -> str:
    if name.endswith("query_tokens"):
        return name
    if not name.startswith("layers."):
        return f"abstractor.{name}"
    _, number, part, rest = name.split(".")
    inside = {
        "query": "attention.",
        "key": "attention.",
        "value": "attention.",
        "out_proj": "output.",
        "norm2": "output.",
    }
    inside |= dict.fromkeys(("w1", "w2", "w3", "ffn_ln"), "output.mlp.")
    return f"abstractor.encoder.layers.{number}.crossattention.{inside.get(part, '')}{part}.{rest}"


def write_bytes_vocabulary(folder: Path) -> None:
    """Write a `tokenizer.json` in the manner of BLOOM's: special tokens 0 to 3, then bytes."""
    letters = [*SPECIAL, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    tokenizer = Tokenizer(models.BPE({letter: number for number, letter in enumerate(letters)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(SPECIAL))
    tokenizer.save(str(folder / "tokenizer.json"))
