"""Fetching: what it costs is said first, the hubs' layouts are read as they are, and a second run resumes."""

from __future__ import annotations

import json
import shutil
import sys
import zipfile
from collections.abc import Callable, Sequence
from fnmatch import fnmatch
from pathlib import Path
from types import SimpleNamespace

import pytest

from ecva_bench.data import fetch as fetching
from ecva_bench.data import load_dataset
from ecva_bench.data.fetch import fetch_dataset, offer_dataset
from ecva_bench.data.hubs import RemoteFile
from ecva_bench.errors import DataError, UsageError
from ecva_bench.files import archives
from tests.clips import write_clip
from tests.data.test_unpacking import make_tar, tree

ROWS = [
    {"instruction": "…", "visual_input": f"{video:05}.mp4", "output": text, "task": task, "ID": 5 * video + number}
    for video in (1, 2)
    for number, (task, text) in enumerate([("Cause", "too fast"), ("Detection", "yes"), ("Timestamp", "[0000,0001]")])
]


REPOSITORIES = {"ecva": "gouchenyi/ECVA", "cuva": "fesvhtr/CUVA"}  # as their pages name them


class FakeHub:
    """A hub that is a folder; of earlier revisions it has what `earlier` names."""

    host = "hub.test"

    def __init__(self, folder: Path, earlier: dict[str, str] | None = None) -> None:
        self.folder, self.earlier = folder, earlier or {}
        self.asked: list[tuple[tuple[str, ...], str | None]] = []

    def files(self, repository: str) -> list[RemoteFile]:
        assert repository in REPOSITORIES.values()
        return [RemoteFile(path, len(content)) for path, content in tree(self.folder).items()]

    def download(self, repository: str, to: Path, paths: Sequence[str], revision: str | None = None) -> None:
        assert repository in REPOSITORIES.values()
        self.asked.append((tuple(paths), revision))
        for path in paths:
            (to / path).parent.mkdir(parents=True, exist_ok=True)
            if revision is None:
                shutil.copyfile(self.folder / path, to / path)
            elif path in self.earlier:
                (to / path).write_text(self.earlier[path])
            else:
                raise DataError("the hub's client gave up", path)


