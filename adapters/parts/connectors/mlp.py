"""The projector of LLaVA 1.5 and its descendants (`mlp2x_gelu`), under its checkpoints' names."""

from __future__ import annotations

from torch import nn


def mlp2x(channels: int, hidden: int) -> nn.Sequential:
    """Return two layers with a GELU between them: [..., channels] -> [..., hidden]."""
    return nn.Sequential(nn.Linear(channels, hidden), nn.GELU(), nn.Linear(hidden, hidden))
