"""LanguageBind's video tower as sums over heads, frames and patches, in float64: slow, and owing nothing to ours."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch

State = Mapping[str, torch.Tensor]
Activation = Callable[[torch.Tensor], torch.Tensor]


def gelu(x: torch.Tensor) -> torch.Tensor:
    return x * (1 + torch.erf(x / math.sqrt(2))) / 2


def quick_gelu(x: torch.Tensor) -> torch.Tensor:
    return x / (1 + torch.exp(-1.702 * x))


def slow_tower(state: State, values: torch.Tensor, patch: int, heads: int, activation: Activation) -> torch.Tensor:
    """[T, 1 + patches, width] for prepared frames [T, 3, side, side]: the output of the last layer but one."""
    state = {name: tensor.double() for name, tensor in state.items()}
    hidden = torch.stack([_embedded(state, frame.double(), patch) for frame in values])
    hidden = _normed(state, "pre_layrnorm", hidden)
    layers = 1 + max(int(name.split(".")[2]) for name in state if name.startswith("encoder.layers."))
    for number in range(layers - 1):
        layer = {k.split(".", 3)[3]: v for k, v in state.items() if k.startswith(f"encoder.layers.{number}.")}
        for token in range(hidden.shape[1]):  # over time, each token by itself
            row = hidden[:, token]
            if len(row) > 1:
                row = row + layer["temporal_embedding"][0, : len(row)]
            hidden[:, token] = row + _attended(
                layer, "temporal_attn", _normed(layer, "temporal_layer_norm1", row), heads
            )
        for frame in range(len(hidden)):
            x = hidden[frame]
            x = x + _attended(layer, "self_attn", _normed(layer, "layer_norm1", x), heads)
            inner = activation(_linear(layer, "mlp.fc1", _normed(layer, "layer_norm2", x)))
            hidden[frame] = x + _linear(layer, "mlp.fc2", inner)
    return hidden


def _embedded(state: State, frame: torch.Tensor, patch: int) -> torch.Tensor:
    weight, tokens = state["embeddings.patch_embedding.weight"], [state["embeddings.class_embedding"]]
    for top in range(0, frame.shape[1], patch):
        for left in range(0, frame.shape[2], patch):
            tokens.append(torch.einsum("wcij,cij->w", weight, frame[:, top : top + patch, left : left + patch]))
    return torch.stack(tokens) + state["embeddings.position_embedding.weight"]


def _linear(state: State, name: str, x: torch.Tensor) -> torch.Tensor:
    return torch.einsum("oi,ni->no", state[f"{name}.weight"], x) + state[f"{name}.bias"]


def _normed(state: State, name: str, x: torch.Tensor) -> torch.Tensor:
    centred = x - x.mean(-1, keepdim=True)
    scaled = centred / (centred.pow(2).mean(-1, keepdim=True) + 1e-5).sqrt()
    return scaled * state[f"{name}.weight"] + state[f"{name}.bias"]


def _attended(state: State, name: str, x: torch.Tensor, heads: int) -> torch.Tensor:
    q, k, v = (_linear(state, f"{name}.{part}_proj", x) for part in "qkv")
    size = x.shape[1] // heads
    found = []
    for head in range(heads):
        part = slice(head * size, (head + 1) * size)
        scores = torch.exp(q[:, part] @ k[:, part].T / math.sqrt(size))
        found.append(scores / scores.sum(1, keepdim=True) @ v[:, part])
    return _linear(state, f"{name}.out_proj", torch.cat(found, 1))
