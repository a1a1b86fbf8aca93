"""Whatever loads a network, the first thing a process does: it works also beside a torchvision of another torch.

Each command runs in a process that has imported nothing. `make test` has a model, metrics and a judge of the kind in
test_quiet_libraries.py; here each of them is the first that loads a network. Where torchvision is not the one for the
torch that is there, as beside every torch for the CPU alone, transformers' classes could not be imported without
`ensure_torchvision`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.adapters import tiny_hf
from tests.adapters.tiny import vila
from tests.judging.tiny import save_tiny_model
from tests.scoring.tiny import SAVE

pytestmark = pytest.mark.slow

PROGRAM = "from ecva_bench.__main__ import program; program()"


def command(*words: object, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, words)], capture_output=True, text=True, cwd=folder, check=False
    )


def test_models_check(tmp_path: Path) -> None:
    options = vila.build(tmp_path)
    done = command("models", "check", "vila", "--model-path", options["model_path"], folder=tmp_path)
    assert done.stderr == ""
    assert done.returncode == 0
    assert "the weights fit" in done.stdout


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Answers of a model that needs no network."""
    folder = tmp_path_factory.mktemp("run")
    done = command("run", "--model", "prompt-echo", "--task", "cause", "--limit", 1, "--out", "r.jsonl", folder=folder)
    assert done.returncode == 0, done.stderr
    return folder / "r.jsonl"


def test_run(tmp_path: Path) -> None:
    folder = tiny_hf.write(tmp_path / "model", "video_llava")
    done = command(
        *("run", "--model", f"hf:{folder}", "--task", "cause", "--limit", 1, "--out", "r.jsonl"),
        *("--model-arg", "max_new_tokens=2"),
        folder=tmp_path,
    )
    assert done.returncode in (0, 3), done.stderr  # of a random model all answers may be cut off
    records = [json.loads(line)["type"] for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert records.count("answer") == 1


@pytest.mark.parametrize("scorer", ["bleurt", "moverscore", "unieval"])
def test_score(scorer: str, results: Path, tmp_path: Path) -> None:
    folder = SAVE[scorer](tmp_path / "weights")
    done = command(
        *("score", results, "--scorers", scorer, "--metric-arg", f"{scorer}.checkpoint={folder}"),
        *("--out", tmp_path / "scores.jsonl"),
        folder=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert scorer in (tmp_path / "scores.jsonl").read_text()


def test_a_judge(results: Path, tmp_path: Path) -> None:
    folder = save_tiny_model(tmp_path / "judge")
    done = command(
        *("score", results, "--judge", f"hf:{folder}", "--out", tmp_path / "scores.jsonl"),
        *("--judge-store", tmp_path / "s.sqlite"),
        folder=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "gpt_sum" in (tmp_path / "scores.jsonl").read_text()
