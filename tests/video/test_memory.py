"""Preloaded frames: the same bytes, decoded once, shared by a video and its edits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ecva_bench.records import Moment
from ecva_bench.video import Video, source

from . import make


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """The ranks of every decode from now on, one list each."""
    calls: list[list[int]] = []
    decode = source.decode

    def counted(index, ranks, seconds):  # type: ignore[no-untyped-def]
        calls.append(ranks.tolist())
        return decode(index, ranks, seconds)

    monkeypatch.setattr(source, "decode", counted)
    return calls


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return make.write(tmp_path / "clip.mp4", options={"g": "12", "bf": "3"})


def test_a_preloaded_video_is_decoded_once(clip: Path, decoded: list[list[int]]) -> None:
    truth = Video(clip).frames_at(range(60)).pixels
    decoded.clear()
    video = Video(clip)
    edit = video.without([Moment(start=0.5, end=1.0)])
    video.preload([40, 3, 3, 59, 20])
    video.preload([3, 20])
    assert decoded == [[3, 20, 40, 59]]
    assert np.array_equal(video.frames_at([59, 3, 3]).pixels, truth[[59, 3, 3]])
    shown = int(np.flatnonzero(edit.source_indices(range(edit.n_frames)) == 40)[0])
    assert np.array_equal(edit.frames_at([shown]).pixels[0], truth[40])
    assert np.array_equal(video.frames([20 / 25]).pixels[0], truth[20])
    assert decoded == [[3, 20, 40, 59]]


def test_only_what_is_not_in_memory_is_decoded(clip: Path, decoded: list[list[int]]) -> None:
    truth = Video(clip).frames_at(range(60)).pixels
    decoded.clear()
    video = Video(clip)
    video.preload([10, 30])
    assert np.array_equal(video.frames_at([30, 31, 10, 9]).pixels, truth[[30, 31, 10, 9]])
    assert decoded == [[10, 30], [9, 31]]


def test_frames_cannot_be_written_to(clip: Path) -> None:
    video = Video(clip)
    for _ in range(2):
        for indices in ([7], [9, 7, 7]):
            with pytest.raises(ValueError, match="read-only"):
                video.frames_at(indices).pixels[:] = 0
        video.preload([7, 9])


def test_the_same_question_is_not_copied_again(clip: Path) -> None:
    video = Video(clip)
    video.preload(range(60))
    first, again = video.frames_at([3, 5]), video.frames_at([3, 5])
    assert again.pixels is first.pixels
    truth = Video(clip).frames_at([3, 5, 4])
    assert np.array_equal(video.frames_at([3, 5]).pixels, truth.pixels[:2])
    assert np.array_equal(video.frames_at([3, 4]).pixels, truth.pixels[[0, 2]])
    assert np.array_equal(first.pixels, truth.pixels[:2])


def test_release_forgets(clip: Path, decoded: list[list[int]]) -> None:
    with Video(clip) as video:
        video.preload([7])
        video.release()
        video.frames_at([7])
        assert decoded == [[7], [7]]
        video.preload([8])
    video.frames_at([8])
    assert decoded == [[7], [7], [8], [8]]
