"""The results file on the disk: synced in groups, watched while it grows, and never destroyed by a full disk."""

from __future__ import annotations

import json
import os
import resource
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ecva_bench.errors import ResultsError
from ecva_bench.journal.growing import SYNC_EVERY
from ecva_bench.journal.results import read_results
from ecva_bench.journal.writer import Journal, end_of, write_results
from tests.test_journal import answer, failure, manifest


@pytest.fixture
def syncs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The size of the file at each sync."""
    sizes = list[int]()
    real = os.fsync

    def fsync(file: int) -> None:
        sizes.append(os.fstat(file).st_size)
        real(file)

    monkeypatch.setattr(os, "fsync", fsync)
    return sizes


def test_what_arrives_together_is_synced_together(tmp_path: Path, syncs: list[int]) -> None:
    path, ids = tmp_path / "r.jsonl", tuple(f"{number}/cause" for number in range(300))
    with Journal(path, manifest(ids)) as journal:
        start = time.monotonic()
        for sample in ids:
            journal.append(answer(sample))
        passed = time.monotonic() - start
        assert path.read_bytes().count(b"\n") == 301  # has left the process, whatever becomes of it
    assert syncs[-1] == path.stat().st_size
    assert len(syncs) <= 3 + passed / SYNC_EVERY


def test_an_answer_is_on_disk_soon_and_an_end_at_once(tmp_path: Path, syncs: list[int]) -> None:
    path = tmp_path / "r.jsonl"
    with Journal(path, manifest()) as journal:
        for sample in ("1/cause", "2/cause"):
            journal.append(answer(sample))
            end = time.monotonic() + 20
            while path.stat().st_size not in syncs and time.monotonic() < end:
                time.sleep(0.005)
            assert path.stat().st_size in syncs
        journal.append(end_of(journal))
        assert path.stat().st_size in syncs


def test_a_sync_that_fails_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = threading.Event()

    def fsync(file: int) -> None:
        failed.set()
        raise OSError(5, "Input/output error")

    journal = Journal(tmp_path / "r.jsonl", manifest())
    monkeypatch.setattr(os, "fsync", fsync)

    def go_on() -> None:  # the sync that fails may be the manifest's own
        journal.append(answer("1/cause"))
        assert failed.wait(20)
        journal.close()

    with pytest.raises(ResultsError, match="Input/output error"):
        go_on()


def test_a_killed_writer_loses_nothing_that_was_not_synced_yet(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path\n"
        "from ecva_bench.journal.writer import Journal\n"
        "from tests.test_journal import answer, manifest\n"
        "os.fsync = lambda file: None\n"
        "journal = Journal(Path(sys.argv[1]), manifest(tuple(f'{n}/cause' for n in range(50))))\n"
        "for n in range(50): journal.append(answer(f'{n}/cause'))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    path = tmp_path / "r.jsonl"
    ended = subprocess.run([sys.executable, "-c", program, path], check=False, cwd=Path(__file__).parents[1])
    assert ended.returncode == -signal.SIGKILL
    assert len(read_results(path).answers) == 50


def test_a_removed_results_file_stops_the_run_and_is_rescued(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    with Journal(path, manifest()) as journal:
        journal.append(answer("1/cause"))
        path.unlink()
        with pytest.raises(ResultsError, match=r"was removed while it was written.*rename .*r\.jsonl\.rescued"):
            journal.append(answer("2/cause"))
    assert not path.exists()
    (tmp_path / "r.jsonl.rescued").rename(path)
    with Journal(path, manifest()) as journal:
        assert sorted(journal.answered) == ["key 1/cause", "key 2/cause"]


def test_a_replaced_results_file_is_not_written_to(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    with Journal(path, manifest()) as journal:
        journal.append(answer("1/cause"))
        other = tmp_path / "other"
        other.write_text("my thesis\n")
        other.rename(path)
        with pytest.raises(ResultsError, match="was replaced while it was written"):
            journal.append(answer("2/cause"))
    assert path.read_text() == "my thesis\n"
    assert len(read_results(tmp_path / "r.jsonl.rescued").answers) == 2


def test_a_renamed_results_file_gets_the_answer_that_was_under_way(tmp_path: Path) -> None:
    path, new = tmp_path / "r.jsonl", tmp_path / "new.jsonl"
    with Journal(path, manifest()) as journal:
        journal.append(answer("1/cause"))
        path.rename(new)
        with pytest.raises(ResultsError, match=r"was renamed to .*new\.jsonl while it was written"):
            journal.append(answer("2/cause"))
    assert len(read_results(new).answers) == 2
    assert sorted(tmp_path.iterdir()) == [new]


@pytest.mark.parametrize(("left", "done"), [(0, "emptied"), (-20, "cut")])
def test_a_results_file_that_was_cut_is_not_written_to(tmp_path: Path, left: int, done: str) -> None:
    path = tmp_path / "r.jsonl"
    with Journal(path, manifest()) as journal:
        journal.append(answer("1/cause"))
        kept = path.read_bytes()[:left]
        os.truncate(path, len(kept))
        with pytest.raises(ResultsError, match=f"was {done} by another program"):
            journal.append(answer("2/cause"))
    assert path.read_bytes() == kept


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """A disk that is full for files of more bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_while_a_run_settles_destroys_nothing(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    with Journal(path, manifest(description={})) as journal:
        journal.append(failure("1/cause"))
        held = path.read_bytes()
        longer = journal.manifest.settled({"model": "x" * 1000}, {})
        with files_of_at_most(len(held)), pytest.raises(ResultsError, match=r"cannot be written|in part"):
            journal.settle(longer)
        assert path.read_bytes() == held
        assert list(tmp_path.iterdir()) == [path]
        journal.settle(longer)
        journal.append(answer("2/cause"))
    kinds = [json.loads(line)["type"] for line in path.read_text().splitlines()]
    assert kinds == ["run", "error", "answer"]
    with Journal(path, manifest(description={})) as journal:
        assert list(journal.answered) == ["key 2/cause"]


def test_results_that_are_written_at_once_leave_nothing_where_the_disk_is_full(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    write_results(path, manifest(), [answer("1/cause")])
    held = path.read_bytes()
    with files_of_at_most(len(held) // 2), pytest.raises(ResultsError):
        write_results(path, manifest(), [answer("1/cause"), answer("2/cause")])
    assert path.read_bytes() == held
    assert list(tmp_path.iterdir()) == [path]


def test_what_takes_a_files_place_is_on_disk_before_and_its_name_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = list[str]()
    real_sync, real_rename = os.fsync, Path.rename

    def fsync(file: int) -> None:
        there = os.fstat(file)
        done.append("folder" if stat.S_ISDIR(there.st_mode) else f"{there.st_size} bytes")
        real_sync(file)

    def rename(path: Path, target: Path) -> Path:
        done.append("rename")
        return real_rename(path, target)

    with Journal(tmp_path / "r.jsonl", manifest(description={})) as journal:
        journal.sync()
        settled = journal.manifest.settled({"model": "m"}, {})
        monkeypatch.setattr(os, "fsync", fsync)
        monkeypatch.setattr(Path, "rename", rename)
        journal.settle(settled)
        size = (tmp_path / "r.jsonl").stat().st_size
        monkeypatch.undo()
    assert done[:3] == [f"{size} bytes", "rename", "folder"]
