"""Fetching: archives stay inside their folder, are unpacked whole or not at all, and a second run resumes."""

from __future__ import annotations

import io
import stat
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from ecva_bench.data import fetch as fetching
from ecva_bench.data.fetch import fetch_dataset, unpack
from ecva_bench.errors import DataError, UsageError


def make_zip(path: Path, members: dict[str, bytes], mode: int = 0) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, content)
    return path


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


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz", "a.tgz"])
def test_good_archives_are_unpacked_beside_themselves(tmp_path: Path, name: str) -> None:
    members = {"videos/00001.mp4": b"one", "videos/deep/00002.mp4": b"two" * 1000, "./notes.txt": b""}
    make = make_zip if name.endswith("zip") else make_tar
    unpack(make(tmp_path / name, members), tmp_path / "a")
    assert tree(tmp_path / "a") == {path.removeprefix("./"): content for path, content in members.items()}
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["a", name])


@pytest.mark.parametrize(
    "name", ["../out.txt", "a/../../out.txt", "/out.txt", "..\\out.txt", "a\\..\\..\\out.txt", "C:out.txt", "a/.."]
)
@pytest.mark.parametrize("suffix", [".zip", ".tar"])
def test_paths_that_lead_out_refuse_the_archive(tmp_path: Path, name: str, suffix: str) -> None:
    box = tmp_path / "box"
    box.mkdir()
    make = make_zip if suffix == ".zip" else make_tar
    archive = make(box / f"bad{suffix}", {"good.txt": b"good", name: b"evil"})
    with pytest.raises(DataError, match=rf"refused.*bad\{suffix}"):
        unpack(archive, box / "bad")
    assert list(tree(tmp_path)) == [f"box/bad{suffix}"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_tar_refuse_the_archive(tmp_path: Path, kind: bytes) -> None:
    archive = make_tar(tmp_path / "bad.tar", {"thing": b""}, kind, target="/etc/passwd")
    with pytest.raises(DataError, match="link or device"):
        unpack(archive, tmp_path / "bad")
    assert list(tree(tmp_path)) == ["bad.tar"]


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_links_and_devices_in_zip_refuse_the_archive(tmp_path: Path, kind: int) -> None:
    archive = make_zip(tmp_path / "bad.zip", {"thing": b"/etc/passwd"}, mode=kind | 0o777)
    with pytest.raises(DataError, match="link or device"):
        unpack(archive, tmp_path / "bad")


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz"])
def test_damaged_archives_leave_nothing_behind(tmp_path: Path, name: str) -> None:
    make = make_zip if name.endswith("zip") else make_tar
    archive = make(tmp_path / name, {f"{number}.mp4": bytes([number]) * 5000 for number in range(9)})
    archive.write_bytes(archive.read_bytes()[: archive.stat().st_size * 2 // 3])
    with pytest.raises(DataError, match=f"cannot be unpacked.*{name}"):
        unpack(archive, tmp_path / "a")
    assert list(tree(tmp_path)) == [name]


def test_a_name_that_is_file_and_folder_is_an_error_not_a_crash(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "a.zip", {"x": b"file", "x/y": b"in it"})
    with pytest.raises(DataError, match="cannot be unpacked"):
        unpack(archive, tmp_path / "a")


def test_fetch_unpacks_once_and_resumes_after_a_crash(tmp_path: Path) -> None:
    asked = []

    def download(repository: str, to: Path) -> None:
        asked.append(repository)
        make_zip(to / "part1.zip", {"00001.mp4": b"one", "inner.zip": b"not looked into"})
        make_zip(to / "part2.zip", {"00002.mp4": b"two"})
        (to / "annotations.xlsx").write_bytes(b"PK")
        (to / ".cache").mkdir(exist_ok=True)
        (to / ".cache/state.json").write_text("{}")

    crashed = tmp_path / ".part2.partial"
    crashed.mkdir(parents=True)
    (crashed / "torn.mp4").write_bytes(b"tor")
    first = fetch_dataset("ecva", tmp_path, download)
    second = fetch_dataset("ecva", tmp_path, download)
    folders = (tmp_path / "part1", tmp_path / "part2")
    assert asked == ["gouchenyi/ECVA"] * 2
    assert (first.unpacked, first.kept) == (folders, ())
    assert (second.unpacked, second.kept) == ((), folders)
    assert first.annotations == second.annotations == (tmp_path / "annotations.xlsx",)
    assert tree(tmp_path / "part2") == {"00002.mp4": b"two"}
    assert not crashed.exists()


@pytest.mark.parametrize(("name", "package"), [("ecva", "modelscope"), ("cuva", "huggingface_hub")])
def test_a_missing_client_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UsageError, match=rf"{package} is not installed.*pip install 'ecva-bench\[data\]'"):
        fetch_dataset(name, tmp_path)


@pytest.mark.parametrize(
    ("name", "package", "function", "call"),
    [
        ("ecva", "modelscope", "dataset_snapshot_download", {"local_dir"}),
        ("cuva", "huggingface_hub", "snapshot_download", {"local_dir", "repo_type"}),
    ],
)
def test_the_clients_are_called_as_they_are_and_their_failure_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, package: str, function: str, call: set[str]
) -> None:
    def failing(repository: str, **options: str) -> None:
        assert options.keys() == call
        raise ConnectionError("no route\nto host")

    client = type(sys)(package)
    setattr(client, function, failing)
    monkeypatch.setitem(sys.modules, package, client)
    with pytest.raises(DataError, match=f"ConnectionError: no route.*{fetching.REPOSITORIES[name]}.*resumes"):
        fetch_dataset(name, tmp_path)


def test_only_known_datasets_are_fetched(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="available: ecva, cuva"):
        fetch_dataset("mini", tmp_path)
