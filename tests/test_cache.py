"""A file that several open at once is open to all of them."""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from ecva_bench.cache import open_base, private_folder
from ecva_bench.errors import CacheError


def test_many_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    """Of 100 files opened so, SQLite by itself refuses some one about four times."""
    errors: list[sqlite3.Error] = []

    def use(path: Path, begin: threading.Barrier) -> None:
        begin.wait()
        try:
            with closing(open_base(path)) as base:
                base.execute("CREATE TABLE IF NOT EXISTS t (n)")
                base.execute("INSERT INTO t VALUES (1)")
        except sqlite3.Error as error:
            errors.append(error)

    for number in range(100):
        begin = threading.Barrier(8)
        users = [threading.Thread(target=use, args=(tmp_path / f"{number}.sqlite", begin)) for _ in range(8)]
        for user in users:
            user.start()
        for user in users:
            user.join()
        assert not errors
        with closing(open_base(tmp_path / f"{number}.sqlite")) as base:
            assert base.execute("SELECT sum(n) FROM t").fetchone() == (8,)


def test_a_private_folder_is_ours_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECVA_CACHE", str(tmp_path / "cache"))
    before = os.umask(0)
    try:
        folder = private_folder("numbers")
    finally:
        os.umask(before)
    assert folder.stat().st_mode & 0o777 == 0o700
    (folder / "kept").touch()
    folder.chmod(0o720)
    with pytest.raises(CacheError, match="can be written to by others") as told:
        private_folder("numbers")
    assert str(folder) in str(told.value)
    folder.chmod(0o755)
    private_folder("numbers")
    assert folder.stat().st_mode & 0o777 == 0o700
    mine = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    with pytest.raises(CacheError, match="belongs to another user"):
        private_folder("numbers")
    assert (folder / "kept").exists()


def test_what_is_no_base_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not a base" * 100)
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        open_base(tmp_path / "text")
    with pytest.raises(OSError, match="text"):
        open_base(tmp_path / "text" / "below")
