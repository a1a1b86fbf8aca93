"""What a training leaves: weights under the trainers' names, as `run` reads them, and read back strictly."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch

from ..checkpoints.filling import compare_names, report_problems, shape_text
from ..checkpoints.tensors import open_weights
from ..writing import write_whole
from .model import TrainedModel
from .networks import Form, Trainable
from .recipe import LoraKeys, Recipe

_TOKENIZER = ("tokenizer.model", "tokenizer.json", "tokenizer_config.json", "added_tokens.json")


def form_of(recipe: Recipe) -> Form:
    """Return what a stage's folder holds."""
    if "language" not in recipe.rates:
        return "projector"
    return "lora" if recipe.lora else "whole"


def saved_names(model: TrainedModel, networks: Trainable, recipe: Recipe) -> dict[str, dict[str, str]]:
    """Return by file and name there the parameter that is saved so.

    The connector always is, the tower where it is trained; where the language model is trained whole, all three are.
    """
    form = form_of(recipe)
    wanted = ("connector.", "language.", "tower.")
    if form != "whole":
        wanted = ("connector.", *(("tower.",) if "tower" in recipe.rates else ()))
    names: dict[str, dict[str, str]] = {}
    for name in dict(model.named_parameters()):
        if name.startswith(wanted) or (form == "lora" and ".lora_" in name):
            file, saved = networks.saved_as(name, form)
            names.setdefault(f"{file}.safetensors", {})[saved] = name
    return names


def save(model: TrainedModel, networks: Trainable, recipe: Recipe, folder: Path) -> None:
    """Write what was trained, and its settings, to a folder; each file whole or not at all, config.json last."""
    from safetensors.torch import save as bytes_of

    parameters = dict(model.named_parameters())
    for file, names in saved_names(model, networks, recipe).items():
        tensors = {saved: parameters[name].detach().cpu().contiguous() for saved, name in names.items()}
        write_whole(folder / file, bytes_of(tensors, {"format": "pt"}))
    if recipe.lora:
        write_whole(folder / "adapter_config.json", json.dumps(_lora_settings(networks, recipe.lora), indent=2))
    if form_of(recipe) == "whole":
        for path in (networks.base / name for name in _TOKENIZER):
            if path.is_file() and path.parent != folder:
                shutil.copyfile(path, folder / path.name)
    write_whole(folder / "config.json", json.dumps(_settings(networks, recipe), indent=2))


def read_back(model: TrainedModel, networks: Trainable, recipe: Recipe, folder: Path) -> None:
    """Copy what `save` wrote into the model; every name and shape must fit, or it is a `CheckpointError`."""
    parameters = dict(model.named_parameters())
    for file, names in saved_names(model, networks, recipe).items():
        given = open_weights(folder / file)
        compare_names(names, given, "the model", folder / file)
        tensors = {name: given[saved] for saved, name in names.items()}
        shapes = [
            f"{name} {shape_text(tensor.shape)} for {shape_text(parameters[name].shape)}"
            for name, tensor in tensors.items()
            if tensor.shape != parameters[name].shape
        ]
        report_problems({"of another shape": shapes}, "the model", folder / file)
        with torch.no_grad():
            for name, tensor in tensors.items():
                parameters[name].copy_(tensor)


def lora_config(lora: LoraKeys) -> Any:
    """Return peft's settings of a LoRA."""
    from peft import LoraConfig

    return LoraConfig(
        r=lora.r,
        lora_alpha=lora.alpha,  # type: ignore[arg-type]  # peft takes fractions too
        lora_dropout=lora.dropout,
        target_modules=list(lora.targets),
        task_type="CAUSAL_LM",
    )


def _lora_settings(networks: Trainable, lora: LoraKeys) -> dict[str, Any]:
    settings = lora_config(lora).to_dict()
    settings |= {"base_model_name_or_path": networks.base_name, "inference_mode": True}
    return {name: sorted(value) if isinstance(value, set) else value for name, value in settings.items()}


def _settings(networks: Trainable, recipe: Recipe) -> dict[str, Any]:
    """Return config.json: what it was, with what the release's programs write for a stage."""
    trained = recipe.rates
    told: dict[str, Any] = {
        "num_frames": recipe.frames,
        "image_aspect_ratio": "pad" if recipe.shaping == "pad" else "square",
        "tokenizer_padding_side": "right",
        "tokenizer_model_max_length": recipe.max_length,
        "mm_projector_lr": trained.get("connector"),
        "tune_mm_mlp_adapter": form_of(recipe) == "projector",
        "freeze_mm_mlp_adapter": "connector" not in trained,
        "use_cache": True,
    }
    if "tower" in trained or form_of(recipe) == "whole":
        told |= {
            "unfreeze_mm_vision_tower": "tower" in trained or networks.config.get("unfreeze_mm_vision_tower", False),
            "vision_config": networks.tower_config,
            "mm_vision_tower": Path(networks.config["mm_vision_tower"]).name,  # its weights are in the folder
        }
    return {**networks.config, **told}
