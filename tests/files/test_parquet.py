"""Parquet files: rows as JSON would have them, and videos as bytes under a name, whatever the columns are called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ecva_bench.data import load_dataset
from ecva_bench.errors import DataError, VideoMissing
from ecva_bench.files import parquet
from ecva_bench.files.archives import on_disk
from tests.clips import write_clip

pyarrow = pytest.importorskip("pyarrow")
CLIPS = {"00001.mp4": 8, "deep/00002.avi": 12}


@pytest.fixture
def clips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    monkeypatch.setenv("ECVA_CACHE", str(tmp_path / "cache"))
    return {name: write_clip(tmp_path / "clip.mp4", frames=n).read_bytes() for name, n in CLIPS.items()}


def save(path: Path, rows: list[dict[str, Any]]) -> Path:
    from pyarrow.parquet import write_table

    write_table(pyarrow.Table.from_pylist(rows), path, row_group_size=3)
    return path


def rows_of(clips: dict[str, bytes], form: str) -> list[dict[str, Any]]:
    """The rows of a set, with the videos in one of the forms in which hubs hold them."""
    videos: dict[str, Any] = {
        "record": {name: {"visual_input": {"bytes": content, "path": name}} for name, content in clips.items()},
        "bytes": {name: {"mp4": content, "video_name": name} for name, content in clips.items()},
        "paths": {name: {"visual_input": name} for name in clips},
    }[form]
    return [
        {**videos[name], "task": task, "output": text, "ID": number}
        for number, (name, task, text) in enumerate(
            (name, task, text)
            for name in clips
            for task, text in (("Cause", f"of {name}"), ("Timestamp", "[0000,0001]"))
        )
    ]


@pytest.mark.parametrize("form", ["record", "bytes", "paths"])
def test_videos_in_the_file_itself_are_annotated_and_shown(tmp_path: Path, clips: dict[str, bytes], form: str) -> None:
    path = save(tmp_path / "test.parquet", rows_of(clips, form))
    dataset = load_dataset(path, videos=tmp_path)
    assert [(each.video, each.cause) for each in dataset.annotations] == [
        ("00001", "of 00001.mp4"),
        ("deep/00002", "of deep/00002.avi"),
    ]
    assert parquet.videos(path) == ([] if form == "paths" else list(clips))
    if form != "paths":
        found = [on_disk(dataset.media_path(each)).read_bytes() for each in dataset.annotations]
        assert found == list(clips.values())
        with pytest.raises(VideoMissing):
            parquet.content(path, "3.mp4")


def test_bytes_without_a_name_are_no_video_and_their_row_number_names_none(tmp_path: Path) -> None:
    row = {"visual_input": {"bytes": b"video", "path": None}, "task": "Cause", "output": "c", "ID": 7}
    whole = {"visual_input": {"bytes": b"video", "path": "1.mp4"}, "task": "Cause", "output": "c", "ID": 8}
    path = save(tmp_path / "a.parquet", [row, whole])
    dataset = load_dataset(path)
    assert [each.video for each in dataset.annotations] == ["1"]
    assert [finding.rule for finding in dataset.findings] == ["row-broken"]
    assert parquet.videos(path) == ["1.mp4"]


def test_a_damaged_file_is_an_error_with_its_name(tmp_path: Path) -> None:
    path = save(tmp_path / "a.parquet", [{"visual_input": "1.mp4", "task": "Cause", "output": "c"}])
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"damaged.*a\.parquet"):
        load_dataset(path)
