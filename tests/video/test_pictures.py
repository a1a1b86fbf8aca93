"""Views of other pictures, against the frames of the video itself and the order as it is documented."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.errors import UsageError
from ecva_bench.records import Moment
from ecva_bench.records.base import Pictures
from ecva_bench.video import Frames, Video
from ecva_bench.video.pictures import PictureView

from . import make

TICKS = np.cumsum([0, *([4] * 12), 30, 1, 1, 1, *([7] * 5), 60, 2, 2, 2, *([4] * 9)]).tolist()
CLIPS: dict[str, Callable[[Path], Path]] = {
    "variable rate": lambda folder: make.write(folder / "vfr.mp4", ticks=TICKS),
    "one frame": lambda folder: make.write(folder / "one.mp4", count=1),
    "two frames": lambda folder: make.write(folder / "two.mp4", count=2),
    "rotated": lambda folder: make.turn_right(make.write(folder / "turned.mp4", count=20)),
    "pictures later than sound": lambda folder: make.write_numbered(
        folder / "late.mkv", count=20, begins=Fraction(1, 5), sound=Fraction(0)
    ),
}


@pytest.fixture(scope="module", params=CLIPS)
def video(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Video:
    return Video(CLIPS[request.param](tmp_path_factory.mktemp("pictures")))


@pytest.fixture(scope="module")
def numbered(tmp_path_factory: pytest.TempPathFactory) -> Video:
    """A clip of which every frame says its number."""
    whole = Video(make.write_numbered(tmp_path_factory.mktemp("pictures") / "numbered.mp4", count=40))
    whole.preload(range(whole.n_frames))
    return whole


def whole(video: Video) -> Frames:
    return video.frames_at(range(video.n_frames))


def by_the_book(video: Video, numbers: Sequence[int]) -> list[int]:
    """Frames of a whole video in the documented order: by SHA-256, turned by one where that changes nothing."""
    file = hashlib.sha256(video.path.read_bytes()).hexdigest()
    order = sorted(numbers, key=lambda number: hashlib.sha256(f"{file}/{number}".encode()).hexdigest())
    return order[-1:] + order[:-1] if order == list(numbers) else order


@pytest.mark.parametrize("pictures", ["still", "shuffled", "blank"])
def test_times_numbers_and_size_are_those_of_the_video(video: Video, pictures: Pictures) -> None:
    view, full = PictureView(video, pictures), whole(video)
    frames = whole(view)
    assert (view.n_frames, view.duration, view.size) == (video.n_frames, video.duration, video.size)
    assert frames.timestamps.tolist() == full.timestamps.tolist() == view.timestamps.tolist()
    assert frames.positions.tolist() == full.positions.tolist() == view.positions.tolist()
    assert frames.indices.tolist() == full.indices.tolist()
    assert (frames.pixels.shape, frames.pixels.dtype) == (full.pixels.shape, full.pixels.dtype)
    assert not frames.pixels.flags.writeable
    assert (frames.substituted, frames.corrupt) == ({}, ())


def test_blank_has_no_picture_and_is_not_decoded(video: Video) -> None:
    view = PictureView(Video(video.path), "blank")
    assert not whole(view).pixels.any()
    assert view.source_indices(range(view.n_frames)).size == 0


def test_still_shows_the_middle_frame_at_every_time(video: Video) -> None:
    middle = video.n_frames // 2
    assert (whole(PictureView(video, "still")).pixels == video.frames_at([middle]).pixels[0]).all()


def test_shuffled_frames_are_those_of_the_video_in_the_documented_order(video: Video) -> None:
    view, full = PictureView(video, "shuffled"), whole(video)
    order = by_the_book(video, range(video.n_frames))
    assert np.array_equal(whole(view).pixels, full.pixels[order])
    assert view.source_indices(range(view.n_frames)).tolist() == order
    assert sorted(order) == full.indices.tolist()
    assert video.n_frames == 1 or order != full.indices.tolist()


@given(looked_at=st.lists(st.integers(0, 39), max_size=20))
def test_frames_a_model_looks_at_change_places_with_one_another_alone(numbered: Video, looked_at: list[int]) -> None:
    view = PictureView(numbered, "shuffled", among=looked_at)
    seen = [make.number_in(picture) for picture in view.frames_at(looked_at).pixels]
    among = sorted(set(looked_at))
    shown = dict(zip(among, by_the_book(numbered, among), strict=True))
    assert seen == [shown[number] for number in looked_at]
    rest = [number for number in range(40) if number not in among]
    assert [make.number_in(picture) for picture in view.frames_at(rest).pixels] == by_the_book(numbered, rest)


@given(first=st.lists(st.integers(0, 39), max_size=12), second=st.lists(st.integers(0, 39), min_size=1, max_size=12))
def test_a_frame_is_the_same_however_it_is_asked_for(numbered: Video, first: list[int], second: list[int]) -> None:
    view = PictureView(numbered, "shuffled", among=first)
    together = view.frames_at(second)
    for place, index in enumerate(second):
        assert np.array_equal(view.frames_at([index]).pixels[0], together.pixels[place])
    assert np.array_equal(view.frames(together.timestamps).pixels, together.pixels)


def test_a_moment_cut_from_a_view_leaves_a_view(numbered: Video) -> None:
    """Whoever cuts a view gets no frame of the video that the view hides, and none of the cut."""
    cut = [Moment(start=0.4, end=1.0)]  # frames 10 to 24
    left = [number for number in range(40) if not 10 <= number < 25]
    assert not whole(PictureView(numbered, "blank").without(cut)).pixels.any()
    shuffled = PictureView(numbered, "shuffled", among=[0, 5, 12, 30]).without(cut)
    seen = [make.number_in(picture) for picture in whole(shuffled).pixels]
    assert sorted(seen) == left != seen
    assert sorted(seen[left.index(number)] for number in (0, 5, 30)) == [0, 5, 30]
    assert shuffled.timestamps.tolist() == numbered.without(cut).timestamps.tolist()
    still = whole(PictureView(numbered, "still").without(cut)).pixels
    assert {make.number_in(picture) for picture in still} == {left[len(left) // 2]}


def test_a_view_of_a_cut_video_shows_what_is_left(numbered: Video) -> None:
    left = PictureView(numbered.without([Moment(start=0.0, end=1.0)]), "shuffled")
    assert sorted(make.number_in(picture) for picture in whole(left).pixels) == list(range(25, 40))
    assert left.removed == (Moment(start=0.0, end=1.0),)


def test_who_watches_a_view_is_told_its_times_and_who_watches_the_video_nothing(numbered: Video) -> None:
    video = Video(numbered.path)
    told: list[Frames] = []
    view = PictureView(video, "shuffled")
    view.on_frames, video.on_frames = told.append, pytest.fail
    frames = view.frames_at([3, 30])
    assert told == [frames]
    assert frames.timestamps.tolist() == video.timestamps[[3, 30]].tolist()


@pytest.mark.parametrize("pictures", ["still", "shuffled", "blank"])
def test_a_frame_that_is_not_there_is_refused(numbered: Video, pictures: Pictures) -> None:
    for index in (-1, 40):
        with pytest.raises(UsageError, match="it has 0 to 39"):
            PictureView(numbered, pictures).frames_at([index])


def test_damage_is_told_of_the_pictures_that_are_shown(shared_data: Path) -> None:
    """Frames that do not decode stand at other times in a shuffled video, each with the picture it has in the video."""
    video = Video(shared_data / "videos/damaged/trunc_faststart_99.mp4")
    looked_at = range(video.n_frames - 12, video.n_frames)
    full, view = video.frames_at(looked_at), PictureView(video, "shuffled", among=looked_at)
    shown = view.frames_at(looked_at)
    behind = view.source_indices(looked_at).tolist()
    assert full.substituted
    assert shown.substituted == {
        place: full.substituted[number]
        for place, number in zip(looked_at, behind, strict=True)
        if number in full.substituted
    }
    assert {behind[place - looked_at.start] for place in shown.corrupt} == set(full.corrupt)
    assert np.array_equal(shown.pixels, full.pixels[np.array(behind) - looked_at.start])
