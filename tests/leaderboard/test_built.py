"""The leaderboards that are kept: they are what their submissions give, byte for byte, and nothing is left over."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ecva_bench.errors import ResultsError, UsageError
from ecva_bench.leaderboard.files import build_leaderboards
from ecva_bench.leaderboard.published import published_tables
from ecva_bench.taxonomy import load_taxonomy
from ecva_bench.verification.evidence import Evidence

FOLDER = Path(__file__).resolve().parents[2] / "leaderboards"
BUILT = ("leaderboard.*", "csv/*")


def contents(folder, patterns=BUILT):
    return {path.relative_to(folder): path.read_bytes() for one in patterns for path in folder.glob(f"*/{one}")}


@pytest.fixture
def copy(tmp_path):
    """The submissions that are kept, without what was built of them."""
    for path in FOLDER.glob("*/submissions/*.json"):
        target = tmp_path / path.relative_to(FOLDER)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    return tmp_path


def test_what_is_kept_is_what_the_submissions_give(copy):
    names = {entry.code: entry.name for entry in load_taxonomy("cuva").classes}
    evidence = Evidence([FOLDER / "ci", FOLDER / "mini" / "answers"])
    paths = build_leaderboards(copy, published=published_tables(), class_names=names, read=evidence.read_verified)
    assert [note.rpartition(": ")[2] for note in evidence.notes] == ["verified"] * 5
    assert {path.relative_to(copy) for path in paths} == contents(copy).keys()
    assert contents(copy) == contents(FOLDER)


def test_the_order_of_files_on_disk_moves_nothing(copy):
    build_leaderboards(copy, published=[], class_names={})
    first = contents(copy)
    paths = sorted((copy / "mini" / "submissions").iterdir())
    for path in reversed(paths):
        text = path.read_bytes()
        path.unlink()
        path.write_bytes(text)
    build_leaderboards(copy, published=[], class_names={})
    assert contents(copy) == first


def test_tables_that_are_no_more_are_removed_and_nothing_else(copy):
    (copy / "mini" / "csv").mkdir()
    (copy / "mini" / "csv" / "old.csv").write_text("old")
    (copy / "mini" / "notes.txt").write_text("mine")
    build_leaderboards(copy, published=[], class_names={})
    assert not (copy / "mini" / "csv" / "old.csv").exists()
    assert (copy / "mini" / "notes.txt").read_text() == "mine"


def test_a_broken_submission_and_a_missing_folder_are_named(copy):
    (copy / "mini" / "submissions" / "broken.json").write_text("{}")
    with pytest.raises(ResultsError, match=r"broken\.json"):
        build_leaderboards(copy, published=[], class_names={})
    with pytest.raises(UsageError, match="no such folder"):
        build_leaderboards(copy / "nowhere", published=[], class_names={})


def test_the_baselines_stand_on_the_page_of_mini():
    tables = json.loads((FOLDER / "mini" / "leaderboard.json").read_text())["tables"]
    models = {row[0]["text"] for row in tables[-1]["rows"]}
    assert models == {"constant", "motion", "oracle", "prompt-echo", "second-round"}
    timestamp = next(table for table in tables if table["title"].startswith("timestamp, full video"))
    order = [row[timestamp["header"].index("model")]["text"] for row in timestamp["rows"]]
    assert order[0] == "oracle"
    assert all(row[0]["text"] == "" for row in timestamp["rows"])  # baselines take no rank
