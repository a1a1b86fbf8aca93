"""The positions of a text behind a video, for models that place a video in time, height and width.

Its authors have a text begin behind all of the video, and so does vLLM. transformers (5.3 to 5.24, issue 45381) has it
begin behind the frames' height or width: the text lies in the middle of a video that has more moments than that.
Knows the rule, and the method of transformers that it is for; no family by name.
"""

from __future__ import annotations

import functools
import inspect
from itertools import groupby
from typing import Any

import torch


def put_text_behind_videos(model: Any) -> None:
    """Have `get_rope_index` of a model of transformers return positions in order; where they are, they stay."""
    own = model.get_rope_index
    signature = inspect.signature(own)

    @functools.wraps(own)
    def in_order(*args: Any, **kwargs: Any) -> tuple[torch.Tensor, torch.Tensor]:
        given = signature.bind(*args, **kwargs).arguments
        positions, behind = own(*args, **kwargs)
        mask = given.get("attention_mask")
        for row, kinds in enumerate(given["mm_token_type_ids"]):
            counts = torch.ones_like(kinds, dtype=torch.bool) if mask is None else mask[row].bool()
            ordered = _ordered(positions[:, row, counts], kinds[counts].tolist())
            positions[:, row, counts] = ordered
            behind[row] = ordered.max() + 1 - ordered.shape[1]
        return positions, behind

    model.get_rope_index = in_order


def _ordered(positions: torch.Tensor, kinds: list[int]) -> torch.Tensor:
    """Return positions int64 [3, n] of which each run of one kind, text or picture, begins behind all before it."""
    parts, end, start = [], 0, 0
    for _, run in groupby(kinds):
        stop = start + len(list(run))
        part = positions[:, start:stop]
        parts.append(part - part.min() + end)
        end, start = int(parts[-1].max()) + 1, stop
    return torch.cat(parts, dim=1)
