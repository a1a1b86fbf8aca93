"""Generated clips as long as ECVA's, made once into the cache: textured scenes that pan, with cuts and moving things.

Every frame carries its own number as a row of black and white squares, so that any library's frame can be checked
without a reference decode.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from ecva_bench.cache import cache_dir

UInt8 = npt.NDArray[np.uint8]

SECONDS, RATE, WIDTH, HEIGHT = 141, 60, 1280, 720  # the mean length of ECVA's videos
_BITS, _SQUARE = 16, 32
_SCENE = 540  # frames from cut to cut


def long_clip(gop: int, *, seconds: int = SECONDS, b_frames: int = 3, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Path:
    """Return an H.264 clip with at most `gop` frames from key frame to key frame, encoding it if it is not there.

    Pictures are scaled to `size` (width, height); frames carry their numbers where they are not.
    """
    name = f"clip-{size[0]}x{size[1]}-{RATE}fps-{seconds}s-gop{gop}-b{b_frames}.mp4"
    path = cache_dir() / "benchmarks" / name
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part.mp4")
    with av.open(str(unfinished), "w") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.options = {"preset": "veryfast", "crf": "27", "g": str(gop), "bf": str(b_frames)}
        for picture in _pictures(seconds * RATE):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            container.mux(stream.encode(frame.reformat(*size, format="yuv420p")))
        container.mux(stream.encode())
    unfinished.rename(path)
    return path


def number_of(picture: UInt8) -> int:
    """Return the number a decoded frame carries."""
    centres = _SQUARE // 2 + _SQUARE * np.arange(_BITS)
    bits = picture[_SQUARE // 2, centres].mean(axis=1) > 127
    return int(bits @ (1 << np.arange(_BITS)))


def _pictures(count: int) -> Iterator[UInt8]:
    """Yield the frames: a window panning over a noisy texture, and three squares moving in it."""
    random = np.random.default_rng(0)
    for number in range(count):
        step = number % _SCENE
        if step == 0:
            textures = _textures(random)
        window = np.s_[step // 3 : step // 3 + HEIGHT, step // 2 : step // 2 + WIDTH]
        picture = textures[number % len(textures)][window].copy()
        for square in range(3):
            top, left = (
                (number * (square + 2) + 200 * square) % (HEIGHT - 160),
                (number * 3 + 333 * square) % (WIDTH - 90),
            )
            picture[top + 70 : top + 160, left : left + 90] = (80 * square, 255 - 60 * square, 40)
        bits = (number >> np.arange(_BITS)) & 1
        picture[:_SQUARE, : _SQUARE * _BITS] = np.repeat(bits * 255, _SQUARE).astype(np.uint8)[None, :, None]
        yield picture


def _textures(random: np.random.Generator) -> list[UInt8]:
    """Return one picture larger than the frame, with detail at several scales, under four patterns of noise."""
    height, width = HEIGHT + _SCENE // 3 + 1, WIDTH + _SCENE // 2 + 1
    total = np.full((height, width, 3), 128.0)
    for scale, strength in ((8, 20), (32, 40), (128, 60)):
        coarse = random.uniform(-strength, strength, (height // scale + 2, width // scale + 2, 3))
        total += coarse.repeat(scale, axis=0).repeat(scale, axis=1)[:height, :width]
    noises = (random.uniform(-2, 2, (height, width, 1)) for _ in range(4))
    return [np.clip(total + noise, 0, 255).astype(np.uint8) for noise in noises]
