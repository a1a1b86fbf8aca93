"""A tiny MovieLLM: LLaMA-VID's files in a folder of the repository, positions closer together."""

from __future__ import annotations

from pathlib import Path

from ecva_bench.adapters.moviellm import INNER
from tests.adapters.tiny import llama_vid

SCALING = {"rope_scaling": {"type": "linear", "factor": 16.0}, "max_position_embeddings": 4096}


def build(folder: Path) -> dict[str, str]:
    """Write a checkpoint beside another of the same repository, and return the options that name it."""
    kind = {"bert_type": "qformer_pretrain_freeze_all", "compress_type": "mean_concat"}
    (folder / "model" / f"{INNER}-baseline").mkdir(parents=True)
    options = llama_vid.build(folder, model=f"model/{INNER}", **kind, **SCALING)
    return {**options, "model_path": str(folder / "model")}
