"""Models whose connector is a Q-Former that reads a text beside the frames, in the layouts of LAVIS's descendants.

Knows where vocabulary, the frozen half of InstructBLIP and a language model below come from; leaves networks, frames
and words to a model's module.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ecva_bench.errors import CheckpointError
from ecva_bench.wording import counted

from .composed import Composed

if TYPE_CHECKING:
    import torch

    from ecva_bench.checkpoints.tensors import Tensors
    from ecva_bench.video import Frames

    from ..connectors.qformer import BertText
    from ..language.networks import Networks
    from ..prompts import Template
    from .composed import Seen


class QFormerFamily(Composed):
    """A model of the family. Options beside those of `Composed`:

    `bert`, BERT's vocabulary; `lavis`, for models that do not bring all of it: a folder with LAVIS's `eva_vit_g.pth`
    and `instruct_blip_vicuna7b_trimmed.pth`, or an InstructBLIP with the same weights.
    """

    files: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "model": ("*.json", "*.model", "*.safetensors", "*.bin"),
        "bert": ("vocab.txt",),
        "lavis": ("*.json", "*.safetensors"),
    }
    instruction: ClassVar[Template | None] = None  # what the Q-Former reads in place of the question
    text_length: ClassVar[int]  # the most ids of it

    def __init__(self, *, bert: str = "", lavis: str = "", **options: str) -> None:
        super().__init__(**options)
        self._bert = bert or "google-bert/bert-base-uncased"
        self._lavis = lavis or "Salesforce/instructblip-vicuna-7b"

    def extras(self) -> dict[str, str]:
        """Return the vocabulary, and the frozen half where it is needed."""
        return {"bert": self._bert, **({"lavis": self._lavis} if self.needs_lavis else {})}

    @property
    def needs_lavis(self) -> bool:
        """Return whether the checkpoint lacks tower or Q-Former, or both."""
        return False

    @cached_property
    def text(self) -> BertText:
        """What makes ids of texts for the Q-Former."""
        from ..connectors.qformer import BertText

        return BertText(self.checkpoints["bert"].folder, self.text_length)

    def worded(self, networks: Networks) -> Networks:
        """Return networks whose Q-Former has as many words as the vocabulary and one more, LAVIS's `[DEC]`.

        `CheckpointError` for others: of a vocabulary that was cut off, or another's, a text would be read as another.
        """
        from torch.nn import ModuleList

        from ..connectors.qformer import QFormer

        parts = ModuleList([networks.connector]).modules()  # type: ignore[list-item]
        for words in (part.words for part in parts if isinstance(part, QFormer)):
            if words not in (0, self.text.size + 1):
                what = f"the vocabulary has {self.text.size} words, and the Q-Former {words} with [DEC]"
                raise CheckpointError(what, self.text.path, "take the vocab.txt of bert-base-uncased")
        return networks

    def see(self, frames: Frames) -> torch.Tensor:
        """Return the frames' tokens [T, 257, 1408], which the Q-Former looks at anew for each question."""
        return self.networks.tower(frames.pixels)

    def visual(self, seen: Seen, question: str) -> torch.Tensor:
        """Return what the Q-Former finds in the frames beside the question, or what `see` did beside another text."""
        if self.instruction:
            return seen.features
        ids, _ = self.text([question])
        return self.networks.connector(seen.features, ids.to(seen.features.device))

    def describe(self) -> dict[str, Any]:
        """Return what `Composed` does, and what the Q-Former reads."""
        text = self.instruction.describe() if self.instruction else "the question"
        return {**super().describe(), "qformer_text": text}


class OverLanguageModel(QFormerFamily):
    """A model in one file `*.pth`, over a language model that it changes by a LoRA.

    `base` is the option that names the language model.
    """

    files: ClassVar[Mapping[str, tuple[str, ...]]] = {**QFormerFamily.files, "model": ("*.pth",)}
    default_base: ClassVar[str]
    home: ClassVar[str] = ""  # the folder within the base's, where it has one of its own
    kind: ClassVar[str]
    lora: ClassVar[tuple[str, ...]]  # the modules it changes

    def __init__(self, *, base: str = "", **options: str) -> None:
        super().__init__(**options)
        self._base = base or self.default_base

    def extras(self) -> dict[str, str]:
        """Return those of the family, and the language model."""
        return {**super().extras(), "base": self._base}

    @property
    def file(self) -> Path:
        """The one file of the model's own."""
        there = sorted(self.checkpoint.folder.glob("*.pth"))
        if len(there) == 1:
            return there[0]
        what = (
            f"none of {counted(len(there), 'file')} *.pth is known to be the model's" if there else "there is no *.pth"
        )
        raise CheckpointError(what, self.checkpoint.folder, "name a folder that holds the model's file alone")

    @property
    def base(self) -> Path:
        """The folder of the language model."""
        return within(self.checkpoints["base"].folder, self.home)

    def language(self, own: Tensors, prefix: str, alpha: float) -> Any:
        """Return the language model with the LoRA whose names in `own` begin with a prefix."""
        from ..language.loading import load_language
        from ..language.lora import add_lora, lora_of

        language = load_language(self.base, self.kind, self.placement)
        add_lora(language, lora_of(own, prefix), alpha, self.file, modules=self.lora)
        return language


def within(folder: Path, name: str) -> Path:
    """Return a folder's folder of that name, or itself where it has none."""
    return folder / name if (folder / name).is_dir() else folder
