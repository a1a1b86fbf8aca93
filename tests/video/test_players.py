"""What a player shows, and when: pictures that begin after the sound, pixels that are not square, turned pictures."""

from __future__ import annotations

import itertools
import json
import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.records import Moment
from ecva_bench.video import Video
from ecva_bench.video.clock import Clock
from ecva_bench.video.probing import probe
from tests.cases import case

from . import make

HALF = Fraction(12, 25)  # about: a whole number of pictures
# Where pictures and sound begin on the container's clock, in seconds.
BEGINNINGS = {
    "half a second after the sound": (HALF, Fraction(0)),
    "three halves after the sound": (3 * HALF, Fraction(0)),
    "both late, pictures later": (Fraction(2), Fraction(1)),
    "before the sound": (Fraction(0), 3 * HALF),
    "with the sound": (Fraction(0), Fraction(0)),
    "without sound": (3 * HALF, None),
}
ROUNDED = {".mkv": 1e-3, ".flv": 1e-3, ".ts": 2e-5, ".mpg": 2e-5}  # seconds by which containers round


@pytest.mark.parametrize(
    ("name", "beginning"),
    [
        *itertools.product(("clip.mp4", "clip.mov", "clip.mkv", "clip.ts", "clip.flv", "clip.mpg"), BEGINNINGS),
        ("clip.ts", "far from zero"),  # which other containers do not keep
    ],
)
def test_an_instant_is_the_players(tmp_path: Path, name: str, beginning: str) -> None:
    pictures, sound = BEGINNINGS.get(beginning, (36_000 + HALF, Fraction(36_000)))
    path = make.write_numbered(tmp_path / name, begins=pictures, sound=sound)
    late = float(0 if sound is None else max(0, pictures - sound))
    video = Video(path)
    assert video.timestamps == pytest.approx(late + np.arange(50) / 25, abs=ROUNDED.get(path.suffix, 1e-9))
    assert video.positions.tolist() == video.timestamps.tolist()
    assert video.duration == pytest.approx(late + 2, abs=1e-2)
    assert video.frame_rate == pytest.approx(25, rel=1e-3)
    assert not video.variable_frame_rate
    instants = late + np.array([0.5, 17.5, 49.5]) / 25
    frames = video.frames(instants)
    assert [make.number_in(picture) for picture in frames.pixels] == [0, 17, 49]
    assert frames.timestamps == pytest.approx(instants - 0.02, abs=2e-3)
    assert make.number_in(video.frames([0]).pixels[0]) == 0  # before the first picture it is the first
    assert any("the first picture comes" in warning for warning in video.warnings) == (late > 0)


@given(
    base=st.sampled_from([Fraction(1, 12_800), Fraction(1, 90_000), Fraction(1001, 30_000), Fraction(1, 1000)]),
    days=st.lists(st.fractions(0, 1), min_size=1, max_size=5),
    late=st.builds(Fraction, st.integers(0, 10**6), st.sampled_from([1000, 44_100, 48_000, 90_000])),
)
def test_seconds_are_the_nearest_to_the_exact_quotients(base: Fraction, days: list[Fraction], late: Fraction) -> None:
    ticks = [round(86_400 * day / base) for day in days]
    clock = Clock(base, np.array([0]), 1, late)
    assert clock.seconds(np.array(ticks), late).tolist() == [float(tick * base + late) for tick in ticks]
    assert clock.seconds(np.array(ticks)).tolist() == [float(tick * base) for tick in ticks]


def test_what_comes_before_the_first_picture_is_cut_with_it(tmp_path: Path) -> None:
    video = Video(make.write_numbered(tmp_path / "clip.mp4", begins=Fraction("1.52"), sound=Fraction(0)))
    later = video.without([Moment(start=2, end=2.4)])
    kept = [*range(12), *range(22, 50)]
    assert [make.number_in(picture) for picture in later.frames_at(range(40)).pixels] == kept
    assert later.timestamps == pytest.approx(1.52 + np.array(kept) / 25)
    assert later.positions == pytest.approx(1.52 + np.arange(40) / 25)
    assert later.duration == pytest.approx(1.52 + 40 / 25)
    first = video.without([Moment(start=0, end=2)])
    assert [make.number_in(picture) for picture in first.frames_at([0, 37]).pixels] == [12, 49]
    assert first.positions == pytest.approx(np.arange(38) / 25)
    assert first.duration == pytest.approx(38 / 25)
    assert first.frame_rate == later.frame_rate == pytest.approx(25)


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mov"])
def test_pictures_an_edit_list_leaves_out_are_not_shown(tmp_path: Path, name: str) -> None:
    video = Video(make.write_numbered(tmp_path / name, begins=Fraction(-10, 25), sound=Fraction(0)))
    assert video.timestamps == pytest.approx(np.arange(40) / 25)
    assert [make.number_in(picture) for picture in video.frames([0, 0.99]).pixels] == [10, 34]


def test_pictures_of_an_avi_begin_with_its_first_chunk(tmp_path: Path) -> None:
    """The container has no presentation times: what FFmpeg makes up for reordered pictures is no beginning."""
    path = make.write_numbered(tmp_path / "clip.avi", sound=Fraction(0))
    assert Video(path).timestamps[0] == 0


def test_case_pixels_not_square() -> None:
    folder = case("pixels_not_square")
    expected = json.loads((folder / "expected.json").read_text())
    video = Video(folder / "wide.mp4")
    assert list(video.size) == expected["or shown size"]
    assert video.frames_at([0]).pixels.shape[1:] == (video.size[1], video.size[0], 3)
    assert any("16:11" in warning for warning in video.warnings) == expected["a warning names the pixel aspect"]


