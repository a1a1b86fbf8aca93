"""On the error output of a command that loads a network stand our lines only; `--verbose` shows what libraries say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.adapters import tiny_hf
from tests.adapters.tiny import otter, vila
from tests.judging.tiny import save_tiny_model
from tests.scoring.tiny import SAVE

# What a library may say while a model answers: each kind, and a line of the model's author, which is not a library's.
TALK = """
import logging, warnings
import transformers
from ecva_bench.answering import Adapter
class Loud(Adapter):
    def answer(self, video, question):
        warnings.warn("a warning", FutureWarning)
        transformers.utils.logging.get_logger("transformers.loud").warning("an advice")
        logging.getLogger("peft.tuners").warning("a second advice")
        logging.getLogger("mine").warning("the author's line")
        return "An answer."
"""
OURS = ("this run asks about mini", "run ", "every answer was cut off", "scores: ", "judge: ", "the connector runs in")


def command(*words: object, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONWARNINGS", "ECVA_VERBOSE")}
    return subprocess.run(
        [sys.executable, "-m", "ecva_bench", *map(str, words)],
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
        env=kept | environment,
    )


def foreign(shown: str) -> list[str]:
    """The lines that are not ours."""
    return [line for line in shown.splitlines() if not line.startswith(OURS)]


@pytest.mark.parametrize("workers", [(), ("--workers", 2)])
def test_what_libraries_say_is_shown_to_those_who_ask(workers: tuple[object, ...], tmp_path: Path) -> None:
    (tmp_path / "loud.py").write_text(TALK)
    run = ("run", "--model", "./loud.py:Loud", "--task", "cause", "--limit", 1, *workers)
    done = command(*run, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert foreign(done.stderr) == ["the author's line"]
    options, environment = (("--verbose",), {}) if workers else ((), {"ECVA_VERBOSE": "1"})
    shown = command(*options, *run, "--out", "a.jsonl", folder=tmp_path, **environment)
    for said in ("an advice", "a second advice", "FutureWarning: a warning"):
        assert said in shown.stderr


def test_a_choice_of_the_user_s_own_stays(tmp_path: Path) -> None:
    (tmp_path / "loud.py").write_text(TALK)
    run = ("run", "--model", "./loud.py:Loud", "--task", "cause", "--limit", 1)
    done = command(*run, folder=tmp_path, TRANSFORMERS_VERBOSITY="info")
    assert "an advice" in done.stderr


@pytest.mark.parametrize("model", [pytest.param(otter, marks=pytest.mark.slow), vila], ids=["otter", "vila"])
def test_a_model_of_the_paper(model: ModuleType, tmp_path: Path) -> None:
    options = model.build(tmp_path)
    name = model.__name__.rpartition(".")[2]
    weights = ("--model-path", options.pop("model_path"))
    others = [word for item in options.items() for word in ("--model-arg", "=".join(item))]
    done = command("models", "check", name, *weights, *others, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    run = ("run", "--model", name, *weights, *others, "--task", "cause", "--limit", 1, "--model-arg")
    done = command(*run, "max_new_tokens=2", "--out", "r.jsonl", folder=tmp_path)
    assert '"type":"answer"' in (tmp_path / "r.jsonl").read_text(), done.stderr
    assert foreign(done.stderr) == []


def test_any_model_of_transformers_a_metric_and_a_judge(tmp_path: Path) -> None:
    folder = tiny_hf.write(tmp_path / "model", "video_llava")
    run = ("run", "--model", f"hf:{folder}", "--task", "cause", "--limit", 1, "--out", "r.jsonl")
    done = command(*run, "--model-arg", "max_new_tokens=2", folder=tmp_path)
    assert foreign(done.stderr) == []
    metrics = [f"{name}.checkpoint={SAVE[name](tmp_path / name)}" for name in ("bleurt", "moverscore")]
    judge = f"hf:{save_tiny_model(tmp_path / 'judge')}"
    score = ("score", "r.jsonl", "--scorers", "bleurt,moverscore,gpt", "--judge", judge)
    score += tuple(word for metric in metrics for word in ("--metric-arg", metric))
    done = command(*score, "--judge-store", "s.sqlite", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert foreign(done.stderr) == []
