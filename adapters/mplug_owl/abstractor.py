"""mPLUG-Owl's visual abstractor: learned queries that read a picture's or a video's tokens, layer after layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention, silu

from ecva_bench.checkpoints.filling import fill
from ecva_bench.checkpoints.tensors import Tensors, renamed

from ..parts.layouts.sizes import numbers, shape_of
from ..parts.placement import Placement


class Abstractor(nn.Module):
    """Tokens to visual tokens: as many as there are queries, and one learned token that ends them.

    Where it is `temporal` there is a second set of queries for videos, and what the two sets found is added.
    """

    def __init__(
        self,
        queries: int,
        width: int,
        hidden: int,
        layers: int,
        heads: int,
        out: int,
        *,
        eps: float = 1e-6,
        temporal: bool,
    ) -> None:
        super().__init__()
        self.query_tokens = nn.Parameter(torch.zeros(1, queries, width))
        self.temporal_query_tokens = nn.Parameter(torch.zeros(1, queries, width)) if temporal else None
        self.layers = nn.ModuleList(_Layer(width, hidden, heads, eps) for _ in range(layers))
        self.visual_fc = nn.Linear(width, out)
        self.temporal_visual_fc = nn.Linear(width, out) if temporal else None
        self.vit_eos = nn.Parameter(torch.zeros(1, 1, out))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return [n, queries + 1, out] for n pictures or videos [n, tokens, width]."""
        queries: torch.Tensor = self.query_tokens
        count = queries.shape[1]
        if self.temporal_query_tokens is not None:
            queries = torch.cat([queries, self.temporal_query_tokens], dim=1)
        hidden = queries.expand(len(tokens), -1, -1)
        for layer in self.layers:
            hidden = layer(hidden, tokens)
        found = self.visual_fc(hidden[:, :count])
        if self.temporal_visual_fc is not None:
            found = found + self.temporal_visual_fc(hidden[:, count:])
        return torch.cat([found, self.vit_eos.expand(len(tokens), -1, -1)], dim=1)

    def joined(self, tower: int, hidden: int) -> dict[str, tuple[int, int]]:
        """Return, for `check_widths`, its widths beside those of the tower and of the language model."""
        return {
            "query_tokens, columns": (self.query_tokens.shape[2], tower),
            "visual_fc, rows": (self.visual_fc.out_features, hidden),
        }


class _Layer(nn.Module):
    """Queries attend to themselves and to the tokens; then a gated perceptron, normed within."""

    def __init__(self, width: int, hidden: int, heads: int, eps: float) -> None:
        super().__init__()
        self.norm1, self.normk, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key, self.value = nn.Linear(width, width), nn.Linear(width, width), nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)
        self.w1, self.w2, self.w3 = nn.Linear(width, hidden), nn.Linear(hidden, width), nn.Linear(width, hidden)
        self.ffn_ln = nn.LayerNorm(hidden, eps)
        self._heads = heads

    def forward(self, x: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """Return [n, queries, width] for queries [n, queries, width] and tokens [n, tokens, width]."""
        x = self.norm1(x)  # and what is added to below is this
        read = torch.cat([x, self.normk(tokens)], dim=1)
        query, key, value = (
            part.unflatten(2, (self._heads, -1)).transpose(1, 2)
            for part in (self.query(x), self.key(read), self.value(read))
        )
        x = x + self.out_proj(scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2))
        normed = self.norm2(x)
        out: torch.Tensor = x + self.w2(self.ffn_ln(silu(self.w1(normed)) * self.w3(normed)))
        return out


def load_abstractor(
    tensors: Tensors, sizes: Mapping[str, Any], where: object, placement: Placement, *, temporal: bool
) -> Abstractor:
    """Return an abstractor filled with the tensors the authors call `query_tokens`, `abstractor.…` and so on.

    Those of other parts may be among them. `sizes` is the authors' `visual_abstractor_config`; what can be read from
    the tensors is, for of the perceptron's width their programs make something else. Raises `CheckpointError` where a
    name is missing or unexpected.
    """
    own = abstractor_tensors(tensors)
    out, width = shape_of(own, "visual_fc.weight", where)
    hidden = shape_of(own, "layers.0.w1.weight", where)[0]
    queries = shape_of(own, "query_tokens", where)[1]
    layers = len(numbers(own, "layers."))
    heads, eps = sizes.get("num_attention_heads", 16), sizes.get("layer_norm_eps", 1e-6)
    module = placement.make(lambda: Abstractor(queries, width, hidden, layers, heads, out, eps=eps, temporal=temporal))
    fill(module, own, where)
    return module


def abstractor_tensors(tensors: Tensors) -> Tensors:
    """Return an abstractor's tensors under the names of `Abstractor`, out of those of a whole model."""

    def own_name(name: str) -> str | None:
        if name in ("query_tokens", "temporal_query_tokens"):
            return name
        if not name.startswith("abstractor."):
            return None
        name = name.removeprefix("abstractor.")
        for folder in ("encoder.", "crossattention.", "attention.", "output.", "mlp."):
            name = name.replace(folder, "")
        return name

    return renamed(tensors, own_name)