SHAPES = {  # pixel aspect -> width shown of 96
    Fraction(16, 11): 140,
    Fraction(4, 3): 128,
    Fraction(8, 9): 85,
    Fraction(1, 2): 48,
    Fraction(100, 99): 96,  # one pixel more is no shape
    Fraction(1, 1): 96,
    Fraction(8, 1): 96,  # no camera's
    Fraction(1, 8): 96,
}


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.ts"])
@pytest.mark.parametrize("aspect", SHAPES)
def test_frames_have_the_shape_a_player_shows(tmp_path: Path, name: str, aspect: Fraction) -> None:
    square = Video(make.write_numbered(tmp_path / f"square-{name}")).frames_at([5, 42])
    path = make.write_numbered(tmp_path / name, aspect=aspect)
    video, width = Video(path), SHAPES[aspect]
    assert video.size == probe(path).size == (width, make.HEIGHT)
    assert video.frame_bytes == width * make.HEIGHT * 3
    frames = video.frames_at([5, 42])
    assert frames.pixels.shape == (2, make.HEIGHT, width, 3)
    assert [make.number_in(picture) for picture in frames.pixels] == [5, 42]
    if width == make.WIDTH:
        assert np.array_equal(frames.pixels, square.pixels)
        assert any("square" in warning for warning in video.warnings) == (not Fraction(1, 4) <= aspect <= 4)
    else:
        assert np.abs(stretched(square.pixels, width) - frames.pixels).max() <= 1
        assert any(f"to {width}x64" in warning for warning in video.warnings)
    video.preload([5, 42])
    assert np.array_equal(video.frames_at([42]).pixels[0], frames.pixels[1])


def stretched(pixels: np.ndarray, width: int) -> np.ndarray:
    """Return [T, H, width, 3] by the definition: Keys' cubic with a = -1/2, in pixels of the coarser side."""
    count = pixels.shape[2]
    scale = max(1.0, count / width)
    centres = (np.arange(width) + 0.5) * count / width
    x = np.abs(np.arange(count) + 0.5 - centres[:, None]) / scale
    near, far = 1.5 * x**3 - 2.5 * x**2 + 1, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    weights = np.where(x < 1, near, np.where(x < 2, far, 0.0))
    weights /= weights.sum(axis=1, keepdims=True)
    return np.clip(np.einsum("wc,thcd->thwd", weights, pixels), 0, 255).round()


def test_shaped_pictures_are_turned_after_they_are_shaped(tmp_path: Path) -> None:
    path = make.write_numbered(tmp_path / "clip.mp4", aspect=Fraction(4, 3))
    upright = Video(path).frames_at([9]).pixels[0]
    turned = Video(make.turn_right(shutil.copy(path, tmp_path / "turned.mp4")))
    assert turned.size == (64, 128)
    assert np.array_equal(turned.frames_at([9]).pixels[0], np.rot90(upright, -1))


@pytest.mark.parametrize("b", [0, 1, -1])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("mirrored", [False, True])
def test_turned_and_mirrored_pictures(tmp_path: Path, b: int, sign: int, mirrored: bool) -> None:
    """Every matrix that puts pixels on pixels, against the matrix itself, pixel by pixel."""
    a = 0 if b else sign
    c, d = (b, -a) if mirrored else (-b, a)
    path = make.write(tmp_path / "clip.mp4")
    coded = Video(path).frames_at([30]).pixels[0]
    video = Video(make.turn(path, a, b, c, d))
    x, y = np.meshgrid(np.arange(make.WIDTH), np.arange(make.HEIGHT))
    at_x, at_y = a * x + c * y, b * x + d * y
    expected = np.zeros((np.ptp(at_y) + 1, np.ptp(at_x) + 1, 3), np.uint8)
    expected[at_y - at_y.min(), at_x - at_x.min()] = coded
    assert video.size == expected.shape[1::-1]
    assert np.array_equal(video.frames_at([30]).pixels[0], expected)


def test_what_players_show_otherwise_is_said(tmp_path: Path, shared_data: Path) -> None:
    damaged = shared_data / "videos/damaged"
    assert any("HDR (PQ)" in warning for warning in Video(damaged / "hdr10_hevc.mp4").warnings)
    assert any("interlaced" in warning for warning in Video(damaged / "interlaced.mp4").warnings)
    assert not Video(damaged / "ok_fast.mp4").warnings


def test_transparency_is_said(tmp_path: Path) -> None:
    path = make.write(tmp_path / "clip.mov", codec="qtrle", pixels="argb", count=3)
    assert any("transparent" in warning for warning in Video(path).warnings)


@pytest.mark.parametrize("full", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize(("space", "red", "blue"), [(5, 0.299, 0.114), (1, 0.2126, 0.0722)], ids=["601", "709"])
def test_colours_are_those_of_the_range_and_matrix_stated(
    tmp_path: Path, full: bool, space: int, red: float, blue: float
) -> None:
    """A flat picture of 128, 90, 200, against the definition of what these numbers mean."""
    path = make.write_flat(tmp_path / "clip.mp4", (128, 90, 200), full=full, space=space)
    luma, scale = (128, 1.0) if full else ((128 - 16) * 255 / 219, 255 / 224)
    b, r = scale * (90 - 128) * 2 * (1 - blue), scale * (200 - 128) * 2 * (1 - red)
    g = -(red * r + blue * b) / (1 - red - blue)
    expected = np.clip([luma + r, luma + g, luma + b], 0, 255)
    assert Video(path).frames_at([0]).pixels[0, 32, 48] == pytest.approx(expected, abs=2)
