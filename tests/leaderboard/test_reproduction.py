"""The page *Reproduction*: its verdicts against the published figures, its numbers against the released answers."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from ecva_bench.leaderboard.published import published_tables
from ecva_bench.leaderboard.reproduction import load_reproduction, reproduction_tables
from ecva_bench.leaderboard.submission import read_submission

FOLDER = Path(__file__).resolve().parents[2] / "leaderboards"
RELEASED = sorted((FOLDER / "cuva" / "submissions").glob("*.json"))


@pytest.fixture(scope="module")
def submissions():
    return [read_submission(path) for path in RELEASED]


def texts(table):
    return [[cell.text for cell in row] for row in table.rows]


def test_the_one_figure_that_comes_out_again_is_said_to(submissions):
    again, _, *tables, _ = reproduction_tables(published_tables(), submissions)
    assert [row[3:] for row in texts(again) if row[-1] == "reproduced"] == [
        ["Classification", "46.42", "428/922 = 46.42", "423/922 = 45.88", "reproduced"]
    ]
    others = [row[3:6] for row in texts(again) if row[-1] == "not reproduced"]
    assert others == [["BLEU", "0.31", "0.15"], ["ROUGE-2", "2.40", "2.22"], ["ROUGE-L", "11.50", "10.01"]]
    rows = [row for table in tables for row in texts(table)]
    assert len(rows) == sum(len(table.rows) for table in published_tables())
    assert [row[:3] for row in rows if row[1].startswith("1 of ")] == [["Video-LLaMa2", "1 of 1", ""]]
    assert all(row[2] for row in rows if row[1].startswith("0 of "))  # why not


def test_another_figure_is_not_called_reproduced(submissions):
    changed = [
        one.model_copy(
            update={
                "entries": tuple(
                    entry.model_copy(
                        update={"summaries": tuple(s.model_copy(update={"mean": 0.4643}) for s in entry.summaries)}
                    )
                    for entry in one.entries
                )
            }
        )
        for one in submissions
    ]
    again = reproduction_tables(published_tables(), changed)[0]
    assert not [row for row in texts(again) if row[-1] == "reproduced"]


def test_without_the_released_answers_there_is_no_page():
    assert reproduction_tables(published_tables(), []) == []


def test_nothing_of_the_annotations_or_the_answers_is_published():
    for path in RELEASED:
        content = json.loads(path.read_text(encoding="utf-8"))
        assert content["classes"] == {}
        assert not any("text" in prompt for prompt in content["spec"]["prompts"].values())


def test_the_files_are_those_released(shared_data):
    for one in load_reproduction().released:
        content = (shared_data / "ecva" / "answers" / one.file).read_bytes()
        assert hashlib.sha256(content).hexdigest() == one.sha256
        assert sum(row["output"] != "ERROR" for row in json.loads(content)) == one.answers
