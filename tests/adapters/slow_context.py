"""LLaMA-VID's connector frame by frame and patch by patch, in float64: slow, and owing nothing to ours."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch

from tests.adapters import slow_lavis as slow

State = Mapping[str, torch.Tensor]


def slow_context(
    state: State, features: torch.Tensor, ids: list[int], *, grid: int, heads: int, layers: int
) -> torch.Tensor:
    """[T (1 + content), hidden] for [T, tokens, width]; `grid` is the side of the content tokens, 0 for all patches."""
    state = {name: tensor.double() for name, tensor in state.items()}
    encoder = {k.removeprefix("vlm_att_encoder."): v for k, v in state.items() if k.startswith("vlm_att_encoder.")}
    found = []
    for tokens in features.double():
        normed = slow.norm(state, "vlm_att_ln", tokens, 1e-5)
        text = (ids, [1] * len(ids))
        queries = slow.qformer(encoder, state["vlm_att_query"][0], normed, text, heads=heads, crossed=2, layers=layers)[
            : state["vlm_att_query"].shape[1]
        ]
        patches = tokens[1:] if len(tokens) % 2 else tokens
        contexts = []
        for query in queries:
            asked = _linear(state, "vlm_att_projector", query)
            keys = [_linear(state, "vlm_att_key_projector", patch) for patch in patches]
            shares = torch.stack([asked @ key / math.sqrt(len(asked)) for key in keys]).softmax(0)
            contexts.append(sum(share * patch for share, patch in zip(shares, patches, strict=True)))
        found.append(_linear(state, "vlm_att_val_projector", sum(contexts) / len(contexts)))
        found += [_projected(state, token) for token in _content(patches, grid)]
    return torch.stack(found)


def _content(patches: torch.Tensor, grid: int) -> list[torch.Tensor]:
    if grid == 0:
        return list(patches)
    if grid == 1:
        return [sum(patches) / len(patches)]
    side = math.isqrt(len(patches))
    step = side // grid
    corners = [(top, left) for top in range(0, side - step + 1, step) for left in range(0, side - step + 1, step)]
    squares = [
        [patches[y * side + x] for y in range(top, top + step) for x in range(left, left + step)]
        for top, left in corners
    ]
    return [sum(square) / len(square) for square in squares]


def _linear(state: State, name: str, x: torch.Tensor) -> torch.Tensor:
    return state[f"{name}.weight"] @ x + state[f"{name}.bias"]


def _projected(state: State, x: torch.Tensor) -> torch.Tensor:
    inner = _linear(state, "mm_projector.0", x)
    return _linear(state, "mm_projector.2", inner * (1 + torch.erf(inner / math.sqrt(2))) / 2)
