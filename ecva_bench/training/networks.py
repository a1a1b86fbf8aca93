"""What a training asks of a model: its networks, and how it begins. An adapter that has both can be trained.

Knows the adapter's side of it by what it does; imports no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args, runtime_checkable

from .conversations import Conversation
from .recipe import TrainedGroup
from .words import Vocabulary

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# What a folder holds: a projector (and tower) alone; a LoRA beside them; or language model and all.
Form = Literal["projector", "lora", "whole"]
GROUPS: tuple[TrainedGroup, ...] = get_args(TrainedGroup)
START = "start"  # what a training begins from, in its folder

# Frames of a conversation's picture or video as the tower is shown them: uint8 [T, side, side, 3], RGB; of a picture 1.
FramesOf = Callable[[Conversation], "NDArray[np.uint8]"]


@dataclass(frozen=True, eq=False)
class Trainable:
    """The networks of a model before a stage.

    tower: a module with the `side` of the squares it sees, `normalised` (uint8 [T, side, side, 3] as the network reads
    it, on its device), `patches` (that as [T, patches, width]) and `learnable` (the parameters on which these depend).
    connector: [videos, T, patches, width] -> [videos, tokens, hidden]. language: a causal language model of
    transformers. template: what the answering model reads, with `{video}` and `{question}`. config: the settings of its
    config.json, tower_config: the tower's sizes. base: the folder of the language model, and base_name what it is
    called. saved_as: the file without its ending, and the name, under which a parameter is saved in a form.
    """

    tower: Any
    connector: Any
    language: Any
    tokenizer: Vocabulary
    template: str
    config: dict[str, Any]
    tower_config: dict[str, Any]
    base: Path
    base_name: str
    saved_as: Callable[[str, Form], tuple[str, str]]


@runtime_checkable
class MakesItsStart(Protocol):
    """An adapter that begins a training from parts that it makes itself."""

    def make_start(self, folder: Path, seed: int) -> None:
        """Write to a folder what a training without weights before it begins from, and take it."""


class TrainableAdapter(Protocol):
    """An adapter whose model can be trained; one without weights of its own has an empty `model_path`."""

    model_path: str

    def start(self, folder: Path, seed: int) -> None:
        """Write a connector with its first random weights to a folder, as a checkpoint of the first stage."""

    def trainable(self, trained: Collection[str], *, pad: bool) -> Trainable:
        """Return the networks; those in `trained` in float32, the others as the adapter's options say."""
