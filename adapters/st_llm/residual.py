"""ST-LLM's global-local input (arXiv 2404.00308, Sec. 3.3): a few frames' tokens, each with the mean of all frames.

The mean goes through a narrow perceptron, whose output is added to the frames that are kept.
"""

from __future__ import annotations

import torch
from torch import nn


class GlobalResidual(nn.Module):
    """Frames' tokens to the tokens of `kept` frames; `down` and `up` lead into the narrow middle and out of it."""

    def __init__(self, down: nn.Linear, up: nn.Linear, *, kept: int = 16) -> None:
        super().__init__()
        self.down, self.up = down, up
        self._kept = kept

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return [kept, n, width] for the tokens of T frames, [T, n, width]; few frames stand several times."""
        whole = self.up(torch.relu(self.down(tokens.mean(dim=0))))
        out: torch.Tensor = tokens[kept_frames(len(tokens), self._kept)] + whole
        return out


def kept_frames(frames: int, kept: int) -> list[int]:
    """Return the indices of `kept` among `frames` frames, near the middles of equal segments.

    With fewer frames than `kept` the authors' formula names one behind the last, which ends their program; here the
    last stands for it.
    """
    segment = frames / kept
    return [min(int(segment / 2 + round(segment * number)), frames - 1) for number in range(kept)]
