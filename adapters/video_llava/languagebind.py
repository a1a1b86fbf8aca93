"""LanguageBind's video tower (arXiv 2310.01852): CLIP's, in which every layer first attends over time.

Features are those of the last layer but one, class tokens included.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import CLIPVisionConfig, CLIPVisionModel
from transformers.models.clip.modeling_clip import CLIPAttention

from ecva_bench.checkpoints.files import read_json_object, reading, section_in
from ecva_bench.checkpoints.filling import fill
from ecva_bench.checkpoints.tensors import Tensors, renamed
from ecva_bench.errors import CheckpointError

from ..parts.media.images import normalised, short_scaled
from ..parts.placement import Placement
from ..parts.towers.clip import LARGE, own_name

# By the last part of the name, as in `towers.clip`. Unlike OpenAI's CLIP it has the exact GELU.
CONFIGS: dict[str, dict[str, Any]] = {
    "LanguageBind_Video_merge": {
        **LARGE,
        "image_size": 224,
        "patch_size": 14,
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-5,
        "num_frames": 8,
        "add_time_attn": True,
    }
}


def _attend_to_time(layer: Any, config: CLIPVisionConfig, frames: int) -> None:
    """Give a layer of CLIP what it needs for `_over_time`, under the authors' names."""
    width: Any = config.hidden_size
    layer.temporal_embedding = torch.nn.Parameter(torch.zeros(1, frames, width))
    layer.temporal_attn = CLIPAttention(config)
    layer.temporal_layer_norm1 = torch.nn.LayerNorm(width, eps=config.layer_norm_eps)


def _over_time(layer: Any, hidden: torch.Tensor) -> torch.Tensor:
    """Return [T, tokens, width] in which every token has attended to itself in all frames of [T, tokens, width]."""
    in_time = hidden.movedim(0, 1)
    if len(hidden) > 1:
        in_time = in_time + layer.temporal_embedding[:, : len(hidden)]
    attended: torch.Tensor = layer.temporal_attn(layer.temporal_layer_norm1(in_time))[0]
    return (in_time + attended).movedim(1, 0)


class LanguageBindTower(torch.nn.Module):
    """Frames of a video to features; at most `frames` of them. The state dict is that of its `vision_model`."""

    def __init__(self, config: CLIPVisionConfig, frames: int) -> None:
        super().__init__()
        self.model = CLIPVisionModel(config)
        for layer in self.model.encoder.layers:
            _attend_to_time(layer, config, frames)
        self._side: Any = config.image_size
        self.width: int = config.hidden_size

    def forward(self, pixels: NDArray[np.uint8]) -> torch.Tensor:
        """Return [T, 1 + patches, width] for frames uint8 [T, H, W, 3], RGB; class token, then rows and columns."""
        return self.features(prepared(pixels, self._side).to(self.model.pre_layrnorm.weight))

    def features(self, values: torch.Tensor) -> torch.Tensor:
        """Return [T, 1 + patches, width] for the prepared frames [T, 3, side, side] of one video."""
        hidden: torch.Tensor = self.model.pre_layrnorm(self.model.embeddings(values))
        for layer in self.model.encoder.layers[:-1]:
            hidden = layer(_over_time(layer, hidden), None)
        return hidden


def prepared(pixels: NDArray[np.uint8], side: int) -> torch.Tensor:
    """Return frames as the authors' transform has them: float32 [T, 3, side, side] for uint8 [T, H, W, 3].

    Normalised first; then the short side is scaled to `side`, bilinearly and without a filter against aliasing; then
    the middle of the long one is cut out.
    """
    values = short_scaled(normalised(pixels), side)
    top, left = (round((length - side) / 2) for length in values.shape[2:])
    return values[:, :, top : top + side, left : left + side]


def load_languagebind(
    name: str, folder: Path, tensors: Tensors, where: object, placement: Placement
) -> LanguageBindTower:
    """Return a tower filled with tensors under the authors' names, with or without `vision_model.` before them.

    Its sizes are those of the folder's config.json, of a whole LanguageBind model, or those known of `name`.
    """
    file, known = folder / "config.json", CONFIGS.get(Path(name).name, {})
    settings = section_in({"vision_config": known} | read_json_object(file, optional=True), "vision_config", file)
    if not settings:
        remedy = "name its folder with --model-arg vision-tower=…"
        raise CheckpointError("the sizes of the vision tower are not known", name, remedy)
    if not settings.get("add_time_attn"):
        raise CheckpointError("the vision tower does not attend over time", name, "name LanguageBind's video tower")
    sizes = {key: settings[key] for key in CONFIGS["LanguageBind_Video_merge"] if key in settings}
    with reading("the vision tower's configuration", file):
        tower = placement.make(lambda: LanguageBindTower(CLIPVisionConfig(**sizes), settings.get("num_frames", 8)))
    fill(tower.model, renamed(tensors, own_name), where)
    return tower
