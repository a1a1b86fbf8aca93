"""Reading curves.jsonl: whole lines count, the first curve of a video, and nothing wrong is read in silence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ecva_bench.data.curves import load_curves
from ecva_bench.errors import DataError


def line(video: str, **changed: Any) -> str:
    curve = {
        "schema": "ecva.curve/1",
        "type": "curve",
        "video": video,
        "video_sha256": "00",
        "duration": 4.0,
        "sentences": [{"text": "a car brakes", "rank": 1.0, "score": 1.0, "votes": [1.0, None], "spans": [[0.5, 2]]}],
        "times": [0.5, 1.5, 2.5],
        "similarity": [[0.2, 0.3, 0.25]],
        "value": [0.2, 0.3, 0.25],
        "importance": [0.0, 1.0, 0.5],
        "contrast": 0.1,
        "settings": {"protocol": "standard"},
    }
    return json.dumps({**curve, **changed})


def error(video: str) -> str:
    return json.dumps(
        {"schema": "ecva.curve/1", "type": "error", "video": video, "error": "file_missing", "message": ""}
    )


def write(path: Path, *lines: str, end: str = "\n") -> Path:
    path.write_text("\n".join(lines) + (end if lines else ""))
    return path


def test_curves_are_found_by_their_video(tmp_path: Path) -> None:
    again = line("one", value=[9, 9, 9], importance=[0, 0, 0])
    path = write(
        tmp_path / "curves.jsonl", error("one"), line("one"), error("two"), again, line("three"), '{"sch', end=""
    )
    found = load_curves(path)
    assert list(found) == ["one", "three"]
    assert found["one"].points == ((0.5, 0.0), (1.5, 1.0), (2.5, 0.5))
    assert found["one"].sentences[0].votes == (1.0, None)
    assert not found["one"].flat


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ((), "holds no curve"),
        ((error("one"),), "holds no curve"),
        (("{}",), "line 1 is no record of ecva.curve/1"),
        (("no",), "line 1 is no JSON"),
        ((line("one"), line("two", settings={"protocol": "cuva-2024"})), "line 2.*'two'.*other settings"),
        ((line("one", importance=[0, 2, 0]),), "importance.1"),
        ((line("one", value=[0.1]),), "not equally many"),
        ((line("one", times=[0.5, 0.5, 1]),), "not in order"),
        ((line("one", value=[0.1, float("nan"), 1]),), "line 1"),
        ((line("one", schema="ecva.curve/2"),), "ecva.curve/1"),
    ],
)
def test_what_is_no_file_of_curves_is_refused(tmp_path: Path, lines: tuple[str, ...], said: str) -> None:
    with pytest.raises(DataError, match=said):
        load_curves(write(tmp_path / "curves.jsonl", *lines))


def test_an_absent_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        load_curves(tmp_path / "curves.jsonl")
