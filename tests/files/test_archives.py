"""Videos in archives: read through the cache byte by byte as they are, bounded, and never unpacked anywhere else."""

from __future__ import annotations

import hashlib
import os
import random
import zipfile
from collections import namedtuple
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from ecva_bench.errors import HeaderDamaged, VideoError, VideoMissing
from ecva_bench.files import archives
from ecva_bench.files.archives import on_disk
from ecva_bench.video import Video
from ecva_bench.video.probing import probe
from tests.clips import write_clip


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ECVA_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache/videos"


def zipped(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("isolate", [False, True])
def test_a_video_in_a_zip_is_the_same_video(tmp_path: Path, cache: Path, method: int, isolate: bool) -> None:
    clip = write_clip(tmp_path / "clip.mp4", frames=12)
    archive = zipped(tmp_path / "raw.zip", {"deep/00001.mp4": clip.read_bytes(), "x": b""}, method)
    before = sorted(tmp_path.iterdir())
    path = archive / "deep/00001.mp4"
    with Video(clip) as plain, Video(path, isolate=isolate) as inside:
        assert inside.path == path
        assert inside.sha256 == hashlib.sha256(clip.read_bytes()).hexdigest()
        expected = plain.frames_at([0, 7])
        np.testing.assert_array_equal(inside.frames_at([0, 7]).pixels, expected.pixels)
        for file in cache.iterdir():  # another run makes room between two reads
            file.unlink()
        np.testing.assert_array_equal(inside.frames_at([3]).pixels, plain.frames_at([3]).pixels)
    assert sorted(tmp_path.iterdir()) == sorted([*before, cache.parent])


def test_what_an_archive_has_not_is_missing(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "raw.zip", {"1.mp4": b"one"})
    with pytest.raises(VideoMissing, match=r"raw\.zip/2\.mp4"):
        on_disk(archive / "2.mp4")
    assert on_disk(tmp_path / "none.zip/1.mp4") == tmp_path / "none.zip/1.mp4"


def test_a_damaged_member_is_an_error_of_its_video_and_leaves_nothing(tmp_path: Path, cache: Path) -> None:
    archive = zipped(tmp_path / "raw.zip", {"1.mp4": b"one" * 999, "2.mp4": b"two" * 999}, zipfile.ZIP_STORED)
    content = archive.read_bytes().replace(b"one", b"eno", 1)
    archive.write_bytes(content)
    with pytest.raises(HeaderDamaged, match=r"raw\.zip/1\.mp4"):
        on_disk(archive / "1.mp4")
    assert list(cache.iterdir()) == []
    assert probe(archive / "1.mp4").error == "header_damaged"
    assert on_disk(archive / "2.mp4").read_bytes() == b"two" * 999
    assert [file.name[-6:] for file in cache.iterdir()] == ["-2.mp4"]


def test_whatever_byte_of_a_packed_member_is_wrong_it_is_an_error_of_its_video(tmp_path: Path, cache: Path) -> None:
    content = random.Random(0).randbytes(200) + bytes(range(256)) * 20
    good = zipped(tmp_path / "raw.zip", {"1.mp4": content}, zipfile.ZIP_DEFLATED).read_bytes()
    packed = range(35, good.index(b"PK\x01\x02"))  # between the member's name and the table of contents
    for place in list(packed)[::7]:
        damaged = tmp_path / f"{place}.zip"
        damaged.write_bytes(good[:place] + bytes([good[place] ^ 0xFF]) + good[place + 1 :])
        with pytest.raises(HeaderDamaged, match=rf"{place}\.zip/1\.mp4"):
            on_disk(damaged / "1.mp4")
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("member", ["../../out.mp4", "/out.mp4", "a/../../../out.mp4"])
def test_no_name_in_an_archive_leads_out_of_the_cache(tmp_path: Path, cache: Path, member: str) -> None:
    archive = zipped(tmp_path / "raw.zip", {member: b"evil"})
    with suppress(VideoMissing):
        on_disk(Path(f"{archive}/{member}"))
    written = {path for path in tmp_path.rglob("*") if path.is_file() and path != archive}
    assert {path.parent for path in written} <= {cache}


def test_the_longest_unused_goes_first(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = zipped(tmp_path / "raw.zip", {f"{number}.mp4": bytes(100) for number in range(5)})
    monkeypatch.setattr(archives, "ROOM", 250)
    for number in (0, 1, 2):  # all in use: nothing is taken from under a run
        on_disk(archive / f"{number}.mp4")
    assert len(list(cache.iterdir())) == 3
    for file in cache.iterdir():
        age = 9000 if file.name.endswith("-1.mp4") else 8000
        os.utime(file, (file.stat().st_mtime - age, file.stat().st_mtime))
    stamp = on_disk(archive / "2.mp4").stat()
    on_disk(archive / "3.mp4")
    assert sorted(file.name[-5:] for file in cache.iterdir()) == ["2.mp4", "3.mp4"]
    assert on_disk(archive / "2.mp4").stat().st_mtime_ns == stamp.st_mtime_ns  # or a decoder would see another file


def test_a_video_for_which_there_is_no_room_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = zipped(tmp_path / "raw.zip", {"1.mp4": bytes(100)})
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda _: usage(1, 1, archives.SPARE + 50))
    with pytest.raises(VideoError, match=r"no room.*ECVA_CACHE"):
        on_disk(archive / "1.mp4")


def test_another_archive_under_the_same_name_is_read_anew(tmp_path: Path) -> None:
    assert on_disk(zipped(tmp_path / "raw.zip", {"1.mp4": b"one"}) / "1.mp4").read_bytes() == b"one"
    archive = zipped(tmp_path / "raw.zip", {"1.mp4": b"other"})
    assert on_disk(archive / "1.mp4").read_bytes() == b"other"
