"""Runs with a program in another environment: the documented one, with pins of its own, and runs that are cut short."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
import zipfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from ecva_bench.data import load_dataset
from ecva_bench.journal.results import read_results
from ecva_bench.records.answers import Results

PAGE = Path(__file__).parents[2] / "design" / "command.md"
AUTHOR = """
import transformers

class Model:
    def answer(self, frames, question):
        print("thinking", end="")  # which would spoil the answer on the same pipe
        seen = f"{len(frames)} frames of {frames.dtype}"
        return f"{seen} with transformers {transformers.__version__}: {question[:9]}"

def load(name):
    print("loading", name)
    return Model()
"""


def wheel(folder: Path, name: str, version: str, source: str) -> Path:
    """Write a wheel of one module."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": source,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    hashed = {
        path: base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        for path, text in files.items()
    }
    record = [f"{path},sha256={digest},{len(files[path].encode())}" for path, digest in hashed.items()]
    files[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,", ""])
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in files.items():
            archive.writestr(member, text)
    return path


@pytest.fixture(scope="module")
def interpreter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that pins transformers 4.42.0; its numpy is a link to ours."""
    pytest.importorskip("pip")
    place = tmp_path_factory.mktemp("other")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place / "venv"], check=True)
    python = place / "venv" / "bin" / "python"
    wheels = [
        wheel(place, "transformers", "4.42.0", '__version__ = "4.42.0"\n'),
        wheel(place, "author", "1.0", AUTHOR),
    ]
    pip = (sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check")
    subprocess.run([*pip, "install", "--quiet", "--no-index", "--no-deps", *wheels], check=True)
    theirs = place / "venv" / Path(sysconfig.get_path("purelib")).relative_to(sys.prefix)
    for part in Path(np.__file__).parents[1].glob("numpy*"):
        (theirs / part.name).symlink_to(part)
    return python


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """The program of the documentation, as it stands there."""
    programs = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(programs) == 1
    path = tmp_path / "my_model.py"
    path.write_text(programs[0], encoding="utf-8")
    return path


def run(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    program = [sys.executable, "-c", "from ecva_bench.__main__ import program; program()", "run", *map(str, arguments)]
    return subprocess.run(program, capture_output=True, text=True, env={**os.environ, **variables})


def test_the_documented_program_runs_beside_ours_with_a_package_of_another_version(
    example: Path, interpreter: Path, tmp_path: Path
) -> None:
    assert metadata.version("transformers") != "4.42.0"
    assert len([line for line in example.read_text().splitlines() if line]) <= 15
    (tmp_path / "poison").mkdir()
    (tmp_path / "poison" / "author.py").write_text("raise ImportError('of the harness')")
    out = tmp_path / "results.jsonl"
    asked = ("--model", f"command:{interpreter} {example}", "--task", "cause", "--limit", 2, "--out", out)
    ended = run(*asked, PYTHONPATH=str(tmp_path / "poison"))
    assert "2 answers (0 were there), 0 errors, 0 missing" in ended.stdout, ended.stderr
    assert "[model] loading author/model-7b" in ended.stderr
    results = read_results(out)
    told = {a.answer.partition(": ")[0] for a in results.answers}
    assert told == {"16 frames of uint8 with transformers 4.42.0"}
    assert all(a.frames is not None and a.frames.n == 16 for a in results.answers)
    assert results.spec["description"] == {
        "protocol": 1,
        "program": {"checkpoint": "author/model-7b", "dtype": "float16"},
        "frames": {"rule": "linspace", "count": 16},
    }
    again = run(*asked)
    assert "2 answers (2 were there)" in again.stdout
    assert "loading" not in again.stderr  # nothing was left to ask


@pytest.mark.parametrize("command", ["{example}", "{python} -s {example}"])
def test_the_documented_program_finds_what_lies_beside_it_and_needs_no_transformers(
    example: Path, tmp_path: Path, command: str
) -> None:
    (tmp_path / "author.py").write_text(
        "import sys\nsys.modules['transformers'] = None\n"
        "class Model:\n    def answer(self, frames, question):\n        return str(len(frames))\n"
        "def load(name):\n    return Model()\n"
    )
    out = tmp_path / "results.jsonl"
    target = command.format(example=example, python=sys.executable)
    ended = run("--model", f"command:{target}", "--task", "cause", "--limit", 1, "--out", out)
    assert ended.returncode == 0, ended.stderr
    assert read_results(out).answers[0].answer == "16"


def test_the_documented_program_is_run_by_the_interpreter_named_apart(
    example: Path, interpreter: Path, tmp_path: Path
) -> None:
    out = tmp_path / "results.jsonl"
    options = ("--model-arg", f"env={interpreter}", "--model-arg", "frames=3", "--model-arg", "sampler=midpoints")
    ended = run("--model", f"command:{example}", *options, "--task", "cause", "--limit", 1, "--out", out)
    assert ended.returncode == 0, ended.stderr
    assert read_results(out).answers[0].answer.startswith("3 frames of uint8 with transformers 4.42.0")


# Answers from the frames, slowly; where a file says so, it dies at the video whose first question it is.
SLOW = """
import hashlib, json, os, sys, time
from pathlib import Path

print(json.dumps({"protocol": 1, "describe": {}, "frames": {"rule": "starts", "count": 3}}), flush=True)
here = Path(__file__).parent
(here / "processes").open("a").write(f"{os.getpid()}\\n")
sys.stdin.readline() or sys.exit()
print(json.dumps({"loaded": True}), flush=True)
for request in map(json.loads, sys.stdin):
    (here / "folder").write_text(os.path.dirname(request["frames"]))
    time.sleep(0.05)
    seen = hashlib.sha256(Path(request["frames"]).read_bytes()).hexdigest()
    if (here / "deadly").exists() and (here / "deadly").read_text() in ("", seen):
        (here / "deadly").write_text(seen)
        os._exit(9)
    answers = [hashlib.sha256((seen + question).encode()).hexdigest() for question in request["questions"]]
    print(json.dumps({"id": request["id"], "answers": answers}), flush=True)
"""


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    load_dataset("mini").ensure_videos()
    path = tmp_path_factory.mktemp("slow") / "slow.py"
    path.write_text(SLOW)
    return path


def command(slow: Path, out: Path) -> list[str]:
    program = "from ecva_bench.__main__ import program; program()"
    model = f"command:{sys.executable} -I {slow}"
    asked = ["--task", "cause", "--task", "effect", "--edited", "anomaly", "--limit", "4"]
    return [sys.executable, "-c", program, "run", "--model", model, *asked, "--out", str(out)]


def texts(results: Results) -> dict[tuple[str, str], tuple[str, str]]:
    return {(a.id, a.view): (a.key, a.answer) for a in results.answers}


@pytest.fixture(scope="module")
def undisturbed(slow: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], tuple[str, str]]:
    out = tmp_path_factory.mktemp("undisturbed") / "r.jsonl"
    subprocess.run(command(slow, out), check=True, capture_output=True)
    found = texts(read_results(out))
    assert len(found) == len({text for _, text in found.values()}) == 16
    return found


def wait_until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_cut_short_leaves_no_program_and_resumes_to_the_same_answers(
    sign: signal.Signals, slow: Path, tmp_path: Path, undisturbed: dict[tuple[str, str], tuple[str, str]]
) -> None:
    out = tmp_path / "r.jsonl"
    process = subprocess.Popen(command(slow, out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: out.exists() and out.read_bytes().count(b'"type":"answer"') >= 3)
    process.send_signal(sign)
    assert process.wait(30) == (130 if sign == signal.SIGINT else -signal.SIGKILL)
    assert 3 <= len(read_results(out).answers) < len(undisturbed)
    program = int((slow.parent / "processes").read_text().split()[-1])
    folder = Path((slow.parent / "folder").read_text())
    assert folder.parent == Path(tempfile.gettempdir())
    if sign == signal.SIGINT:
        assert not running(program)
        assert not folder.exists()
    else:
        wait_until(lambda: not running(program), 5)
        for left in folder.iterdir():
            left.unlink()
        folder.rmdir()
    subprocess.run(command(slow, out), check=True, capture_output=True)
    assert texts(read_results(out)) == undisturbed


def test_a_program_that_dies_at_one_video_costs_that_video_and_mended_gives_the_same_answers(
    slow: Path, tmp_path: Path, undisturbed: dict[tuple[str, str], tuple[str, str]]
) -> None:
    out = tmp_path / "r.jsonl"
    (slow.parent / "deadly").write_text("")
    ended = subprocess.run(command(slow, out), capture_output=True, text=True)
    (slow.parent / "deadly").unlink()
    assert ended.returncode == 3
    assert "12 answers (0 were there), 4 errors, 0 missing" in ended.stdout
    assert "4 answers: the program ended with exit code 9" in ended.stdout
    results = read_results(out)
    assert len({failure.video for failure in results.failures}) == 1
    assert {failure.error for failure in results.failures} == {"AdapterError"}
    assert texts(results).items() < undisturbed.items()
    subprocess.run([*command(slow, out), "--retry-errors"], check=True, capture_output=True)
    assert texts(read_results(out)) == undisturbed


def test_a_program_that_is_killed_from_outside_costs_at_most_one_video(
    slow: Path, tmp_path: Path, undisturbed: dict[tuple[str, str], tuple[str, str]]
) -> None:
    out = tmp_path / "r.jsonl"
    process = subprocess.Popen(command(slow, out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: out.exists() and out.read_bytes().count(b'"type":"answer"') >= 3)
    os.kill(int((slow.parent / "processes").read_text().split()[-1]), signal.SIGKILL)
    assert process.wait(60) == 3
    results = read_results(out)
    assert len({failure.video for failure in results.failures}) == 1
    assert "was killed by signal 9" in results.failures[0].message
    assert texts(results).items() < undisturbed.items()
    assert json.loads(out.read_text().splitlines()[-1])["missing"] == 0
