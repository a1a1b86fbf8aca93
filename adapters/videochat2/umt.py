"""UMT's video transformer (arXiv 2303.16058) as VideoChat2 uses it: patches of all frames attend to each other at once.

No class token, and a norm of VideoChat2's own after the last block; places are sines and cosines, computed for four
frames and interpolated for others. Sizes are read from the weights.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ecva_bench.checkpoints.filling import fill
from ecva_bench.checkpoints.tensors import Tensors, layered, renamed

from ..parts.layouts.sizes import numbers, shape_of
from ..parts.media.images import Resize, normalised
from ..parts.placement import Placement
from ..parts.towers.vit import Block

HEAD = 64  # channels a head
EMBED = "patch_embed.proj."
FRAMES = 4  # for which the places were trained


class UmtTower(nn.Module):
    """The frames of a video to the tokens of all of them; `side` is that of a frame, in pixels."""

    def __init__(
        self,
        resize: Resize,
        *,
        width: int = 1024,
        blocks: int = 23,
        mlp: int = 4096,
        patch: int = 16,
        side: int = 224,
        head: int = HEAD,
    ) -> None:
        super().__init__()
        self.embed = nn.Conv3d(3, width, (1, patch, patch), (1, patch, patch))
        self.blocks = nn.ModuleList(Block(width, width // head, mlp, 1e-6) for _ in range(blocks))
        self.vision_layernorm = nn.LayerNorm(width, 1e-12)
        self.width = width
        self._resize, self._side = resize, side

    def forward(self, pixels: NDArray[np.uint8]) -> torch.Tensor:
        """Return [T * patches, width] for frames uint8 [T, H, W, 3], RGB; tokens in order time, row, column."""
        values = normalised(self._resize(pixels, self._side))
        return self.tokens(values.to(self.embed.weight.device, self.embed.weight.dtype))

    def tokens(self, values: torch.Tensor) -> torch.Tensor:
        """Return [T * patches, width] for prepared frames [T, 3, side, side]."""
        maps = self.embed(values.transpose(0, 1)[None])[0]  # [width, T, rows, columns]
        tokens = maps.flatten(1).T
        tokens = (tokens + position_table(len(values), maps[0, 0].numel(), len(maps)).to(tokens))[None]
        for block in self.blocks:
            tokens = block(tokens)
        found: torch.Tensor = self.vision_layernorm(tokens[0])
        return found


def position_table(frames: int, patches: int, width: int) -> torch.Tensor:
    """Return the table that is added to the tokens, float32 [frames * patches, width].

    Along the channels sine and cosine take turns. For another number of frames than four, each patch's row of four is
    interpolated linearly.
    """
    angles = np.arange(FRAMES * patches)[:, None] / 10000 ** (np.arange(width) // 2 * 2 / width)
    table = np.where(np.arange(width) % 2, np.cos(angles), np.sin(angles))
    found = torch.from_numpy(table).float().view(FRAMES, patches * width)
    if frames != FRAMES:
        found = nn.functional.interpolate(found.T[None], size=frames, mode="linear")[0].T
    return found.reshape(frames * patches, width)


def load_umt(
    tensors: Tensors, norm: Tensors, where: object, placement: Placement, resize: Resize, *, head: int = HEAD
) -> UmtTower:
    """Return a tower filled with tensors under the authors' names, and `weight` and `bias` of the norm after it.

    Raises `CheckpointError` where a name is missing or unexpected.
    """
    width, _, _, patch, _ = shape_of(tensors, f"{EMBED}weight", where)
    mlp = shape_of(tensors, "blocks.0.mlp.fc1.weight", where)[0]
    blocks = len(numbers(tensors, "blocks."))
    tower = placement.make(lambda: UmtTower(resize, width=width, blocks=blocks, mlp=mlp, patch=patch, head=head))
    own = renamed(tensors, lambda name: name.replace(EMBED, "embed."))
    fill(tower, layered(own, renamed(norm, lambda name: f"vision_layernorm.{name}")), where)
    return tower
