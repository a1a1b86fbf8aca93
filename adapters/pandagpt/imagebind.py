"""ImageBind's vision half: clips of two frames to one vector each, of length 1.

Its network is composed of transformers' CLIP, which differs in names alone: the two frames of a clip are six colour
channels there. Weights come under the names of its authors' `imagebind_huge.pth`. None of their code is in here.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import normalize
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from ecva_bench.checkpoints.filling import fill
from ecva_bench.checkpoints.tensors import Tensors, layered, renamed

from ..parts.layouts.sizes import numbers, shape_of
from ..parts.media.images import DEVIATION, MEAN, short_scaled, three_crops
from ..parts.placement import Placement

HEAD = 80  # channels a head

_TOP = {
    "modality_preprocessors.vision.cls_token": "vision_model.embeddings.class_embedding",
    "modality_preprocessors.vision.rgbt_stem.proj.1.weight": "vision_model.embeddings.patch_embedding.weight",
    "modality_preprocessors.vision.pos_embedding_helper.pos_embed": "vision_model.embeddings.position_embedding.weight",
    "modality_trunks.vision.pre_transformer_layer.0.weight": "vision_model.pre_layrnorm.weight",
    "modality_trunks.vision.pre_transformer_layer.0.bias": "vision_model.pre_layrnorm.bias",
    "modality_heads.vision.0.weight": "vision_model.post_layernorm.weight",
    "modality_heads.vision.0.bias": "vision_model.post_layernorm.bias",
    "modality_heads.vision.2.weight": "visual_projection.weight",
}
_BLOCKS = "modality_trunks.vision.blocks."
_IN_BLOCK = {"norm_1": "layer_norm1", "norm_2": "layer_norm2", "attn": "self_attn", "mlp": "mlp"}


class ImageBindVision(torch.nn.Module):
    """Clips to vectors. The sizes by default are those of ImageBind-huge; `head` is the channels of a head."""

    def __init__(
        self, width: int = 1280, layers: int = 32, mlp: int = 5120, out: int = 1024, patch: int = 14, side: int = 224,
        head: int = HEAD,
    ) -> None:  # fmt: skip
        super().__init__()
        self.side = side
        self.out = out
        self.model = CLIPVisionModelWithProjection(
            CLIPVisionConfig(
                hidden_size=width,
                intermediate_size=mlp,
                num_hidden_layers=layers,
                num_attention_heads=width // head,
                image_size=side,
                patch_size=patch,
                num_channels=6,
                hidden_act="gelu",
                layer_norm_eps=1e-6,
                projection_dim=out,
            )
        )

    def forward(self, pixels: NDArray[np.uint8]) -> torch.Tensor:
        """Return [1, out], the mean over all views of a video.

        `pixels` is uint8 [2 n, H, W, 3], RGB: the two frames of each of n clips, one clip after another. A view is one
        of three squares of a clip.
        """
        weight = self.model.visual_projection.weight
        return self.vectors(self.views(pixels).to(weight.device, weight.dtype)).mean(0, keepdim=True)

    def views(self, pixels: NDArray[np.uint8]) -> torch.Tensor:
        """Return float32 [3 n, 2, 3, side, side]: of each clip the views at the beginning, the middle and the end."""
        scaled = short_scaled(torch.from_numpy(pixels.copy()).permute(0, 3, 1, 2).float() / 255, self.side)
        values = (scaled - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(DEVIATION).view(3, 1, 1)
        crops = torch.stack(three_crops(values, self.side), dim=1)  # frames, crops, 3, side, side
        return crops.view(-1, 2, *crops.shape[1:]).transpose(1, 2).flatten(0, 1)

    def vectors(self, views: torch.Tensor) -> torch.Tensor:
        """Return [n, out], each of length 1, for views [n, 2, 3, side, side]."""
        return normalize(self.model(views.flatten(1, 2)).image_embeds, dim=-1)


def load_imagebind(tensors: Tensors, where: object, placement: Placement, *, head: int = HEAD) -> ImageBindVision:
    """Return the vision half filled with those tensors of the authors' file that belong to it.

    Sizes are read from them. Raises `CheckpointError` where a name is missing or unexpected.
    """
    own = imagebind_tensors(tensors)
    width, _, patch, _ = shape_of(own, "vision_model.embeddings.patch_embedding.weight", where)
    positions = shape_of(own, "vision_model.embeddings.position_embedding.weight", where)[0]
    sizes = {
        "width": width,
        "layers": len(numbers(own, "vision_model.encoder.layers.")),
        "mlp": shape_of(own, "vision_model.encoder.layers.0.mlp.fc1.weight", where)[0],
        "out": shape_of(own, "visual_projection.weight", where)[0],
        "patch": patch,
        "side": patch * round((positions - 1) ** 0.5),
    }
    module = placement.make(lambda: ImageBindVision(head=head, **sizes))
    fill(module.model, own, where)
    return module


def imagebind_tensors(tensors: Tensors) -> Tensors:
    """Return the vision half's tensors under the names of `CLIPVisionModelWithProjection`, in its shapes."""
    own = {name: tensors[name] for name in tensors if ".vision." in name}
    changed: dict[str, torch.Tensor] = {}
    for name, tensor in own.items():
        if name.endswith("cls_token"):
            changed[name] = tensor.flatten()
        elif name.endswith("pos_embed"):
            changed[name] = tensor[0]
        elif name.endswith("proj.1.weight"):
            changed[name] = tensor.transpose(1, 2).flatten(1, 2)
        elif ".in_proj_" in name:
            kind = name.rpartition("_")[2]
            parts = zip("qkv", tensor.chunk(3), strict=True)
            changed |= {name.replace(f"in_proj_{kind}", f"{part}_proj.{kind}"): rows for part, rows in parts}
    joint = renamed(own, lambda name: None if ".in_proj_" in name else name)
    return renamed(layered(changed, joint), _own_name)


def _own_name(name: str) -> str:
    if not name.startswith(_BLOCKS):
        return _TOP.get(name, name)
    number, part, rest = name.removeprefix(_BLOCKS).split(".", 2)
    return f"vision_model.encoder.layers.{number}.{_IN_BLOCK.get(part, part)}.{rest}"
