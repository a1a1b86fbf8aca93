"""Gated cross-attention: blocks between a language model's layers, through which its words look at pictures.

Knows where words look and how blocks are put before layers; under the names of Otter's checkpoints. A word looks at the
picture that was named last before it, a word before all pictures at none. What is generated is read one word at a time
(the layers keep what was before), and such a word has no picture before it: so, as in the authors' program, the words
of an answer do not look; they read those of the question that did.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from ecva_bench.checkpoints.filling import fill
from ecva_bench.checkpoints.tensors import Tensors

from ..parts.layouts.sizes import numbers, shape_of
from ..parts.placement import Placement
from .perceiver import feed_forward

HEAD = 64  # channels a head


class GatedBlock(nn.Module):
    """Cross-attention and perceptron, each through a gate, added to what they were given.

    `width` is the language model's, `media` the pictures'; `inner` the channels of all heads together.
    """

    def __init__(self, width: int, media: int, inner: int, hidden: int) -> None:
        super().__init__()
        self.attn = CrossAttention(width, media, inner)
        self.feed_forward = feed_forward(width, hidden)
        self.attn_gate, self.ff_gate = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))

    def forward(self, words: torch.Tensor, pictures: torch.Tensor, marks: torch.Tensor) -> torch.Tensor:
        """Return [rows, length, width] for words of that shape and pictures [rows, n, tokens, media].

        `marks` is bool [rows, length]: where a picture is named.
        """
        words = words + self.attn(words, pictures, marks) * self.attn_gate.tanh()
        out: torch.Tensor = words + self.feed_forward(words) * self.ff_gate.tanh()
        return out


class CrossAttention(nn.Module):
    """Attention of words to the tokens of one picture each."""

    def __init__(self, width: int, media: int, inner: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.to_q, self.to_kv = nn.Linear(width, inner, bias=False), nn.Linear(media, 2 * inner, bias=False)
        self.to_out = nn.Linear(inner, width, bias=False)

    def forward(self, words: torch.Tensor, pictures: torch.Tensor, marks: torch.Tensor) -> torch.Tensor:
        """Return [rows, length, width], zeros for words before all pictures."""
        query, key, value = (
            part.unflatten(2, (-1, HEAD)).transpose(1, 2)
            for part in (self.to_q(self.norm(words)), *self.to_kv(pictures.flatten(1, 2)).chunk(2, dim=2))
        )
        looked = marks.cumsum(dim=1)[:, None, :, None]  # the number of the picture a word looks at, from 1
        number = torch.arange(1, 1 + pictures.shape[1], device=words.device).repeat_interleave(pictures.shape[2])
        scores = query @ key.transpose(2, 3) * HEAD**-0.5
        scores = scores.masked_fill(looked != number, -torch.finfo(scores.dtype).max)
        weights = scores.softmax(dim=3).masked_fill(looked == 0, 0.0)
        out: torch.Tensor = self.to_out((weights @ value).transpose(1, 2).flatten(2))
        return out


class GatedBlocks(nn.Module):
    """The blocks of a language model, by the number of the layer they stand before."""

    def __init__(self, layers: Sequence[int], width: int, media: int, inner: int, hidden: int) -> None:
        super().__init__()
        self.width, self.media = width, media
        self.blocks = nn.ModuleDict({str(layer): GatedBlock(width, media, inner, hidden) for layer in layers})

    @contextmanager
    def attending(self, language: Any, pictures: torch.Tensor, named: int) -> Iterator[None]:
        """Let a LLaMA look at pictures [rows, n, tokens, media] within a context; `named` is the id that names one.

        The language model is to be given ids. Where it has more rows than there are pictures (beams), rows that follow
        each other share theirs.
        """
        marks: list[torch.Tensor] = []

        def note(_: object, __: object, given: dict[str, Any]) -> None:
            marks[:] = [given["input_ids"] == named]

        def look(block: torch.nn.Module) -> Any:
            gate = next(block.parameters())  # a layer may be on another device: it takes its words from any

            def before(_: object, given: tuple[Any, ...]) -> tuple[Any, ...]:
                words = given[0].to(gate.device)
                shown = pictures.to(words.device, words.dtype).repeat_interleave(len(words) // len(pictures), dim=0)
                return (block(words, shown, marks[0].to(words.device)), *given[1:])

            return before

        inner = language.model
        handles = [inner.register_forward_pre_hook(note, with_kwargs=True)]
        handles += [inner.layers[int(n)].register_forward_pre_hook(look(block)) for n, block in self.blocks.items()]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()


def load_gated(tensors: Tensors, layers: Sequence[int], where: object, placement: Placement) -> GatedBlocks:
    """Return the blocks filled with tensors called `<layer>.…`, of the sizes they have, before all of `layers`.

    Raises `CheckpointError` where a name is missing or unexpected.
    """
    first = min(numbers(tensors, ""), default=0)
    width = shape_of(tensors, f"{first}.attn.norm.weight", where)[0]
    media = shape_of(tensors, f"{first}.attn.to_kv.weight", where)[1]
    inner = shape_of(tensors, f"{first}.attn.to_q.weight", where)[0]
    hidden = shape_of(tensors, f"{first}.feed_forward.1.weight", where)[0]
    module = placement.make(lambda: GatedBlocks(layers, width, media, inner, hidden))
    fill(module.blocks, tensors, where)
    return module
