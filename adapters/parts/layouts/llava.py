"""The three layouts in which LLaVA-family trainers leave a model, told apart by their files.

    whole     language model, projector and often the tower in one set of shards
    stage 1   `mm_projector.*`, beside a language model that was not touched
    LoRA      `adapter_config.json`, `adapter_model.*` and `non_lora_trainables.*`, on top of a language model

Where there are two of a kind, `.safetensors` is read and not `.bin`.

Knows files and names, no network.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ecva_bench.checkpoints.filling import report_problems
from ecva_bench.checkpoints.tensors import Tensors, after_last, layered, open_weights
from ecva_bench.training.networks import Form

PROJECTOR = "mm_projector."
TOWERS = ("vision_tower.", "video_tower.")  # the second where pictures have another tower
STAGE_1, LORA, LORA_REST = "mm_projector", "adapter_config.json", "non_lora_trainables"
LORA_WEIGHTS = "adapter_model"


@dataclass(frozen=True, eq=False)
class LlavaLayout:
    """Where the parts of a model lie.

    language: folder of the language model. adapter: folder of a LoRA to merge into it, or None. tensors: what the
    model's own files hold beside the adapter. is_whole: whether the language model is in them too.
    """

    language: Path
    adapter: Path | None
    tensors: Tensors
    is_whole: bool = False

    @property
    def projector(self) -> Tensors:
        """The connector's tensors, under what follows the last `mm_projector.` of their names."""
        return after_last(self.tensors, PROJECTOR)

    @property
    def tower(self) -> Tensors:
        """The tower's tensors, under what follows the last of `TOWERS` in their names; empty where it holds none."""
        return layered(*(after_last(self.tensors, mark) for mark in TOWERS))


def needs_base(folder: Path) -> bool:
    """Return whether a folder's language model lies elsewhere."""
    return (folder / LORA).is_file() or weights_at(folder / STAGE_1).is_file()


def weights_at(stem: Path) -> Path:
    """Return the file `STEM.safetensors`, or `STEM.bin` where there is none."""
    found = stem.with_name(f"{stem.name}.safetensors")
    return found if found.is_file() else stem.with_name(f"{stem.name}.bin")


def read_layout(folder: Path, base: Path | None) -> LlavaLayout:
    """Return where the parts of the model in a folder lie; `base` is the language model of a folder that has none.

    Raises `CheckpointError` where a file of the layout is missing or holds what belongs to none of the parts.
    """
    if base is None:
        return LlavaLayout(folder, None, open_weights(folder), is_whole=True)
    lora = (folder / LORA).is_file()
    file = weights_at(folder / (LORA_REST if lora else STAGE_1))
    tensors = open_weights(file)
    strange = sorted(name for name in tensors if not any(mark in name for mark in (PROJECTOR, *TOWERS)))
    report_problems({"unexpected": strange}, "a projector beside a language model", file)
    return LlavaLayout(base, folder if lora else None, tensors)


# Where the trainers' files have what is trained: by form and first part of the name, file and prefix.
_SAVED: dict[Form, dict[str, tuple[str, str]]] = {
    "projector": {
        "connector.": (STAGE_1, "model.mm_projector."),
        "tower.model.": (STAGE_1, "model.vision_tower.vision_tower.vision_model."),
    },
    "lora": {
        "connector.": (LORA_REST, "base_model.model.model.mm_projector."),
        "tower.model.": (LORA_REST, "base_model.model.model.vision_tower.vision_tower.vision_model."),
        "language.": (LORA_WEIGHTS, "base_model.model."),
    },
    "whole": {
        "connector.": ("model", "model.mm_projector."),
        "tower.model.": ("model", "model.vision_tower.vision_tower.vision_model."),
        "language.": ("model", ""),
    },
}


def saved_as(name: str, form: Form) -> tuple[str, str]:
    """Return the file (without its ending) and the name under which a parameter of a trained model is saved."""
    start = next(start for start in _SAVED[form] if name.startswith(start))
    file, prefix = _SAVED[form][start]
    rest = name.removeprefix(start)
    return file, prefix + (rest.replace(".default.", ".") if form == "lora" and start == "language." else rest)
