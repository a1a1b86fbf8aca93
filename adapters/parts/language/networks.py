"""The networks of a model, as they are handed to `generation`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from .tokens import Tokenizer


@dataclass(frozen=True, eq=False)
class Networks:
    """A built model.

    tower: uint8 [T, H, W, 3], RGB -> features. connector: whatever the model's `see` and `visual` make of it.
    language: a causal language model of transformers.
    """

    tokenizer: Tokenizer
    tower: Callable[..., torch.Tensor]
    connector: Callable[..., torch.Tensor]
    language: Any
