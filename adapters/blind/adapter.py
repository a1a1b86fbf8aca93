"""A language model that gets the question and no video, as `blind:ID`: what a benchmark gives to words alone.

A baseline: a model that sees the video and scores no more has not shown that it used it. Its answer to a question is
the same for every video. Importing this module imports no torch. `blind:openai:NAME`, a model behind an endpoint, is
`endpoint`'s.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecva_bench.answering import Adapter, Baseline, ModelOutput
from ecva_bench.checkpoints.finding import LANGUAGE_MODEL, Checkpoint, find_checkpoint
from ecva_bench.torchvision import ensure_torchvision

from ..parts.media.frames import UNSEEN
from ..parts.options import count

if TYPE_CHECKING:
    from ecva_bench.answering import Question
    from ecva_bench.video import Video

    from ..parts.placement import Placement
    from .texts import TextModel


class Blind(Baseline):
    """Any text model of transformers, asked greedily, which is told that it cannot see the video.

    Options, as strings: `model_path`, where the weights lie, in place of the name's own; `max_new_tokens`; `dtype`,
    `device` and `quantize` as of `Composed`.
    """

    scheme = True
    immaterial = frozenset({"device"})  # what of it matters, the description says

    def __init__(
        self,
        *,
        target: str,
        model_path: str = "",
        max_new_tokens: str = "256",
        dtype: str = "auto",
        device: str = "auto",
        quantize: str = "",
    ) -> None:
        self._name = model_path or target
        self._max_new_tokens = count("max_new_tokens", max_new_tokens)
        self._wanted = (device, dtype, quantize)
        self._said: dict[str, ModelOutput] = {}  # by question: the video has no part in it

    @classmethod
    def of_target(cls, target: str) -> type[Adapter]:
        """Return the class of a model behind an endpoint for `openai:NAME`, this one for weights."""
        from .endpoint import SCHEME, BlindEndpoint

        return BlindEndpoint if target.startswith(SCHEME) else cls

    @property
    def same_for_all_videos(self) -> bool:
        """Whether a question has one answer for all videos: the model sees none of them."""
        return True

    @cached_property
    def checkpoint(self) -> Checkpoint:
        """The weights, found or downloaded."""
        return find_checkpoint(self._name, files=LANGUAGE_MODEL, download=True, option="--model-path")

    @cached_property
    def placement(self) -> Placement:
        """Where the model is put, and as what numbers."""
        from ..parts.placement import place

        return place(*self._wanted)

    @cached_property
    def model(self) -> TextModel:
        """The model with its tokenizer, loaded once."""
        ensure_torchvision()
        from .texts import TextModel

        return TextModel(self.checkpoint.folder, self.placement)

    def training_file(self) -> Path | None:
        """Return the record of the model's training, where one lies beside its weights."""
        return self.checkpoint.training_file

    def load(self) -> None:
        """Load the model."""
        _ = self.model

    def describe(self) -> dict[str, Any]:
        """Return checkpoint with revision, numbers, what is said of the video, and generation."""
        return {
            **self.placement.describe(),
            "checkpoint": f"{self.checkpoint.name}@{self.checkpoint.revision}",
            "frames": "none",
            "introduction": UNSEEN,
            "generation": {"policy": "greedy", "max_new_tokens": self._max_new_tokens},
        }

    def answer(self, video: Video, question: Question) -> ModelOutput:
        """Return the model's answer to a question about a video that it is not shown."""
        if question not in self._said:
            self._said[question] = self.model.ask(f"{UNSEEN}\n\n{question}", self._max_new_tokens)
        return self._said[question]
