"""A tiny ST-LLM: one set of shards as HF's trainer saves it, of conversation or of questions and answers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from tests.adapters.tiny import lavis, llm

ADDED = {"[PAD]": llm.PIECES}
WORDS = llm.PIECES + len(ADDED)


def build(
    folder: Path,
    *,
    branched: bool = False,
    frozen: bool = True,
    change: Mapping[str, torch.Tensor | None] | None = None,
) -> dict[str, str]:
    """Write model, vocabulary and, where the model is saved without what was frozen, LAVIS's files."""
    state = lavis.changed(own(branched=branched, frozen=frozen), change or {})
    beside = {f"model.stllm_model.{name}": tensor for name, tensor in state.items()}
    llm.write_language(folder / "model", "Llama", form="bin", vocab=WORDS, beside=beside, tokenizer=False)
    llm.write_vocabulary(folder / "model", ADDED)
    options = {"lavis": str(lavis.write_lavis(folder / "lavis"))} if not frozen else {}
    return {
        "model_path": str(folder / "model"),
        "bert": str(lavis.write_bert(folder / "bert")),
        "device": "cpu",
        "max_new_tokens": "8",
        **options,
    }


def own(*, branched: bool = False, frozen: bool = True) -> dict[str, torch.Tensor]:
    """What the model is made of beside the language model."""
    hidden = llm.HIDDEN
    shapes = lavis.linear("llama_proj", hidden, lavis.BERT) | {"embed_tokens.weight": (WORDS, hidden)}
    shapes |= lavis.linear("mvm_decoder.head", hidden, hidden) | lavis.norm("mvm_decoder.norm", hidden)
    if branched:
        shapes |= lavis.under("visual_encoder.", lavis.branch())
    else:
        shapes |= lavis.linear("down_proj", 6, hidden) | lavis.linear("up_proj", hidden, 6)
    if frozen:
        shapes |= lavis.under("visual_encoder.", lavis.eva()) | lavis.frozen()
    return lavis.random(shapes, 13)
