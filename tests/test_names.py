"""Which names mean the same video: whole relative names, the forgiven differences, and refusals in place of guesses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.errors import DataError
from ecva_bench.names import Name, Names, first_few, ids_of, media_of, of_number, relative


@pytest.mark.parametrize(
    ("written", "ids"),
    [
        (["00001.mp4", "00002.mp4"], ["00001", "00002"]),
        (["data/00001.mp4", "data/00002.mp4"], ["00001", "00002"]),  # the folder of all is no part of a name
        (["/mnt/a set/1.mp4", "/mnt/a set/day/1.mp4"], ["1", "day/1"]),
        (["day/1.mp4", "night/1.mp4"], ["day/1", "night/1"]),
        (["x/day/1.mp4", "x\\night\\1.mp4", "./x/day/1.mp4"], ["day/1", "night/1", "day/1"]),
        (["cam.1", "cam.2"], ["cam.1", "cam.2"]),
        (["cam.1.mp4", "cam.2.mp4"], ["cam.1", "cam.2"]),
        (["v1.0", "v1.5"], ["v1.0", "v1.5"]),
        (["a.mp4", "a.avi", "b.MP4"], ["a.mp4", "a.avi", "b"]),
        (["a", "a.mp4", "b"], ["a", "a", "b"]),
        (["1.mp4", "001.mp4"], ["1", "001"]),
        (["00012", "12.mp4"], ["12", "12"]),
        (["001", "001.mp4", "1.mp4"], ["001", "001", "1"]),
        (["../videos/1.mp4", "../videos/2.mp4"], ["1", "2"]),
        (["cafe\u0301.mp4", "caf\u00e9.mp4"], ["caf\u00e9", "caf\u00e9"]),
        ([".mp4", "a..mp4"], [".mp4", "a."]),
        ([], []),
    ],
)
def test_the_ids_of_one_file(written: list[str], ids: list[str]) -> None:
    found = ids_of(written, "file")
    assert [found[name] for name in written] == ids


@pytest.mark.parametrize(
    ("written", "ids"),
    [
        (["1", "00002", "000003.mp4"], ["00001", "00002", "00003"]),
        (["1", "001.mp4", "street"], ["00001", "00001", "street"]),
        (["1.mp4", "1.avi"], ["00001.mp4", "00001.avi"]),
        (["day/1.mp4", "night/1.mp4"], ["day/00001", "night/00001"]),
        (["1234567"], ["1234567"]),
    ],
)
def test_in_a_numbered_file_a_number_counts_and_not_how_it_is_written(written: list[str], ids: list[str]) -> None:
    found = ids_of(written, "file", numbered=True)
    assert [found[name] for name in written] == ids


@pytest.mark.parametrize(
    ("written", "numbered", "both"),
    [
        (["a", "a.mp4", "a.avi"], False, r"'a\.mp4' and 'a\.avi', both meant by 'a'"),
        (["0001", "1.mp4", "001.mp4"], False, r"'1\.mp4' and '001\.mp4', both meant by '0001'"),
        (["1.mp4", "001.mp4"], True, r"'1\.mp4' and '001\.mp4'"),
        (["a.mp4", "a.avi", "a.mp4.avi"], False, r"'a\.mp4' and 'a\.mp4\.avi'"),
    ],
)
def test_names_that_may_mean_two_videos_are_refused_with_both(written: list[str], numbered: bool, both: str) -> None:
    with pytest.raises(DataError, match=rf"cannot be told apart: {both}: the file"):
        ids_of(written, "the file", numbered=numbered)


@pytest.mark.parametrize(
    ("known", "name", "found"),
    [
        (["00001.mp4", "00002.mp4"], "1", ["00001.mp4"]),
        (["00001.mp4"], "000001.avi", ["00001.mp4"]),
        (["1.mp4", "001.mp4"], "001.mp4", ["001.mp4"]),
        (["1.mp4", "001.mp4"], "001", ["001.mp4"]),
        (["1.mp4", "001.mp4"], "0001.mp4", ["1.mp4", "001.mp4"]),
        (["a.mp4", "a.avi"], "a.avi", ["a.avi"]),
        (["a.mp4", "a.avi"], "a.mkv", ["a.mp4", "a.avi"]),
        (["day/1.mp4", "night/1.mp4"], "night/1.mp4", ["night/1.mp4"]),
        (["day/1.mp4", "night/1.mp4"], "/mnt/set/night/1.avi", ["night/1.mp4"]),
        (["day/1.mp4", "night/1.mp4"], "1.mp4", ["day/1.mp4", "night/1.mp4"]),
        (["day/1.mp4", "2.mp4"], "1.mp4", ["day/1.mp4"]),
        (["day/1.mp4", "1.mp4"], "/x/day/1.mp4", ["1.mp4", "day/1.mp4"]),
        (["day/1.mp4"], "night/1.mp4", []),
        (["a.mp4", "a.avi"], "/x/a.avi", ["a.avi"]),
        (["x/a.mp4", "x/a.avi"], "a.avi", ["x/a.avi"]),
        (["1.mp4", "001.mp4"], "/x/001", ["001.mp4"]),
        (["cam.1.mp4", "cam.2.mp4"], "cam.2", ["cam.2.mp4"]),
        (["cam.1.mp4", "cam.2.mp4"], "cam.mp4", []),
        (["1.mp4"], "11.mp4", []),
    ],
)
def test_which_videos_a_name_in_another_place_means(known: list[str], name: str, found: list[str]) -> None:
    assert sorted(Names((one, one) for one in known).find(name)) == sorted(found)


PARTS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\"), min_size=1, max_size=6)
PATHS = st.lists(PARTS | st.sampled_from(["1", "01", "a", "a.mp4", "1.avi", "a.1"]), min_size=1, max_size=3).map(
    "/".join
)


@given(st.lists(PATHS.filter(lambda path: bool(Name.of(path).stem)), max_size=8))
def test_every_name_of_a_file_has_an_id_by_which_it_is_found_or_the_file_is_refused(paths: list[str]) -> None:
    try:
        ids = ids_of(paths, "file")
    except DataError:
        return
    assert ids.keys() == set(paths)
    named = {path: Name.of(path) for path in paths}
    for one in paths:
        for other in paths:
            if named[one].suffix and named[other].suffix and named[one] != named[other]:
                assert ids[one] != ids[other]
    media = media_of(ids)
    names = Names(media.items())
    for path in paths:
        if named[path].suffix:
            assert names.find(path) == (ids[path],)
            assert Name.of(media[ids[path]]) == named[path]


@pytest.mark.parametrize("written", ["../../etc/passwd", "/etc/passwd", "a/../../b", "..", "C:\\x\\1.mp4", "", " / "])
def test_no_name_leads_out_of_its_folder(written: str) -> None:
    assert not {"..", ""} & set(relative(written).split("/")) or relative(written) == ""
    assert not relative(written).startswith("/")


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (7, "00007"),
        (7.0, "00007"),
        (0, "00000"),
        *((value, None) for value in (7.5, True, -1, float("nan"), float("inf"), 1e300, 10**400, "7", None)),
    ],
)
def test_the_name_a_number_stands_for(value: object, name: str | None) -> None:
    assert of_number(value) == name


@pytest.mark.parametrize(
    ("known", "name", "found"),
    [
        (["00001.mp4", "00011.mp4"], "video_1.webm", ["00001.mp4"]),
        (["00001.mp4"], "set/Video-00001", ["00001.mp4"]),
        (["video_1.mp4", "2.mp4"], "1", ["video_1.mp4"]),
        (["video_1.mp4", "1.mp4"], "1.mkv", ["1.mp4"]),
        (["video_1.mp4", "1.mp4"], "video_01.mkv", ["video_1.mp4", "1.mp4"]),
        (["00001.mp4"], "cam_1.mp4", []),
        (["00001.mp4"], "my video_1.mp4", []),
    ],
)
def test_the_word_video_before_a_number_may_be_left_out(known: list[str], name: str, found: list[str]) -> None:
    assert sorted(Names((one, one) for one in known).find(name)) == sorted(found)


def test_of_many_videos_the_first_few_are_named() -> None:
    assert first_few([]) == ""
    assert first_few(["1", "2"]) == "1, 2"
    assert first_few([str(number) for number in range(12)]) == "0, 1, 2, 3, 4 and 7 more"
