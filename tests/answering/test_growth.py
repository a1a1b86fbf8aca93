"""A run that is extended, killed and extended again asks nothing twice, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from ecva_bench import cli
from ecva_bench.data import load_dataset
from ecva_bench.journal.results import read_results

# A model that notes each request before it answers, and one that starts a program, as engines do.
MODELS = """
import os, subprocess, time
from pathlib import Path
from ecva_bench.answering import Adapter

class Counting(Adapter):
    def answer(self, video, question):
        with open("requests.txt", "a") as log:
            log.write(f"{video.path.stem} {len(video.removed)} {question.task}\\n")
        time.sleep(0.02)
        return f"It is {video.duration:.1f} s long."

class Engine(Counting):
    def load(self):
        program = subprocess.Popen(["sleep", "600"])
        Path(f"engine-{os.getpid()}").write_text(str(program.pid))

    def answer(self, video, question):
        time.sleep(0.6)
        return super().answer(video, question)
"""
STEPS = {
    "begun": "--task cause --limit 3",
    "videos": "--task cause --limit 6",
    "tasks": "--task cause --task effect --limit 6",
    "views": "--task cause --task effect --limit 6 --edited anomaly",
    "subset": "--task cause --task effect --subset 9 --edited anomaly",
    "reuse": "--task description --limit 8 --reuse other.jsonl",
}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    load_dataset("mini").ensure_videos()
    (tmp_path / "models.py").write_text(MODELS)
    return tmp_path


def start(place: Path, options: str, model: str = "Counting") -> subprocess.Popen[bytes]:
    program = "from ecva_bench.__main__ import program; program()"
    command = [sys.executable, "-c", program, "run", "--model", f"./models.py:{model}", *options.split()]
    return subprocess.Popen(command, cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def finish(place: Path, options: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run to the end, in this process: nothing is killed, and to start a program takes longer than to answer."""
    monkeypatch.chdir(place)
    monkeypatch.setattr("sys.argv", ["ecva-bench", "run", "--model", "./models.py:Counting", *options.split()])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert not stop.value.code


def requests(place: Path) -> list[str]:
    log = place / "requests.txt"
    return log.read_text().splitlines() if log.exists() else []


def until(true: Callable[[], object], seconds: float = 30) -> bool:
    end = time.monotonic() + seconds
    while not (found := true()) and time.monotonic() < end:
        time.sleep(0.005)
    return bool(found)


def keys(path: Path) -> list[str]:
    records = [json.loads(line) for line in path.read_bytes().splitlines()]
    return [record["key"] for record in records if record["type"] == "answer"]


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("kills", [5, pytest.param(25, marks=pytest.mark.slow)])
def test_a_run_extended_five_times_and_killed_on_the_way_asks_nothing_twice(
    kills: int, ending: signal.Signals, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(kills)
    finish(place, "--task description --limit 5 --out other.jsonl", monkeypatch)
    killed = 0
    for number, step in enumerate(STEPS.values()):
        for _ in range((kills - killed) // (len(STEPS) - number)):
            held, more = len(requests(place)), chance.randint(0, 3)
            run = start(place, step)
            until(lambda run=run, enough=held + more: run.poll() is not None or len(requests(place)) >= enough)
            time.sleep(chance.uniform(0, 0.04))
            run.send_signal(ending)
            assert run.wait(20) in (0, 130, -ending)
            killed += 1
        finish(place, step, monkeypatch)
    assert killed == kills
    grown = place / "Counting-mini.jsonl"
    found = read_results(grown)
    # By brute force over the clips, as the steps say them: `limit` takes the first, every clip has a moment.
    assert {a.id for a in found.answers if a.task == "description"} == {f"mini{n:02}/description" for n in range(1, 9)}
    assert len({a.video for a in found.answers if a.view == "anomaly"}) >= 9
    assert len(keys(grown)) == len(set(keys(grown)))
    assert not found.failures
    distinct = set(keys(grown)) | set(keys(place / "other.jsonl"))
    asked = Counter(requests(place))
    assert len(asked) == len(distinct)
    if ending == signal.SIGTERM:  # what is under way is written
        assert set(asked.values()) == {1}
    else:  # nobody can write the one answer that is under way
        assert asked.total() - len(asked) <= kills


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("devices", ["", " --devices cpu,cpu"])
def test_nothing_that_a_run_started_outlives_it(ending: signal.Signals, devices: str, place: Path) -> None:
    run = start(place, f"--task cause{devices}", "Engine")
    engines = 2 if devices else 1
    assert until(lambda: len(list(place.glob("engine-*"))) == engines and len(requests(place)) > engines)
    time.sleep(1.0)  # the watcher looks twice a second
    pids = [int(path.read_text()) for path in place.glob("engine-*")]
    assert all(map(alive, pids))
    run.send_signal(ending)
    assert run.wait(20) == (130 if ending == signal.SIGTERM else -signal.SIGKILL)
    assert until(lambda: not any(map(alive, pids)), 10)
    if ending == signal.SIGTERM:
        found = read_results(place / "Engine-mini.jsonl")
        assert len(found.answers) == len(requests(place))  # those under way were written


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (ProcessLookupError, FileNotFoundError):
        return False
