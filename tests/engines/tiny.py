"""Tiny random checkpoints that real engines run: heads as wide as kernels want them, weights named as on the hub."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import load_file, save_file

from tests.adapters import tiny_hf

HEAD = 32  # the narrowest that vLLM's attention on a CPU takes
SECTIONS = {"qwen3_vl": [6, 5, 5]}  # time, height and width of half a head; else `WIDE`
WIDE = [4, 4, 8]
IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])  # mean and standard deviation of a pixel
# The towers' names in the authors' checkpoints, where transformers 5 saves others.
NAMES = {"llava_onevision": ("vision_tower.", "vision_tower.vision_model.")}


def write(folder: Path, family: str) -> Path:
    """Save a family's tiny model with one wide head in place of four narrow ones."""
    config, processor = tiny_hf.FAMILIES[family]()
    text = config.text_config
    text.num_attention_heads = text.num_key_value_heads = 1
    text.head_dim = HEAD
    rope = getattr(text, "rope_parameters", None) or {}
    if "mrope_section" in rope:
        text.rope_parameters = {**rope, "mrope_section": SECTIONS.get(family, WIDE)}
    if family == "qwen3_vl":  # as published; vLLM has one for both
        processor.image_processor.image_mean = processor.video_processor.image_mean
        processor.image_processor.image_std = processor.video_processor.image_std
    if family == "internvl":  # as published
        for part in (processor.image_processor, processor.video_processor):
            part.image_mean, part.image_std = IMAGENET
    tiny_hf.save(folder, config, processor)
    if family in NAMES:
        saved, theirs = NAMES[family]
        weights = load_file(folder / "model.safetensors")
        renamed = {name.replace(saved, theirs): weight for name, weight in weights.items()}
        save_file(renamed, folder / "model.safetensors", {"format": "pt"})
    return folder
