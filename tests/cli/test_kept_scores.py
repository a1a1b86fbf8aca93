"""What a second `score` leaves of the first, and what a shell's *.jsonl names: as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ecva_bench.scoring.files import read_scores
from tests.sealing import reseal

from .conftest import Command

JUDGE = """
from ecva_bench.judging import Verdict

class Generous:
    def ask(self, calls):
        return [Verdict((float(call.prompt.scale.high),) * call.expected) for call in calls]

    def identity(self, keys=()):
        return {"version": "1"}
"""


@pytest.fixture
def results(ecva_bench: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run on two tasks of three videos, in the current folder, with a judge beside it."""
    monkeypatch.chdir(tmp_path)
    Path("judge.py").write_text(JUDGE)
    results = Path("results.jsonl")
    asked = ("--limit", 3, "--task", "cause,timestamp", "--out", results)
    assert ecva_bench("run", "--model", "constant", *asked)[0] == 0
    return results


def held(path: str = "results.scores.jsonl") -> set[str]:
    return {f"{one.task}/{one.scorer}" for one in read_scores(Path(path)).summaries}


def test_scores_not_asked_for_are_kept(results: Path, ecva_bench: Command) -> None:
    ecva_bench("score", results, "--judge", "./judge.py:Generous", "--anomeval", "upstream")
    whole = Path("results.scores.jsonl").read_bytes()
    judged = {"cause/anomeval", "cause/gpt"}
    assert held() == judged | {"cause/bleu", "cause/rouge", "timestamp/timestamp"}
    for options in ([], ["--task", "timestamp"], ["--scorers", "rouge", "--task", "cause"]):
        code, shown, said = ecva_bench("score", results, *options)
        assert (code, "anomeval" in shown) == (0, False)
        assert ": anomeval, " in said
        assert Path("results.scores.jsonl").read_bytes() == whole
    assert ecva_bench("leaderboard", results, "--task", "cause")[1].count("gated %") >= 1


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        (["--judge", "./judge.py:Generous"], ["--seed", "3"], "with the seed 0"),
        (["--scorers", "bleu"], ["--scorers", "rouge", "--seed", "3"], "with the seed 0"),
    ],
)
def test_scores_that_cannot_be_kept_are_not_replaced(
    results: Path, ecva_bench: Command, first: list[str], second: list[str], why: str
) -> None:
    ecva_bench("score", results, *first)
    before = Path("results.scores.jsonl").read_bytes()
    code, shown, said = ecva_bench("score", results, *second)
    assert (code, "rougeL" in shown) == (2, True)  # what was computed is shown all the same
    assert why in said
    assert "--out" in said
    assert Path("results.scores.jsonl").read_bytes() == before
    assert ecva_bench("score", results, *second, "--out", "other.scores.jsonl")[0] == 0


def test_judged_scores_of_changed_answers_are_not_lost_and_others_are_replaced(
    results: Path, ecva_bench: Command
) -> None:
    ecva_bench("score", results, "--judge", "./judge.py:Generous")
    lines = results.read_text().splitlines(keepends=True)
    answer = next(n for n, line in enumerate(lines) if json.loads(line)["type"] == "answer")
    lines[answer] = lines[answer].replace("careless", "drunk")
    results.write_text("".join(lines))
    reseal(results)
    before = Path("results.scores.jsonl").read_bytes()
    code, _, said = ecva_bench("score", results)
    assert (code, "the answers have changed since" in said) == (2, True)
    assert Path("results.scores.jsonl").read_bytes() == before
    assert ecva_bench("score", results, "--judge", "./judge.py:Generous")[0] == 0
    Path("results.scores.jsonl").unlink()
    ecva_bench("score", results, "--scorers", "bleu", "--task", "cause")
    results.write_text("".join(lines).replace("drunk", "tired"))
    reseal(results)
    assert ecva_bench("score", results, "--scorers", "rouge", "--task", "cause")[0] == 0
    assert held() == {"cause/rouge"}


def test_answers_of_one_name_in_two_forms_have_scores_of_their_own(results: Path, ecva_bench: Command) -> None:
    Path("results.json").write_text('{"mini01.mp4": "A car brakes late."}')
    Path("results.csv").write_text("video,answer\nmini01.mp4,A car brakes late.\n")
    for file in ("results.jsonl", "results.json", "results.csv"):
        assert ecva_bench("score", file, "--data", "mini", "--task", "cause")[0] == 0
    assert held() == held("results.json.scores.jsonl") == held("results.csv.scores.jsonl")
    assert read_scores(Path("results.scores.jsonl")).coverage[0].answered == 3
    assert read_scores(Path("results.json.scores.jsonl")).coverage[0].answered == 1


@pytest.mark.parametrize(
    "command",
    [
        ["score"],
        ["audit"],
        ["view", "--no-serve", "--out", "page"],
        ["report", "--out", "report.html"],
        ["merge", "--out", "merged/results.jsonl"],
        ["leaderboard", "--task", "cause", "--no-published"],
    ],
    ids=lambda command: command[0],
)
def test_a_glob_may_name_scores_beside_results(results: Path, ecva_bench: Command, command: list[str]) -> None:
    ecva_bench("score", results)
    code, shown, said = ecva_bench(command[0], *sorted(Path().glob("*.jsonl")), *command[1:])
    assert code == 0, said
    assert "passed over: results.scores.jsonl: " in said
    assert said.count("passed over") == 1
    if command[0] == "leaderboard":
        assert (shown.count("baseline"), shown.count("#1")) == (1, 0)


def test_scores_alone_are_refused_as_before(results: Path, ecva_bench: Command) -> None:
    ecva_bench("score", results)
    code, _, said = ecva_bench("score", "results.scores.jsonl")
    assert (code, "passed over" in said, "this is a scores file" in said) == (2, False, True)
