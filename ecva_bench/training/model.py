"""The module that is trained: tower, connector and language model, with visual tokens put in their places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from .networks import GROUPS, Trainable
from .words import IGNORED


class PlacedRow(NamedTuple):
    """A sample with its visual tokens in place: embeddings [length, hidden], labels int64 [length]."""

    embedded: Tensor
    labels: Tensor


class TrainedModel(nn.Module):
    """Ids, labels and frames to a loss. What has a rate in `trained` is trained, in float32; the rest is frozen.

    The first part of a parameter's name is its group: `connector`, `language` or `tower`. Of a LoRA in the language
    model, nothing but the LoRA is trained. Pictures are repeated to `frames` frames. `packing` joins the samples of a
    batch to one row, in which each sees itself alone.
    """

    def __init__(self, networks: Trainable, trained: Sequence[str], *, frames: int, packing: bool) -> None:
        super().__init__()
        self.tower, self.connector, self.language = networks.tower, networks.connector, networks.language
        self.frames, self.packing = frames, packing
        self.requires_grad_(False)
        learned: dict[str, Any] = {"connector": self.connector.parameters, "tower": self.tower.learnable}
        learned["language"] = self._language_parameters
        for group in (group for group in GROUPS if group in trained):
            for parameter in learned[group]():
                parameter.data = parameter.data.float()
                parameter.requires_grad_(True)
        self._sees_gradient = "tower" in trained

    def _language_parameters(self) -> list[nn.Parameter]:
        lora = [parameter for name, parameter in self.language.named_parameters() if ".lora_" in name]
        return lora or [*self.language.parameters()]

    def forward(
        self,
        input_ids: Tensor,
        labels: Tensor,
        lengths: Sequence[int],
        places: Sequence[int | None],
        pixels: Tensor | None,
        counts: Sequence[int],
        videos: Sequence[int | None],
        num_items_in_batch: Tensor | int | None = None,
    ) -> dict[str, Tensor]:
        """Return `loss` for a batch as `collate` gives it: the mean over its labels, or the sum over `num_items…`."""
        rows = self.rows(input_ids, labels, lengths, places, pixels, counts, videos)
        hidden = self._read(rows)
        follow = torch.cat([F.pad(row.labels[1:], (0, 1), value=IGNORED) for row in rows])
        learned = follow != IGNORED  # the head is computed where something is learned
        logits = self.language.get_output_embeddings()(hidden[learned])
        loss = F.cross_entropy(logits.float(), follow[learned].to(logits.device), reduction="sum")
        return {"loss": loss / (learned.sum() if num_items_in_batch is None else num_items_in_batch)}

    def rows(
        self,
        input_ids: Tensor,
        labels: Tensor,
        lengths: Sequence[int],
        places: Sequence[int | None],
        pixels: Tensor | None,
        counts: Sequence[int],
        videos: Sequence[int | None],
    ) -> list[PlacedRow]:
        """Return each sample of a batch with its visual tokens in place, without padding."""
        embedded = self.language.get_input_embeddings()(input_ids.clamp(min=0))
        visual = self.visual(pixels, counts).to(embedded.dtype)
        nothing = None if counts else visual[0][:0]  # so that every batch has a gradient for every parameter
        rows = []
        for words, targets, length, place, video in zip(embedded, labels, lengths, places, videos, strict=True):
            if place is None or video is None:
                own = words[:length] if nothing is None else torch.cat([words[:length], nothing])
                rows.append(PlacedRow(own, targets[:length]))
                continue
            tokens = visual[video]
            ignored = targets.new_full((len(tokens),), IGNORED)
            rows.append(
                PlacedRow(
                    torch.cat([words[:place], tokens, words[place + 1 : length]]),
                    torch.cat([targets[:place], ignored, targets[place + 1 : length]]),
                )
            )
        return rows

    def visual(self, pixels: Tensor | None, counts: Sequence[int]) -> Tensor:
        """Return the visual tokens [videos, tokens, hidden] of frames uint8 [sum of counts, side, side, 3].

        Without frames, those of one black picture.
        """
        if pixels is None:
            device, side = next(self.tower.parameters()).device, self.tower.side
            pixels, counts = torch.zeros((1, side, side, 3), dtype=torch.uint8, device=device), [1]
        with torch.set_grad_enabled(self._sees_gradient and torch.is_grad_enabled()):
            patches = self.tower.patches(self.tower.normalised(pixels))
        videos = [part.expand(self.frames, -1, -1) for part in patches.split(list(counts))]
        features: Tensor = self.connector(torch.stack(videos))
        return features

    def _read(self, rows: Sequence[PlacedRow]) -> Tensor:
        """Return the language model's last states [positions of all rows, hidden]."""
        lengths = [len(row.labels) for row in rows]
        device = rows[0].embedded.device
        decoder = self.language.get_decoder()
        if self.packing:
            positions = torch.cat([torch.arange(length, device=device) for length in lengths])[None]
            joined = torch.cat([row.embedded for row in rows])[None]
            hidden: Tensor = decoder(inputs_embeds=joined, position_ids=positions, use_cache=False).last_hidden_state[0]
            return hidden
        padded = nn.utils.rnn.pad_sequence([row.embedded for row in rows], batch_first=True)
        mask = None
        if min(lengths) < max(lengths):
            mask = (torch.arange(padded.shape[1], device=device) < torch.tensor(lengths, device=device)[:, None]).long()
        states = decoder(inputs_embeds=padded, attention_mask=mask, use_cache=False).last_hidden_state
        return torch.cat([state[:length] for state, length in zip(states, lengths, strict=True)])
