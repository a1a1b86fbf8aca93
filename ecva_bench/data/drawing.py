"""Writes clips that are drawn and not filmed: scenes as video files, and the hashes by which a version is known.

A clip is written under a temporary name and renamed when whole, so several processes may render at once and a crash
leaves nothing torn. What a set of clips stands for is hashed as data: annotations, the pixels of every frame drawn,
the encoder's settings. Source text is not hashed: it may change where no pixel does.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ..cache import cache_dir, private_folder
from ..errors import DataError
from ..records import Moment
from ..records.base import sha256_of, sha256_of_file
from ..writing import write_whole

# One thread, and no macroblock tree: x264's reads memory it never wrote, so its bytes change with what lay there.
ENCODER = {"preset": "medium", "crf": "23", "threads": "1", "x264-params": "mbtree=0"}
KEY_FRAME_SECONDS = 2


@dataclass(frozen=True)
class Clip:
    """What a clip is drawn from; times in seconds.

    `scene` is the name of a function in `scenes`, driven by `moments`. `pixels` is the hex SHA-256 of all frames.
    """

    video: str
    scene: str
    moments: tuple[Moment, ...]
    duration: float
    frame_rate: int
    pixels: str


def drawn_sha256(clips: Iterable[Mapping[str, Any]], **more: str) -> str:
    """Return the hex SHA-256 of all that is to be seen and read: annotations, frames' hashes, encoder settings.

    `clips` are those of a definition; the names of their scenes are no data. `more` is hashed as well.
    """
    data = [{key: value for key, value in clip.items() if key != "scene"} for clip in clips]
    return sha256_of({"clips": data, "encoding": {"options": ENCODER, "key_frame_seconds": KEY_FRAME_SECONDS}, **more})


def check_drawn(drawn: str, expected: str, edition: str, definition: Path) -> None:
    """Raise `DataError` where the hash of a set is not that of its `edition`, such as `version 1 of mini`."""
    if drawn != expected:
        what = f"annotations, pictures or encoder settings are not those of {edition} (hash {drawn})"
        raise DataError(what, definition, "restore them, or make a new version (design/data.md)")


def clips_folder(name: str, drawn: str) -> Path:
    """Return the cache folder of a set's clips: one for each drawing and version of the libraries that write them."""
    versions = {package: version(package) for package in ("av", "numpy")}
    return cache_dir() / name / sha256_of([drawn, versions])[:16]


def draw_clip(clip: Clip, path: Path, edition: str, definition: Path) -> None:
    """Draw a clip and put it at `path`, whole or not at all.

    Raises `DataError` where the frames drawn are not those of the set's edition.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{uuid.uuid4().hex}.mp4")
    try:
        pixels = _encode(clip, temporary)
        if pixels != clip.pixels:
            what = f"the frames of {clip.video} are not those of {edition} (hash {pixels})"
            remedy = "restore scenes and canvas.py, or make a new version (design/data.md); else report this machine"
            raise DataError(what, definition, remedy)
        drawn = sha256_of_file(temporary)
        temporary.replace(path)
        if path.is_relative_to(cache_dir()):
            write_whole(_note_of(path), drawn)
    finally:
        temporary.unlink(missing_ok=True)


def is_as_drawn(path: Path) -> bool:
    """Return whether a clip is there, and in the cache also whether its bytes are those that were drawn.

    What lies in a folder that the user named is the user's affair. Raises `CacheError` where the notes of what was
    drawn are not ours alone.
    """
    if not path.is_relative_to(cache_dir()):
        return path.exists()
    note = _note_of(path)
    return path.is_file() and note.is_file() and note.read_bytes() == sha256_of_file(path).encode()


def _note_of(path: Path) -> Path:
    """Return the file that holds the hash of a clip in the cache, apart from the clips."""
    return private_folder("drawn") / f"{path.parent.parent.name}-{path.parent.name}-{path.stem}"


def _encode(clip: Clip, path: Path) -> str:
    """Write a clip as H.264 in MP4 and return the hex SHA-256 of its frames' shapes and RGB bytes.

    The file's bytes are the same every time: no date and no library's name is put in.
    """
    import av

    from .scenes import HEIGHT, SCENES, TWINS, WIDTH

    draw = {**SCENES, **TWINS}[clip.scene]
    seen = hashlib.sha256()
    with av.open(path, "w", container_options={"fflags": "+bitexact", "movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=clip.frame_rate, options=ENCODER)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.gop_size = KEY_FRAME_SECONDS * clip.frame_rate
        for index in range(round(clip.duration * clip.frame_rate)):
            picture = draw(index / clip.frame_rate, clip.moments).pixels
            seen.update(repr(picture.shape).encode() + picture.tobytes())
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return seen.hexdigest()
