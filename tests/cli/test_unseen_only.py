"""What commands say of questions about videos that a model was trained on, and how they leave them out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import ecva_bench as eb
from tests.cli.conftest import Command

TASKS = ("cause", "classification")


def told(*command: object, run: Command, code: int = 0) -> str:
    found, out, err = run(*command)
    assert found == code, err
    return " ".join((out + err).split())


def test_commands_say_the_share_and_leave_out_for_all_what_one_was_trained_on(
    ecva_bench: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = Path("training.json")
    record = {"schema": "ecva.training/1", "stages": [{"videos": [{"dataset": "mini", "id": "mini01"}]}]}
    file.write_text(json.dumps(record))
    asked = ("--task", "cause,classification", "--limit", 4)
    said = told("run", "--model", "motion", *asked, "--out", "m.jsonl", "--training", file, run=ecva_bench)
    assert "trained on the videos of 2 of 8 questions (25.0 %), which are marked" in said
    eb.run("constant", tasks=TASKS, limit=4, out="c.jsonl")
    assert "1 about videos it was trained on" in told("score", "m.jsonl", "c.jsonl", run=ecva_bench)
    assert "2 of 8 questions (25.0 %)" in told("summary", "m.jsonl", run=ecva_bench)
    board = told("leaderboard", "m.jsonl", "c.jsonl", "--no-published", run=ecva_bench)
    assert "baseline, trained on 25 % of it" in board
    pair = ("m.jsonl", "--against", "c.jsonl", "--metric", "rougeL")
    for compared in (
        told("gate", *pair, run=ecva_bench),
        told("compare", "c.jsonl", "m.jsonl", run=ecva_bench),
    ):
        assert "trained on the videos of: unknown in the base, 2 of 8 questions (25.0 %) in the new run" in compared
    told("leaderboard", "m.jsonl", "--unseen-only", run=ecva_bench, code=2)
    told("score", "m.jsonl", "c.jsonl", "--unseen-only", run=ecva_bench)
    board = told("leaderboard", "m.jsonl", "c.jsonl", "--unseen-only", "--no-published", run=ecva_bench)
    assert "cause, full video, protocol standard, 3 samples of mini" in board
    assert "trained on 25 %" not in board
    assert "6 of 6 questions answered" in told("summary", "m.jsonl", "--unseen-only", run=ecva_bench)
    assert "n = 3 videos" in told("gate", *pair, "--unseen-only", run=ecva_bench)
    named = told("leaderboard", *map(str, Path().glob("*.jsonl")), "--unseen-only", "--no-published", run=ecva_bench)
    assert named.startswith(board)
    assert named.count("passed over") == 4
    told("submit", "m.jsonl", "--scores", "m.unseen.scores.jsonl", "--verify", "--to", "boards", run=ecva_bench)
