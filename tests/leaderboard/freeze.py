"""Writes leaderboards/ci anew: baselines and AnomShield mini on `mini`, judged by a rule, and the scores they get.

    python -m tests.leaderboard.freeze

It also submits these runs, `prompt-echo`, `blind`, and those of the task severity to leaderboards/mini anew, without
the judge's scores. Where the answers of `blind` are not there, its weights are named: --model-path FOLDER
(`tests.engines.smollm2` writes them).

The judge is asked about controls first, as any is: these calls are in judge.jsonl too, and each judged column says
whether the judge qualified.

Run it where a change of the scores is meant, and let the difference be reviewed: what it writes is what every later
push must reproduce to the last digit.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from ecva_bench.records.base import canonical_json
from tests.judging.server import JudgeServer
from tests.scoring.judges import served
from tests.sealing import reseal

BOARDS = Path(__file__).resolve().parents[2] / "leaderboards"
CI = BOARDS / "ci"
ANSWERS = BOARDS / "mini" / "answers"
ECHO = ANSWERS / "prompt-echo.jsonl"
BLIND = "blind:SmolLM2-135M-Instruct"
VIEWS = ("--edited", "anomaly", "--edited", "control")
TASKS = ("--task", "description,cause,effect,classification,timestamp")
MODELS = ("constant", "motion", "oracle", "second-round", "anomshield-mini")
SEVERE = ("constant", "middle", "motion", "oracle", "second-round", "anomshield-mini")  # asked the task severity
JUDGE = "shared-words"
HARDWARE = ("--hardware", "2 CPU cores")


def ecva_bench(*arguments: object) -> None:
    command = [sys.executable, "-c", "from ecva_bench.cli import main; main()", *map(str, arguments)]
    subprocess.run(command, check=True, cwd=CI, stdout=subprocess.DEVNULL)


def forget_machine(results: Path) -> None:
    """Cut from a run where it was made, which is no part of its answers."""
    manifest, rest = results.read_text(encoding="utf-8").split("\n", 1)
    fields = {**json.loads(manifest), "environment": {}}
    results.write_text(f"{canonical_json(fields)}\n{rest}", encoding="utf-8")
    reseal(results)


def freeze() -> None:
    for model in MODELS:
        results = CI / f"{model}.jsonl"
        if not results.exists():
            ecva_bench("run", "--model", model, *VIEWS, *TASKS, "--out", results.name)
            forget_machine(results)
    os.environ.setdefault("OPENAI_API_KEY", "none")
    files = [f"{model}.jsonl" for model in MODELS]
    with JudgeServer(served(), model=JUDGE) as server, tempfile.TemporaryDirectory() as folder:
        judge = ("--judge", JUDGE, "--judge-url", server.url, "--judge-store", Path(folder) / "judge.sqlite")
        ecva_bench("score", *files, *judge, "--judge-export", "judge.jsonl")


def submit(weights: tuple[str, ...] = ()) -> None:
    """Write the submissions of the boards that are kept: what they are verified by lies in leaderboards.

    `weights` are the options that name those of `blind`.
    """
    ANSWERS.mkdir(parents=True, exist_ok=True)
    severe = {ANSWERS / f"{model}-severity.jsonl": ("--model", model) for model in SEVERE}
    severe[ANSWERS / "blind-severity.jsonl"] = ("--model", BLIND, *weights)
    whole = {ECHO: ("--model", "prompt-echo"), ANSWERS / "blind.jsonl": ("--model", BLIND, *weights)}
    asked = {file: (*model, *VIEWS, *TASKS) for file, model in whole.items()}
    asked |= {file: (*model, "--task", "severity") for file, model in severe.items()}
    for results, options in asked.items():
        if not results.exists():
            ecva_bench("run", *options, "--out", results)
            forget_machine(results)
    with tempfile.TemporaryDirectory() as folder:
        for results in (*(CI / f"{model}.jsonl" for model in MODELS), *asked):
            scores = Path(folder) / f"{results.stem}.scores.jsonl"
            ecva_bench("score", results, "--out", scores)
            ecva_bench("submit", results, "--scores", scores, "--to", BOARDS, "--replace", "--verify", *HARDWARE)


if __name__ == "__main__":
    freeze()
    submit(tuple(sys.argv[1:]))
