"""Trains AnomShield mini from nothing, as its weights were made.

    python -m ecva_bench.adapters.anomshield_mini.making --out FOLDER

Parts with random weights, the recipe's stages one after another, and the folder that comes with the package. What was
begun in a folder is gone on with.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from ecva_bench.libraries import quiet
from ecva_bench.records.base import sha256_of
from ecva_bench.records.training import SAMPLE_HASH, TrainedStage, TrainingData, TrainingRecord, TrainingVideo
from ecva_bench.torchvision import ensure_torchvision
from ecva_bench.training.conversations import Conversation
from ecva_bench.training.mini.parts import TOWER, write_parts
from ecva_bench.training.mini.scenes import CLIPS, SEED, TrainingScenes
from ecva_bench.training.recipe import Recipe, get_recipe
from ecva_bench.training.training import Trained, train
from ecva_bench.untrusted import parse_json
from ecva_bench.writing import write_whole

from ..anomshield.adapter import AnomShield
from ..anomshield.connector import FULL_PRECISION
from .adapter import FRAMES, AnomShieldMini

STAGES = ("1", "2", "3")
NAME = "anomshield-mini"


def make(
    out: Path,
    *,
    clips: int = CLIPS,
    recipes: Sequence[Recipe] = (),
    connector: str = "mamba",
    drawn: Path | None = None,
) -> Path:
    """Train all stages in a folder and return the folder of the weights.

    `recipes` are in place of the three of the package, `connector` is as the adapter's option, and frames are kept in
    `drawn`, where other trainings with the same clips find them.
    """
    ensure_torchvision()
    from ..parts.towers.clip import squares

    recipes = recipes or [get_recipe(f"anomshield/mini/{stage}") for stage in STAGES]
    side = int(TOWER["image_size"])
    folder = drawn or out / "frames"
    scenes = TrainingScenes(partial(squares, side=side, pad=True), frames=FRAMES, count=clips, folder=folder)
    adapter = AnomShieldMini(connector=connector)
    adapter.make_start(out / "parts", None, recipes[0].stage, recipes[0].seed)
    stages = []
    for stage in recipes:
        given = scenes.of_stage(stage.stage)
        result = train(stage, given, adapter, scenes.frames, out / str(stage.stage), use_cpu=True)
        stages.append(_told(stage, given, result, clips))
        adapter = AnomShieldMini(model_path=str(result.folder), connector=connector)
    packed = out / NAME
    write_packed(Path(adapter.model_path), packed)
    record = TrainingRecord(model=NAME, stages=tuple(stages))
    write_whole(packed / "training.json", record.model_dump_json())
    return packed


def make_parts(folder: Path, seed: int) -> tuple[Path, Path]:
    """Write language model and tower with random weights, and the vocabulary of the scenes; return both folders."""
    ensure_torchvision()
    import transformers  # noqa: F401  quiet hides its bars once it is imported

    scenes = TrainingScenes(lambda pixels: pixels, frames=FRAMES)
    with quiet():
        return write_parts(folder, (*scenes.captions, *scenes.conversations), AnomShield.template.text, seed)


def write_packed(folder: Path, packed: Path) -> None:
    """Write the weights of a folder in 16 bits, but for those that must stay precise, with their settings."""
    import torch
    from safetensors.torch import load_file
    from safetensors.torch import save as bytes_of

    tensors = {
        name: part if any(name.endswith(precise) for precise in FULL_PRECISION) else part.to(torch.float16)
        for name, part in load_file(folder / "model.safetensors").items()
    }
    write_whole(packed / "model.safetensors", bytes_of(tensors, {"format": "pt"}))
    settings = parse_json((folder / "config.json").read_bytes())
    write_whole(packed / "config.json", json.dumps(settings, indent=1))
    shutil.copyfile(folder / "tokenizer.model", packed / "tokenizer.model")


def _told(recipe: Recipe, given: Sequence[Conversation], result: Trained, clips: int) -> TrainedStage:
    """Return what the record of the training says of a stage."""
    import torch
    import transformers

    from ecva_bench.version import __version__

    hashes = sorted(sha256_of([turn.text for turn in one.turns])[:SAMPLE_HASH] for one in given)
    set_name = f"mini-training-{SEED}"
    return TrainedStage(
        recipe=recipe.model_dump(mode="json", exclude_defaults=True),
        recipe_sha256=recipe.sha256,
        steps=result.steps,
        versions={"ecva-bench": __version__, "torch": torch.__version__, "transformers": transformers.__version__},
        data=(TrainingData(name=set_name, sha256=sha256_of(hashes), samples=result.samples, skipped=result.skipped),),
        videos=tuple(TrainingVideo(dataset=set_name, id=f"{number:05d}") for number in range(clips)),
        samples=(),
    )


def _train() -> None:
    """Train in the folder named."""
    import torch

    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of the training")
    torch.set_num_threads(1)
    make(parser.parse_args().out)


if __name__ == "__main__":
    _train()
