"""Greedy decoding, every token from the whole sequence and nothing kept from the one before: slow on purpose."""

from __future__ import annotations

from typing import Any

import torch


@torch.no_grad()
def greedy(
    language: Any, row: torch.Tensor, *, new: int, end: int = 2, penalty: float = 1.0, before: tuple[int, ...] = ()
) -> list[int]:
    """The ids after [length, hidden], at most `new`, those said and `before` made less probable by `penalty`."""
    embed, found = language.get_input_embeddings(), list[int]()
    while len(found) < new and end not in found:
        scores = language(inputs_embeds=row[None]).logits[0, -1].clone()
        for number in {*before, *found}:
            scores[number] = scores[number] * penalty if scores[number] < 0 else scores[number] / penalty
        found.append(int(scores.argmax()))
        row = torch.cat([row, embed(torch.tensor(found[-1:]))])
    return found
