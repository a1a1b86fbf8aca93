"""Tiny language models with random weights as hubs have them, and their vocabularies."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import sentencepiece
import torch
import transformers
from safetensors.torch import save_file

HIDDEN, PIECES = 32, 320

# What a checkpoint's own settings would do to answers, were they inherited.
TEMPTING = {"do_sample": True, "temperature": 5.0, "repetition_penalty": 9.0, "max_length": 3, "num_beams": 3}

_TEXT = [
    "Watch the video and explain why the anomaly happens.",
    "A man pushes a cart across the road while a car turns left without looking.",
    "What does the accident lead to? The driver is injured and the vehicles are damaged.",
    "Give the start and the end of the event in seconds, [12.5, 31.0], and its class.",
]


def config(kind: str = "Llama", *, vocab: int = PIECES, **more: Any) -> dict[str, Any]:
    """The sizes of a `Llama` (every head a key head), `Mistral` (two heads a key head) or `Bloom`."""
    sizes = {"vocab_size": vocab, "hidden_size": HIDDEN, "initializer_range": 0.4}  # no two tokens nearly as probable
    if kind == "Bloom":
        return {**sizes, "n_layer": 2, "n_head": 4, **more}
    sizes |= {"intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
    sizes |= {"max_position_embeddings": 4096}
    if kind == "Mistral":
        sizes |= {"num_key_value_heads": 2, "sliding_window": None}
    return {**sizes, **more}


def language(kind: str = "Llama", *, seed: int = 0, **sizes: Any) -> Any:
    """A causal language model of the sizes of `config`."""
    torch.manual_seed(seed)
    made = getattr(transformers, f"{kind}Config")(**config(kind, **sizes))
    return getattr(transformers, f"{kind}ForCausalLM")(made).eval()


def write_language(
    folder: Path,
    kind: str = "Llama",
    *,
    form: str = "safetensors",
    seed: int = 0,
    tokenizer: bool = True,
    beside: Mapping[str, torch.Tensor] | None = None,
    settings: Mapping[str, Any] | None = None,
    **sizes: Any,
) -> Path:
    """Write a language model: config, generation settings, weights and, unless said otherwise, its tokenizer.

    `form` is `bin` or `safetensors` (two shards and an index), or `single` (one .bin). `beside` are other tensors of
    the same files, `settings` other entries of the config; `sizes` are those of `config`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    described = {"model_type": kind.lower(), **config(kind, **sizes), "use_cache": False, **(settings or {})}
    (folder / "config.json").write_text(json.dumps(described))
    (folder / "generation_config.json").write_text(json.dumps(TEMPTING))
    state = {**language(kind, seed=seed, **sizes).state_dict(), **(beside or {})}
    if form == "single":
        torch.save(state, folder / "pytorch_model.bin")
    else:
        write_shards(folder, state, form)
    if tokenizer:
        write_vocabulary(folder)
    return folder


def write_shards(folder: Path, state: Mapping[str, torch.Tensor], form: str) -> None:
    """Write tensors as two shards and an index, as `save_pretrained` names them."""
    stem, suffix = ("pytorch_model", "bin") if form == "bin" else ("model", "safetensors")
    names = sorted(state)
    files = {name: f"{stem}-0000{1 + (i >= len(names) // 2)}-of-00002.{suffix}" for i, name in enumerate(names)}
    for file in set(files.values()):
        shard = {name: state[name].contiguous().clone() for name in names if files[name] == file}
        if form == "bin":
            torch.save(shard, folder / file)
        else:
            save_file(shard, folder / file, metadata={"format": "pt"})
    (folder / f"{stem}.{suffix}.index.json").write_text(json.dumps({"metadata": {}, "weight_map": files}))


def write_vocabulary(folder: Path, added: Mapping[str, int] | None = None) -> None:
    """Write `tokenizer.model`, and `added_tokens.json` where tokens are added."""
    (folder / "tokenizer.model").write_bytes(vocabulary())
    if added:
        (folder / "added_tokens.json").write_text(json.dumps(dict(added)))


@cache
def vocabulary() -> bytes:
    """A SentencePiece model of 320 pieces in the manner of LLaMA's: BPE, bytes, `<s>` 1, `</s>` 2."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(_TEXT),
        model_writer=model,
        vocab_size=PIECES,
        model_type="bpe",
        byte_fallback=True,
        character_coverage=1.0,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        minloglevel=2,
    )
    return model.getvalue()


def random_state(module: torch.nn.Module, seed: int) -> dict[str, torch.Tensor]:
    """The module's names with random tensors of a size at which every layer matters."""
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.randn(tensor.shape, generator=generator) * 0.3 for name, tensor in module.state_dict().items()}
