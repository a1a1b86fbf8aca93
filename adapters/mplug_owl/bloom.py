"""BLOOM's norm after the embedding, kept away from visual tokens."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


class WordsNormed(nn.Module):
    """An embedding and the norm after it, in one: ids to [..., hidden]."""

    def __init__(self, words: nn.Module, norm: nn.Module) -> None:
        super().__init__()
        self.words, self.norm = words, norm

    @property
    def weight(self) -> torch.Tensor:
        """The embedding's weight, [vocabulary, hidden]."""
        weight = self.words.weight
        assert isinstance(weight, torch.Tensor)  # noqa: S101 - for the types alone
        return weight

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Return [..., hidden] for int64 [...]."""
        normed: torch.Tensor = self.norm(self.words(ids))
        return normed


def norm_words_only(language: Any) -> None:
    """Let a `BloomForCausalLM` norm what it looks up and not what it is given.

    It norms all embeddings on their way in, while mPLUG-Owl was trained with visual tokens that are not.
    """
    inner = language.transformer
    inner.word_embeddings = WordsNormed(inner.word_embeddings, inner.word_embeddings_layernorm)
    inner.word_embeddings_layernorm = nn.Identity()
