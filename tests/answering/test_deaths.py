"""A video that kills a run does so once or twice: what comes after is an error record, and the run goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clips import write_clip

MODEL = """
import os, signal
from pathlib import Path
from ecva_bench.answering import Adapter

class Fragile(Adapter):
    def answer(self, video, question):
        if video.path.stem == os.environ.get("DIES_ASKED"):
            os.kill(os.getpid(), signal.SIGKILL)
        return "a car"

    def frame_indices(self, video):
        return [0]

    def describe(self):
        return {}
"""

DATA = """
from pathlib import Path
from ecva_bench.data import Dataset
from ecva_bench.records import Annotation, Label, Moment
from ecva_bench.taxonomy import load_taxonomy

def load(path, videos=None):
    moment, label, cuva = Moment(start=1, end=2), Label(major=5), load_taxonomy("cuva")
    notes = [Annotation(video=v, media=f"{v}.mp4", label=label, moments=(moment,), cause="c") for v in "abc"]
    return Dataset(name="d", source="s", sha256="0", taxonomy=cuva, annotations=tuple(notes), videos=videos)
"""

# A decoder that is killed at one of the videos, as the system does where memory is short.
MAIN = """
import os, signal
from ecva_bench.video import source
build = source.build_index
def deadly(path, seconds):
    if path.stem == os.environ.get("DIES_OPENED"):
        os.kill(os.getpid(), signal.SIGKILL)
    return build(path, seconds)
source.build_index = deadly
from ecva_bench.cli import main
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model.py").write_text(MODEL)
    (tmp_path / "data.py").write_text(DATA)
    (tmp_path / "deadly.py").write_text(MAIN)
    for name in ("a", "b", "c"):
        write_clip(tmp_path / "clips" / f"{name}.mp4")
    return tmp_path


def run(folder: Path, *more: str, **env: str) -> int:
    asked = ["run", "--model", "./model.py:Fragile", "--data", "./data.py:load", "--videos", "clips", "--task", "cause"]
    program = "import sys; sys.path.insert(0, '.'); from deadly import main; main()"
    command = [sys.executable, "-c", program, *asked, "--out", "r.jsonl", *more]
    paths = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": paths, **env}
    return subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True).returncode


def outcomes(folder: Path) -> dict[str, str]:
    lines = [json.loads(line) for line in (folder / "r.jsonl").read_text().splitlines()]
    return {line["video"]: line.get("error", "answer") for line in lines if line["type"] in ("answer", "error")}


def test_a_video_that_kills_the_decoder_is_opened_apart_by_the_next_run(folder: Path) -> None:
    assert run(folder, DIES_OPENED="b") == -signal.SIGKILL
    assert (folder / "r.jsonl.open").exists()
    assert run(folder, DIES_OPENED="b") == 3
    assert outcomes(folder) == {"a": "answer", "b": "decoder_died", "c": "answer"}
    assert not (folder / "r.jsonl.open").exists()


def test_a_video_that_kills_the_model_ends_as_an_error_until_it_is_asked_for(folder: Path) -> None:
    assert [run(folder, DIES_ASKED="b") for _ in range(4)] == [-signal.SIGKILL] * 3 + [3]
    assert outcomes(folder) == {"a": "answer", "b": "video_fatal", "c": "answer"}
    assert run(folder, DIES_ASKED="b") == 3  # it is not asked again, and the file stays as it is but for its end
    assert run(folder, "--retry-errors") == 0
    assert outcomes(folder)["b"] == "answer"


def test_kills_that_no_video_is_to_blame_for_cost_nothing(folder: Path) -> None:
    for video in ("a", "b", "c"):
        assert run(folder, DIES_ASKED=video) == -signal.SIGKILL
    assert run(folder) == 0
    assert outcomes(folder) == dict.fromkeys("abc", "answer")
