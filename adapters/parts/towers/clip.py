"""CLIP's vision tower without the class token: features of the last layer but one, as the LLaVA family uses it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from transformers import CLIPVisionConfig, CLIPVisionModel
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from ecva_bench.checkpoints.files import reading
from ecva_bench.checkpoints.filling import fill
from ecva_bench.checkpoints.tensors import Tensors, renamed
from ecva_bench.errors import CheckpointError

from ..media.images import cropped
from ..placement import Placement

FRAMES = 32  # seen at the same time

LARGE: dict[str, Any] = {  # sizes that the towers of several models share
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
}
# So that a checkpoint that holds a tower's weights needs no second download for its sizes. By the last part of the
# name, for configs often name the place where a trainer had it.
CONFIGS: dict[str, dict[str, Any]] = {
    "clip-vit-large-patch14": {**LARGE, "image_size": 224, "patch_size": 14},
    "clip-vit-large-patch14-336": {**LARGE, "image_size": 336, "patch_size": 14},
}


class ClipTower(torch.nn.Module):
    """Frames to patch features, the output of the last layer but one, which is computed no further, or with `last` of
    the last layer (neither is normed).

    `pad` puts a frame on a square of the mean colour first; without it what is not square is cropped. The state dict is
    that of `CLIPVisionModel`, the layer that is not used included, so that checkpoints load by all their names.
    """

    def __init__(self, config: CLIPVisionConfig, *, pad: bool = False, last: bool = False) -> None:
        super().__init__()
        self.model = CLIPVisionModel(config)
        side: Any = config.image_size
        self.width, self.side = config.hidden_size, side
        self._processor = CLIPImageProcessorPil(size={"shortest_edge": side}, crop_size={"height": side, "width": side})
        self._pad, self._depth = pad, config.num_hidden_layers - (not last)

    def forward(self, pixels: NDArray[np.uint8]) -> torch.Tensor:
        """Return [T, patches, width] for frames uint8 [T, H, W, 3], RGB; patches in order row, column."""
        return torch.cat([self.patches(self.prepared(pixels[i : i + FRAMES])) for i in range(0, len(pixels), FRAMES)])

    def prepared(self, pixels: NDArray[np.uint8]) -> torch.Tensor:
        """Return frames as the tower reads them: float [T, 3, side, side], resized, cropped and normalised."""
        images = [Image.fromarray(frame) for frame in pixels]
        if self._pad:
            images = [_on_square(image, self._processor.image_mean) for image in images]
        weight = self.model.pre_layrnorm.weight
        values: torch.Tensor = self._processor(images, return_tensors="pt")["pixel_values"]
        return values.to(weight.device, weight.dtype)

    def normalised(self, squares: torch.Tensor) -> torch.Tensor:
        """Return what `prepared` does, for frames that `squares` made: uint8 [T, side, side, 3]."""
        weight = self.model.pre_layrnorm.weight
        values = squares.to(weight.device).movedim(-1, 1).float() * self._processor.rescale_factor
        mean, deviation = (
            torch.tensor(numbers, device=weight.device).view(3, 1, 1)
            for numbers in (self._processor.image_mean, self._processor.image_std)
        )
        return ((values - mean) / deviation).to(weight.dtype)

    def sizes(self) -> dict[str, Any]:
        """Return the sizes of the network under the names of CLIP's config.json."""
        config = self.model.config.to_dict()
        return {name: config[name] for name in (*LARGE, "image_size", "patch_size", "hidden_act", "layer_norm_eps")}

    def learnable(self) -> Iterator[torch.nn.Parameter]:
        """Give the parameters on which the features depend: not those of a layer that is not computed."""
        yield from self.model.embeddings.parameters()
        yield from self.model.pre_layrnorm.parameters()
        yield from self.model.encoder.layers[: self._depth].parameters()

    def patches(self, values: torch.Tensor) -> torch.Tensor:
        """Return [T, patches, width] for prepared frames."""
        hidden = self.model.pre_layrnorm(self.model.embeddings(values))
        for layer in self.model.encoder.layers[: self._depth]:
            hidden = layer(hidden, None)
        patches: torch.Tensor = hidden[:, 1:]
        return patches


def load_clip(
    name: str,
    folder: Path,
    tensors: Tensors,
    where: object,
    placement: Placement,
    *,
    pad: bool = False,
    sizes: Mapping[str, Any] | None = None,
) -> ClipTower:
    """Return a tower filled with tensors under `CLIPVisionModel`'s names, with or without `vision_model.` before them.

    Its sizes are `sizes`, or those of the folder's config.json, or where there is none those known of `name`.
    """
    if sizes:
        with reading("the vision tower's configuration", where):
            config = CLIPVisionConfig(**sizes)
    elif (folder / "config.json").is_file():
        with reading("the vision tower's configuration", folder / "config.json"):
            config = CLIPVisionConfig.from_pretrained(folder)
    elif Path(name).name in CONFIGS:
        config = CLIPVisionConfig(**CONFIGS[Path(name).name])
    else:
        raise CheckpointError(
            "the sizes of the vision tower are not known", name, "name its folder with --model-arg vision-tower=…"
        )
    return clip_of(config, tensors, where, placement, pad=pad)


def clip_of(
    config: CLIPVisionConfig,
    tensors: Tensors,
    where: object,
    placement: Placement,
    *,
    pad: bool = False,
    last: bool = False,
) -> ClipTower:
    """Return a tower of the sizes of a config, filled as `load_clip` does."""
    with reading("the vision tower's configuration", where):
        tower = placement.make(lambda: ClipTower(config, pad=pad, last=last))
    fill(tower.model, renamed(tensors, own_name), where)
    return tower


def squares(pixels: NDArray[np.uint8], side: int, *, pad: bool) -> NDArray[np.uint8]:
    """Return frames uint8 [T, H, W, 3] as CLIP's processor resizes and crops them: uint8 [T, side, side, 3].

    With `pad` they are put on a square of the mean colour first.
    """
    if pad:
        mean = CLIPImageProcessorPil.image_mean
        pixels = np.stack([np.asarray(_on_square(Image.fromarray(frame), mean)) for frame in pixels])
    return cropped(pixels, side, rounded=False)


def own_name(name: str) -> str | None:
    """Return a tensor's name in `CLIPVisionModel`; None for CLIP's other half and a buffer older versions saved."""
    if name.startswith(("text_model.", "text_projection.", "visual_projection.", "logit_scale")):
        return None
    return None if name.endswith("position_ids") else name.removeprefix("vision_model.")


def _on_square(image: Image.Image, mean: Any) -> Image.Image:
    side = max(image.size)
    square = Image.new("RGB", (side, side), tuple(int(255 * part) for part in mean))
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return square
