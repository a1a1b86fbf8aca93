"""The pictures of frames: each shows the frame of its time, and a file that cannot be read has none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from ecva_bench.report.thumbnails import COLUMNS, draw_thumbnails
from ecva_bench.video import Video
from tests.clips import write_clip


def test_each_picture_is_the_frame_of_its_time(tmp_path: Path) -> None:
    write_clip(tmp_path / "v.mp4")
    with Video(tmp_path / "v.mp4") as video:
        whole = video.frames_at(range(video.n_frames))
    times = whole.timestamps[:: max(1, len(whole) // 12)].tolist()
    found = draw_thumbnails(tmp_path / "v.mp4", [*times, 1e6], tmp_path / "frames" / "v.jpg")  # no frame at the last
    assert found is not None
    assert found["times"] == [round(seconds, 2) for seconds in times]
    assert found["file"] == "frames/v.jpg"
    sheet = np.asarray(Image.open(tmp_path / "frames" / "v.jpg"), dtype=float)
    for place, seconds in enumerate(times):
        row, column = divmod(place, COLUMNS)
        height, width = found["height"], found["width"]
        picture = sheet[row * height : (row + 1) * height, column * width : (column + 1) * width]
        means = np.abs(whole.pixels.mean(axis=(1, 2)) - picture.mean(axis=(0, 1))).sum(axis=1)
        own = int(np.searchsorted(whole.timestamps, seconds))
        assert means[own] <= means.min() + 3  # of 765; JPEG is not exact


def test_a_file_that_cannot_be_read_has_no_pictures(tmp_path: Path) -> None:
    (tmp_path / "v.mp4").write_bytes(b"no video")
    assert draw_thumbnails(tmp_path / "v.mp4", [0.0], tmp_path / "frames" / "v.jpg") is None
    assert not (tmp_path / "frames").exists()
