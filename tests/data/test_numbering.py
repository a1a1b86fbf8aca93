"""Numbers of videos are held against their durations: a shifted folder is refused, the right one passes."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from ecva_bench.answering.request import RunRequest
from ecva_bench.data import Dataset, load_dataset, numbering
from ecva_bench.data.check import check_dataset
from ecva_bench.data.durations import stated_durations
from ecva_bench.data.identity import ecva_number
from ecva_bench.data.numbering import check_numbering
from ecva_bench.errors import DataError
from ecva_bench.names import number_of
from ecva_bench.video.probing import probe, stated_duration


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECVA_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def cuva(shared_data: Path) -> Dataset:
    return load_dataset(shared_data / "ecva/annotations.xlsx")


@pytest.fixture(scope="module")
def lengths(cuva: Dataset) -> dict[int, float]:
    """Lengths that CUVA's videos might have, by number: each is as long as its last moment, or up to three times."""
    draw = random.Random(7)
    return {
        number: max(m.end for m in each.moments) / draw.uniform(0.33, 1)
        for each in cuva.annotations
        if each.moments and (number := number_of(each.video))
    }


def folder_of(
    folder: Path, lengths: Mapping[int, float], monkeypatch: pytest.MonkeyPatch, name: str = "{}.mp4"
) -> Path:
    """Return a folder of empty files whose containers are said to state these lengths."""
    folder.mkdir()
    for number in lengths:
        (folder / name.format(number)).touch()

    def stated(paths: Iterable[Path]) -> dict[Path, float]:
        return {path: lengths[int(path.stem)] for path in paths}

    monkeypatch.setattr(numbering, "stated_durations", stated)
    return folder


def refusal_of(dataset: Dataset) -> str:
    found = check_numbering(dataset)
    assert found is not None
    assert found.refused
    return str(found.error())


def first(lengths: Mapping[int, float], count: int) -> dict[int, float]:
    return {number: lengths[number] for number in sorted(lengths)[:count]}


