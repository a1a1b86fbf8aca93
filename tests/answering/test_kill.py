"""A run killed at random moments and resumed ends with the very answers of an uninterrupted run."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ecva_bench.data import load

KILLS = 25


def command(out: Path) -> list[str]:
    program = "from ecva_bench.cli import main; main()"
    return [sys.executable, "-c", program, "run", "--model", "motion", "--edited", "anomaly", "--out", str(out)]


def answers(path: Path) -> dict[str, dict[str, object]]:
    """Return the answer lines by key, without what time changes; fail on a key that occurs twice."""
    found: dict[str, dict[str, object]] = {}
    for line in path.read_bytes().splitlines(keepends=True):
        assert line.endswith(b"\n")
        record = json.loads(line)
        if record["type"] == "answer":
            assert record["key"] not in found
            found[record["key"]] = {name: value for name, value in record.items() if name not in ("t", "time")}
    return found


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, dict[str, object]], float]:
    load("mini").ensure_videos()
    out = tmp_path_factory.mktemp("undisturbed") / "results.jsonl"
    start = time.monotonic()
    subprocess.run(command(out), check=True, capture_output=True)
    return answers(out), time.monotonic() - start


def test_a_run_killed_at_random_points_resumes_to_the_same_answers(
    undisturbed: tuple[dict[str, dict[str, object]], float], tmp_path: Path
) -> None:
    expected, duration = undisturbed
    chance = random.Random(7)
    killed_midway = 0
    for attempt in range(KILLS):
        out = tmp_path / f"{attempt}.jsonl"
        process = subprocess.Popen(command(out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        # Start counting when the file is there, so that kills fall into the run and not into the start-up.
        while not out.exists() and process.poll() is None:
            time.sleep(0.005)
        time.sleep(chance.uniform(0, duration))
        process.send_signal(signal.SIGKILL)
        process.wait()
        held = out.read_bytes().count(b'"type":"answer"')
        killed_midway += 0 < held < len(expected)
        if attempt % 5 == 0:  # what a kill in the middle of a write leaves behind
            with out.open("ab") as tail:
                tail.write(b'{"type":"answer","key":"torn')
        subprocess.run(command(out), check=True, capture_output=True)
        assert answers(out) == expected
    assert killed_midway >= KILLS // 4
