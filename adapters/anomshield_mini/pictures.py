"""What AnomShield mini is shown: a frame, and between bands of it what changes until the next one.

A tower that sees frames singly finds motion only in what is pooled of each, which it learns too slowly
(design/anomshield.md). So motion is put into the picture: a square is as high as four patches, a frame of 4:3 needs
three quarters of it, and the rest of each row of patches tells what changes in that band.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BANDS = 4  # rows of patches
GAIN = 2  # of changes, most of which are small


def with_changes(pixels: NDArray[np.uint8], side: int, *, pad: bool) -> NDArray[np.uint8]:
    """Return frames uint8 [T, H, W, 3] with their changes, as squares [T, side, side, 3] of four bands.

    A frame is filled up to 4:3 with the mean colour, or without `pad` cropped to it, and cut into bands. Below each
    stands the mean colour, and above it twice the difference to the next frame, the largest of three rows as one; for
    the last frame that to the one before. `side` is a multiple of 16.
    """
    frames = _of_four_thirds(pixels, side, pad=pad)
    others = np.concatenate([frames[1:], frames[-2:][:1]])
    changes = GAIN * np.abs(others.astype(np.int16) - frames)
    count, height, width, _ = frames.shape
    highest = _mean_colour() + changes.reshape(count, BANDS, -1, 3, width, 3).max(axis=3)
    rows = [frames.reshape(count, BANDS, height // BANDS, width, 3), highest.clip(max=255).astype(np.uint8)]
    banded = np.concatenate(rows, axis=2)
    return banded.reshape(count, side, side, 3)


def _mean_colour() -> NDArray[np.int16]:
    """Return what the tower reads as about 0: where nothing changes, a patch is that of the frame alone."""
    from ..parts.media.images import MEAN  # imports torch

    return np.array([int(255 * part) for part in MEAN], dtype=np.int16)


def _of_four_thirds(pixels: NDArray[np.uint8], side: int, *, pad: bool) -> NDArray[np.uint8]:
    """Return frames as [T, 3/4 side, side, 3]."""
    from PIL import Image, ImageOps

    size, colour = (side, 3 * side // 4), tuple(_mean_colour().tolist())
    images = [Image.fromarray(frame) for frame in pixels]
    if pad:
        placed = [ImageOps.pad(image, size, Image.Resampling.BICUBIC, colour) for image in images]
    else:
        placed = [ImageOps.fit(image, size, Image.Resampling.BICUBIC) for image in images]
    return np.stack([np.asarray(image) for image in placed])
