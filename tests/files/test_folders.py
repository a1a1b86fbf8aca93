"""Which file of a folder a video is: at any depth, in archives, through links, and never by a guess."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from ecva_bench.errors import VideoAmbiguous
from ecva_bench.files.folders import VideoFiles, list_folder


def make(folder: Path, *files: str) -> Path:
    for file in files:
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return folder


@pytest.mark.parametrize(
    ("files", "media", "found"),
    [
        (["00001.mp4"], {"00001": "00001.mp4"}, {"00001": "00001.mp4"}),
        (["00001.avi", "2.mkv", "3"], {"00001": "00001.mp4", "00002": "00002.mp4", "00003": "00003.mp4"},
         {"00001": "00001.avi", "00002": "2.mkv", "00003": "3"}),
        (["1.mp4"], {"1": "1.mp4", "001": "001.mp4"}, {"1": "1.mp4", "001": None}),
        (["day/1.mp4", "night/1.mp4"], {"day/1": "day/1.mp4", "night/1": "night/1.mp4"},
         {"day/1": "day/1.mp4", "night/1": "night/1.mp4"}),
        (["1.mp4"], {"day/1": "day/1.mp4", "night/1": "night/1.mp4"}, {"day/1": None, "night/1": None}),
        (["00001.mp4"], {"00001": "data/00001.mp4"}, {"00001": "00001.mp4"}),
        (["data/00001.mp4", "00001.mp4"], {"00001": "data/00001.mp4"}, {"00001": "data/00001.mp4"}),
        (["cam.1.mp4"], {"cam.1": "cam.1.mp4", "cam.2": "cam.2.mp4"}, {"cam.1": "cam.1.mp4", "cam.2": None}),
        (["00001.mp4", "00001.srt", "00001.avi"], {"00001": "00001.mp4"}, {"00001": "00001.mp4"}),
        ([], {"00001": "00001.mp4"}, {"00001": None}),
        # At any depth, with other padding, other suffixes and the word "video".
        (["ECVA/part1/00001.mp4", "ECVA/2.MKV", "video_00003.webm", "a/b/c/0004.mp4"],
         {f"0000{n}": f"0000{n}.mp4" for n in (1, 2, 3, 4)},
         {"00001": "ECVA/part1/00001.mp4", "00002": "ECVA/2.MKV", "00003": "video_00003.webm",
          "00004": "a/b/c/0004.mp4"}),
        (["deep/day/1.avi", "deep/night/1.avi"], {"day/1": "day/1.mp4", "night/1": "night/1.mp4"},
         {"day/1": "deep/day/1.avi", "night/1": "deep/night/1.avi"}),
        (["other/1.mp4"], {"day/1": "day/1.mp4", "2": "2.mp4"}, {"day/1": None, "2": None}),
        # No video: hidden files, downloads that are not whole, pictures, numbers without a suffix beside the video.
        (["._1.mp4", "1.mp4.part", ".cache/1.mp4", "frames/1.jpg"], {"00001": "00001.mp4"}, {"00001": None}),
        (["labels/1", "x/1.mkv"], {"00001": "00001.mp4"}, {"00001": "x/1.mkv"}),
    ],
)  # fmt: skip
def test_files_are_found_by_name(
    files: list[str], media: dict[str, str], found: dict[str, str | None], tmp_path: Path
) -> None:
    folder = VideoFiles(make(tmp_path, *files), media)
    there = {video: folder.find(video) for video in media}
    assert there == {video: file and tmp_path / file for video, file in found.items()}


@pytest.mark.parametrize("files", [("00001.avi", "1.mkv"), ("a/00001.mp4", "b/00001.mp4"), ("x/1.mkv", "1.avi")])
def test_of_two_files_neither_is_taken(files: tuple[str, str], tmp_path: Path) -> None:
    folder = VideoFiles(make(tmp_path, *files), {"00001": "00001.mp4"})
    with pytest.raises(VideoAmbiguous, match="two files may be the video 00001: ") as raised:
        folder.find("00001")
    assert all(str(tmp_path / file) in str(raised.value) for file in files)
    assert not {"delete", "remove"} & set(str(raised.value).split())


def test_a_file_that_is_linked_to_is_one_file_and_links_in_a_circle_end(tmp_path: Path) -> None:
    make(tmp_path, "videos/a/00001.mp4", "elsewhere/2.mp4")
    folder = tmp_path / "videos"
    (folder / "b").mkdir()
    (folder / "b/1.mp4").symlink_to(folder / "a/00001.mp4")
    (folder / "round").symlink_to(folder)
    (folder / "a/up").symlink_to("..")
    (folder / "self").symlink_to("self")
    (folder / "3.mp4").symlink_to(tmp_path / "nowhere.mp4")
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    files = VideoFiles(folder, {f"0000{n}": f"0000{n}.mp4" for n in (1, 2, 3)})
    assert [files.find(video) for video in ("00001", "00002", "00003")] == [
        folder / "a/00001.mp4",
        folder / "linked/2.mp4",
        None,
    ]
    assert sorted(files.listing.files) == ["a/00001.mp4", "b/1.mp4", "linked/2.mp4"]


def test_what_cannot_be_read_is_named_and_costs_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "open/1.mp4", "locked/2.mp4")
    (tmp_path / "torn.zip").write_bytes(b"PK\x03\x04 and no more")
    scandir = os.scandir

    def refused(place: Path) -> object:
        if Path(place).name == "locked":
            raise PermissionError(13, "Permission denied")
        return scandir(place)

    monkeypatch.setattr(os, "scandir", refused)
    found = list_folder(tmp_path)
    assert set(found.files) == {"open/1.mp4", "torn.zip"}
    assert found.unread["locked"] == "Permission denied"
    assert "the archive cannot be read" in found.unread["torn.zip"]


def test_files_in_archives_count_where_there_is_no_other(tmp_path: Path) -> None:
    make(tmp_path, "raw/00001.mp4")
    with zipfile.ZipFile(tmp_path / "raw/group_0.zip", "w") as archive:
        for name in ("group_0/1.mp4", "group_0/2.mp4", "__MACOSX/group_0/._3.mp4", "../3.mp4", "/3.mp4", "a/.h/3.mp4"):
            archive.writestr(name, b"")
    files = VideoFiles(tmp_path, {f"0000{n}": f"0000{n}.mp4" for n in (1, 2, 3)})
    assert files.find("00001") == tmp_path / "raw/00001.mp4"
    assert files.find("00002") == tmp_path / "raw/group_0.zip/group_0/2.mp4"
    assert files.find("00003") is None


def test_downloads_that_are_not_whole_are_known_by_the_video_they_will_be(tmp_path: Path) -> None:
    make(tmp_path, "1.mp4.part", "x/00002.webm.crdownload", "3.mp4.txt", "4.part")
    files = VideoFiles(tmp_path, {f"0000{n}": f"0000{n}.mp4" for n in (1, 2, 3)})
    assert files.unfinished == {"00001": "1.mp4.part", "00002": "x/00002.webm.crdownload"}
