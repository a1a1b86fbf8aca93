"""The embedded split: 14 short clips drawn by our own code, so that everything runs with no download.

`load_mini` reads the annotations (`mini.json`) and decodes nothing; a clip is drawn when it is first asked for
and kept in the cache, in a folder named after everything its bytes depend on. A clip is written under a
temporary name and renamed when whole, so several processes may render at once and a crash leaves nothing torn.

The split has a version. What it stands for is hashed as data: annotations, the pixels of every frame drawn, the
encoder's settings. Source text is not hashed: it may change where no pixel does.
"""

from __future__ import annotations

import hashlib
import uuid
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ..cache import cache_dir
from ..errors import DataError, UsageError
from ..records import Annotation, Label, Moment
from ..records.annotations import Review
from ..records.base import sha256_of
from ..taxonomy import load_taxonomy
from ..untrusted import parse_json
from .dataset import Dataset

DEFINITION = Path(__file__).with_suffix(".json")
# One thread, and no macroblock tree: x264's reads memory it never wrote, so its bytes change with what lay there.
ENCODER = {"preset": "medium", "crf": "23", "threads": "1", "x264-params": "mbtree=0"}
KEY_FRAME_SECONDS = 2


def load_mini(path: Path | None = None, videos: Path | None = None) -> Dataset:
    """Return the embedded split. It takes no annotation file; `videos` sets where the clips are rendered.

    Raises `UsageError` for a file, `DataError` where the clips defined are not those of the version named.
    """
    if path is not None:
        raise UsageError("the mini split is part of the package and takes no file", path, "leave the path out")
    definition, drawn = _definition(), drawn_sha256()
    if drawn != definition["drawn"]:
        what = f"annotations, pictures or encoder settings are not those of version {definition['version']} of mini"
        raise DataError(f"{what} (hash {drawn})", DEFINITION, "restore them, or make a new version (design/data.md)")
    return Dataset(
        name="mini",
        source=f"embedded, version {definition['version']}",
        sha256=definition["sha256"],
        taxonomy=load_taxonomy("cuva"),
        annotations=tuple(_annotation(clip) for clip in _clips()),
        videos=videos or default_folder(),
        render=render_clip,
    )


def drawn_sha256() -> str:
    """Return the hex SHA-256 of all that is to be seen and read: annotations, frames' hashes, encoder settings."""
    clips = [{key: value for key, value in clip.items() if key != "scene"} for clip in _clips()]
    encoding = {"options": ENCODER, "key_frame_seconds": KEY_FRAME_SECONDS}
    return sha256_of({"clips": clips, "encoding": encoding})


def default_folder() -> Path:
    """Return the cache folder of the clips: one for each drawing and version of the libraries that write them."""
    versions = {package: version(package) for package in ("av", "numpy")}
    return cache_dir() / "mini" / sha256_of([drawn_sha256(), versions])[:16]


def render_clip(annotation: Annotation, path: Path) -> None:
    """Draw one clip of the split and put it at `path`, whole or not at all.

    Raises `DataError` where the frames drawn are not those of the split's version.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{uuid.uuid4().hex}.mp4")
    try:
        clip = next(clip for clip in _clips() if clip["video"] == annotation.video)
        pixels = _encode(clip, temporary)
        if pixels != clip["pixels"]:
            what = f"the frames of {clip['video']} are not those of version {_definition()['version']} of mini"
            remedy = "restore scenes.py and canvas.py, or make a new version (design/data.md); else report this machine"
            raise DataError(f"{what} (hash {pixels})", DEFINITION, remedy)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _encode(clip: dict[str, Any], path: Path) -> str:
    """Write a clip as H.264 in MP4 and return the hex SHA-256 of its frames' shapes and RGB bytes.

    The file's bytes are the same every time: no date and no library's name is put in.
    """
    import av

    from .scenes import HEIGHT, SCENES, WIDTH

    draw = SCENES[clip["scene"]]
    moments = _moments(clip["moments"])
    rate = clip["frame_rate"]
    seen = hashlib.sha256()
    with av.open(path, "w", container_options={"fflags": "+bitexact", "movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=rate, options=ENCODER)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.gop_size = KEY_FRAME_SECONDS * rate
        for index in range(round(clip["duration"] * rate)):
            picture = draw(index / rate, moments).pixels
            seen.update(repr(picture.shape).encode() + picture.tobytes())
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return seen.hexdigest()


@cache
def _definition() -> dict[str, Any]:
    return dict(parse_json(DEFINITION.read_text(encoding="utf-8")))


def _clips() -> list[dict[str, Any]]:
    return list(_definition()["clips"])


def _moments(spans: list[list[float]]) -> tuple[Moment, ...]:
    return tuple(Moment(start=start, end=end) for start, end in spans)


def _annotation(clip: dict[str, Any]) -> Annotation:
    label = Label(**clip["label"])
    return Annotation(
        video=clip["video"],
        media=f"{clip['video']}.mp4",
        label=label,
        moments=_moments(clip["moments"]),
        description=clip["description"],
        cause=clip["cause"],
        effect=clip["effect"],
        key_sentences=tuple(clip["key_sentences"]),
        severity_curve=tuple((seconds, importance) for seconds, importance in clip["severity_curve"]),
        review=Review(label=label, moments=_moments(clip["reviewed"])),
    )
