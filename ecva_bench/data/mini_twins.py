"""The embedded set of twins: each clip of `mini`, the same without its anomaly, and its movement in another context.

A model that looks gives the three different answers; one that guesses from the scene does not. The clips of `mini` are
in it as they are. What the twins show is in `mini_twins.json`; they are drawn when first asked for.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..records import Annotation
from ..records.twins import original_of
from ..untrusted import parse_json
from .dataset import Dataset
from .drawing import Clip, check_drawn, clips_folder, draw_clip, drawn_sha256
from .mini import clip_annotation, load_mini, mini_clips

DEFINITION = Path(__file__).with_suffix(".json")


def load_mini_twins(path: Path | None = None, videos: Path | None = None) -> Dataset:
    """Return the embedded twins. They take no annotation file; `videos` sets where the clips are rendered.

    Raises `UsageError` for a file, `DataError` where the clips defined are not those of the version named.
    """
    if path is not None:
        raise UsageError("mini-twins is part of the package and takes no file", path, "leave the path out")
    definition, mini = _definition(), load_mini()
    drawn = drawn_sha256(definition["clips"], mini=mini.sha256)
    check_drawn(drawn, definition["sha256"], _edition(), DEFINITION)
    originals = [each.model_copy(update={"anomalous": True}) for each in mini.annotations]
    twins = [clip_annotation(clip) for clip in definition["clips"]]
    return replace(
        mini,
        name="mini-twins",
        source=f"embedded, version {definition['version']}",
        sha256=drawn,
        annotations=tuple(sorted((*originals, *twins), key=lambda each: each.video)),
        videos=videos or clips_folder("mini-twins", drawn),
        render=_render,
    )


def _render(annotation: Annotation, path: Path) -> None:
    draw_clip(_clips()[annotation.video], path, _edition(), DEFINITION)


def _clips() -> dict[str, Clip]:
    """Return what the clips are drawn from, by video: a twin is as long as its original, with its times."""
    clips = mini_clips()
    twins = {
        clip["video"]: replace(
            clips[original_of(clip["video"])], video=clip["video"], scene=clip["scene"], pixels=clip["pixels"]
        )
        for clip in _definition()["clips"]
    }
    return clips | twins


@cache
def _definition() -> dict[str, Any]:
    return dict(parse_json(DEFINITION.read_text(encoding="utf-8")))


def _edition() -> str:
    return f"version {_definition()['version']} of mini-twins"