@pytest.fixture
def cuva(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """CUVA's repository as its README of April 2026 has it: data/*.parquet and raw/group_N.zip."""
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setenv("ECVA_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "cuva-on-hub"
    (folder / "data").mkdir(parents=True)
    (folder / "raw").mkdir()
    for split in ("all", "test"):
        parquet.write_table(pyarrow.Table.from_pylist(ROWS), folder / f"data/{split}.parquet")
    clip = write_clip(tmp_path / "clip.mp4", frames=8)
    with zipfile.ZipFile(folder / "raw/group_0.zip", "w") as archive:
        archive.write(clip, "group_0/00001.mp4")
        archive.writestr("group_0/rows.JSON", "[]")
        archive.writestr("group_0/notes.txt", "")
    (folder / "README.md").write_text("read me")
    (folder / "configuration.json").write_text('{"task": "x"}')
    return folder


def test_the_size_is_said_first_and_nothing_is_downloaded(cuva: Path, tmp_path: Path) -> None:
    hub = FakeHub(cuva)
    offer = offer_dataset("cuva", tmp_path / "to", hub=hub)
    size = sum(len(content) for content in tree(cuva).values())
    assert offer.size == size
    assert str(offer).startswith(f"5 files, {size / 1e3:.1f} kB, from hub.test/fesvhtr/CUVA; ")
    assert "are free in" in str(offer)
    assert hub.asked == []
    assert not (tmp_path / "to").exists()


def test_where_the_room_does_not_suffice_nothing_is_begun(
    cuva: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching.shutil, "disk_usage", lambda _: SimpleNamespace(free=10**9))
    with pytest.raises(DataError, match=r"no room: 5 files.*1 GB are free.*--annotations"):
        offer_dataset("cuva", tmp_path / "to", hub=FakeHub(cuva))


def test_cuva_is_read_as_it_lies_on_its_hub(cuva: Path, tmp_path: Path) -> None:
    votes = json.dumps([{"video_name": 1, "query": "x", "answer": [0.0, 1.0]}])
    hub, to = FakeHub(cuva, {"Voting_new.json": votes}), tmp_path / "to"
    found = fetch_dataset(offer_dataset("cuva", to, hub=hub))
    assert found.annotations == ((to / "data/all.parquet", 2), (to / "data/test.parquet", 2))
    assert found.not_annotations == ((to / "configuration.json", "the JSON is not a list of rows"),)
    assert found.archived == ("raw/group_0.zip/group_0/rows.JSON",)
    assert found.folder == to
    assert found.moments == to / "Voting_new.json"
    assert hub.asked[1] == (("Voting_new.json",), "f2a8ab6b182183d4df1a97fae03c751c7ba0effb")
    assert tree(to) == {**tree(cuva), "Voting_new.json": votes.encode()}  # nothing is unpacked
    dataset = load_dataset(to / "data/test.parquet", videos=to)
    assert (dataset.name, [each.cause for each in dataset.annotations]) == ("cuva", ["too fast"] * 2)
    assert dataset.missing(["00001", "00002"]) == ("00002",)
    shown = archives.on_disk(dataset.media_path(dataset.annotations[0]))
    assert shown.read_bytes() == (tmp_path / "clip.mp4").read_bytes()

    again = offer_dataset("cuva", to, hub=hub)
    assert (again.files, again.there) == ((), 5)
    assert fetch_dataset(again).annotations == found.annotations
    assert len(hub.asked) == 2


def test_annotations_can_be_had_alone_and_votes_that_are_gone_cost_nothing_else(cuva: Path, tmp_path: Path) -> None:
    offer = offer_dataset("cuva", tmp_path / "new/to", annotations_only=True, hub=FakeHub(cuva))
    found = fetch_dataset(offer)
    assert not (tmp_path / "new/to/raw").exists()
    assert len(found.annotations) == 2
    assert found.moments is None
    assert "Voting_new.json of revision f2a8ab6b could not be had" in found.notes[0]


def test_tar_archives_are_unpacked_once_and_a_crash_is_made_good(tmp_path: Path) -> None:
    folder, to = tmp_path / "hub", tmp_path / "to"
    (folder / ".cache").mkdir(parents=True)
    (folder / ".cache/state.tar").write_bytes(b"hidden")
    make_tar(folder / "part1.tar", {"00001.mp4": b"one", "inner.tar": b"not looked into"})
    make_tar(folder / "part2.tgz", {"00002.mp4": b"two"})
    (folder / "more.rar").write_bytes(b"Rar!")
    (to / ".part2.partial").mkdir(parents=True)
    (to / ".part2.partial/torn.mp4").write_bytes(b"tor")
    hub = FakeHub(folder)
    first = fetch_dataset(offer_dataset("ecva", to, hub=hub))
    assert first.unpacked == (to / "part1", to / "part2")
    assert first.not_read == ("more.rar",)
    assert first.annotations == ()
    assert tree(to / "part2") == {"00002.mp4": b"two"}
    assert not (to / ".part2.partial").exists()
    assert fetch_dataset(offer_dataset("ecva", to, hub=hub)).unpacked == ()


def test_without_pyarrow_the_remedy_is_named(cuva: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    found = fetch_dataset(offer_dataset("cuva", tmp_path / "to", annotations_only=True, hub=FakeHub(cuva)))
    assert found.annotations == ()
    assert [why for path, why in found.not_annotations if path.suffix == ".parquet"] == [
        "a parquet file needs pyarrow: pip install 'ecva-bench[data]'"
    ] * 2


@pytest.mark.parametrize(("name", "package"), [("ecva", "modelscope"), ("cuva", "huggingface_hub")])
def test_a_missing_client_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UsageError, match=rf"{package} is not installed.*pip install 'ecva-bench\[data\]'"):
        offer_dataset(name, tmp_path)


def client_of(name: str, files: list[tuple[str, int]], download: Callable[..., None]) -> SimpleNamespace:
    """The two clients, as far as they are called: as read in huggingface_hub 2.4 and modelscope 1.40."""

    class HfApi:
        def list_repo_tree(self, repository: str, *, recursive: bool, repo_type: str) -> list[object]:
            assert (repository, recursive, repo_type) == (REPOSITORIES["cuva"], True, "dataset")
            return [SimpleNamespace(path="data"), *(SimpleNamespace(path=path, size=size) for path, size in files)]

    class HubApi:
        def get_dataset_files(
            self, repository: str, *, recursive: bool, page_number: int, page_size: int
        ) -> list[dict[str, object]]:
            assert (repository, recursive) == (REPOSITORIES["ecva"], True)
            listed: list[dict[str, object]] = [{"Path": "data", "Type": "tree", "Size": 0}]
            listed += [{"Path": path, "Type": "blob", "Size": size} for path, size in files]
            return listed[(page_number - 1) * page_size : page_number * page_size]

    if name == "cuva":
        return SimpleNamespace(HfApi=HfApi, snapshot_download=download)
    return SimpleNamespace(HubApi=HubApi, dataset_snapshot_download=download)


@pytest.mark.parametrize(("name", "package"), [("ecva", "modelscope"), ("cuva", "huggingface_hub")])
def test_the_clients_are_called_as_they_are_and_their_failure_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, package: str
) -> None:
    files = [*((f"{number}.mp4", number) for number in range(230)), ("a[1].json", 5)]

    def failing(repository: str, *, local_dir: str, allow_patterns: list[str], **options: object) -> None:
        assert (repository, local_dir) == (REPOSITORIES[name], str(tmp_path))
        taken = [path for path, _ in files if any(fnmatch(path, one) for one in allow_patterns)]
        assert taken == [path for path, _ in files if path != "0.mp4"]
        raise ConnectionError("no route\nto host")

    monkeypatch.setitem(sys.modules, package, client_of(name, files, failing))
    (tmp_path / "0.mp4").touch()
    offer = offer_dataset(name, tmp_path)
    assert (len(offer.files), offer.there, offer.size) == (230, 1, sum(range(230)) + 5)
    with pytest.raises(DataError, match=f"ConnectionError: no route.*{fetching.REPOSITORIES[name][1]}.*resumes"):
        fetch_dataset(offer)


def test_only_known_datasets_are_fetched(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="available: ecva, cuva"):
        offer_dataset("mini", tmp_path)
