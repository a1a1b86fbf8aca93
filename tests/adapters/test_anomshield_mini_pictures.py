"""What AnomShield mini is shown: frames in bands, and below each what changes; reckoned here pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from ecva_bench.adapters.anomshield_mini.pictures import with_changes

Pixels = NDArray[np.uint8]
MEAN = [122, 116, 104]


def noise(count: int, height: int = 48, width: int = 64) -> Pixels:
    """Frames that need not be resized for a square of 64."""
    return np.random.default_rng(7).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def frame_rows(shown: Pixels) -> Pixels:
    """The rows of the frames, without those of the changes."""
    return shown[:, [row for row in range(64) if row % 16 < 12]]


def change_rows(shown: Pixels) -> NDArray[np.int64]:
    """The rows of the changes, over the mean colour of CLIP's pictures."""
    return shown[:, [row for row in range(64) if row % 16 >= 12]].astype(int) - MEAN


def test_a_frame_keeps_all_of_its_rows() -> None:
    frames = noise(3)
    shown = with_changes(frames, 64, pad=True)
    assert shown.shape == (3, 64, 64, 3)
    assert shown.dtype == np.uint8
    assert (frame_rows(shown) == frames).all()


def test_a_change_is_the_largest_of_three_rows_doubled_and_stands_in_the_band_of_its_rows() -> None:
    frames = noise(4) // 2  # so that not all that is doubled is too much
    changes = change_rows(with_changes(frames, 64, pad=True))
    levels = frames.astype(int)
    for place, other in ((0, 1), (1, 2), (2, 3), (3, 2)):
        for row in range(16):
            rows = abs(levels[other, 3 * row : 3 * row + 3] - levels[place, 3 * row : 3 * row + 3])
            assert (changes[place, row] == np.minimum(2 * rows.max(axis=0), 255 - np.array(MEAN))).all()


@pytest.mark.parametrize("count", [1, 5])
def test_what_stands_still_does_not_change(count: int) -> None:
    still = np.repeat(noise(1), count, axis=0)
    assert not change_rows(with_changes(still, 64, pad=True)).any()


def test_something_that_moves_shows_where_it_was_and_where_it_is() -> None:
    frames = np.zeros((2, 48, 64, 3), dtype=np.uint8)
    frames[0, 20, 10], frames[1, 40, 50] = 50, 50
    for change in change_rows(with_changes(frames, 64, pad=True)):
        assert {*zip(*np.nonzero(change[..., 0]), strict=True)} == {(20 // 3, 10), (40 // 3, 50)}
        assert set(change[change > 0]) == {100}


@pytest.mark.parametrize(("height", "width", "bars"), [(96, 128, 0), (72, 128, 6), (96, 96, 8)])
def test_a_frame_of_another_shape_is_filled_up_or_cropped_to_four_thirds(height: int, width: int, bars: int) -> None:
    frames = np.full((2, height, width, 3), 200, dtype=np.uint8)
    padded, cropped = (frame_rows(with_changes(frames, 64, pad=pad)) for pad in (True, False))
    assert (cropped == 200).all()
    other = (padded[0] != 200).any(axis=2)
    assert other.sum() == bars * 2 * (64 if height * 4 < width * 3 else 48)


def test_a_frame_is_resized_as_pillow_does() -> None:
    frames = noise(1, 240, 320)
    expected = np.asarray(Image.fromarray(frames[0]).resize((64, 48), Image.Resampling.BICUBIC))
    assert (frame_rows(with_changes(frames, 64, pad=True))[0] == expected).all()
