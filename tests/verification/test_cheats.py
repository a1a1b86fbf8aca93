"""Planted cheats: each ends refused or not verified, and an honest submission is verified."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ecva_bench.errors import ResultsError
from ecva_bench.judging.exports import key_of
from ecva_bench.leaderboard.files import build_leaderboards
from ecva_bench.leaderboard.submission import Submission
from ecva_bench.records.base import canonical_json
from ecva_bench.verification.evidence import Evidence
from tests.sealing import resealed, unseal

from . import cheats
from .cheats import Board, Json, plant, true_answers


def built(board: Board, task: str = "cause", read: Callable[[Path], Submission] | None = None) -> Json:
    """Build the boards of a folder with verification, and return the row of its run about full videos, by column."""
    build_leaderboards(board.folder, published=(), read=read or Evidence().read_verified)
    tables = json.loads((board.folder / "mini" / "leaderboard.json").read_text())["tables"]
    table = next(one for one in tables if one["title"].startswith(f"{task}, full video") and "rank" in one["header"])
    (row,) = [[cell["text"] for cell in row] for row in table["rows"] if row[3]["text"] != "never looks"]
    return dict(zip(table["header"], row, strict=True))


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Board:
    return plant(tmp_path_factory.mktemp("honest"), true_answers())


@pytest.fixture
def board(honest: Board, tmp_path: Path) -> Board:
    """A copy of the honest board, to be changed."""
    copy = Board(tmp_path)
    for source, target in ((honest.submission, copy.submission), (honest.answers, copy.answers)):
        target.parent.mkdir(parents=True)
        target.write_bytes(source.read_bytes())
    return copy


def test_an_honest_submission_is_verified_and_ranked(honest):
    row = built(honest)
    assert (row["rank"], row["kind"]) == ("1", "run, verified")
    assert "signed" not in (honest.folder / "mini" / "leaderboard.md").read_text()  # where nobody looked


@pytest.mark.parametrize(("cheat", "why"), cheats.IN_SUBMISSION.items(), ids=lambda one: getattr(one, "__name__", ""))
def test_a_changed_submission_is_refused_for_what_was_changed(board, cheat, why):
    changed = json.loads(board.submission.read_text())
    cheat(changed)
    board.submission.write_text(json.dumps(resealed(changed)))
    with pytest.raises(ResultsError, match=r"should be|do not give their mean") as refused:
        built(board)
    assert why in str(refused.value)
    assert str(board.folder) in str(refused.value)


def test_a_repair_is_not_kept_quiet(tmp_path):
    answers = [*true_answers(), {"type": "event", "event": "repaired", "detail": {"faults": 2}, "t": ""}]
    board = plant(tmp_path, answers)
    assert built(board)["kind"] == "run, verified"
    assert "changed in 2 places and repaired" in (board.folder / "mini" / "leaderboard.md").read_text()
    changed = json.loads(board.submission.read_text())
    del changed["scores"]["repaired"]
    board.submission.write_text(json.dumps(resealed(changed)))
    with pytest.raises(ResultsError, match="repaired is 0, should be 2"):
        built(board)


@pytest.mark.parametrize(
    ("cheat", "rank", "kind"),
    [
        *((cheat, "", "run, as stated") for cheat in cheats.NOT_TOLD),
        *((cheat, "1", "run, verified but for rouge2") for cheat in cheats.IN_ANOTHER_WAY),
    ],
)
def test_what_nobody_can_tell_is_not_verified(board, cheat, rank, kind):
    changed = json.loads(board.submission.read_text())
    cheat(changed)
    board.submission.write_text(json.dumps(resealed(changed)))
    row = built(board)
    assert (row["rank"], row["kind"]) == (rank, kind)


@pytest.mark.parametrize(("cheat", "why"), cheats.IN_ANSWERS.items(), ids=lambda one: getattr(one, "__name__", ""))
def test_answers_that_were_changed_before_scoring_are_refused_for_what_was_changed(tmp_path, cheat, why):
    changed = true_answers()
    cheat(changed)
    planted = plant(tmp_path, changed)
    with pytest.raises(ResultsError) as refused:
        built(planted)
    assert why in str(refused.value)
    assert str(tmp_path) in str(refused.value)


@pytest.mark.parametrize(("cheat", "why"), cheats.NOT_KNOWN.items(), ids=lambda one: getattr(one, "__name__", ""))
def test_a_run_whose_keys_cannot_be_computed_again_takes_no_rank(tmp_path, cheat, why):
    changed = true_answers()
    cheat(changed)
    planted = plant(tmp_path, changed)
    evidence = Evidence()
    assert evidence.read_verified(planted.submission).verification.status == "as stated"
    assert why in evidence.notes[0]
    assert built(planted)["rank"] == ""


def test_the_same_answer_twice_is_no_cheat(tmp_path):
    changed = true_answers()
    cheats.an_answer_twice(changed)
    assert built(plant(tmp_path, changed))["kind"] == "run, verified"


def test_there_are_at_least_25_kinds_of_cheats():
    assert len({*cheats.IN_SUBMISSION, *cheats.IN_ANSWERS, *cheats.NOT_KNOWN, *cheats.NOT_TOLD}) >= 25


def test_leaving_hard_videos_out_is_no_cheat_and_gains_nothing(tmp_path, honest):
    changed = true_answers()
    cheats.hard_videos_left_out(changed)
    row = built(plant(tmp_path, changed))
    assert (row["kind"], row["answered"]) == ("run, verified", "7/14")
    assert float(row["rouge2 %"].partition(" ")[0]) < float(built(honest)["rouge2 %"].partition(" ")[0])


def test_judged_columns_are_verified_from_the_replay_and_not_without_it(tmp_path):
    board = plant(tmp_path, true_answers(), judged=True)
    row = built(board)
    assert (row["rank"], row["kind"]) == ("1", "run, verified")
    calls = board.judge.read_bytes()
    board.judge.unlink()
    row = built(board)  # ranked by shared words, which are verified
    assert row["kind"].startswith("run, verified but for s1, s2, s3, S, gated")
    assert list(row).index("rouge2 %") < list(row).index("gated %")
    edited = cheats.lines_of(calls)
    for call in edited[1:]:
        call["reply"]["content"] = re.sub(r"\[\d\]", "[5]", call["reply"]["content"]).replace('"no"', '"yes"')
    cheats.write_lines(board.judge, edited)
    unseal(board.judge)
    with pytest.raises(ResultsError, match="the scores are not those of the answers"):
        built(board)
    cheats.write_lines(board.judge, [{**edited[0], "calls": 1}, edited[1]])
    unseal(board.judge)
    assert "but for" in built(board)["kind"]


def test_bad_calls_and_those_of_other_judges_are_a_finding_about_their_row_alone(tmp_path):
    own = cheats.lines(cheats.CI / "judge.jsonl")
    others = json.loads(json.dumps(own[1:4]))
    for call in others:
        call["request"]["model"] = "another"
        call["key"] = key_of(canonical_json(call["request"]))
    board, evidence = plant(tmp_path, true_answers(), judged=True), Evidence()
    cheats.write_lines(board.judge, [{**own[0], "calls": len(own) + 2}, *own[1:], *others])
    unseal(board.judge)
    assert evidence.read_verified(board.submission).kind == "run, verified"  # those of its own judge count
    board.judge.write_bytes(board.judge.read_bytes()[:-9])
    found = evidence.read_verified(board.submission)
    assert found.kind.startswith("run, verified but for s1, s2, s3, S, gated")
    assert f"{board.judge}, line " in evidence.notes[1]


def test_answers_that_are_called_as_calls_are_no_calls_of_a_judge(tmp_path):
    """As where somebody submits a results file named run.judge.jsonl: the calls of all rows are still looked for."""
    board = plant(tmp_path, true_answers(), judged=True)
    board.judge.rename(board.judge.with_name("judge.jsonl"))
    board.judge.write_bytes((cheats.CI / "constant.jsonl").read_bytes())
    assert built(board)["kind"] == "run, verified"


def test_what_is_not_verified_moves_no_rank(board):
    """A row that is as stated stands below, is no bar for bold type, and chooses no column to rank by."""
    changed = json.loads(board.submission.read_text())
    cheats.every_value_095(changed)
    changed["scores"].update(results_sha256="c" * 64, model="best", name="best")
    for entry in changed["entries"]:
        entry["summaries"] = [one for one in entry["summaries"] if one["column"] != "bleu"]
        entry["values"].pop("bleu", None)
    board.submission.with_name("best.json").write_text(json.dumps(resealed(changed)))
    build_leaderboards(board.folder, published=(), read=Evidence().read_verified)
    tables = json.loads((board.folder / "mini" / "leaderboard.json").read_text())["tables"]
    first = next(one for one in tables if one["title"].startswith("cause, full video") and "rank" in one["header"])
    assert [(row[0]["text"], row[2]["text"], row[3]["text"]) for row in first["rows"]] == [
        ("1", "motion", "run, verified"),
        ("", "best", "run, as stated"),
    ]
    assert not any("best" in cell.get("marks", ()) for cell in first["rows"][1])
