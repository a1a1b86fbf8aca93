"""Other pictures at the same times: one frame throughout, the frames in another order, or no picture at all.

Decides which picture stands at which time. Frames are read by the video behind the view, so they are as exact; whoever
asks for them gets numbers, seconds and size of the full video.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Sequence

import numpy as np

from ..records import Moment
from ..records.base import Pictures
from .clock import Int64
from .video import Frames, Video


class PictureView(Video):
    """A video in which every time has another picture; numbers, seconds and size of its frames are the video's own.

    `still`: all pictures are that of frame `n_frames // 2`. `blank`: all are black. `shuffled`: the frames are in order
    of the SHA-256 of `VIDEO/NUMBER`, the video's own SHA-256 in hex and the frame's number in the whole file; where
    that is the order they had, each goes on by one. The frames `among` change places with one another alone, and so do
    all others: a model that looks at these frames sees the same pictures, and only their order is another.

    What `Frames` says of damage is of the pictures: `substituted` names the frame whose picture is given by its number
    in the video that is not shuffled.
    """

    def __init__(self, video: Video, pictures: Pictures, among: Sequence[int] | Int64 = ()) -> None:
        self._source, self._kept_ranks = video._source, video._kept_ranks
        self._behind = video.without(())  # the same frames; nobody is told that they are read
        self._among = video.source_indices(among)
        self._kind = pictures
        self.removed, self.pictures, self.on_frames = video.removed, pictures, None

    def without(self, moments: Iterable[Moment]) -> PictureView:
        """Return the view of the same kind of what is left of the video when moments are cut."""
        left = self._behind.without(moments)
        kept = np.isin(left.source_indices(range(left.n_frames)), self._among)
        return PictureView(left, self._kind, np.flatnonzero(kept))

    def within(self, start: float, end: float) -> PictureView:
        """Return the view between two seconds: with the pictures that the whole view has there."""
        times = self.timestamps
        part = PictureView(self._behind.without(self._others(start, end)), self._kind)
        part._behind, part._order = self._behind, self._order[(start <= times) & (times < end)]
        return part

    def frames_at(self, indices: Sequence[int] | Int64) -> Frames:
        """Return the pictures of the view at indices of the timeline, with the times that belong to the indices."""
        requested = self._checked(indices)
        if self._kind == "blank":
            self._source.check_bytes(len(requested))
            width, height = self.size
            pixels, substituted, corrupt = np.zeros((len(requested), height, width, 3), dtype=np.uint8), {}, ()
            pixels.flags.writeable = False
        else:
            shown = self._behind.frames_at(self._order[requested])
            pixels, given = shown.pixels, shown.substituted
            places = [(place, int(self._order[place])) for place in sorted(set(requested.tolist()))]
            substituted = {place: given[behind] for place, behind in places if behind in given}
            corrupt = tuple(place for place, behind in places if behind in shown.corrupt)
        frames = Frames(pixels, self.timestamps[requested], self.positions[requested], requested, substituted, corrupt)
        if self.on_frames:
            self.on_frames(frames)
        return frames

    def source_indices(self, indices: Sequence[int] | Int64) -> Int64:
        """Return the indices in the whole video of the pictures at indices of the timeline; none where it is blank."""
        requested = self._checked(indices)
        if self._kind == "blank":
            return np.empty(0, dtype=np.int64)
        return self._behind.source_indices(self._order[requested])

    @functools.cached_property
    def _order(self) -> Int64:
        """int64 [n_frames], the index of the frame whose picture is shown at each index."""
        if self._kind == "still":
            return np.full(self.n_frames, self.n_frames // 2, dtype=np.int64)
        order = np.arange(self.n_frames, dtype=np.int64)
        together = np.isin(self._ranks, self._among)
        for places in (np.flatnonzero(together), np.flatnonzero(~together)):
            drawn = np.array(sorted(places.tolist(), key=self._draw), dtype=np.int64)
            order[places] = np.roll(drawn, 1) if np.array_equal(drawn, places) else drawn
        return order

    def _draw(self, place: int) -> bytes:
        return hashlib.sha256(f"{self.sha256}/{self._ranks[place]}".encode()).digest()
