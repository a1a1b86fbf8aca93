"""Twins, end to end: what baselines get is known beforehand, and a run that is killed ends with the same answers."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import ecva_bench as eb
from ecva_bench.data import load_dataset
from ecva_bench.records.scores import Summary
from ecva_bench.records.twins import original_of
from ecva_bench.scoring.files import read_scores_of
from tests.answering.test_kill import answers
from tests.cli.conftest import Command
from tests.scoring.judges import RuleJudge

MODELS = ("oracle", "constant", "motion", "prompt-echo")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The results of baselines about the twins, with their scores beside them; the judge goes by shared words."""
    folder = tmp_path_factory.mktemp("twins")
    found = {}
    for model in MODELS:
        outcome = eb.run(model, data="mini-twins", tasks="detection,cause", out=folder / f"{model}.jsonl")
        assert (outcome.end.answers, outcome.end.errors, outcome.end.missing) == (84, 0, 0)
        eb.score(outcome)
        eb.score(outcome, scorers=["twins-judge"], judge=RuleJudge())
        found[model] = outcome.path
    return found


def column(path: Path, name: str) -> Summary:
    return next(one for one in read_scores_of(path).summaries if one.column == name)


@pytest.mark.parametrize(
    ("model", "right", "alarms"), [("oracle", 14, 0), ("constant", 0, 14), ("prompt-echo", 0, 0), ("motion", 2, 5)]
)
def test_the_oracle_is_right_about_every_clip_and_who_does_not_look_about_none(
    model: str, right: int, alarms: int, runs: dict[str, Path]
) -> None:
    pairs, alarm = column(runs[model], "pairs_right"), column(runs[model], "normal_alarm")
    assert (pairs.hits, pairs.n, pairs.expected) == (right, 14, 14)
    assert (alarm.hits, alarm.n, alarm.expected) == (alarms, 14, 14)


def test_pairs_of_motion_are_those_counted_by_hand(runs: dict[str, Path]) -> None:
    wrong = {
        original_of(str(one["video"]))
        for one in answers(runs["motion"]).values()
        if one["task"] == "detection" and str(one["answer"]).lower() != one["reference"]
    }
    assert 14 - len(wrong) == column(runs["motion"], "pairs_right").hits


def test_claims_of_who_does_not_look_are_those_of_the_clip_and_of_who_knows_none(runs: dict[str, Path]) -> None:
    for model in ("constant", "prompt-echo"):
        for kind in ("normal", "context"):
            assert column(runs[model], f"same_answer_{kind}").hits == 14
            low, high = column(runs[model], f"claims_{kind}").interval or (1, 1)
            assert low < 0.05  # as near to the one text as to the other
            assert high > -0.05
    assert column(runs["oracle"], "same_answer_normal").hits == 0
    assert (column(runs["oracle"], "claims_normal").interval or (0, 0))[1] < -0.5
    assert (column(runs["oracle"], "claimed_normal").mean, column(runs["oracle"], "claimed_normal").n) == (0, 14)


def test_the_commands_show_the_twins(runs: dict[str, Path], ecva_bench: Command, tmp_path: Path) -> None:
    files = [str(runs[model]) for model in ("oracle", "constant", "motion")]
    _, board, _ = ecva_bench("leaderboard", *files, "--task", "detection")
    assert "pairs_right %" in board
    assert "42 samples of mini-twins" in board
    code, shown, _ = ecva_bench("compare", files[1], files[2], "--metric", "pairs_right,correct")
    assert " 14.29 " in shown
    assert "42      14" in shown  # questions, and clips that are drawn with their twins
    code, shown, _ = ecva_bench("view", *files, "--out", tmp_path / "page", "--no-serve")
    assert (code, "42 of them with a file" in shown) == (0, True)
    code, shown, _ = ecva_bench("summary", files[2])
    assert "`mini-twins` is drawn by this program" in shown


@pytest.mark.slow
def test_a_run_on_twins_that_is_killed_ten_times_resumes_to_the_same_answers(tmp_path: Path) -> None:
    load_dataset("mini-twins").ensure_videos()
    whole = tmp_path / "whole.jsonl"

    def command(out: Path) -> list[str]:
        program = "from ecva_bench.cli import main; main()"
        asked = ["--data", "mini-twins", "--task", "detection,description", "--edited", "anomaly"]
        return [sys.executable, "-c", program, "run", "--model", "motion", *asked, "--out", str(out)]

    begun = time.monotonic()
    subprocess.run(command(whole), check=True, capture_output=True)
    took, expected, chance, midway = time.monotonic() - begun, answers(whole), random.Random(15), 0
    for attempt in range(10):
        out = tmp_path / f"{attempt}.jsonl"
        process = subprocess.Popen(command(out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not out.exists() and process.poll() is None:
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.6 * took))
        process.send_signal(signal.SIGKILL)
        process.wait()
        midway += 0 < out.read_bytes().count(b'"type":"answer"') < len(expected)
        subprocess.run(command(out), check=True, capture_output=True)
        assert answers(out) == expected
    assert midway
