"""Unpacking: archives stay inside their folder, and are unpacked whole or not at all."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from ecva_bench.data.unpacking import unpack
from ecva_bench.errors import DataError


def make_tar(path: Path, members: dict[str, bytes], kind: bytes = tarfile.REGTYPE, target: str = "") -> Path:
    with tarfile.open(path, "w:gz" if path.name.endswith("gz") else "w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            info.size = len(content) if kind == tarfile.REGTYPE else 0
            archive.addfile(info, io.BytesIO(content))
    return path


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.tgz"])
def test_good_archives_are_unpacked_beside_themselves(tmp_path: Path, name: str) -> None:
    members = {"videos/00001.mp4": b"one", "more/deep/00002.mp4": b"two" * 1000, "./notes.txt": b""}
    unpack(make_tar(tmp_path / name, members), tmp_path / "a")
    assert tree(tmp_path / "a") == {path.removeprefix("./"): content for path, content in members.items()}
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["a", name])


@pytest.mark.parametrize(
    "name", ["../out.txt", "a/../../out.txt", "/out.txt", "..\\out.txt", "a\\..\\..\\out.txt", "C:out.txt", "a/.."]
)
def test_paths_that_lead_out_refuse_the_archive(tmp_path: Path, name: str) -> None:
    box = tmp_path / "box"
    box.mkdir()
    archive = make_tar(box / "bad.tar", {"good.txt": b"good", name: b"evil"})
    with pytest.raises(DataError, match=r"refused.*bad\.tar"):
        unpack(archive, box / "bad")
    assert list(tree(tmp_path)) == ["box/bad.tar"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_refuse_the_archive(tmp_path: Path, kind: bytes) -> None:
    archive = make_tar(tmp_path / "bad.tar", {"thing": b""}, kind, target="/etc/passwd")
    with pytest.raises(DataError, match="link or device"):
        unpack(archive, tmp_path / "bad")
    assert list(tree(tmp_path)) == ["bad.tar"]


def test_damaged_archives_leave_nothing_behind(tmp_path: Path) -> None:
    archive = make_tar(tmp_path / "a.tar.gz", {f"{number}.mp4": bytes([number]) * 5000 for number in range(9)})
    archive.write_bytes(archive.read_bytes()[: archive.stat().st_size * 2 // 3])
    with pytest.raises(DataError, match=r"cannot be unpacked.*a\.tar\.gz"):
        unpack(archive, tmp_path / "a")
    assert list(tree(tmp_path)) == ["a.tar.gz"]


def test_a_name_that_is_file_and_folder_is_an_error_not_a_crash(tmp_path: Path) -> None:
    archive = make_tar(tmp_path / "a.tar", {"x": b"file", "x/y": b"in it"})
    with pytest.raises(DataError, match="cannot be unpacked"):
        unpack(archive, tmp_path / "a")
