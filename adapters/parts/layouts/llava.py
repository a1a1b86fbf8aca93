"""The three layouts in which LLaVA-family trainers leave a model, told apart by their files.

    whole     language model, projector and often the tower in one set of shards
    stage 1   `mm_projector.bin`, beside a language model that was not touched
    LoRA      `adapter_config.json`, `adapter_model.*` and `non_lora_trainables.bin`, on top of a language model

Knows files and names, no network.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ecva_bench.checkpoints.filling import report_problems
from ecva_bench.checkpoints.tensors import Tensors, after_last, layered, open_weights

PROJECTOR = "mm_projector."
TOWERS = ("vision_tower.", "video_tower.")  # the second where pictures have another tower
STAGE_1, LORA, LORA_REST = "mm_projector.bin", "adapter_config.json", "non_lora_trainables.bin"


@dataclass(frozen=True, eq=False)
class LlavaLayout:
    """Where the parts of a model lie.

    language: folder of the language model. adapter: folder of a LoRA to merge into it, or None. tensors: what the
    model's own files hold beside the adapter.
    """

    language: Path
    adapter: Path | None
    tensors: Tensors

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
    return (folder / LORA).is_file() or (folder / STAGE_1).is_file()


def read_layout(folder: Path, base: Path | None) -> LlavaLayout:
    """Return where the parts of the model in a folder lie; `base` is the language model of a folder that has none.

    Raises `CheckpointError` where a file of the layout is missing or holds what belongs to none of the parts.
    """
    if base is None:
        return LlavaLayout(folder, None, open_weights(folder))
    lora = (folder / LORA).is_file()
    file = folder / (LORA_REST if lora else STAGE_1)
    tensors = open_weights(file)
    strange = sorted(name for name in tensors if not any(mark in name for mark in (PROJECTOR, *TOWERS)))
    report_problems({"unexpected": strange}, "a projector beside a language model", file)
    return LlavaLayout(base, folder if lora else None, tensors)
