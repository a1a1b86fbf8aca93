"""Frames of training videos, decoded once: kept on disk as the tower is shown them, equal to the bit.

A file of the cache is written whole and named by all that determines it: the video's bytes, how many frames, how they
are made square, and what decodes. Pictures are not kept: to open one is quick.
"""

from __future__ import annotations

import fcntl
import io
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..cache import keep_private, private_folder
from ..errors import CacheError, TrainingError, VideoError
from ..names import first_few
from ..records.base import sha256_of
from ..records.training import TrainingVideo
from ..video import Video, samplers
from ..video.video import decoder_version
from ..wording import counted
from ..writing import write_whole
from .conversations import Conversation
from .formats import SkippedSample
from .known import KnownFiles
from .recipe import Recipe

Pixels = NDArray[np.uint8]
_LONGEST = 13_000  # pixels of a picture's side: on its square it takes 0.5 GB
_LOCKS = 64  # files by which processes keep from decoding one video at the same time


@runtime_checkable
class ShapesPictures(Protocol):
    """What of a model says how its tower is shown pictures."""

    def shaped(self, pixels: Pixels, *, pad: bool) -> Pixels:
        """Return uint8 [T, H, W, 3] as [T, side, side, 3]: their middles, or with `pad` whole on one colour."""

    def picture_side(self) -> int:
        """Return the side of the square, in pixels."""


class PictureTooLarge(TrainingError):
    """A picture whose square would take the machine."""

    code = "picture too large"


class SampleFrames(Protocol):
    """The frames of conversations, and what is recorded of each file or clip."""

    def __call__(self, conversation: Conversation) -> Pixels:
        """Return the frames of a conversation: uint8 [T, side, side, 3]."""

    def seen(self, path: Path, named: tuple[str, str] = ("", "")) -> TrainingVideo:
        """Return the entry of a video, or picture, in the record of a training; `named` are its data set and id."""


class FrameCache:
    """The frames of conversations for one recipe, in a folder of the user's own (0700) that several processes may use.

    It is the `frames` of `training.train`. A file that is `known` is not read again before it is asked for.
    """

    def __init__(
        self, recipe: Recipe, model: ShapesPictures, folder: Path | None = None, known: KnownFiles | None = None
    ) -> None:
        """Keep frames in `folder`, else in the cache; `CacheError` where others may write to it."""
        self._recipe, self._model = recipe, model
        self._known = known or KnownFiles()
        self._folder = folder or private_folder("frames")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            keep_private(self._folder)
        except OSError as error:
            raise CacheError(f"no frames can be kept there ({error.strerror})", self._folder, _OTHER) from error
        self._last: tuple[Path, Pixels] | None = None

    def __call__(self, conversation: Conversation) -> Pixels:
        """Return the frames of a conversation's file: uint8 [T, side, side, 3], one of a picture.

        With the recipe's `by_video`, those of one file that is asked for again and again are the same array, by which
        `collate` knows them. Raises a `VideoError` for a video, and a `TrainingError` for a picture, that cannot be
        read.
        """
        path, last = conversation.path, self._last
        if path is None:
            raise TrainingError("the sample has no file", conversation.id, "leave its placeholder out")
        if last is not None and last[0] == path:
            return last[1]
        found = self._shaped(_picture(path)) if conversation.kind == "picture" else self._of_video(path)
        if self._recipe.by_video:
            self._last = path, found
        return found

    def check(self, conversation: Conversation) -> None:
        """Raise what asking for the frames would; those of a video are kept then, a picture is decoded alone."""
        path = conversation.path
        was_read = path is not None and self._known.sha256(path)
        if path is not None and conversation.kind == "picture":
            if not was_read:
                _picture(path)
                self._hash(path)
        elif not (path and was_read and self._kept(path).is_file()):
            self(conversation)

    def seen(self, path: Path, named: tuple[str, str] = ("", "")) -> TrainingVideo:
        """Return the entry of a video, or picture, in the record of a training; `named` are its data set and id."""
        try:
            size = path.stat().st_size if path.is_file() else 0  # one in an archive has none of its own
        except OSError:
            size = 0
        return TrainingVideo(dataset=named[0], id=named[1], sha256=self._hash(path), bytes=size)

    def _of_video(self, path: Path) -> Pixels:
        kept = self._kept(path)
        found = self._read(kept)
        if found is None:
            with self._alone(kept.name):
                found = self._read(kept)  # another process may have decoded it
                if found is None:
                    found = self._decode(path)
                    write_kept(kept, found)
        return found

    def _kept(self, path: Path) -> Path:
        """Return where the frames of a video are kept, or would be."""
        recipe = self._recipe
        shape = [recipe.answers_as, recipe.frames, recipe.shaping, self._model.picture_side(), decoder_version()]
        return self._folder / f"{sha256_of([self._hash(path), *shape])}.npy"

    def _hash(self, path: Path) -> str:
        if not (found := self._known.sha256(path)):
            found = Video(path).sha256
            self._known.add(path, found)
        return found

    def _decode(self, path: Path) -> Pixels:
        video = Video(path)
        indices = samplers.midpoints(video.n_frames, self._recipe.frames, rounded="bounds")
        return self._shaped(video.frames_at(indices).pixels)

    def _shaped(self, pixels: Pixels) -> Pixels:
        return self._model.shaped(pixels, pad=self._recipe.shaping == "pad")

    def _read(self, kept: Path) -> Pixels | None:
        """Return frames that are kept; None where there are none, or what is there is no whole file of them."""
        side = self._model.picture_side()
        found = read_kept(kept)
        return found if found is not None and found.shape[1:] == (side, side, 3) else None

    @contextmanager
    def _alone(self, name: str) -> Iterator[None]:
        """Keep other processes and threads from decoding what is decoded inside."""
        lock = self._folder / f"{int(name[:8], 16) % _LOCKS:02}.lock"
        handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


