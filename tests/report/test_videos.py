"""Which file the page shows a video by."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecva_bench.records import Annotation
from ecva_bench.report.videos import Videos


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (
        "1.mp4",
        "1.srt",
        "2.avi",
        "2.mkv",
        "cam.1.mp4",
        "cam.2.mp4",
        "day/3.mp4",
        "night/3.mp4",
        "4",
        "deep/er/6.webm",
        "deep/video_7.mp4",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    return tmp_path


FILES = {
    "1": "1.mp4",
    "00001": "1.mp4",
    "2": None,  # either of two
    "cam.1": "cam.1.mp4",
    "cam": None,
    "day/3": "day/3.mp4",
    "3": None,
    "4": "4",
    "6": "deep/er/6.webm",
    "00007": "deep/video_7.mp4",
    "5": None,
}


@pytest.mark.parametrize("video", FILES)
def test_a_video_is_shown_by_the_only_file_that_its_id_names(video: str, folder: Path) -> None:
    file = FILES[video]
    expected = (folder / file).resolve() if file else None
    assert Videos(folder=folder).file(video) == expected
    annotations = {video: Annotation(video=video, media=f"{video}.mp4")}
    assert Videos(annotations, folder).file(video) == expected
    assert Videos().file(video) is None


def test_the_name_that_is_annotated_counts_first(folder: Path) -> None:
    annotations = {"2": Annotation(video="2", media="2.mkv"), "1": Annotation(video="1", media="set/1.mp4")}
    assert Videos(annotations, folder).file("2") == (folder / "2.mkv").resolve()
    assert Videos(annotations, folder).file("1") == (folder / "1.mp4").resolve()
