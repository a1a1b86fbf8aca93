"""Files appear whole or not at all, whatever stops the writer, and every writer of the program keeps to that."""

from __future__ import annotations

import ast
import os
import stat
from pathlib import Path

import pytest

from ecva_bench.leaderboard.files import write_leaderboards
from ecva_bench.leaderboard.table import Cell, Table
from ecva_bench.writing import write_whole
from tests.imports import ROOT
from tests.test_journal_on_disk import files_of_at_most

# Who writes otherwise, and why that is whole too.
OTHERWISE = {
    "ecva_bench/writing.py": "the one way",
    "ecva_bench/answering/deaths.py": "appends what a run is at, which nobody needs once it ended",
    "ecva_bench/data/drawing.py": "an encoder, in a file that is renamed",
    "ecva_bench/data/unpacking.py": "in a folder that is renamed",
    "ecva_bench/files/archives.py": "a large file, copied piece by piece and renamed",
    "ecva_bench/journal/growing.py": "what a removed results file held, piece by piece",
    "ecva_bench/journal/repairing.py": "appends to the lines that were set aside before",
    "ecva_bench/judging/batches.py": "appends requests before they are sent, and notes, each synced",
    "ecva_bench/leaderboard/gate_files.py": "appends to a summary that other steps of a job began",
    "ecva_bench/report/page.py": "in a folder of its own, put in place when it is whole",
    "ecva_bench/training/known.py": "appends a line for each file that was read; what a kill cut off is passed over",
}


def test_a_file_is_written_whole_with_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "new" / "é.md"
    write_whole(path, "née\r\n")
    assert path.read_bytes() == "née\r\n".encode()
    write_whole(path, b"\xff")
    assert path.read_bytes() == b"\xff"
    assert list(path.parent.iterdir()) == [path]


def test_several_texts_are_one_file_or_none(tmp_path: Path) -> None:
    path = tmp_path / "found.jsonl"
    write_whole(path, (f"{number} é\n" for number in range(3)))
    assert path.read_text(encoding="utf-8") == "0 é\n1 é\n2 é\n"
    with pytest.raises(ZeroDivisionError):
        write_whole(path, (str(1 // number) for number in (1, 0)))
    assert path.read_text(encoding="utf-8") == "0 é\n1 é\n2 é\n"
    assert [one.name for one in tmp_path.iterdir()] == ["found.jsonl"]


def test_a_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "board.md"
    write_whole(path, "old")
    with files_of_at_most(1000), pytest.raises(OSError, match="large"):
        write_whole(path, "x" * 5000)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_it_is_on_disk_before_it_takes_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, seen = tmp_path / "board.md", list[str]()
    write_whole(path, "old")
    monkeypatch.setattr(os, "fsync", lambda file: seen.append(path.read_text()))
    write_whole(path, "new")
    assert (seen, path.read_text()) == (["old"], "new")


def test_rights_and_links_stay(tmp_path: Path) -> None:
    path, link = tmp_path / "secret.json", tmp_path / "link.json"
    write_whole(path, "{}")
    path.chmod(0o600)
    link.symlink_to(path)
    write_whole(link, "[]")
    assert link.is_symlink()
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("[]", 0o600)


def test_a_device_is_written_to_as_it_is() -> None:
    write_whole(Path("/dev/null"), "gone")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    with pytest.raises(OSError, match="No space"):
        write_whole(Path("/dev/full"), "x")


def test_a_board_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    old = Table("t", ("a",), ((Cell("1"),),))
    for path in write_leaderboards([old], tmp_path):
        assert path.stat().st_size
    held = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    long = Table("t", ("a",), ((Cell("x" * 5000),),))
    with files_of_at_most(1000), pytest.raises(Exception, match="cannot be written"):
        write_leaderboards([long], tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == held


def test_nobody_writes_a_file_in_another_way() -> None:
    found = set()
    for path in sorted((ROOT / "ecva_bench").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _writes(node, node.func.attr):
                found.add(str(path.relative_to(ROOT)))
    assert found == set(OTHERWISE)


def _writes(call: ast.Call, name: str) -> bool:
    """Whether a call opens a file to write, or writes one at once."""
    if name in ("write_text", "write_bytes", "fdopen", "mkstemp", "NamedTemporaryFile"):
        return True
    modes = [one.value for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return name == "open" and any(mode[0] in "wax" and len(mode) <= 3 for mode in modes if mode)
