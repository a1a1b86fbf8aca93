"""Cutting moments from the timeline, against a frame-by-frame account of what should be left."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.errors import NoFrames
from ecva_bench.records import Moment
from ecva_bench.video import Video

from . import make

TICKS = np.cumsum([0, *([4] * 20), 30, 1, 1, 1, *([7] * 10), 60, 2, 2, 2, *([4] * 20)]).tolist()

moments = st.lists(
    st.tuples(st.integers(0, 450), st.integers(0, 200)).map(
        lambda span: Moment(start=span[0] / 100, end=(span[0] + span[1]) / 100)
    ),
    max_size=4,
)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make.write(tmp_path_factory.mktemp("edit") / "vfr.mp4", ticks=TICKS)


@pytest.fixture(scope="module")
def video(clip: Path) -> Video:
    whole = Video(clip)
    whole.preload(range(whole.n_frames))
    return whole


def left_over(video: Video, cut: list[Moment]) -> list[int]:
    """The account: frame by frame, moment by moment."""
    return [
        index
        for index, seconds in enumerate(video.timestamps)
        if not any(moment.start <= seconds < moment.end for moment in cut)
    ]


@given(cut=moments)
def test_an_edit_shows_what_is_left_in_order(video: Video, cut: list[Moment]) -> None:
    left = left_over(video, cut)
    if not left:
        with pytest.raises(NoFrames):
            video.without(cut)
        return
    edit = video.without(cut)
    shown = range(edit.n_frames)
    assert edit.source_indices(shown).tolist() == left
    assert edit.timestamps.tolist() == [video.timestamps[index] for index in left]
    frames = edit.frames_at(shown)
    assert np.array_equal(frames.pixels, video.frames_at(left).pixels)
    assert frames.timestamps.tolist() == edit.timestamps.tolist()
    assert frames.positions.tolist() == edit.positions.tolist()
    assert edit.removed == tuple(cut)


@given(cut=moments)
def test_each_frame_left_stays_on_screen_as_long_as_it_did(video: Video, cut: list[Moment]) -> None:
    left = left_over(video, cut)
    if left:
        edit = video.without(cut)
        ends = np.append(video.timestamps[1:], video.duration)
        lengths = (ends - video.timestamps)[left]
        assert edit.duration == pytest.approx(lengths.sum())
        assert edit.positions == pytest.approx(np.cumsum(lengths) - lengths)
        assert edit.frame_rate == pytest.approx(len(left) / lengths.sum())


@given(first=moments, second=moments)
def test_edits_compose_like_one_edit(video: Video, first: list[Moment], second: list[Moment]) -> None:
    if left_over(video, first + second):
        composed = video.without(first).without(second)
        at_once = video.without([*second, *first])
        shown = range(composed.n_frames)
        assert composed.source_indices(shown).tolist() == at_once.source_indices(shown).tolist()
        assert composed.positions.tolist() == at_once.positions.tolist()


@given(cut=moments, instants=st.lists(st.floats(-1, 6), max_size=5))
def test_an_instant_shows_the_last_frame_begun(video: Video, cut: list[Moment], instants: list[float]) -> None:
    left = left_over(video, cut)
    if left:
        edit = video.without(cut)
        begun = [[index for index in left if video.timestamps[index] <= instant] for instant in instants]
        expected = [(candidates or left[:1])[-1] for candidates in begun]
        assert edit.source_indices(edit.indices_at(instants)).tolist() == expected


def test_cutting_nothing_changes_nothing(video: Video) -> None:
    edit = video.without([])
    assert edit.n_frames == video.n_frames
    assert edit.positions.tolist() == video.positions.tolist() == video.timestamps.tolist()
    assert edit.duration == video.duration


def test_cutting_everything_is_an_error_that_names_the_file(video: Video) -> None:
    with pytest.raises(NoFrames, match=r"vfr\.mp4"):
        video.without([Moment(start=0, end=1000)])


def test_the_whole_video_is_untouched_by_its_edits(video: Video) -> None:
    before = video.n_frames
    video.without([Moment(start=0, end=1)]).without([Moment(start=2, end=3)])
    assert (video.n_frames, video.removed) == (before, ())
