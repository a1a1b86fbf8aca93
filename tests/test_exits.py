"""A plug-in that ends the program (`sys.exit`) is an error that names it; an interrupt from the keyboard stays one."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

import ecva_bench as eb
from ecva_bench.errors import AdapterError, DataError, JudgeError, ScoringError, UsageError
from ecva_bench.judging.user_judge import open_user_judge
from ecva_bench.registry.process_end import end_now, kept_alive
from ecva_bench.registry.source_files import import_file


def quits(*_: object, **__: object) -> Any:
    sys.exit(3)


def interrupts(*_: object, **__: object) -> Any:
    raise KeyboardInterrupt


class Steady(eb.Adapter):
    def answer(self, video: object, question: object) -> str:
        return "a car brakes"


class Words(eb.Scorer):
    name, tasks, columns = "words", ("cause",), (eb.Column("words", "how many words"),)

    def score(self, batch: Sequence[Any]) -> list[dict[str, float]]:
        return [{"words": 1.0} for _ in batch]


class Judged:
    def ask(self, calls: Sequence[Any]) -> list[Any]:
        return []

    def identity(self, keys: object = ()) -> dict[str, str]:
        return {}


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> eb.RunOutcome:
    return eb.run(Steady, tasks="cause", limit=1, out=tmp_path_factory.mktemp("run") / "r.jsonl")


def made(name: str, base: type, method: str, does: Callable[..., Any]) -> Any:
    return type(name, (base,), {method: does, "__module__": __name__})


def model_that(method: str, does: Callable[..., Any]) -> Any:
    return made("Model", Steady, method, does)


@pytest.mark.parametrize("method", ["answer", "answer_many", "frame_indices", "warnings"])
def test_a_model_that_ends_the_program_at_a_question_gives_an_error_record(method: str, tmp_path: Path) -> None:
    outcome = eb.run(model_that(method, quits), tasks="cause", limit=2, out=tmp_path / "r.jsonl")
    assert not outcome.records
    errors = [line for line in (tmp_path / "r.jsonl").read_text().splitlines() if '"type":"error"' in line]
    assert len(errors) == 2
    assert all("it ends the program (SystemExit: 3" in line and "Model in tests.test_exits" in line for line in errors)


@pytest.mark.parametrize("method", ["__init__", "describe", "load", "close", "usage", "check_videos"])
def test_a_model_that_ends_the_program_elsewhere_ends_the_run_with_its_name(method: str, tmp_path: Path) -> None:
    with pytest.raises(AdapterError, match=r"SystemExit: 3.*Model"):
        eb.run(model_that(method, quits), tasks="cause", limit=1, out=tmp_path / "r.jsonl")


@pytest.mark.parametrize("method", ["__init__", "score", "obstacle", "summary", "gaps", "settings", "stratum"])
def test_a_scorer_that_ends_the_program_is_named(method: str, answered: eb.RunOutcome) -> None:
    scorer = made("Metric", Words, method, quits)
    with pytest.raises(ScoringError, match=r"SystemExit: 3.*(Metric|words)"):
        eb.score(answered, scorers=[scorer])


def cancels(*_: object, **__: object) -> Any:
    raise asyncio.CancelledError


@pytest.mark.parametrize("method", ["__init__", "ask", "identity", "close"])
@pytest.mark.parametrize("does", [quits, cancels])
def test_a_judge_that_ends_the_program_is_named(method: str, does: Callable[..., Any]) -> None:
    judge = made("Judge", Judged, method, does)

    def judged() -> None:
        with open_user_judge(judge) as found:
            found.ask([])
            found.identity()

    with pytest.raises(JudgeError, match=r"(SystemExit: 3|CancelledError).*Judge"):
        judged()


def test_a_data_set_that_ends_the_program_is_named() -> None:
    def porch(path: object, videos: object) -> Any:
        sys.exit(3)

    with pytest.raises(DataError, match=r"SystemExit: 3.*porch"):
        eb.load_dataset(porch)


def test_a_model_that_ends_the_process_gives_an_error_record(tmp_path: Path) -> None:
    outcome = eb.run(model_that("answer", lambda *_: os._exit(0)), tasks="cause", limit=2, out=tmp_path / "r.jsonl")
    assert not outcome.records
    assert (tmp_path / "r.jsonl").read_text().count("it ends the program (ProcessEnd: os._exit(0)") == 2
    assert os._exit is end_now


def test_a_fork_in_a_model_still_ends(tmp_path: Path) -> None:
    def forks(*_: object) -> str:
        child = os.fork()
        if not child:
            with kept_alive():  # as a plug-in has that calls the program itself
                pass
            os._exit(7)
        return f"ended with {os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}"

    outcome = eb.run(model_that("answer", forks), tasks="cause", limit=1, out=tmp_path / "r.jsonl")
    assert [one.answer for one in outcome.records] == ["ended with 7"]


@pytest.mark.parametrize("content", ["import os\nos._exit(0)\n", "import asyncio\nraise asyncio.CancelledError\n"])
def test_a_file_that_ends_all_when_imported_is_named(content: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(content)
    with pytest.raises(UsageError, match=r"cannot be imported \((ProcessEnd: os._exit\(0\)|CancelledError).*mine.py"):
        import_file(tmp_path / "mine.py")


def test_a_thread_of_a_model_does_not_end_the_command_as_if_it_had_gone_well(tmp_path: Path) -> None:
    thread = "threading.Thread(target=os._exit, args=(0,)).start()"
    (tmp_path / "mine.py").write_text(
        f"import os, threading, time\n\ndef Model(video, question):\n    {thread}\n    time.sleep(9)\n"
    )
    command = [sys.executable, "-m", "ecva_bench", "run", "--model", "./mine.py:Model", "--task=cause", "--limit=1"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert "code of a plug-in ended the process (os._exit)" in ended.stderr


def test_a_model_that_raises_what_is_no_exception_gives_an_error_record(tmp_path: Path) -> None:
    def ends(*_: object) -> Any:
        raise asyncio.CancelledError

    eb.run(model_that("answer", ends), tasks="cause", limit=1, out=tmp_path / "r.jsonl")
    assert "it ends the program (CancelledError" in (tmp_path / "r.jsonl").read_text()


TERMINATED = """
import os, signal, time
import ecva_bench as eb
class Words(eb.Scorer):
    name, tasks, columns = "words", ("cause",), (eb.Column("words", "how many words"),)
    def score(self, batch):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(60)
"""


@pytest.mark.parametrize("before", ["", "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\n"])
def test_sigterm_within_a_plug_in_is_no_fault_of_its(before: str, answered: eb.RunOutcome, tmp_path: Path) -> None:
    (tmp_path / "words.py").write_text(before + TERMINATED)
    command = [sys.executable, "-m", "ecva_bench", "score", str(answered.path), "--scorers", "./words.py:Words"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr.splitlines()[-1:]) == (130, ["interrupted; what was written is kept"])


def test_an_interrupt_stays_one(answered: eb.RunOutcome, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        eb.run(model_that("answer", interrupts), tasks="cause", limit=1, out=tmp_path / "r.jsonl")
    with pytest.raises(KeyboardInterrupt):
        eb.score(answered, scorers=[made("Metric", Words, "score", interrupts)])


def test_sigterm_that_python_drops_is_raised_again() -> None:
    """What a signal raises while an object is cleared up is printed and forgotten."""
    program = """
import os, signal, sys, time
from ecva_bench import __main__, cli
class Dropped:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.1)
def main():
    Dropped()
    time.sleep(60)
cli.main = main
__main__.program()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 130
    assert done.stderr.endswith("interrupted; what was written is kept\n")
