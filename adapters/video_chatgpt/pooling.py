"""Video-ChatGPT's view of a video (arXiv 2306.05424, Sec. 3.1): a token per frame, then a token per patch.

Knows features; knows no tower and no projector.
"""

from __future__ import annotations

import torch

FRAMES = 100  # frames a video has at most; fewer are filled up with zeros


def pooled(features: torch.Tensor, frames: int = FRAMES) -> torch.Tensor:
    """Return [frames + N, channels], in the features' dtype, for patch features [T, N, channels]; T <= `frames`.

    First the mean over the patches of every frame, and zeros in the place of frames that are not there; then the mean
    over the frames of every patch. The authors round what is pooled to 16 bits, whatever the model computes in.
    """
    in_time = torch.nn.functional.pad(features.mean(dim=1), (0, 0, 0, frames - len(features)))
    in_space = features.mean(dim=0)
    return torch.cat([in_time, in_space]).half().to(features.dtype)
