"""Trains AnomShield mini from nothing, as its weights were made.

    python -m ecva_bench.adapters.anomshield_mini.making --out FOLDER

Parts with random weights, the recipe's stages one after another, and the folder that comes with the package. What was
begun in a folder is gone on with.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from ecva_bench.libraries import quiet
from ecva_bench.torchvision import ensure_torchvision
from ecva_bench.training.mini.parts import write_parts
from ecva_bench.training.mini.scenes import TrainingScenes
from ecva_bench.training.networks import GROUPS
from ecva_bench.training.provenance import earlier_stages, write_training
from ecva_bench.training.recipe import Recipe, get_recipe
from ecva_bench.training.request import TrainingRequest
from ecva_bench.untrusted import parse_json
from ecva_bench.writing import write_whole

from ..anomshield.adapter import AnomShield
from ..anomshield.connector import FULL_PRECISION
from .adapter import FRAMES, AnomShieldMini

STAGES = ("1", "2", "3")
NAME = "anomshield-mini"


def make(out: Path, *, recipes: Sequence[Recipe] = (), connector: str = "mamba", drawn: Path | None = None) -> Path:
    """Train all stages in a folder, as `ecva-bench train` does each, and return the folder of the weights.

    `recipes` are in place of the three of the package, `connector` is as the adapter's option, and frames are kept in
    `drawn`, where other trainings find them.
    """
    recipes = recipes or [get_recipe(f"anomshield/mini/{stage}") for stage in STAGES]
    folders = [out / str(recipe.stage) for recipe in recipes]
    for recipe, start, folder in zip(recipes, (None, *folders), folders, strict=False):
        weights = {"model_path": str(start)} if start else {}
        request = TrainingRequest(
            recipe=recipe,
            adapter=AnomShieldMini(connector=connector, **weights),
            data=(),
            start=start,
            cache=drawn or out / "frames",
            machine={"use_cpu": True},
        )
        request.train(request.prepare(folder))
    packed = out / NAME
    write_packed(recipes[-1], folders, packed, connector)
    stages = earlier_stages(folders[-1])  # all samples are of the clips that are named: their hashes tell nothing more
    write_training(packed, NAME, [stage.model_copy(update={"samples": ()}) for stage in stages])
    return packed


def make_parts(folder: Path, seed: int) -> tuple[Path, Path]:
    """Write language model and tower with random weights, and the vocabulary of the scenes; return both folders."""
    ensure_torchvision()
    import transformers  # noqa: F401  quiet hides its bars once it is imported

    scenes = TrainingScenes(lambda pixels: pixels, frames=FRAMES)
    with quiet():
        return write_parts(folder, (*scenes.captions, *scenes.conversations), AnomShield.template.text, seed)


def write_packed(recipe: Recipe, folders: Sequence[Path], packed: Path, connector: str) -> None:
    """Write the weights of the last folder, its LoRA merged into the language model of the one before, with settings.

    In 16 bits, but for those that must stay precise.
    """
    import torch
    from safetensors.torch import load_file
    from safetensors.torch import save as bytes_of

    from ecva_bench.training.model import TrainedModel
    from ecva_bench.training.saving import save

    base = {"base": str(folders[-2])} if recipe.lora else {}
    trained = AnomShieldMini(model_path=str(folders[-1]), connector=connector, **base)
    networks = trained.trainable(GROUPS, pad=recipe.shaping == "pad")
    merged = TrainedModel(networks, GROUPS, frames=FRAMES, packing=False)
    save(merged, networks, recipe.model_copy(update={"lora": None}), packed)
    tensors = {
        name: part if any(name.endswith(precise) for precise in FULL_PRECISION) else part.to(torch.float16)
        for name, part in load_file(packed / "model.safetensors").items()
    }
    write_whole(packed / "model.safetensors", bytes_of(tensors, {"format": "pt"}))
    settings = parse_json((packed / "config.json").read_bytes())
    write_whole(packed / "config.json", json.dumps(settings, indent=1))


def _train() -> None:
    """Train in the folder named."""
    import torch

    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of the training")
    torch.set_num_threads(1)
    make(parser.parse_args().out)


if __name__ == "__main__":
    _train()
