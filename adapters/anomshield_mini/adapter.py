"""A small AnomShield that has learned from drawn scenes: the architecture of `anomshield`, with weights in the package.

It is told the time of the last frame, for nothing else of its prompt tells how long a video lasts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ecva_bench.answering import ModelCard
from ecva_bench.training.mini.samples import timed

from ..anomshield.adapter import AnomShield
from ..parts.families.composed import Seen
from ..parts.prompts import Piece, read_template
from .pictures import BANDS, GAIN, with_changes

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from ecva_bench.video import Frames

FRAMES, PATCHES = 8, 16  # that a video is shown as, and of a frame
POSITIONS = 0.2  # the deviation of the random positions that a training begins with
TIMED = read_template("anomshield-mini", 1)
WEIGHTS = Path(__file__).with_name("anomshield-mini")


class AnomShieldMini(AnomShield):
    """The options are those of `AnomShield`; without any, the weights are those of the package."""

    card = ModelCard(
        name="AnomShield mini",
        paper="arXiv 2412.07183 for the architecture; the weights are ecva-bench's",
        code="ecva-bench",
        code_licence="Apache-2.0",
        weights_licence="Apache-2.0; they come with the package",
        hub_ids=(),
        frames="8",
        visual_tokens="8",
        memory="0.002 GB of weights in 16 bits",
        packaged=True,
        deviations=(
            "About a million parameters, trained on drawn scenes of the kinds of `mini`: no evidence for real videos.",
            "No hard prompt unless it is asked for, and 8 frames instead of 16.",
            "A frame is shown in four bands, and below each what changes in it until the next frame.",
            "A question is asked with the time of the last frame in front of it.",
            "It has learned the packaged prompts of what, why, effect, class, time, detection and severity. What it"
            " answers to others, those with options or a sentence put in among them, means nothing.",
        ),
    )
    default_checkpoint = str(WEIGHTS)
    policies: ClassVar = {name: replace(policy, max_new_tokens=120) for name, policy in AnomShield.policies.items()}

    def __init__(self, *, hard_prompt: str = "no", **options: str) -> None:
        super().__init__(hard_prompt=hard_prompt, **options)

    def connector(self) -> torch.nn.Module:
        """Return the connector; the Mamba block has the paper's positions (Eq. 1), which the released code lacks."""
        import torch

        from ..anomshield.connector import MambaConnector

        usual = super().connector()
        if not isinstance(usual, MambaConnector):
            return usual
        connector = MambaConnector(
            *self.connector_sizes, backend=self._backend, positional="spatiotemporal", frames=FRAMES, patches=PATCHES
        )
        for positions in (connector.pos_t, connector.pos_s):
            torch.nn.init.normal_(positions, std=POSITIONS)
        return connector

    def see(self, frames: Frames) -> torch.Tensor:
        """Return what `AnomShield` does, for frames with their changes."""
        return super().see(replace(frames, pixels=self.shaped(frames.pixels, pad=self._pad)))

    def shaped(self, pixels: NDArray[np.uint8], *, pad: bool) -> NDArray[np.uint8]:
        """Return frames uint8 [T, H, W, 3] as the tower is shown them, with their changes: [T, side, side, 3]."""
        return with_changes(pixels, self.picture_side(), pad=pad)

    def make_start(self, folder: Path, seed: int) -> None:
        """Write tower and language model with random numbers to a folder and take them; what options name stays."""
        from .making import make_parts

        self.model_path = ""
        if not self._vision_tower and self._base == self.default_base:
            base, tower = make_parts(folder, seed)
            self._base, self._vision_tower = str(base), str(tower)

    def prompt(self, question: str, seen: Seen) -> Sequence[Piece]:
        """Return what `AnomShield` does for the question with the time of the last frame on the timeline shown."""
        return super().prompt(timed(question, float(seen.positions[-1])), seen)

    def describe(self) -> dict[str, Any]:
        """Return what `AnomShield` does, the words that tell the time, and how frames are shown."""
        return {**super().describe(), "timed": TIMED.describe(), "changes": {"bands": BANDS, "gain": GAIN}}
