"""EVA-CLIP-g, the vision tower of the Q-Former family: all tokens of its layer 39, the class token first.

transformers has the network as InstructBLIP's. Weights come under LAVIS's names (`eva_vit_g.pth`) or InstructBLIP's;
sizes are read from them, for the authors' files state none.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from transformers import InstructBlipVisionConfig, InstructBlipVisionModel

from ecva_bench.checkpoints.filling import fill
from ecva_bench.checkpoints.tensors import Tensors, layered, renamed

from ..layouts.sizes import numbers, shape_of
from ..media.images import Resize, normalised
from ..placement import Placement

FRAMES = 32  # seen at the same time
HEAD = 88  # channels a head
LAYERS = 39  # LAVIS's file has one more, which no model uses
NORM_EPS = 1e-5  # of the norm after the last layer; 1e-6 within the layers

_untyped: Any = transformers  # its configurations have no types

_TOP = {
    "cls_token": "embeddings.class_embedding",
    "pos_embed": "embeddings.position_embedding",
    "patch_embed.proj.weight": "embeddings.patch_embedding.weight",
    "patch_embed.proj.bias": "embeddings.patch_embedding.bias",
    "ln_vision.weight": "post_layernorm.weight",
    "ln_vision.bias": "post_layernorm.bias",
}
_BLOCK = re.compile(r"blocks\.(\d+)\.(\w+)\.(.+)")
_IN_BLOCK = {"norm1": "layer_norm1", "norm2": "layer_norm2", "attn": "self_attn"}


def eva_config(
    width: int = 1408, layers: int = LAYERS, mlp: int = 6144, side: int = 224, patch: int = 14, head: int = HEAD
) -> InstructBlipVisionConfig:
    """Return the tower's sizes, by default those of EVA-CLIP-g; `head` is the number of channels of a head."""
    config: InstructBlipVisionConfig = _untyped.InstructBlipVisionConfig(
        hidden_size=width,
        intermediate_size=mlp,
        num_hidden_layers=layers,
        num_attention_heads=width // head,
        image_size=side,
        patch_size=patch,
        hidden_act="gelu",
        layer_norm_eps=1e-6,
        qkv_bias=True,
    )
    return config


class EvaTower(torch.nn.Module):
    """Frames to tokens. The state dict is that of `InstructBlipVisionModel`.

    `resize` makes uint8 [T, side, side, 3] of frames, as the functions of `media.images` do. With `norm` the tokens are
    normed (LAVIS's `ln_vision`), else they are the last layer's output as it is.
    """

    def __init__(self, config: InstructBlipVisionConfig, resize: Resize, *, norm: bool) -> None:
        super().__init__()
        model: Any = InstructBlipVisionModel(config)
        model.post_layernorm = torch.nn.LayerNorm(config.hidden_size, NORM_EPS) if norm else torch.nn.Identity()
        self.model = model
        self.width: int = config.hidden_size
        self._resize = resize

    def forward(self, pixels: NDArray[np.uint8]) -> torch.Tensor:
        """Return [T, 1 + patches, width] for frames uint8 [T, H, W, 3], RGB; patches in order row, column."""
        parts = [self.prepared(pixels[i : i + FRAMES]) for i in range(0, len(pixels), FRAMES)]
        return torch.cat([self.tokens(part) for part in parts])

    def prepared(self, pixels: NDArray[np.uint8]) -> torch.Tensor:
        """Return frames as the tower reads them: float [T, 3, side, side], resized and normalised."""
        weight = self.model.embeddings.patch_embedding.weight
        return normalised(self._resize(pixels, self.model.config.image_size)).to(weight.device, weight.dtype)

    def tokens(self, values: torch.Tensor) -> torch.Tensor:
        """Return [T, 1 + patches, width] for prepared frames."""
        hidden = self.model.embeddings(values)
        for layer in self.model.encoder.layers:
            hidden = layer(hidden)
        normed: torch.Tensor = self.model.post_layernorm(hidden)
        return normed


def load_eva(
    tensors: Tensors, where: object, placement: Placement, resize: Resize, *, norm: bool, head: int = HEAD
) -> EvaTower:
    """Return a tower filled with tensors under LAVIS's names, or InstructBLIP's with or without `vision_model.`.

    With `norm`, `ln_vision.weight` and `ln_vision.bias` are among LAVIS's. Raises `CheckpointError` where a name is
    missing or unexpected.
    """
    own = eva_tensors(tensors, norm=norm)
    config = eva_config_of(own, where, head)
    tower = placement.make(lambda: EvaTower(config, resize, norm=norm))
    fill(tower.model, own, where)
    return tower


def eva_tensors(tensors: Tensors, *, norm: bool) -> Tensors:
    """Return a tower's tensors under `InstructBlipVisionModel`'s names, without what the tower does not use."""
    beyond = [f"encoder.layers.{number}." for number in numbers(tensors, "blocks.") if number >= LAYERS]

    def own_name(name: str) -> str | None:
        name = _named(name.removeprefix("vision_model."))
        unused = ("head.", "norm.", *(() if norm else ("post_layernorm.",)), *beyond)
        return None if name.startswith(unused) or name.endswith((".q_bias", ".v_bias")) else name

    biases = {}
    for name in tensors:
        if name.endswith(".q_bias") and name.removesuffix("q_bias") + "v_bias" in tensors:
            query, value = tensors[name], tensors[name.removesuffix("q_bias") + "v_bias"]
            biases[name.removesuffix("q_bias") + "qkv.bias"] = torch.cat([query, torch.zeros_like(query), value])
    return layered(renamed(tensors, own_name), renamed(biases, own_name))


def eva_config_of(tensors: Tensors, where: object, head: int = HEAD) -> InstructBlipVisionConfig:
    """Return the sizes of tensors under `InstructBlipVisionModel`'s names; `CheckpointError` where they show none."""
    width, _, patch, _ = shape_of(tensors, "embeddings.patch_embedding.weight", where)
    positions = shape_of(tensors, "embeddings.position_embedding", where)[1]
    mlp = shape_of(tensors, "encoder.layers.0.mlp.fc1.weight", where)[0]
    layers = len(numbers(tensors, "encoder.layers."))
    return eva_config(width, layers, mlp, patch * round((positions - 1) ** 0.5), patch, head)


def _named(name: str) -> str:
    """Return InstructBLIP's name for one of LAVIS's, and other names as they are."""
    found = _BLOCK.fullmatch(name)
    if not found:
        return _TOP.get(name, name)
    number, part, rest = found.groups()
    return f"encoder.layers.{number}.{_IN_BLOCK.get(part, part)}.{rest.replace('proj.', 'projection.')}"
