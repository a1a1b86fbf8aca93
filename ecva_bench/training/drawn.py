"""The set that is drawn while it is trained on: the scenes of the recipe `mini`. No file is read.

Knows which samples a stage learns; the scenes and their words are made in `mini`.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..records.base import sha256_of
from ..records.training import TrainingVideo
from .conversations import Conversation
from .formats import TrainingSet
from .frames import ShapesPictures
from .mini.scenes import SEED, TrainingScenes, looks
from .recipe import Recipe

DRAWN = "mini-training"  # what a recipe calls it in its `data`
_NAME = f"{DRAWN}-{SEED}"


class DrawnFrames:
    """The scenes of a recipe's stage: `set`, and their frames, as `FrameCache` has those of files.

    Frames are kept in memory, and in `cache` too where a folder is named.
    """

    def __init__(self, recipe: Recipe, model: ShapesPictures, cache: Path | None = None) -> None:
        squares = partial(model.shaped, pad=recipe.shaping == "pad")
        kept = f"{_NAME}-{recipe.frames}-{looks(squares)}" if cache else ""
        self._scenes = TrainingScenes(squares, frames=recipe.frames, folder=cache and cache / kept)
        learned = self._scenes.of_stage(recipe.stage)
        turns = [[one.id, *([turn.role, turn.text] for turn in one.turns)] for one in learned]
        named = {one.path: (_NAME, f"{int(one.id.partition('/')[0]):05d}") for one in learned if one.path}
        named = {path: name for path, name in named.items() if not path.name.endswith("blank")}  # it shows no clip
        self.set = TrainingSet(_NAME, sha256_of(turns), tuple(learned), named=named)

    def __call__(self, conversation: Conversation) -> NDArray[np.uint8]:
        """Return the frames of a conversation: uint8 [T, side, side, 3]."""
        return self._scenes.frames(conversation)

    def seen(self, path: Path, named: tuple[str, str] = ("", "")) -> TrainingVideo:
        """Return a clip's entry in the record of the training, by data set and number."""
        return TrainingVideo(dataset=named[0], id=named[1])
