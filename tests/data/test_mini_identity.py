"""The identity of the split: that of what is drawn and annotated, for every source text that draws the same."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ecva_bench
from ecva_bench.data import drawing, mini
from ecva_bench.data.canvas import Canvas
from ecva_bench.data.mini import DEFINITION, load_mini
from ecva_bench.data.scenes import SCENES
from ecva_bench.errors import DataError
from ecva_bench.records import Moment

DATA = json.loads(DEFINITION.read_text(encoding="utf-8"))
CLIPS = {clip["video"]: clip for clip in DATA["clips"]}
LEADERBOARDS = Path(__file__).resolve().parents[2] / "leaderboards"


@pytest.mark.parametrize("video", CLIPS)
def test_every_frame_is_drawn_as_the_version_says(video: str) -> None:
    clip = CLIPS[video]
    moments = [Moment(start=start, end=end) for start, end in clip["moments"]]
    times = [index / clip["frame_rate"] for index in range(round(clip["duration"] * clip["frame_rate"]))]
    pictures = (SCENES[clip["scene"]](t, moments).pixels for t in times)
    drawn = b"".join(f"({', '.join(map(str, picture.shape))})".encode() + bytes(picture.data) for picture in pictures)
    assert hashlib.sha256(drawn).hexdigest() == clip["pixels"]


def test_annotations_hold_what_the_version_says() -> None:
    for annotation, clip in zip(load_mini().annotations, DATA["clips"], strict=True):
        found = json.loads(annotation.model_dump_json())
        assert annotation.review is not None
        spans = [
            [[moment.start, moment.end] for moment in each] for each in (annotation.moments, annotation.review.moments)
        ]
        assert spans == [clip["moments"], clip["reviewed"]]
        assert found["label"] == clip["label"] == found["review"]["label"]
        same = ("video", "description", "cause", "effect", "key_sentences", "severity_curve")
        assert {name: found[name] for name in same} == {name: clip[name] for name in same}


def test_what_is_frozen_is_of_this_version() -> None:
    """Frozen runs, their scores and submissions can be compared with a run of today."""
    files = [*LEADERBOARDS.glob("ci/*.jsonl"), *LEADERBOARDS.glob("mini/submissions/*.json")]
    named = re.compile(r'"dataset_sha256": ?"(\w+)"|"dataset":\{"name":"mini","sha256":"(\w+)"')
    found = [match[1] or match[2] for path in files for match in named.finditer(path.read_text(encoding="utf-8"))]
    assert len(found) == len([path for path in files if path.name != "judge.jsonl"]) > 10
    assert set(found) == {load_mini().sha256}


def test_a_comment_changes_nothing(tmp_path: Path) -> None:
    """Neither the identity nor the folder of the rendered clips; loaded from a copy of the package with other text."""
    package = Path(ecva_bench.__file__).parent
    shutil.copytree(package, tmp_path / "ecva_bench", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("mini.py", "drawing.py", "scenes/roads.py", "canvas.py"):
        with (tmp_path / "ecva_bench" / "data" / name).open("a", encoding="utf-8") as file:
            file.write("# One more remark.\n")
    code = "from ecva_bench.data import mini; d = mini.load_mini(); print(mini.__file__, d.sha256, d.videos, sep='\\n')"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    here = load_mini()
    assert done.stdout.splitlines() == [str(tmp_path / "ecva_bench/data/mini.py"), here.sha256, str(here.videos)]


CHANGES: dict[str, Any] = {
    "duration": 8.9,
    "frame_rate": 16,
    "moments": [[3.6, 6.1]],
    "reviewed": [[3.5, 6.1]],
    "label": {"major": 5, "sub": 1, "severity": 4},
    "cause": "None.",
    "key_sentences": ["Two cars collided"],
    "severity_curve": [[0.0, 0.1], [9.0, 0.3]],
    "pixels": "0" * 64,
}


@pytest.mark.parametrize("field", CHANGES)
def test_a_changed_definition_is_refused_under_the_old_version(field: str, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = copy.deepcopy(DATA)
    changed["clips"][0][field] = CHANGES[field]
    monkeypatch.setattr(mini, "_definition", lambda: changed)
    with pytest.raises(DataError, match="not those of version 1 of mini"):
        load_mini()


def test_other_encoder_settings_are_refused_under_the_old_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(drawing.ENCODER, "crf", "24")
    with pytest.raises(DataError, match="not those of version 1 of mini"):
        load_mini()


def test_one_other_pixel_is_refused_when_a_clip_is_rendered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = CLIPS["mini04"]["scene"]
    draw = SCENES[name]

    def other(t: float, moments: Sequence[Moment]) -> Canvas:
        canvas = draw(t, moments)
        if t == 2.0:
            canvas.pixels[100, 200, 1] ^= np.uint8(1)
        return canvas

    monkeypatch.setitem(SCENES, name, other)
    dataset = load_mini(videos=tmp_path)
    with pytest.raises(DataError, match="frames of mini04 are not those of version 1"):
        dataset.ensure_videos(only={"mini04"})
    assert list(tmp_path.iterdir()) == []
