"""The leaderboards that are kept: they are what their submissions give, byte for byte, and nothing is left over."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ecva_bench.api.boards import background
from ecva_bench.errors import ResultsError, UsageError
from ecva_bench.leaderboard.files import build_leaderboards
from ecva_bench.leaderboard.published import published_tables, tables_of_others
from ecva_bench.leaderboard.submission import read_submission
from ecva_bench.verification.evidence import Evidence

FOLDER = Path(__file__).resolve().parents[2] / "leaderboards"
BUILT = ("*/leaderboard.*", "*/csv/*", "reproduction.*")


def contents(folder, patterns=BUILT):
    return {path.relative_to(folder): path.read_bytes() for one in patterns for path in folder.glob(one)}


@pytest.fixture
def copy(tmp_path):
    """The submissions that are kept, without what was built of them."""
    for path in FOLDER.glob("*/submissions/*.json"):
        target = tmp_path / path.relative_to(FOLDER)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    return tmp_path


def test_what_is_kept_is_what_the_submissions_give(copy):
    evidence = Evidence([FOLDER / "ci", FOLDER / "mini" / "answers"])
    others = tables_of_others()
    paths = build_leaderboards(
        copy, published=published_tables(), others=others, known=background(), read=evidence.read_verified
    )
    # the frozen judge calls are older than seals
    found = [note.partition("; ")[0].rpartition(": ")[2] for note in evidence.notes]
    released = [note for note in evidence.notes if "/cuva/" in note]  # whose answers are not ours to publish
    assert ["as stated: no answers with the hash" in note for note in released] == [True] * 4
    assert found[len(released) :] == ["verified"] * 14
    assert {path.relative_to(copy) for path in paths} == contents(copy).keys()
    assert contents(copy) == contents(FOLDER)


# What the golden files call the baselines, and the columns.
FLOORS = {
    "constant": "constant 0.5",
    "middle": "centre prior",
    "oracle": "oracle (the curve)",
    "second-round": "reviewed moments",
}
CALLED = {"hit1_very_good": "hit1", "ap_very_good": "highlight_ap", "ap_good": "highlight_ap_good"}
# Of `motion` (design/scoring.md): frame differences four times a second, averaged over one.
MOTION = {
    "spearman": 0.539,
    "highlight_ap": 0.646,
    "hit1": 0.714,
    "closeness": 0.743,
    "frame_auc": 0.833,
    "frame_ap": 0.802,
    "iou_half": 0.612,
    "auc_pooled": 0.833,
}


@pytest.mark.parametrize("model", [*FLOORS, "motion"])
def test_the_floors_of_severity_are_the_golden_ones(model, shared_golden):
    rows = json.loads((shared_golden / "severity/floors_mini.json").read_text())["rows"]
    expected = MOTION if model == "motion" else rows[FLOORS[model]]
    found = read_submission(FOLDER / "mini" / "submissions" / f"{model}-severity.json")
    (entry,) = found.entries
    means = {one.column: one.mean for one in entry.summaries} | {one.column: one.value for one in entry.aggregates}
    means |= {"frame_base": means["base"], "base_pooled": means["base_rate"], "hit1_very_good": means["hit1"]}
    assert {name: means[CALLED.get(name, name)] for name in expected} == pytest.approx(expected, abs=0.02)
    assert {entry.task for entry in found.entries} == {"severity"}


def test_the_order_of_files_on_disk_moves_nothing(copy):
    build_leaderboards(copy, published=[])
    first = contents(copy)
    paths = sorted((copy / "mini" / "submissions").iterdir())
    for path in reversed(paths):
        text = path.read_bytes()
        path.unlink()
        path.write_bytes(text)
    build_leaderboards(copy, published=[])
    assert contents(copy) == first


def test_tables_that_are_no_more_are_removed_and_nothing_else(copy):
    (copy / "mini" / "csv").mkdir()
    (copy / "mini" / "csv" / "old.csv").write_text("old")
    (copy / "mini" / "notes.txt").write_text("mine")
    build_leaderboards(copy, published=[])
    assert not (copy / "mini" / "csv" / "old.csv").exists()
    assert (copy / "mini" / "notes.txt").read_text() == "mine"


def test_a_broken_submission_and_a_missing_folder_are_named(copy):
    (copy / "mini" / "submissions" / "broken.json").write_text("{}")
    with pytest.raises(ResultsError, match=r"broken\.json"):
        build_leaderboards(copy, published=[])
    with pytest.raises(UsageError, match="no such folder"):
        build_leaderboards(copy / "nowhere", published=[])


def test_the_baselines_stand_on_the_page_of_mini():
    tables = json.loads((FOLDER / "mini" / "leaderboard.json").read_text())["tables"]
    models = {row[0]["text"] for row in tables[-1]["rows"]}
    blind = {"blind:SmolLM2-135M-Instruct", "constant", "middle", "prompt-echo"}
    assert models == blind | {"anomshield-mini", "motion", "oracle", "second-round"}
    timestamp = next(table for table in tables if table["title"].startswith("timestamp, full video"))
    order = [row[timestamp["header"].index("model")]["text"] for row in timestamp["rows"]]
    assert order[:2] == ["anomshield-mini", "oracle"]
    assert all(row[timestamp["header"].index("rank")]["text"] == "" for row in timestamp["rows"][1:])  # of baselines
