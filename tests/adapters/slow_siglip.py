"""SigLIP's tower as sums over patches and heads, in float64: slow, and owing nothing to ours."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch

State = Mapping[str, torch.Tensor]


def slow_siglip(state: State, values: torch.Tensor, patch: int, heads: int) -> torch.Tensor:
    """[T, patches, width] for prepared frames [T, 3, side, side]: the output of the last layer but one."""
    state = {name: tensor.double() for name, tensor in state.items()}
    layers = 1 + max(int(name.split(".")[2]) for name in state if name.startswith("encoder.layers."))
    found = []
    for frame in values.double():
        x = _embedded(state, frame, patch)
        for number in range(layers - 1):
            layer = {k.split(".", 3)[3]: v for k, v in state.items() if k.startswith(f"encoder.layers.{number}.")}
            x = x + _attended(layer, _normed(layer, "layer_norm1", x), heads)
            inner = _linear(layer, "mlp.fc1", _normed(layer, "layer_norm2", x))
            bent = inner * (1 + torch.tanh(math.sqrt(2 / math.pi) * (inner + 0.044715 * inner**3))) / 2
            x = x + _linear(layer, "mlp.fc2", bent)
        found.append(x)
    return torch.stack(found)


def _embedded(state: State, frame: torch.Tensor, patch: int) -> torch.Tensor:
    weight, bias = state["embeddings.patch_embedding.weight"], state["embeddings.patch_embedding.bias"]
    corners = [(top, left) for top in range(0, frame.shape[1], patch) for left in range(0, frame.shape[2], patch)]
    patches = [frame[:, top : top + patch, left : left + patch] for top, left in corners]
    tokens = [torch.einsum("wcij,cij->w", weight, values) + bias for values in patches]
    return torch.stack(tokens) + state["embeddings.position_embedding.weight"]


def _linear(state: State, name: str, x: torch.Tensor) -> torch.Tensor:
    return torch.einsum("oi,ni->no", state[f"{name}.weight"], x) + state[f"{name}.bias"]


def _normed(state: State, name: str, x: torch.Tensor) -> torch.Tensor:
    centred = x - x.mean(-1, keepdim=True)
    scaled = centred / (centred.pow(2).mean(-1, keepdim=True) + 1e-6).sqrt()
    return scaled * state[f"{name}.weight"] + state[f"{name}.bias"]


def _attended(state: State, x: torch.Tensor, heads: int) -> torch.Tensor:
    query, key, value = (_linear(state, f"self_attn.{name}_proj", x) for name in "qkv")
    size, found = x.shape[1] // heads, torch.zeros_like(x)
    for head in range(heads):
        part = slice(head * size, (head + 1) * size)
        scores = torch.einsum("qd,kd->qk", query[:, part], key[:, part]) / math.sqrt(size)
        found[:, part] = torch.einsum("qk,kd->qd", scores.softmax(-1), value[:, part])
    return _linear(state, "self_attn.out_proj", found)
