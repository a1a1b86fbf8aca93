"""Samples and batches: ids, labels, and the frames that belong to them, read when they are needed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset, Sampler

from .conversations import Conversation
from .networks import FramesOf
from .words import CUT_OFF, IGNORED, Words


class Samples(Dataset[dict[str, Any]]):
    """Conversations as ids and labels, cut to `max_length` ids; `skipped` counts by reason those of no use.

    Ids are made again when a sample is asked for, and frames read where visual tokens have a place: ids of all samples
    would fill gigabytes, in each process that reads for the training.
    """

    def __init__(self, conversations: Iterable[Conversation], words: Words, frames: FramesOf, max_length: int) -> None:
        self.skipped: Counter[str] = Counter()
        self.cut, self.supervised = 0, 0  # samples, and ids that are learned
        self._words, self._frames, self._max_length = words, frames, max_length
        self._kept: list[Conversation] = []
        for conversation in conversations:
            if problem := conversation.problem():
                self.skipped[problem] += 1
                continue
            tokens = words(conversation)
            self.cut += len(tokens.ids) > max_length
            if supervised := tokens.cut(max_length).supervised:
                self._kept.append(conversation)
                self.supervised += supervised
            else:
                self.skipped[CUT_OFF] += 1

    def __len__(self) -> int:
        """How many samples there are."""
        return len(self._kept)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Return `ids` and `labels` int64 [length], and `frames` uint8 [T, side, side, 3] or None."""
        conversation = self._kept[index]
        tokens = self._words(conversation).cut(self._max_length)
        seen = self._frames(conversation) if min(tokens.ids) < 0 else None
        return {"ids": torch.tensor(tokens.ids), "labels": torch.tensor(tokens.labels), "frames": seen}

    def by_video(self) -> list[list[int]]:
        """Return the numbers of the samples, those about one picture or video together; each without one by itself."""
        found: dict[object, list[int]] = {}
        for number, conversation in enumerate(self._kept):
            found.setdefault(conversation.path or number, []).append(number)
        return [*found.values()]


def collate(samples: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return samples as one batch.

    input_ids, labels: int64 [batch, longest], padded on the right with 0 and -100. lengths, places: by sample, how many
    ids it has and at which one visual tokens stand (None: nowhere). pixels: uint8 [frames of all, side, side, 3] or
    None; frames that several samples share, as the same array, are there once. counts: how many of them belong to each
    video, videos: by sample, which of these it is about.
    """
    pad = torch.nn.utils.rnn.pad_sequence
    seen = {id(sample["frames"]): sample["frames"] for sample in samples if sample["frames"] is not None}
    order = {key: place for place, key in enumerate(seen)}
    places = [torch.nonzero(sample["ids"] < 0).flatten().tolist() for sample in samples]
    return {
        "input_ids": pad([sample["ids"] for sample in samples], batch_first=True),
        "labels": pad([sample["labels"] for sample in samples], batch_first=True, padding_value=IGNORED),
        "lengths": [len(sample["ids"]) for sample in samples],
        "places": [place[0] if place else None for place in places],
        "pixels": torch.from_numpy(np.concatenate([*seen.values()])) if seen else None,
        "counts": [len(frames) for frames in seen.values()],
        "videos": [order.get(id(sample["frames"])) for sample in samples],
    }


class VideoOrder(Sampler[int]):
    """The order of an epoch: videos are shuffled, and all samples about one follow each other, shuffled as well.

    So a batch sees each of its videos once, however much is asked about it. The same seed and epoch give the same
    order.
    """

    def __init__(self, samples: Samples, seed: int) -> None:
        self._by_video = samples.by_video()
        self._size, self._seed, self._epoch = len(samples), seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Take the order of another epoch."""
        self._epoch = epoch

    def __iter__(self) -> Iterator[int]:
        chance = np.random.default_rng([self._seed, self._epoch])
        for place in chance.permutation(len(self._by_video)):
            yield from chance.permutation(self._by_video[place]).tolist()

    def __len__(self) -> int:
        return self._size
