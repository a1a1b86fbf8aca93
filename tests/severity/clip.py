"""The tiny CLIP of the golden files, as a folder in open_clip's own layout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file


def tensors(golden: Path) -> dict[str, Any]:
    """Its weights in float32 under OpenAI's names; of the token embeddings, rows that are used."""
    found = {name: value.float() if value.is_floating_point() else value for name, value in _stored(golden).items()}
    rows, ids = found.pop("token_embedding.weight.rows"), found.pop("token_embedding.weight.ids")
    whole = torch.zeros(49_408, rows.shape[1])
    whole[ids] = rows
    return {**found, "token_embedding.weight": whole}


def write_clip(folder: Path, golden: Path, *, quick: bool = True, layers: int = 2, **changed: torch.Tensor) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    sizes = json.loads((golden / "severity/curve_a.json").read_text())["config"]
    vision = {
        "image_size": sizes["image_resolution"],
        "layers": layers,
        "width": sizes["vision_width"],
        "patch_size": sizes["vision_patch_size"],
        "head_width": 64,
    }
    text = {
        "context_length": 77,
        "vocab_size": 49_408,
        "width": sizes["transformer_width"],
        "heads": sizes["transformer_heads"],
        "layers": sizes["transformer_layers"],
    }
    model = {"embed_dim": sizes["embed_dim"], "quick_gelu": quick, "vision_cfg": vision, "text_cfg": text}
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": model, "preprocess_cfg": {}}))
    save_file({**tensors(golden), **changed}, folder / "open_clip_model.safetensors")
    return folder


def _stored(golden: Path) -> dict[str, torch.Tensor]:
    return dict(load_file(golden / "severity/clip_a.safetensors"))
