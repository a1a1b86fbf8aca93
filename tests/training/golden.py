"""The golden files of training, as conversations, recipes and stages of ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load_file

import ecva_bench as eb
from ecva_bench.adapters.anomshield.adapter import AnomShield
from ecva_bench.adapters.parts.towers.clip import squares
from ecva_bench.training.conversations import Conversation, Kind, Turn
from ecva_bench.training.networks import FramesOf
from ecva_bench.training.recipe import Recipe
from ecva_bench.training.stage import Stage
from ecva_bench.training.training import make_stage

Tensors = Mapping[str, torch.Tensor]
PREFIXES = {
    "connector.": "model.mm_projector.",
    "tower.model.": "model.vision_tower.vision_tower.vision_model.",
    "language.": "",
}


def apart(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    """Relative L2 distance."""
    return float((ours.detach() - theirs).norm() / theirs.norm())


def original_name(name: str) -> str:
    """What the release calls a parameter of ours."""
    start = next(start for start in PREFIXES if name.startswith(start))
    return PREFIXES[start] + name.removeprefix(start)


@dataclass(frozen=True, eq=False)
class Golden:
    """A folder of golden files."""

    folder: Path

    @cached_property
    def meta(self) -> dict[str, Any]:
        """Sizes, losses, norms and runs."""
        found: dict[str, Any] = json.loads((self.folder / "meta.json").read_text())
        return found

    @cached_property
    def samples(self) -> dict[str, Conversation]:
        """Every sample by id."""
        found = {}
        for sample in (
            each for form in json.loads((self.folder / "samples.json").read_text()).values() for each in form
        ):
            kind: Kind = "picture" if "image" in sample else "video" if "video" in sample else "words"
            name = sample.get("image") or sample.get("video")
            turns = tuple(
                Turn("user" if turn["from"] == "human" else "assistant", turn["value"])
                for turn in sample["conversations"]
            )
            path = self.folder / "media" / name if name else None
            found[sample["id"]] = Conversation(sample["id"], path, kind, turns)
        return found

    def tensors(self, name: str) -> Tensors:
        """The tensors of a file."""
        return load_file(self.folder / f"{name}.safetensors")

    def recipe(self, stage: int, **other: Any) -> Recipe:
        """The recipe of a stage's golden runs; `other` are keys that differ."""
        sizes = self.meta["config"]
        lora = {"r": sizes["rank"], "alpha": sizes["alpha"], "targets": self.meta["lora_targets"]}
        first = {"template": "plain", "frames": 1, "shaping": "crop", "rates": {"connector": 2e-5}}
        third = {"template": "mistral", "frames": sizes["frames"], "shaping": "pad", "lora": lora}
        third["rates"] = {"connector": 2e-5, "language": 2e-5}
        common = {"name": "golden", "model": "anomshield", "stage": stage, "precision": "float32", "drop_path": 0.0}
        size = {"batch": 4, "micro_batch": 2, "steps": 4, "clip": 0.0}
        return Recipe.model_validate({**common, **size, **(third if stage == 3 else first), **other})

    def stage(self, recipe: Recipe, samples: list[str], out: Path, dtype: str = "float32") -> Stage:
        """A stage over samples, in this order, with the connector and LoRA that the golden files begin with."""
        folder = self.folder
        adapter = AnomShield(
            hard_prompt="no", base=str(folder / "mistral"), vision_tower=str(folder / "clip"), device="cpu", dtype=dtype
        )
        conversations = [self.samples[name] for name in samples]
        order = {"use_cpu": True, "train_sampling_strategy": "sequential"}
        stage = make_stage(recipe, conversations, adapter, self.frames_of(recipe), out, **order)
        stage.trained.connector.load_state_dict(self.tensors("projector"))
        if recipe.lora:
            parameters = dict(stage.trained.language.named_parameters())
            for name, tensor in self.tensors("lora").items():
                parameters[name].data.copy_(tensor)
        return stage

    def frames_of(self, recipe: Recipe) -> FramesOf:
        """The frames of a sample as the tower is shown them."""

        def frames(conversation: Conversation) -> NDArray[np.uint8]:
            assert conversation.path
            if conversation.kind == "picture":
                pixels = np.asarray(Image.open(conversation.path).convert("RGB"))[None]
            else:
                video = eb.Video(conversation.path)
                pixels = video.frames_at(eb.samplers.midpoints(video.n_frames, recipe.frames, rounded="bounds")).pixels
            return squares(pixels, self.meta["config"]["side"], pad=recipe.shaping == "pad")

        return frames
