"""Models in the layouts of LLaVA's trainers: a CLIP tower, a projector called `mm_projector`, a language model.

Knows where the three lie in a checkpoint; leaves the projector's network, frames and words to a model's module.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ecva_bench.errors import CheckpointError

from ..options import choice
from .composed import Composed

if TYPE_CHECKING:
    import torch

    from ecva_bench.checkpoints.tensors import Tensors

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
        tower = {} if self.layout.tower and not self._vision_tower else {"vision_tower": self.tower_name}
        return {**base, **tower}

    def build(self) -> Networks:
        """Return the networks; every name of the checkpoint has its place or is an error."""
        from ecva_bench.checkpoints.filling import fill

        from ..language.loading import load_language
        from ..language.networks import Networks
        from ..language.tokens import open_tokenizer
        from ..layouts.sizes import check_widths

        connector = self.placement.make(self.connector)
        fill(connector, self.layout.projector, self.checkpoint.folder)
        tower, place = self._tower(), self.layout
        language = load_language(
            place.language, self.language, self.placement, beside=self.beside, adapter=place.adapter
        )
        features, hidden = self.connector_sizes
        joined = {
            "mm_hidden_size": (features, tower.width),
            "hidden_size": (hidden, language.config.hidden_size),
        }
        check_widths(joined, "the projector", self.checkpoint.folder / "config.json")
        return Networks(open_tokenizer(self.checkpoint.folder, place.language), tower, connector, language)

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

        return load_clip(self.tower_name, folder, tensors, where, self.placement, pad=self._pad)

    def describe(self) -> dict[str, Any]:
        """Return what `Composed` does, and how frames are made square."""
        return {**super().describe(), "aspect": "pad" if self._pad else "none"}
