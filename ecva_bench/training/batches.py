"""Samples and batches: ids, labels, and the frames that belong to them, read when they are needed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from .conversations import Conversation
from .networks import FramesOf
from .words import IGNORED, Tokens, Words

NO_LABEL = "cut off before its answer"


class Samples(Dataset[dict[str, Any]]):
    """Conversations as ids and labels, cut to `max_length` ids; `skipped` counts by reason those of no use.

    Frames are read where visual tokens have a place.
    """

    def __init__(self, conversations: Iterable[Conversation], words: Words, frames: FramesOf, max_length: int) -> None:
        self.skipped: Counter[str] = Counter()
        self.cut = 0
        self._frames = frames
        self._kept: list[tuple[Conversation, Tokens]] = []
        for conversation in conversations:
            if problem := conversation.problem():
                self.skipped[problem] += 1
                continue
            tokens = words(conversation)
            self.cut += len(tokens.ids) > max_length
            tokens = tokens.cut(max_length)
            if tokens.supervised:
                self._kept.append((conversation, tokens))
            else:
                self.skipped[NO_LABEL] += 1

    def __len__(self) -> int:
        """How many samples there are."""
        return len(self._kept)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Return `ids` and `labels` int64 [length], and `frames` uint8 [T, side, side, 3] or None."""
        conversation, tokens = self._kept[index]
        seen = self._frames(conversation) if min(tokens.ids) < 0 else None
        return {"ids": torch.tensor(tokens.ids), "labels": torch.tensor(tokens.labels), "frames": seen}

    @property
    def supervised(self) -> int:
        """How many ids are learned, in all samples."""
        return sum(tokens.supervised for _, tokens in self._kept)


def collate(samples: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return samples as one batch.

    input_ids, labels: int64 [batch, longest], padded on the right with 0 and -100. lengths, places: by sample, how many
    ids it has and at which one visual tokens stand (None: nowhere). pixels: uint8 [frames of all, side, side, 3] or
    None, counts: how many of them belong to each sample that has a place.
    """
    pad = torch.nn.utils.rnn.pad_sequence
    seen = [sample["frames"] for sample in samples if sample["frames"] is not None]
    places = [torch.nonzero(sample["ids"] < 0).flatten().tolist() for sample in samples]
    return {
        "input_ids": pad([sample["ids"] for sample in samples], batch_first=True),
        "labels": pad([sample["labels"] for sample in samples], batch_first=True, padding_value=IGNORED),
        "lengths": [len(sample["ids"]) for sample in samples],
        "places": [place[0] if place else None for place in places],
        "pixels": torch.from_numpy(np.concatenate(seen)) if seen else None,
        "counts": [len(frames) for frames in seen],
    }
