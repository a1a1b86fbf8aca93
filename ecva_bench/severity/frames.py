"""Which frames a curve is made of, and their features, decoded a part at a time. Knows videos, and no sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from ..video import Video

LEAST, MOST = 8, 4096  # frames of a video
_AT_ONCE = 64  # frames decoded together, of so many bytes at most:
_BYTES = 1 << 29

Pixels = npt.NDArray[np.uint8]
Features = npt.NDArray[np.float32]


def instants(duration: float) -> npt.NDArray[np.float64]:
    """Return the seconds at which a video is looked at: the middle of each second, of 8 to 4,096 equal parts else."""
    count = int(np.ceil(duration - 0.5))  # middles of seconds that lie before the end
    if LEAST <= count <= MOST:
        return np.arange(count, dtype=np.float64) + 0.5
    count = min(max(count, LEAST), MOST)
    return (np.arange(count, dtype=np.float64) + 0.5) * duration / count


class Looked:
    """The features of a video's frames, each computed once, and how many were damaged."""

    def __init__(self, video: Video, features_of: Callable[[Pixels], Features]) -> None:
        self._video, self._features_of = video, features_of
        self._features: dict[int, npt.NDArray[np.float32]] = {}
        self.damaged = 0  # frames in whose place a neighbour was shown, or that damage may have reached

    def features(self, indices: npt.NDArray[np.int64]) -> Features:
        """Return the features [T, width] of frames by index, repeated where an index is."""
        new = np.array(sorted({*indices.tolist()} - self._features.keys()), dtype=np.int64)
        for part in self._parts(new):
            frames = self._video.frames_at(part)
            self.damaged += len({*frames.substituted, *frames.corrupt})
            self._features.update(zip(part.tolist(), self._features_of(frames.pixels), strict=True))
        return np.stack([self._features[index] for index in indices.tolist()])

    def _parts(self, indices: npt.NDArray[np.int64]) -> Iterator[npt.NDArray[np.int64]]:
        size = max(1, min(_AT_ONCE, _BYTES // max(self._video.frame_bytes, 1)))
        return (indices[start : start + size] for start in range(0, len(indices), size))
