"""The seconds models are told are those of the frames they are shown, or a warning says otherwise.

On a clip that shows 25 frames a second for 4 s and 5 a second from then on, and on one whose pictures begin late.
"""

from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from ecva_bench.adapters.a_guardian.adapter import AGuardian
from ecva_bench.adapters.hf.adapter import Hf
from ecva_bench.adapters.hf.families import FAMILIES
from ecva_bench.adapters.openai_endpoint.frames import video_metadata
from ecva_bench.adapters.parts.media.frames import image_parts, uneven
from ecva_bench.adapters.timechat.adapter import seconds
from ecva_bench.answering import create_adapter
from ecva_bench.records import Moment
from ecva_bench.video import Video, samplers
from tests.adapters import tiny_hf
from tests.video.make import number_in, write_numbered

TICKS = [*range(0, 400, 4), *range(400, 1000, 20)]  # hundredths of a second
ENDPOINT = {"base_url": "http://127.0.0.1:9/v1"}


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("clips")
    return {
        "varying": write_numbered(folder / "varying.mp4", ticks=TICKS),
        "late": write_numbered(folder / "late.mp4", begins=Fraction("1.52"), sound=Fraction(0)),
        "even": write_numbered(folder / "even.mp4"),
    }


def real(kind: str, pixels: np.ndarray) -> list[float]:
    """Return when frames come on screen by the numbers in their pixels: what was encoded, in seconds."""
    numbers = [number_in(picture) for picture in pixels]
    if kind == "varying":
        return [TICKS[number] / 100 for number in numbers]
    return [(1.52 if kind == "late" else 0) + number / 25 for number in numbers]


@pytest.mark.parametrize("kind", ["varying", "late", "even"])
def test_seconds_in_words_are_the_frames_own(clips: dict[str, Path], kind: str) -> None:
    video = Video(clips[kind])
    frames = video.frames_at(samplers.linspace(video.n_frames, 16))
    own = real(kind, frames.pixels)
    parts = image_parts(frames, video, [{"type": "image"}] * 16)
    words = [part["text"] for part in parts[1:] if part["type"] == "text"]
    assert [float(word.removesuffix(" s:")) for word in words] == pytest.approx(own, abs=0.0501)
    assert [float(second) for second in seconds(frames.positions)] == pytest.approx(own, abs=0.0501)


@pytest.mark.parametrize("count", [4, 16, 50])
@pytest.mark.parametrize("kind", ["varying", "late", "even"])
def test_indices_over_the_rate_are_the_frames_own_seconds(clips: dict[str, Path], kind: str, count: int) -> None:
    video = Video(clips[kind])
    frames = video.frames_at(samplers.linspace(video.n_frames, count))
    told = video_metadata(frames, video)
    places = np.array(told["frames_indices"])
    off = np.abs(places / told["fps"] - real(kind, frames.pixels)).max()
    assert off <= (0.5 / told["fps"] if kind == "varying" else 1e-6)
    assert places.max() < told["total_num_frames"]
    assert told["total_num_frames"] / told["fps"] == pytest.approx(video.duration)
    json.dumps(told)
    if kind == "even":
        assert places.tolist() == frames.indices.tolist()
        assert told["total_num_frames"] == video.n_frames


def test_after_a_cut_indices_are_of_the_timeline_shown(clips: dict[str, Path]) -> None:
    video = Video(clips["varying"]).without([Moment(start=1, end=3), Moment(start=6, end=7)])
    frames = video.frames_at(samplers.linspace(video.n_frames, 12))
    own = np.array(real("varying", frames.pixels))
    shown = own - 2 * (own >= 3) - (own >= 7)
    told = video_metadata(frames, video)
    assert np.abs(np.array(told["frames_indices"]) / told["fps"] - shown).max() <= 0.5 / told["fps"]


def test_uneven_times_are_warned_of_and_even_ones_not(clips: dict[str, Path]) -> None:
    varying, even, late = (Video(clips[kind]) for kind in ("varying", "even", "late"))
    (warning,) = uneven(varying, samplers.linspace(varying.n_frames, 16))
    indices = samplers.linspace(varying.n_frames, 16)
    own = np.array(TICKS)[indices] / 100
    astray = np.abs(own - np.linspace(own[0], own[-1], 16)).max()
    assert float(re.search(r"up to ([\d.]+) s", warning)[1]) == pytest.approx(astray, abs=0.0501)  # type: ignore[index]
    for video in (even, late):
        for count in (1, 2, 3, 7, 16, 49, 50):
            assert uneven(video, samplers.linspace(video.n_frames, count)) == ()
    assert uneven(varying, varying.indices_at(np.arange(0, 10, 0.5))) == ()  # even in time


def test_who_is_told_one_interval_is_warned(clips: dict[str, Path], tmp_path: Path) -> None:
    varying, even = Video(clips["varying"]), Video(clips["even"])
    for family in ("qwen2_5_vl", "qwen3_vl", "internvl"):
        adapter = create_adapter(f"hf:{tiny_hf.write(tmp_path / family, family)}")
        assert isinstance(adapter, Hf)
        assert bool(adapter.warnings(varying)) == (family == "qwen2_5_vl")
        assert adapter.warnings(even) == ()
    assert (
        create_adapter(f"hf:{tmp_path / 'qwen2_5_vl'}", {"input": "images"}).warnings(varying) == ()
    )  # each after its time
    assert create_adapter("openai:m", {**ENDPOINT, "frames_as": "video"}).warnings(varying)
    assert create_adapter("openai:m", {**ENDPOINT, "frames_as": "video"}).warnings(even) == ()
    assert create_adapter("openai:m", ENDPOINT).warnings(varying) == ()


def test_of_a_video_behind_an_endpoint_it_is_said_that_its_times_may_not_be_told() -> None:
    as_video, as_images = (create_adapter("openai:m", {**ENDPOINT, "frames_as": way}) for way in ("video", "images"))
    (note,) = as_video.notes(["cause", "timestamp", "grounding"])
    assert "it is asked timestamp and grounding: --model-arg frames-as=images writes each frame's second" in note
    assert as_video.notes(["cause", "detection"]) == as_images.notes(["timestamp"]) == ()


def test_families_told_one_interval_are_said_to_be() -> None:
    data = json.loads(FAMILIES.read_text(encoding="utf-8"))
    told = {name for name, family in data["families"].items() if family.get("interval")}
    assert told == {name for name, family in data["families"].items() if family["times"] == "interval"}
    assert data["unlisted"]["interval"]  # not known


def test_important_spans_that_lie_elsewhere_are_warned_of(clips: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "moments.json").write_text('[[{"video_name": "varying", "answer": [5, 7]}]]')
    adapter = AGuardian(mod="1", moments=str(tmp_path / "moments.json"))
    assert [bool(adapter.warnings(Video(clips[kind]))) for kind in ("varying", "late", "even")] == [True, True, False]
    assert AGuardian().warnings(Video(clips["varying"])) == ()