_OTHER = "make room, or name another folder with --cache"


def read_kept(path: Path) -> Pixels | None:
    """Return the frames of a file that `write_kept` wrote; None where there is none, or it is no whole one."""
    try:
        found: Pixels = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return found if found.dtype == np.uint8 and found.ndim == 4 else None


def write_kept(path: Path, frames: Pixels) -> None:
    """Keep frames uint8 [T, side, side, 3] in a file of the user's own; `CacheError` where it cannot be written."""
    content = io.BytesIO()
    np.save(content, frames, allow_pickle=False)
    try:
        write_whole(path, content.getvalue())
        keep_private(path)
    except OSError as error:
        raise CacheError(f"frames cannot be kept ({error.strerror})", path.parent, _OTHER) from error


def _picture(path: Path) -> Pixels:
    """Return a picture as one frame, uint8 [1, H, W, 3]; `TrainingError` where it is none, cut off or too large."""
    try:
        with Image.open(path) as image:
            if max(image.size) > _LONGEST:
                what = f"this picture is {image.width} x {image.height}, its sides may have {_LONGEST:,} pixels"
                raise PictureTooLarge(what, path, "bring it to a smaller size, or leave it out")
            return np.asarray(image.convert("RGB"))[None]
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise TrainingError(f"this is no whole picture ({error!s:.200})", path, "leave it out") from error


def read_all(
    cache: FrameCache,
    conversations: Sequence[Conversation],
    threads: int,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> tuple[list[Conversation], list[SkippedSample]]:
    """Read every file once, before anything is trained, and return the samples that can be used, and the others.

    Videos are then kept. `progress` is told how many files are read, and of how many. Raises what is no fault of a
    file, such as a full disk.
    """
    files = {one.path: one for one in conversations if one.path is not None}
    problems: dict[Path, str] = {}

    def read(conversation: Conversation) -> None:
        try:
            cache.check(conversation)
        except (VideoError, TrainingError) as error:
            if error.retryable:
                raise
            if conversation.path is not None:
                problems[conversation.path] = error.code or "no whole picture"

    with ThreadPoolExecutor(threads) as pool:
        for done, _ in enumerate(pool.map(read, files.values()), start=1):
            progress(done, len(files))
    kept = [one for one in conversations if one.path not in problems]
    bad = [(one, one.path) for one in conversations if one.path is not None and one.path in problems]
    return kept, [SkippedSample(one.id, str(path), problems[path]) for one, path in bad]


def check_bad(skipped: Sequence[SkippedSample], given: int, most: float) -> None:
    """Raise `TrainingError` where more than the share `most` of the samples given cannot be used."""
    if len(skipped) <= most * given:
        return
    reasons: dict[str, int] = {}
    for one in skipped:
        reasons[one.reason] = reasons.get(one.reason, 0) + 1
    why = ", ".join(f"{count:,} {reason}" for reason, count in sorted(reasons.items()))
    what = f"{len(skipped):,} of {counted(given, 'sample')} cannot be used ({why}), more than {most:.4%}"
    remedy = "mend what is named, or say with --max-bad how many may be left out"
    raise TrainingError(what, first_few(list(dict.fromkeys(one.file or one.id for one in skipped))), remedy)
