"""TimeChat's two Q-Formers (arXiv 2312.02051): frames read beside the second they are of, then windows of frames.

The first reads each frame with a text that says when it was taken; the second, without text, reads all that the first
gave for the frames of one window after another, so that a long video has more visual tokens than a short one.
"""

from __future__ import annotations

import torch
from torch import nn

from ..parts.connectors.qformer import QFormer


class SlidingQFormer(nn.Module):
    """Frames' tokens and texts to visual tokens.

    image and video: the two Q-Formers. frames: the table of places [most frames, width]. `window` is the number of
    frames read at once; none is read twice.
    """

    def __init__(
        self, image: QFormer, frames: nn.Embedding, video: QFormer, proj: nn.Linear, *, window: int = 32
    ) -> None:
        super().__init__()
        self.image, self.frames, self.video, self.proj = image, frames, video, proj
        self._window = window

    def forward(self, tokens: torch.Tensor, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return [windows * queries, hidden] for T frames' tokens [T, n, encoder] and texts, int64 [T, length].

        What the first Q-Former makes of the texts is read, too, padding included, as in the authors' program. The last
        window may be shorter than the others.
        """
        marked = self.image(tokens, ids, mask) + self.frames.weight[: len(tokens), None]
        windows = [marked[start : start + self._window] for start in range(0, len(marked), self._window)]
        visual: torch.Tensor = self.proj(torch.cat([self.video(part.flatten(0, 1)[None])[0] for part in windows]))
        return visual