def long_clip(path: Path, seconds: float) -> None:
    """Write a clip of four pictures that lasts so long."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=Fraction(4, max(1, round(seconds))))
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for _ in range(4):
            frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


@pytest.mark.parametrize("name", ["{}.mp4", "{:05}.mp4"])
def test_the_right_folder_passes_and_a_shifted_one_is_refused_with_both_readings(
    tmp_path: Path, cuva: Dataset, lengths: dict[int, float], name: str
) -> None:
    some = first(lengths, 24)
    for folder, shift in (("right", 0), ("shifted", 1)):
        (tmp_path / folder).mkdir()
        for number, seconds in some.items():
            long_clip(tmp_path / folder / name.format(number + shift), seconds)
    right = check_dataset(replace(cuva, videos=tmp_path / "right"))
    assert right.numbering is not None
    assert not right.numbering.refused
    assert (right.numbering.own.compared, right.numbering.own.beyond) == (24, 0)
    assert right.numbering.text == "numbering: read as numbered, 0 of 24 last moments lie beyond the end of their video"

    shifted = replace(cuva, videos=tmp_path / "shifted")
    checked = check_dataset(shifted)
    assert not checked.ok
    text = refusal_of(shifted)
    assert "read as numbered, " in text
    assert "read as file n is annotation n-1, 0 of 24" in text
    assert "ecva-bench data fetch cuva --to" in text
    request = RunRequest(model="constant", data=cuva, videos=tmp_path / "shifted")
    with pytest.raises(DataError, match=r"not those that these annotations|numbered otherwise"):
        request.open()
    RunRequest(model="constant", data=cuva, videos=tmp_path / "right").open()


def test_ecvas_folder_beside_cuvas_annotations_is_refused(
    tmp_path: Path, cuva: Dataset, lengths: dict[int, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = random.Random(1)
    shared = {ecva: seconds for number, seconds in lengths.items() if (ecva := ecva_number(number))}
    whole = shared | {number: draw.choice(list(lengths.values())) for number in range(1, 1252)}
    folder = folder_of(tmp_path / "whole", whole, monkeypatch)
    text = refusal_of(replace(cuva, videos=folder))
    assert "ECVA's numbers of CUVA's videos (file 1252 is annotation 1), 0 of 920" in text
    alone = folder_of(tmp_path / "second half", shared, monkeypatch)  # of which none has CUVA's number
    text = refusal_of(replace(cuva, videos=alone))
    assert "read as numbered, 0 of 0 last moments lie beyond the end of their video; read as ECVA's numbers" in text


@pytest.mark.parametrize("shift", [-10, -3, 2, 1242, 1247, 1251])
def test_any_plausible_shift_is_found(
    shift: int, tmp_path: Path, cuva: Dataset, lengths: dict[int, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = {number + shift: seconds for number, seconds in first(lengths, 60).items() if number + shift > 0}
    folder = folder_of(tmp_path / "videos", moved, monkeypatch)
    found = check_numbering(replace(cuva, videos=folder))
    assert found is not None
    assert found.explained
    assert found.other is not None
    assert (found.other.compared, found.other.beyond) == (len(moved), 0)
    assert found.other.says == f"file n is annotation n{-shift:+}" or shift == 1251  # which is ECVA's, at first


def test_moments_slightly_beyond_the_end_and_a_few_far_beyond_are_no_reason_to_refuse(
    tmp_path: Path, cuva: Dataset, lengths: dict[int, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = {int(a.video): max(m.end for m in a.moments) for a in cuva.annotations if a.moments}
    slightly = {number: ends[number] / 1.08 for number in ends}
    found = check_numbering(replace(cuva, videos=folder_of(tmp_path / "a", slightly, monkeypatch)))
    assert found is not None
    assert (found.own.compared, found.own.beyond, found.refused) == (len(ends), 0, False)
    wrong = dict(lengths) | {number: ends[number] / 4 for number in list(lengths)[::12]}
    found = check_numbering(replace(cuva, videos=folder_of(tmp_path / "b", wrong, monkeypatch)))
    assert found is not None
    assert 60 < found.own.beyond < 100
    assert not found.refused
    assert (
        f"read as numbered, {found.own.beyond} of {len(ends)} last moments lie beyond the end of their video ("
        in found.text
    )
    few = folder_of(tmp_path / "c", dict.fromkeys(first(lengths, 3), 1.0), monkeypatch)
    found = check_numbering(replace(cuva, videos=few))
    assert found is not None
    assert (found.own.beyond, found.refused) == (3, False)


def test_one_file_under_several_names_says_nothing_of_numbers(tmp_path: Path, cuva: Dataset) -> None:
    long_clip(tmp_path / "any.mp4", 2)
    (tmp_path / "videos").mkdir()
    for number in range(1, 21):
        (tmp_path / f"videos/{number}.mp4").symlink_to(tmp_path / "any.mp4")
    found = check_numbering(replace(cuva, videos=tmp_path / "videos"))
    assert found is not None
    assert (found.own.compared, found.refused) == (0, False)
    assert found.text == "numbering: no video could be compared with its annotation"


def test_videos_cut_short_are_refused_though_no_other_numbers_fit(
    tmp_path: Path, cuva: Dataset, lengths: dict[int, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folder_of(tmp_path / "short", dict.fromkeys(lengths, 5.0), monkeypatch)
    assert "the videos are not those that these annotations are of" in refusal_of(replace(cuva, videos=folder))


def test_of_real_clips_the_container_tells_the_length(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clips = sorted((shared_data / "videos/real").iterdir())
    found = stated_durations(clips)
    assert {clip.name for clip in clips} - {clip.name for clip in found} == {"moviepy_no_duration.webm"}
    for clip in ("highway_accident.mp4", "cuva_msvd_9HDU.avi", "tc_av1.mkv"):
        assert found[shared_data / "videos/real" / clip] == pytest.approx(
            probe(shared_data / "videos/real" / clip).duration, abs=0.2
        )
    monkeypatch.setattr("ecva_bench.video.probing.stated_duration", lambda _: pytest.fail("a file was opened again"))
    assert stated_durations(clips) == found
    assert stated_duration(shared_data / "videos/damaged/text.mp4") is None


def test_a_set_without_a_folder_or_with_rendered_videos_is_not_compared(cuva: Dataset) -> None:
    assert check_numbering(cuva) is None
    assert check_numbering(load_dataset("mini")) is None


@pytest.mark.parametrize(("total", "behind", "shift"), [(150, 60, 1), (300, 70, -2), (200, 60, 5)])
def test_a_shift_from_some_number_on_is_found(
    tmp_path: Path,
    cuva: Dataset,
    lengths: dict[int, float],
    monkeypatch: pytest.MonkeyPatch,
    total: int,
    behind: int,
    shift: int,
) -> None:
    """A list that lost a row is right before it; over all, fewer than a fifth of the moments are beyond the ends."""
    numbers = list(first(lengths, total))
    renumbered = {number: lengths[number] for number in numbers[:-behind]}
    renumbered |= {number + shift: lengths[number] for number in numbers[-behind:]}
    text = refusal_of(replace(cuva, videos=folder_of(tmp_path / "videos", renumbered, monkeypatch)))
    assert f"file n is annotation n{-shift:+} from annotation " in text


@pytest.mark.parametrize("place", [0, 70, 110])
def test_a_run_of_wrong_annotations_is_no_shift(
    tmp_path: Path, cuva: Dataset, lengths: dict[int, float], monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    some = first(lengths, 120)
    for number in list(some)[place : place + 10]:
        some[number] *= 0.2
    found = check_numbering(replace(cuva, videos=folder_of(tmp_path / "videos", some, monkeypatch)))
    assert found is not None
    assert found.own.beyond
    assert not found.refused
