"""The embedded split: 14 short clips drawn by our own code, so that everything runs with no download.

`load_mini` reads the annotations (`mini.json`) and decodes nothing; a clip is drawn when it is first asked for
and kept in the cache, in a folder named after everything its bytes depend on.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..records import Annotation, Label, Moment
from ..records.annotations import Review
from ..taxonomy import load_taxonomy
from ..untrusted import parse_json
from .dataset import Dataset
from .drawing import Clip, check_drawn, clips_folder, draw_clip, drawn_sha256, is_as_drawn

DEFINITION = Path(__file__).with_suffix(".json")


def load_mini(path: Path | None = None, videos: Path | None = None) -> Dataset:
    """Return the embedded split. It takes no annotation file; `videos` sets where the clips are rendered.

    Raises `UsageError` for a file, `DataError` where the clips defined are not those of the version named.
    """
    if path is not None:
        raise UsageError("the mini split is part of the package and takes no file", path, "leave the path out")
    definition, drawn = _definition(), drawn_sha256(_definition()["clips"])
    check_drawn(drawn, definition["drawn"], _edition(), DEFINITION)
    return Dataset(
        name="mini",
        source=f"embedded, version {definition['version']}",
        sha256=definition["sha256"],
        taxonomy=load_taxonomy("cuva"),
        annotations=tuple(clip_annotation(clip) for clip in definition["clips"]),
        videos=videos or clips_folder("mini", drawn),
        render=render_clip,
        is_rendered=is_as_drawn,
    )


def render_clip(annotation: Annotation, path: Path) -> None:
    """Draw one clip of the split and put it at `path`, whole or not at all.

    Raises `DataError` where the frames drawn are not those of the split's version.
    """
    draw_clip(mini_clips()[annotation.video], path, _edition(), DEFINITION)


def mini_clips() -> dict[str, Clip]:
    """Return what the clips are drawn from, by video."""
    return {
        clip["video"]: Clip(
            video=clip["video"],
            scene=clip["scene"],
            moments=spans(clip["moments"]),
            duration=clip["duration"],
            frame_rate=clip["frame_rate"],
            pixels=clip["pixels"],
        )
        for clip in _definition()["clips"]
    }


@cache
def _definition() -> dict[str, Any]:
    return dict(parse_json(DEFINITION.read_text(encoding="utf-8")))


def _edition() -> str:
    return f"version {_definition()['version']} of mini"


def spans(pairs: list[list[float]]) -> tuple[Moment, ...]:
    """Return moments of [start, end] pairs, as they stand in a definition."""
    return tuple(Moment(start=start, end=end) for start, end in pairs)


def clip_annotation(clip: dict[str, Any]) -> Annotation:
    """Return what a definition says of a clip, of the split or of its twins."""
    label = Label(**clip["label"]) if clip["label"] else None
    reviewed = spans(clip["reviewed"])
    return Annotation(
        video=clip["video"],
        media=f"{clip['video']}.mp4",
        label=label,
        moments=spans(clip["moments"]),
        description=clip["description"],
        cause=clip["cause"],
        effect=clip["effect"],
        key_sentences=tuple(clip["key_sentences"]),
        severity_curve=tuple((seconds, importance) for seconds, importance in clip.get("severity_curve", ())),
        review=Review(label=label, moments=reviewed) if reviewed else None,
        anomalous=clip.get("anomalous"),
    )
