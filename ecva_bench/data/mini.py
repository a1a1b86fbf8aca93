"""The embedded split: 14 short clips drawn by our own code, so that everything runs with no download.

`load_mini` reads the annotations (`mini.json`) and decodes nothing; a clip is drawn when it is first asked for
and kept in the cache, in a folder named after everything its bytes depend on. A clip is written under a
temporary name and renamed when whole, so several processes may render at once and a crash leaves nothing torn.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ..cache import cache_dir
from ..errors import UsageError
from ..records import Annotation, Label, Moment, Review, sha256_of
from ..taxonomy import load_taxonomy
from .dataset import Dataset

DEFINITION = ("mini.json", "mini.py", "scenes.py", "canvas.py")
# One thread, and no macroblock tree: x264's reads memory it never wrote, so its bytes change with what lay there.
ENCODER = {"preset": "medium", "crf": "23", "threads": "1", "x264-params": "mbtree=0"}
KEY_FRAME_SECONDS = 2


def load_mini(path: Path | None = None, videos: Path | None = None) -> Dataset:
    """Return the embedded split. It takes no annotation file; `videos` sets where the clips are rendered."""
    if path is not None:
        raise UsageError("the mini split is part of the package and takes no file", path, "leave the path out")
    return Dataset(
        name="mini",
        source="embedded",
        sha256=definition_sha256(),
        taxonomy=load_taxonomy("cuva"),
        annotations=tuple(_annotation(clip) for clip in _clips()),
        videos=videos or default_folder(),
        render=render_clip,
    )


def definition_sha256() -> str:
    """Return the hex SHA-256 of all that defines the split: its annotations and the code that draws it."""
    folder = Path(__file__).parent
    return hashlib.sha256(b"".join((folder / name).read_bytes() for name in DEFINITION)).hexdigest()


def default_folder() -> Path:
    """Return the cache folder of the clips: one for each definition and version of the libraries that write them."""
    versions = {package: version(package) for package in ("av", "numpy")}
    return cache_dir() / "mini" / sha256_of([definition_sha256(), versions])[:16]


def render_clip(annotation: Annotation, path: Path) -> None:
    """Draw one clip of the split and put it at `path`, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{uuid.uuid4().hex}.mp4")
    try:
        _encode(next(clip for clip in _clips() if clip["video"] == annotation.video), temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _encode(clip: dict[str, Any], path: Path) -> None:
    """Write a clip as H.264 in MP4, the same bytes every time: no date and no library's name is put in."""
    import av

    from .scenes import HEIGHT, SCENES, WIDTH

    draw = SCENES[clip["scene"]]
    moments = _moments(clip["moments"])
    rate = clip["frame_rate"]
    with av.open(path, "w", container_options={"fflags": "+bitexact", "movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=rate, options=ENCODER)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.gop_size = KEY_FRAME_SECONDS * rate
        for index in range(round(clip["duration"] * rate)):
            picture = draw(index / rate, moments).pixels
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


@cache
def _clips() -> list[dict[str, Any]]:
    text = (Path(__file__).parent / "mini.json").read_text(encoding="utf-8")
    return list(json.loads(text)["clips"])


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
