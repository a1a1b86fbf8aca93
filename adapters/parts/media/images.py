"""Frames as towers read them, with the arithmetic of the library that each model's authors used for it.

The same picture resized by Pillow, by FFmpeg or by torch has different numbers. Knows pixels; knows no network. (CLIP's
own preparation is transformers' and lies in `towers.clip`.)
"""

from __future__ import annotations

import math
from collections.abc import Callable

import av
import numpy as np
import torch
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray
from PIL import Image
from torch.nn.functional import interpolate

MEAN = (0.48145466, 0.4578275, 0.40821073)
DEVIATION = (0.26862954, 0.26130258, 0.27577711)

Resize = Callable[[NDArray[np.uint8], int], NDArray[np.uint8]]  # frames and a side to squares, as below


def squeezed(pixels: NDArray[np.uint8], side: int = 224) -> NDArray[np.uint8]:
    """Return frames [T, H, W, 3] as [T, side, side, 3], whatever their shape, scaled by FFmpeg, bilinear.

    So mPLUG-Owl and TimeChat have their frames decoded (`VideoReader(width=224, height=224)`). There colour, which most
    files hold at half the size, is scaled before it becomes RGB, here after it: numbers differ by 0.3 to 2.3 of 255 in
    the mean of the clips looked at, mostly at coloured edges.
    """
    reformatter = VideoReformatter()
    found = np.empty((len(pixels), side, side, 3), np.uint8)
    for row, frame in zip(found, pixels, strict=True):
        image = av.VideoFrame.from_ndarray(frame, format="rgb24")
        row[:] = reformatter.reformat(image, side, side, "rgb24", interpolation="BILINEAR", threads=1).to_ndarray()
    return found


def cropped(pixels: NDArray[np.uint8], side: int = 224, *, rounded: bool = True) -> NDArray[np.uint8]:
    """Return the middles of frames [T, H, W, 3] as [T, side, side, 3], the short side resized by Pillow, bicubic.

    So torchvision does it for ST-LLM and VideoChat2: the long side is cut off to whole pixels, and half a pixel of
    margin rounded to even. CLIP's own preparation, which is LLaMA-VID's, cuts it off (not `rounded`).
    """
    height, width = pixels.shape[1:3]
    short = min(height, width)
    size = (side * width // short, side * height // short)
    left, top = (round((length - side) / 2) if rounded else (length - side) // 2 for length in size)
    box = (left, top, left + side, top + side)
    images = [Image.fromarray(frame).resize(size, Image.Resampling.BICUBIC).crop(box) for frame in pixels]
    return np.stack([np.asarray(image) for image in images])


def normalised(pixels: NDArray[np.uint8]) -> torch.Tensor:
    """Return frames uint8 [T, H, W, 3] as float32 [T, 3, H, W], less CLIP's mean and over its deviation."""
    values = torch.from_numpy(pixels.copy()).permute(0, 3, 1, 2).float() / 255
    return (values - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(DEVIATION).view(3, 1, 1)


def nearest(pixels: NDArray[np.uint8], side: int = 224) -> NDArray[np.uint8]:
    """Return frames [T, H, W, 3] as [T, side, side, 3], whatever their shape, by the nearest pixel above and left.

    So Video-ChatGPT has them: torch's interpolation, with the mode it has where none is named.
    """
    values = interpolate(torch.tensor(pixels).movedim(-1, 1).contiguous(), size=(side, side))
    found: NDArray[np.uint8] = values.movedim(1, -1).numpy()
    return found


def short_scaled(values: torch.Tensor, side: int = 224) -> torch.Tensor:
    """Return float [T, 3, H, W] with the short side `side` long, bilinear, without a filter against aliasing.

    So pytorchvideo does it for Video-LLaVA and ImageBind; the long side is cut off to whole pixels.
    """
    short = min(values.shape[2:])
    size = [side if length == short else math.floor(length / short * side) for length in values.shape[2:]]
    return interpolate(values, size=size, mode="bilinear", align_corners=False)


def three_crops(values: torch.Tensor, side: int = 224) -> list[torch.Tensor]:
    """Return the squares [..., side, side] at the beginning, the middle and the end of the long side of [..., H, W].

    So ImageBind crops; the short side is `side` long. A middle between two pixels is the later one.
    """
    height, width = values.shape[-2:]
    starts = [(0, -(-(length - side) // 2), length - side) for length in (height, width)]
    return [values[..., top : top + side, left : left + side] for top, left in zip(*starts, strict=True)]
