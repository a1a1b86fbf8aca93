"""`summary`, as a user types it."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Command
from tests.imports import ROOT

FROZEN = ROOT / "leaderboards" / "ci"


def test_the_command_says_what_ran_on_what_and_what_comes_next(ecva_bench: Command) -> None:
    code, shown, _ = ecva_bench("summary", FROZEN / "motion.jsonl", "--baseline", FROZEN / "constant.jsonl")
    assert code == 0
    assert shown.startswith("motion on mini: 14 videos, full video, 70 of 70 questions answered\n")
    board = (ROOT / "leaderboards/mini/leaderboard.md").read_text(encoding="utf-8").replace("\\", "")
    [line] = [line for line in shown.splitlines() if line.startswith("timestamp ")]
    assert "43.88 %  30.09 to 57.16  21.81 %" in line
    assert "43.88 [30.09, 57.16]" in board  # the same run's figure there
    assert line.endswith("38.62 % (constant_span)  no")
    assert "data fetch cuva" in shown.partition("next, ")[2]
    assert ecva_bench("summary", Path("absent.jsonl"))[0] == 2


def test_summary_and_submit_pass_over_scores_that_lie_beside_results(tmp_path: Path, ecva_bench: Command) -> None:
    runs = [tmp_path / "motion.jsonl", tmp_path / "constant.jsonl"]
    for run in runs:
        assert ecva_bench("run", "--model", run.stem, "--task", "cause", "--limit", "2", "--out", run)[0] == 0
        assert ecva_bench("score", run, "--scorers", "rouge")[0] == 0
    every = sorted(tmp_path.glob("*.jsonl"))
    assert len(every) == 4
    code, shown, errors = ecva_bench("summary", *every)
    assert (code, errors.count("passed over: ")) == (0, 2)
    assert [line.split()[0] for line in shown.splitlines() if " answered" in line] == ["constant", "motion"]
    code, shown, errors = ecva_bench("submit", *every, "--to", tmp_path / "boards")
    assert (code, shown.count("wrote "), errors.count("passed over: ")) == (0, 2, 2)
    code, _, errors = ecva_bench("submit", *every, "--usd", "2", "--to", tmp_path / "boards")
    assert code == 2
    assert "submit the runs one by one" in errors
