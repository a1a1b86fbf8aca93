"""Tiny random checkpoints that real engines run: of heads as wide as their kernels want them."""

from __future__ import annotations

from pathlib import Path

from tests.adapters import tiny_hf

HEAD = 32  # the narrowest that vLLM's attention on a CPU takes


def write(folder: Path, family: str) -> Path:
    """Save a family's tiny model with one wide head in place of four narrow ones."""
    config, processor = tiny_hf.FAMILIES[family]()
    text = config.text_config
    text.num_attention_heads = text.num_key_value_heads = 1
    text.head_dim = HEAD
    if rope := getattr(text, "rope_parameters", None):
        if "mrope_section" in rope:
            text.rope_parameters = {**rope, "mrope_section": [4, 4, 8]}
    return tiny_hf.save(folder, config, processor)
