"""Checks of a submission that others back up: each for itself, on a row that is honest otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecva_bench.data import load_dataset
from ecva_bench.errors import ResultsError
from ecva_bench.leaderboard.submission import read_submission
from ecva_bench.verification.rescoring import verify
from ecva_bench.verification.rows import contradictions

from .cheats import Board, plant, true_answers


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Board:
    return plant(tmp_path_factory.mktemp("honest"), true_answers())


def test_owed_answers_are_those_that_are_there_and_those_that_are_not(honest: Board) -> None:
    found = read_submission(honest.submission)
    entry = found.entries[0]
    more = entry.coverage.model_copy(update={"owed": entry.coverage.owed + 1, "samples": entry.coverage.samples + 1})
    changed = found.model_copy(update={"entries": (entry.model_copy(update={"coverage": more}), *found.entries[1:])})
    fields = [one.field.partition(" of ")[0] for one in contradictions(changed, load_dataset("mini"))]
    assert "owed" in fields


def test_other_answers_than_the_submissions_are_not_scored_for_it(honest: Board, tmp_path: Path) -> None:
    found = read_submission(honest.submission)
    other = tmp_path / "other.jsonl"
    other.write_bytes(honest.answers.read_bytes().rsplit(b"\n", 2)[0] + b"\n")
    with pytest.raises(ResultsError, match="the answers are not those of the submission"):
        verify(found, honest.submission, answers=other, dataset=load_dataset("mini"))
