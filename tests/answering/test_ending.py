"""SIGTERM ends a command in time, from its first moment on and whatever it waits for, and is told in one line."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ecva_bench.journal.results import read_results
from tests.answering.test_growth import alive, until

TOLD = "interrupted; what was written is kept"
PROGRAM = "import ecva_bench.answering.ending as e; e.LAST = 1.0; from ecva_bench.__main__ import program; program()"

# Engines that start a program and then wait for it for good, where an exception does not end that.
MODELS = """
import ctypes, os, signal, subprocess, threading, time
from pathlib import Path
from ecva_bench.answering import Adapter

def start_engine():
    program = subprocess.Popen(["sleep", "600"], stderr=subprocess.DEVNULL)
    Path("engine").write_text(str(program.pid))

class Swallowing(Adapter):
    def load(self):
        start_engine()
        lock = threading.Lock()
        while True:
            try:
                lock.acquire()  # at the second time there is nobody to release it
            except BaseException:
                pass

    def answer(self, video, question):
        return "It burns."

class Deaf(Swallowing):  # as a call of a C library that no signal breaks off
    def load(self):
        start_engine()
        lock, libc = ctypes.create_string_buffer(64), ctypes.CDLL(None)
        libc.pthread_mutex_lock(lock)
        libc.pthread_mutex_lock(lock)

class Second(Swallowing):  # stuck at its second question
    def load(self):
        self.answered = False

    def answer(self, video, question):
        if self.answered:
            Swallowing.load(self)
        self.answered = True
        return "It burns."

class Forking(Swallowing):  # whose engine is a fork that it ends by SIGTERM
    def load(self):
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
            time.sleep(60)
            os._exit(0)
        time.sleep(0.3)
        os.kill(pid, signal.SIGTERM)
        time.sleep(2.5)  # more than the time in which an end would come
        os.waitpid(pid, 0)
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "models.py").write_text(MODELS)
    return tmp_path


def start(place: Path, *arguments: str, program: str = PROGRAM) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.Popen(command, cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def ended(process: subprocess.Popen[str], seconds: float) -> tuple[int, str]:
    """The exit code of a process and the last line of its errors; it is killed where it takes longer."""
    try:
        _, errors = process.communicate(timeout=seconds)
    finally:
        process.kill()
    return process.returncode, errors.splitlines()[-1]


def engine(place: Path) -> int:
    """The number of the engine's process, once it is there."""
    file = place / "engine"
    assert until(lambda: file.exists() and file.read_text())
    return int(file.read_text())


@pytest.mark.parametrize("model", ["Swallowing", "Deaf"])
def test_a_model_that_waits_for_good_as_it_is_loaded_does_not_hold_the_end_up(model: str, place: Path) -> None:
    with start(place, "run", "--model", f"./models.py:{model}", "--task", "cause", "--limit", "1") as process:
        pid = engine(place)
        time.sleep(3.0)  # the watcher looks twice a second, on a busy machine less often
        process.send_signal(signal.SIGTERM)
        assert ended(process, 6) == (130, TOLD)
    assert until(lambda: not alive(pid), 10)


def test_a_second_signal_ends_an_answer_that_does_not_come(place: Path) -> None:
    with start(place, "run", "--model", "./models.py:Second", "--task", "cause", "--limit", "2") as process:
        engine(place)
        for _ in range(2):
            process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
        assert ended(process, 6) == (130, TOLD)
    assert len(read_results(place / "Second-mini.jsonl").answers) == 1


def test_a_signal_to_a_fork_of_the_run_is_none_to_the_run(place: Path) -> None:
    with start(place, "run", "--model", "./models.py:Forking", "--task", "cause", "--limit", "1") as process:
        assert ended(process, 60)[0] == 0


def catches_sigterm(process: subprocess.Popen[str]) -> Callable[[], bool]:
    def found() -> bool:
        mask = re.search(r"SigCgt:\s*(\w+)", Path(f"/proc/{process.pid}/status").read_text())
        return bool(mask and int(mask[1], 16) >> (signal.SIGTERM - 1) & 1)

    return found


@pytest.mark.parametrize("moment", [0.0, 0.2, 1.0, 3.0])
def test_sigterm_in_the_first_seconds_is_told(moment: float, place: Path) -> None:
    program = "from ecva_bench.__main__ import program; program()"
    options = ("run", "--model", "./models.py:Swallowing", "--task", "cause", "--workers", "2")
    with start(place, *options, program=program) as process:
        assert until(catches_sigterm(process))
        time.sleep(moment)
        process.send_signal(signal.SIGTERM)
        assert ended(process, 60) == (130, TOLD)
