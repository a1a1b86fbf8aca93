"""A run killed at random moments and resumed ends with the very answers of an uninterrupted run."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ecva_bench.data import load_dataset
from ecva_bench.journal.results import read_results


def command(out: Path, *more: str) -> list[str]:
    program = "from ecva_bench.__main__ import program; program()"
    asked = ["--task", "cause,timestamp", "--edited", "anomaly,still,shuffled,blank", "--limit", "6"]
    run = ["run", "--model", "motion", *asked, "--out", str(out), *more]
    return [sys.executable, "-c", program, *run]


def answers(path: Path) -> dict[str, dict[str, object]]:
    """Return the answer lines by key, without what time and order change; fail on a broken seal and on a key twice."""
    assert read_results(path).sealed
    found: dict[str, dict[str, object]] = {}
    for line in path.read_bytes().splitlines(keepends=True):
        assert line.endswith(b"\n")
        record = json.loads(line)
        if record["type"] == "answer":
            assert record["key"] not in found
            found[record["key"]] = {name: value for name, value in record.items() if name not in ("t", "time", "seal")}
    return found


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, dict[str, object]], float]:
    load_dataset("mini").ensure_videos()
    out = tmp_path_factory.mktemp("undisturbed") / "results.jsonl"
    start = time.monotonic()
    subprocess.run(command(out), check=True, capture_output=True)
    return answers(out), time.monotonic() - start


@pytest.mark.parametrize("kills", [3, pytest.param(25, marks=pytest.mark.slow)])
def test_a_run_killed_at_random_points_resumes_to_the_same_answers(
    kills: int, undisturbed: tuple[dict[str, dict[str, object]], float], tmp_path: Path
) -> None:
    expected, duration = undisturbed
    chance = random.Random(7)
    killed_midway = 0
    for attempt in range(kills):
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
    assert killed_midway >= max(1, kills // 4)


BY_PARTS = """
import time

def bright(video, question):
    time.sleep(0.005)
    return f"{video.frames_at([0]).pixels.mean() / 25.6:.0f}/10"
"""


@pytest.mark.slow
def test_a_run_by_parts_killed_again_and_again_loses_no_video_and_doubles_none(tmp_path: Path) -> None:
    load_dataset("mini").ensure_videos()
    (tmp_path / "parts.py").write_text(BY_PARTS)
    more = ("--model", f"{tmp_path / 'parts.py'}:bright", "--task", "severity")
    program = "from ecva_bench.__main__ import program; program()"

    def asking(out: Path) -> list[str]:
        return [sys.executable, "-c", program, "run", *more, "--out", str(out)]

    def finished(out: Path) -> dict[str, dict[str, object]]:
        """Three kills at one video leave an error for it, as chance may have it, which can be asked again."""
        code = subprocess.run(asking(out), capture_output=True, check=False).returncode
        if code == 3:
            assert b"video_fatal" in out.read_bytes()
            subprocess.run([*asking(out), "--retry-errors"], check=True, capture_output=True)
        return answers(out)

    start = time.monotonic()
    subprocess.run(asking(tmp_path / "whole.jsonl"), check=True, capture_output=True)
    expected, duration = answers(tmp_path / "whole.jsonl"), time.monotonic() - start
    assert len(expected) == 14
    assert all(len(one["answer"].splitlines()) == 8 for one in expected.values())  # type: ignore[attr-defined]
    chance, out, files = random.Random(11), tmp_path / "0.jsonl", 1
    for _ in range(25):
        if out.exists() and b'"type":"end"' in out.read_bytes():  # there is nothing left to kill
            assert finished(out) == expected
            out, files = tmp_path / f"{files}.jsonl", files + 1
        process = subprocess.Popen(asking(out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not out.exists() and process.poll() is None:
            time.sleep(0.005)
        time.sleep(chance.uniform(0, duration / 2))
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert finished(out) == expected


def test_a_run_of_many_workers_killed_or_interrupted_resumes_and_leaves_no_worker_behind(
    undisturbed: tuple[dict[str, dict[str, object]], float], tmp_path: Path
) -> None:
    expected, _ = undisturbed
    chance = random.Random(3)
    for attempt, ending in enumerate([signal.SIGKILL, signal.SIGINT]):
        out = tmp_path / f"{attempt}.jsonl"
        # A group of its own: an interrupt from the keyboard reaches parent and workers alike.
        process = subprocess.Popen(
            command(out, "--devices", "cpu,cpu"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        wanted = chance.randint(1, len(expected) - 30)
        while process.poll() is None and not (out.exists() and out.read_bytes().count(b'"type":"answer"') >= wanted):
            time.sleep(0.005)
        if ending == signal.SIGKILL:
            process.kill()
        else:
            os.killpg(process.pid, ending)
        assert process.wait(20) == (-signal.SIGKILL if ending == signal.SIGKILL else 130)
        assert gone(process.pid), "workers end when nobody listens"
        assert (b'"interrupted"' in out.read_bytes()) == (ending == signal.SIGINT)
        subprocess.run(command(out, "--workers", "2"), check=True, capture_output=True)
        assert answers(out) == expected


def gone(group: int) -> bool:
    """Wait until no process of a group lives, for at most ten seconds."""
    for _ in range(200):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False
