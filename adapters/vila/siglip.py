"""SigLIP's vision tower as VILA uses it: features of all patches in the last layer but one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from transformers import SiglipVisionConfig, SiglipVisionModel
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

from ecva_bench.checkpoints.files import reading
from ecva_bench.checkpoints.filling import fill
from ecva_bench.checkpoints.tensors import open_weights, renamed

from ..parts.placement import Placement

FRAMES = 32  # seen at the same time


class SiglipTower(torch.nn.Module):
    """Frames to patch features, the output of the last layer but one, which is computed no further.

    Frames are made square, whatever their shape. The state dict is that of `SiglipVisionModel`, the last layer and the
    pooling head included, so that checkpoints load by all their names.
    """

    def __init__(self, config: SiglipVisionConfig) -> None:
        super().__init__()
        self.model = SiglipVisionModel(config)
        side: Any = config.image_size
        self._processor = SiglipImageProcessorPil(size={"height": side, "width": side})

    def forward(self, pixels: NDArray[np.uint8]) -> torch.Tensor:
        """Return [T, patches, width] for frames uint8 [T, H, W, 3], RGB; patches in order row, column."""
        return torch.cat([self.patches(self.prepared(pixels[i : i + FRAMES])) for i in range(0, len(pixels), FRAMES)])

    def prepared(self, pixels: NDArray[np.uint8]) -> torch.Tensor:
        """Return frames as the tower reads them: float [T, 3, side, side], resized (Pillow, bicubic), normalised."""
        weight = self.model.post_layernorm.weight
        images = [Image.fromarray(frame) for frame in pixels]
        values: torch.Tensor = self._processor(images, return_tensors="pt")["pixel_values"]
        return values.to(weight.device, weight.dtype)

    def patches(self, values: torch.Tensor) -> torch.Tensor:
        """Return [T, patches, width] for prepared frames."""
        hidden: torch.Tensor = self.model.embeddings(values)
        for layer in self.model.encoder.layers[:-1]:
            hidden = layer(hidden, None)
        return hidden


def load_siglip(folder: Path, placement: Placement) -> SiglipTower:
    """Return the tower in a folder, config.json and weights under `SiglipVisionModel`'s names.

    These stand with or without `vision_model.` before them; a buffer that older versions saved is left out.
    """
    with reading("the vision tower's configuration", folder / "config.json"):
        config = SiglipVisionConfig.from_pretrained(folder)
        tower = placement.make(lambda: SiglipTower(config))
    fill(tower.model, renamed(open_weights(folder), _own_name), folder)
    return tower


def _own_name(name: str) -> str | None:
    return None if name.endswith("position_ids") else name.removeprefix("vision_model.")
