"""A perceiver resampler: learned latents that read the patches of all frames; with the names of Otter's weights."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention

from ecva_bench.checkpoints.filling import fill
from ecva_bench.checkpoints.tensors import Tensors

from ..parts.layouts.sizes import numbers, shape_of
from ..parts.placement import Placement

HEAD = 64  # channels a head


class Perceiver(nn.Module):
    """Patches [T, patches, width] to as many tokens as there are latents, however many frames there are.

    `frames` is the most frames it knows places for, `inner` the channels of all heads together, `head` of one.
    """

    def __init__(
        self,
        width: int = 1024,
        latents: int = 64,
        frames: int = 128,
        layers: int = 6,
        inner: int = 512,
        hidden: int = 4096,
        *,
        head: int = HEAD,
    ) -> None:
        super().__init__()
        self.latents = nn.Parameter(torch.zeros(latents, width))
        self.frame_embs = nn.Parameter(torch.zeros(frames, width))
        self.layers = nn.ModuleList(_Layer(width, inner, hidden, inner // head) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, patches: torch.Tensor) -> torch.Tensor:
        """Return [latents, width] for the patches [T, patches, width] of the frames of a video, in order."""
        read = (patches + self.frame_embs[: len(patches), None]).flatten(0, 1)
        latents = self.latents
        for layer in self.layers:
            latents = layer(latents, read)
        normed: torch.Tensor = self.norm(latents)
        return normed


class _Layer(nn.Module):
    """Latents read the patches and themselves; then a perceptron. Each is added to what it was given."""

    def __init__(self, width: int, inner: int, hidden: int, heads: int) -> None:
        super().__init__()
        self.norm_media, self.norm_latents = nn.LayerNorm(width), nn.LayerNorm(width)
        self.to_q, self.to_kv = nn.Linear(width, inner, bias=False), nn.Linear(width, 2 * inner, bias=False)
        self.to_out = nn.Linear(inner, width, bias=False)
        self.feed_forward = feed_forward(width, hidden)
        self._heads = heads

    def forward(self, latents: torch.Tensor, patches: torch.Tensor) -> torch.Tensor:
        """Return [latents, width] for latents [latents, width] and patches [patches, width]."""
        normed = self.norm_latents(latents)
        query, key, value = (
            part.unflatten(1, (self._heads, -1)).transpose(0, 1)
            for part in (self.to_q(normed), *self.to_kv(torch.cat([self.norm_media(patches), normed])).chunk(2, dim=1))
        )
        attended = scaled_dot_product_attention(query[None], key[None], value[None])[0]
        latents = latents + self.to_out(attended.transpose(0, 1).flatten(1))
        out: torch.Tensor = latents + self.feed_forward(latents)
        return out


def feed_forward(width: int, hidden: int) -> nn.Sequential:
    """Return a perceptron without biases behind a norm, as Flamingo's family has it."""
    return nn.Sequential(
        nn.LayerNorm(width), nn.Linear(width, hidden, bias=False), nn.GELU(), nn.Linear(hidden, width, bias=False)
    )


def load_perceiver(tensors: Tensors, where: object, placement: Placement, *, head: int = HEAD) -> Perceiver:
    """Return a perceiver filled with tensors, of the sizes they have.

    Raises `CheckpointError` where a name is missing or unexpected.
    """
    latents, width = shape_of(tensors, "latents", where)
    frames = shape_of(tensors, "frame_embs", where)[0]
    inner = shape_of(tensors, "layers.0.to_q.weight", where)[0]
    hidden = shape_of(tensors, "layers.0.feed_forward.1.weight", where)[0]
    layers = len(numbers(tensors, "layers."))
    module = placement.make(lambda: Perceiver(width, latents, frames, layers, inner, hidden, head=head))
    fill(module, tensors, where)
    return module
