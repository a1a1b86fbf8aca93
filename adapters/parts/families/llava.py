"""Models in the layouts of LLaVA's trainers: a CLIP tower, a projector called `mm_projector`, a language model.

Knows where the three lie in a checkpoint; leaves the projector's network, frames and words to a model's module.
"""

from __future__ import annotations

import copy
import dataclasses
import json
import os
from abc import abstractmethod
from collections.abc import Collection, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ecva_bench.checkpoints.files import read_json_object, reading
from ecva_bench.checkpoints.finding import Checkpoint
from ecva_bench.errors import CheckpointError, UsageError
from ecva_bench.torchvision import ensure_torchvision
from ecva_bench.writing import write_whole

from ..options import choice
from .composed import Composed

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from transformers import CLIPVisionConfig

    from ecva_bench.checkpoints.tensors import Tensors
    from ecva_bench.training.networks import Trainable
    from ecva_bench.training.words import Vocabulary

    from ..language.networks import Networks
    from ..layouts.llava import LlavaLayout


class LlavaFamily(Composed):
    """A model of the family. Options beside those of `Composed`:

    `base`, the language model of a checkpoint that has none of its own (a LoRA, a projector); `vision_tower`, in place
    of the one its config.json names; `aspect`, `pad` to show frames whole on a square, `none` to crop them.
    """

    # Hubs have the same weights in several forms: one of them is enough.
    files: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "model": ("*.json", "*.model", "*.safetensors", "*.bin"),
        "base": ("*.json", "*.model", "model*.safetensors"),
        "vision_tower": ("*.json", "pytorch_model.bin"),
    }
    beside: ClassVar[tuple[str, ...]] = ("model.mm_projector.", "model.vision_tower.")  # not the language model's
    aspects: ClassVar[tuple[str, ...]] = ("none", "pad")
    language: ClassVar[str]
    default_base: ClassVar[str]
    default_tower: ClassVar[str] = ""  # of a model that is trained from nothing

    def __init__(self, *, base: str = "", vision_tower: str = "", aspect: str = "none", **options: str) -> None:
        super().__init__(**options)
        self._base = base or self.default_base
        self._vision_tower = vision_tower
        self._pad = choice("aspect", aspect, self.aspects) == "pad"

    @abstractmethod
    def connector(self) -> torch.nn.Module:
        """Return the projector's network, with weights of no account."""

    @cached_property
    def layout(self) -> LlavaLayout:
        """Where the parts of the model lie."""
        from ..layouts.llava import needs_base, read_layout

        folder = self.checkpoint.folder
        return read_layout(folder, self.find(self._base, "base").folder if needs_base(folder) else None)

    @property
    def tower_name(self) -> str:
        """Folder or hub id of the vision tower."""
        named = self.config.get("mm_vision_tower") or self.config.get("mm_video_tower")
        name = self._vision_tower or named
        if not (name and isinstance(name, str)):
            raise CheckpointError(
                "no vision tower is named", self.checkpoint.folder, "name one with --model-arg vision-tower=…"
            )
        return name

    @property
    def connector_sizes(self) -> tuple[int, int]:
        """Channels of the tower's features and of the language model's tokens."""
        return self.size("mm_hidden_size"), self.size("hidden_size")

    def extras(self) -> dict[str, str]:
        """Return the base, where the checkpoint has no language model, and the tower, where it holds none."""
        base = {} if self.layout.language == self.checkpoint.folder else {"base": self._base}
        if self.layout.tower and self._vision_tower and self._tower_was_trained:
            what = "the checkpoint holds a vision tower that was trained with it"
            raise CheckpointError(what, self.checkpoint.folder, "leave --model-arg vision-tower= out")
        tower = {} if self.layout.tower and not self._vision_tower else {"vision_tower": self.tower_name}
        return {**base, **tower}

    @property
    def _tower_was_trained(self) -> bool:
        """Whether the tower in the checkpoint is no copy of another: beside a language model, trainers save no copy."""
        return not self.layout.is_whole or self.config.get("unfreeze_mm_vision_tower") is True

    def build(self) -> Networks:
        """Return the networks; every name of the checkpoint has its place or is an error."""
        from ..language.networks import Networks
        from ..language.tokens import open_tokenizer

        connector, tower, language = self._filled_connector(), self._tower(), self._language_model()
        self._check_widths(tower, language)
        return Networks(open_tokenizer(self.checkpoint.folder, self.layout.language), tower, connector, language)

    def _filled_connector(self) -> torch.nn.Module:
        """Return the connector filled with the checkpoint's tensors."""
        from ecva_bench.checkpoints.filling import fill

        connector = self.placement.make(self.connector)
        fill(connector, self.layout.projector, self.checkpoint.folder)
        return connector

    def _language_model(self) -> Any:
        """Return the language model, with the checkpoint's LoRA merged into it."""
        from ..language.loading import load_language

        place = self.layout
        return load_language(place.language, self.language, self.placement, beside=self.beside, adapter=place.adapter)

    def _check_widths(self, tower: Any, language: Any) -> None:
        from ..layouts.sizes import check_widths

        features, hidden = self.connector_sizes
        joined = {
            "mm_hidden_size": (features, tower.width),
            "hidden_size": (hidden, language.config.hidden_size),
        }
        check_widths(joined, "the projector", self.checkpoint.folder / "config.json")

    def _tower(self) -> torch.nn.Module:
        """Return the tower that is named, or else the one the checkpoint holds."""
        from ecva_bench.checkpoints.tensors import open_weights

        features = (self.config.get("mm_vision_select_layer", -2), self.config.get("mm_vision_select_feature", "patch"))
        if features != (-2, "patch"):
            what = f"the tower's features are of another kind ({features[1]} of layer {features[0]})"
            raise CheckpointError(what, self.checkpoint.folder, "only patch features of layer -2 are known here")
        if found := self.checkpoints.get("vision_tower"):
            tensors, where, folder = open_weights(found.folder), found.folder, found.folder
        else:
            tensors, where, folder = self.layout.tower, self.checkpoint.folder, Path(self.tower_name)
        return self.tower(folder, tensors, where)

    def tower(self, folder: Path, tensors: Tensors, where: object) -> torch.nn.Module:
        """Return the vision tower filled with tensors; CLIP's, unless a model has another.

        `folder` may hold the config.json of its sizes; `where` is named in errors.
        """
        from ..towers.clip import load_clip

        sizes = self.section("vision_config") if where == self.checkpoint.folder else {}
        return load_clip(self.tower_name, folder, tensors, where, self.placement, pad=self._pad, sizes=sizes)

    def describe(self) -> dict[str, Any]:
        """Return what `Composed` does, and how frames are made square."""
        return {**super().describe(), "aspect": "pad" if self._pad else "none"}

    # Training

    def start(self, folder: Path, seed: int) -> None:
        """Write a connector with its first random weights to a folder, as a checkpoint of the first stage.

        It stands between the options' `base` and `vision_tower`; the same seed gives the same weights.
        """
        import torch
        from safetensors.torch import save as bytes_of
        from transformers import CLIPVisionConfig

        from ..layouts.llava import STAGE_1, saved_as

        if not (name := self._vision_tower or self.default_tower):
            raise UsageError("no vision tower is named", self.card.name, "name one with --model-arg vision-tower=…")
        base, tower = self.find(self._base, "base"), self.find(name, "vision_tower")
        with reading("the vision tower's configuration", tower.folder / "config.json"):
            sizes = CLIPVisionConfig.from_pretrained(tower.folder)
        twin = copy.copy(self)
        twin.checkpoint = Checkpoint(folder.name, folder, "")
        twin.config = {
            **read_json_object(base.folder / "config.json"),
            "mm_vision_tower": name,
            "mm_hidden_size": sizes.hidden_size,
            "mm_projector_type": self.projector_type,
            "mm_vision_select_layer": -2,
            "mm_vision_select_feature": "patch",
            "use_mm_proj": True,
            "mm_use_im_start_end": False,
            "mm_use_im_patch_token": False,
        }
        with torch.random.fork_rng([]):
            torch.manual_seed(seed)
            connector = twin.connector()
        tensors = {saved_as(f"connector.{name}", "projector")[1]: part for name, part in connector.state_dict().items()}
        write_whole(folder / f"{STAGE_1}.safetensors", bytes_of(tensors, {"format": "pt"}))
        write_whole(folder / "config.json", json.dumps(twin.config, indent=2))

    def shaped(self, pixels: NDArray[np.uint8], *, pad: bool) -> NDArray[np.uint8]:
        """Return frames uint8 [T, H, W, 3] as the tower is shown them in training, [T, side, side, 3]."""
        ensure_torchvision()
        from ..towers.clip import squares

        return squares(pixels, self.picture_side(), pad=pad)

    def picture_side(self) -> int:
        """Return the side of the squares that the tower sees, in pixels."""
        return self._tower_sizes["image_size"]

    def tower_sizes(self) -> dict[str, int]:
        """Return the sizes of the tower, by the names that CLIP's config.json has for them."""
        return self._tower_sizes

    @cached_property
    def _tower_sizes(self) -> dict[str, int]:
        """The sizes of the tower: those in the checkpoint, where it holds one, else those of the one that is named."""
        ensure_torchvision()
        from transformers import CLIPVisionConfig

        from ..towers.clip import CONFIGS

        if self.model_path and not self._vision_tower and self.section("vision_config"):
            return _whole_numbers(CLIPVisionConfig(**self.section("vision_config")))
        name = self.tower_name if self.model_path else self._vision_tower or self.default_tower
        if not Path(name).is_dir() and Path(name).name in CONFIGS:
            return _whole_numbers(CLIPVisionConfig(**CONFIGS[Path(name).name]))
        folder = self.find(name, "vision_tower").folder
        with reading("the vision tower's configuration", folder / "config.json"):
            return _whole_numbers(CLIPVisionConfig.from_pretrained(folder))

    def vocabulary(self) -> Vocabulary:
        """Return the tokenizer, without any weights."""
        from ..language.tokens import open_tokenizer

        if self.model_path:
            return open_tokenizer(self.checkpoint.folder, self.layout.language)
        base = self.find(self._base, "base").folder
        return open_tokenizer(base, base)

    def language_config(self) -> dict[str, Any]:
        """Return the config.json of the language model."""
        return (
            self.config if self.model_path else read_json_object(self.find(self._base, "base").folder / "config.json")
        )

    @property
    def projector_type(self) -> str:
        """What the trainers call the connector; `UsageError` for a model whose connector cannot be begun anew."""
        raise UsageError("of this model no training is known", self.card.name, "train AnomShield")

    def trainable(self, trained: Collection[str], *, pad: bool) -> Trainable:
        """Return the networks; those in `trained` in float32, the others as the options say.

        `pad` is how pictures are made square for training. `UsageError` for quantised or spread weights.
        """
        import torch

        from ecva_bench.training.networks import Trainable

        from ..language.tokens import open_tokenizer
        from ..layouts.llava import saved_as

        if self.placement.quantize or self.placement.spread:
            raise UsageError("quantised or spread weights cannot be trained", remedy="leave quantize and device out")
        usual, exact = copy.copy(self), copy.copy(self)
        usual._pad = exact._pad = pad
        if self.placement.device.type == "cuda" and "LOCAL_RANK" in os.environ:  # torchrun's: a GPU for each process
            own = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
            usual.placement = dataclasses.replace(self.placement, device=own)
        exact.placement = dataclasses.replace(usual.placement, dtype=torch.float32)
        parts = {part: exact if part in trained else usual for part in ("tower", "connector", "language")}
        tower: Any = parts["tower"]._tower()
        language = parts["language"]._language_model()
        self._check_widths(tower, language)
        return Trainable(
            tower=tower,
            connector=parts["connector"]._filled_connector(),
            language=language,
            tokenizer=open_tokenizer(self.checkpoint.folder, self.layout.language),
            template=self.template.text,
            config={**self.config, "mm_vision_tower": self.tower_name},
            tower_config=tower.sizes(),
            base=self.layout.language,
            base_name=self.checkpoint.name if self.layout.is_whole else self._base,
            saved_as=saved_as,
        )


def _whole_numbers(config: CLIPVisionConfig) -> dict[str, int]:
    """Return the sizes in a configuration."""
    return {name: value for name, value in config.to_dict().items() if isinstance(value, int)}
