"""The most that is read of one video, so that no file takes the machine: it would be an error record, and is one."""

from __future__ import annotations

from pathlib import Path

from ..errors import VideoTooLarge

# The largest picture of the highest levels (6.2) of H.264 and HEVC, and of AV1's: 8K and 8192 x 4320 are smaller. A
# decoder may hold 17 of them, 0.9 GB. FFmpeg's own limit is seven times as much.
MOST_PIXELS = 35_651_584
# Frames of a file: two days at 25 a second. An index of them takes about a gigabyte.
MOST_FRAMES = 5_000_000
# Of decoded frames of one video at once: 64 frames, more than any of our models asks for, of the largest size.
MOST_BYTES = 8 << 30

_SMALLER = "bring it to a smaller size, or leave it out"


def check_pixels(width: int, height: int, path: Path) -> None:
    """Raise `VideoTooLarge` for frames of more pixels than are decoded."""
    if width * height > MOST_PIXELS:
        what = f"its frames are of {width}x{height}, which are more than {MOST_PIXELS:,} pixels"
        raise VideoTooLarge(what, path, _SMALLER)


def check_frames(frames: int, path: Path) -> None:
    """Raise `VideoTooLarge` for a file of more frames than are counted."""
    if frames > MOST_FRAMES:
        raise VideoTooLarge(f"it has more than {MOST_FRAMES:,} frames", path, "cut it into parts, or leave it out")


def check_bytes(frames: int, frame_bytes: int, path: Path) -> None:
    """Raise `VideoTooLarge` for more frames in memory at once than one video may have."""
    if frames * frame_bytes > MOST_BYTES:
        what = f"{frames} of its frames are {frames * frame_bytes / 2**30:.1f} GiB, {MOST_BYTES >> 30} at most"
        raise VideoTooLarge(what, path, f"{_SMALLER}, or take fewer frames of it")
