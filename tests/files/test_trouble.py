"""A full disk, a quota, rights and open files are the machine's trouble: no file is called damaged for them."""

from __future__ import annotations

import errno
import os
import resource
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from ecva_bench.data.unpacking import unpack
from ecva_bench.errors import DataError, StorageTrouble
from ecva_bench.files import archives
from ecva_bench.files.trouble import trouble_of
from ecva_bench.journal.results import read_results
from ecva_bench.video import Video
from tests.cli.conftest import Command, ecva_bench  # noqa: F401
from tests.clips import write_clip
from tests.interchange.shapes import VIDEOS, annotations


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ECVA_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache/videos"


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    """A folder with an archive of videos, and the annotations of these beside it."""
    folder = tmp_path / "videos"
    folder.mkdir()
    clip = write_clip(tmp_path / "clip.mp4", frames=12)
    with zipfile.ZipFile(folder / "raw.zip", "w") as archive:
        for video in VIDEOS:
            archive.write(clip, f"{video}.mp4")
    return folder


def onto_a_full_disk(_content: IO[bytes], _out: IO[bytes], _length: int) -> None:
    """Write as onto a disk that is full: the system's own error, of the device that is always so."""
    with open("/dev/full", "wb", buffering=0) as full:  # noqa: PTH123
        full.write(b"x")


def raising(number: int) -> Callable[..., None]:
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize(
    ("number", "what"),
    [
        (errno.ENOSPC, "the disk is full: .*/cache/videos: .*free some space there, or set ECVA_CACHE"),
        (errno.EDQUOT, "the disk quota is used up: .*/cache/videos: .*ECVA_CACHE"),
        (errno.EACCES, "permission denied: .*/cache/videos: .*give this user the right"),
        (errno.EMFILE, r"too many open files: .*ulimit -n"),
        (errno.EIO, "the disk fails: .*check the disk"),
    ],
)
def test_what_the_machine_lacks_is_named_with_the_disk(
    videos: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, number: int, what: str
) -> None:
    monkeypatch.setattr(archives.shutil, "copyfileobj", raising(number))
    with pytest.raises(StorageTrouble, match=what.replace(": .*", ".*")) as found:
        archives.on_disk(videos / "raw.zip/00001.mp4")
    assert found.value.retryable
    assert list(cache.iterdir()) == []


def test_a_run_on_a_full_disk_goes_on_once_there_is_room(
    videos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ecva_bench: Command,  # noqa: F811
) -> None:
    out = tmp_path / "r.jsonl"
    asked = ("run", "--model", "motion", "--data", annotations(tmp_path), "--videos", videos, "--task", "cause")
    with monkeypatch.context() as full:
        full.setattr(archives.shutil, "copyfileobj", onto_a_full_disk)
        code, shown, _ = ecva_bench(*asked, "--out", out)
    assert code == 3
    assert "storage_trouble, 1 answer: it cannot be taken out of its archive, the disk is full" in shown
    assert {(one.error, one.retryable) for one in read_results(out).failures} == {("storage_trouble", True)}
    assert ecva_bench(*asked, "--out", out)[0] == 0  # what may go away is asked again
    assert len(read_results(out).answers) == len(VIDEOS)


@contextmanager
def few_files() -> Iterator[None]:
    """No file can be opened any more."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_a_video_and_an_archive_are_not_damaged_where_no_file_can_be_opened(videos: Path, tmp_path: Path) -> None:
    plain = Video(tmp_path / "clip.mp4")
    with few_files(), pytest.raises(StorageTrouble, match=r"too many open files: .*clip\.mp4.*ulimit -n"):
        _ = plain.n_frames
    with few_files(), pytest.raises(StorageTrouble, match="too many open files"):
        _ = plain.sha256
    with few_files(), pytest.raises(DataError, match=r"cannot be read \(too many open files.*ulimit -n"):
        archives.members(videos / "raw.zip")
    assert archives.members(videos / "raw.zip") == tuple(f"{video}.mp4" for video in VIDEOS)


def test_a_tar_that_does_not_fit_is_not_to_be_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one").write_bytes(b"one")
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.add(tmp_path / "one", "one")
    monkeypatch.setattr("ecva_bench.data.unpacking.shutil.copyfileobj", raising(errno.ENOSPC))
    with pytest.raises(DataError, match=r"the disk is full.*free some space") as found:
        unpack(tmp_path / "a.tar", tmp_path / "a")
    assert "fetch" not in str(found.value)
    assert not (tmp_path / "a").exists()


def test_an_error_of_the_file_is_no_trouble_of_the_machine(tmp_path: Path) -> None:
    assert trouble_of(FileNotFoundError(errno.ENOENT, "no"), tmp_path) is None
    assert trouble_of(zipfile.BadZipFile("bad"), tmp_path) is None
