"""A training that is killed is gone on with, to the same weights; several processes train as one does."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from ecva_bench.adapters.anomshield.adapter import AnomShield
from ecva_bench.errors import TrainingError
from ecva_bench.training import stage as stages
from ecva_bench.training.conversations import Conversation, Turn
from ecva_bench.training.log import NAME, TrainingLog
from ecva_bench.training.training import Trained, train
from tests.adapters.tiny_llava import write_base, write_tower

from .smoke import recipe

SIDE = 28
PARTS = {"hard_prompt": "no", "device": "cpu"}


def tiny_recipe(stage: int = 3, **other: Any) -> Any:
    """A stage of six steps with everything on that draws numbers: order, drop path and dropout."""
    lora = {"r": 2, "alpha": 4, "dropout": 0.1, "targets": ["q_proj", "down_proj"]}
    size = {"frames": 2, "steps": 6, "batch": 4, "micro_batch": 2, "drop_path": 0.3, "save_steps": 2}
    rates = {"connector": 1e-2, "language": 1e-2, "tower": 1e-3}
    return recipe(stage, **{"lora": lora, "rates": rates, **size, **other})


def pictures(count: int) -> list[Conversation]:
    """Conversations about pictures that `squares_of` draws."""
    return [
        Conversation(
            f"p{number}",
            Path(f"{number}.png"),
            "picture",
            (Turn("user", "<image>\nWhat is it?"), Turn("assistant", f"It is number {number}.")),
        )
        for number in range(count)
    ]


def squares_of(conversation: Conversation) -> Any:
    """A picture of noise for each conversation."""
    seed = int(conversation.id.removeprefix("p"))
    return np.random.default_rng(seed).integers(0, 255, (1, SIDE, SIDE, 3), dtype=np.uint8)


def train_tiny(folder: Path, out: Path, **other: Any) -> Trained:
    """Train a tiny AnomShield on pictures of noise, the parts lying in `folder`."""
    torch.set_num_threads(1)
    if not (folder / "base").is_dir():
        write_base(folder / "base")
        write_tower(folder / "tower")
    adapter = AnomShield(base=str(folder / "base"), vision_tower=str(folder / "tower"), **PARTS)
    return train(tiny_recipe(**other), pictures(8), adapter, squares_of, out)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    """All tensors that lie in a folder."""
    return {name: each for path in sorted(folder.glob("*.safetensors")) for name, each in load_file(path).items()}


def same(ours: dict[str, torch.Tensor], theirs: dict[str, torch.Tensor]) -> bool:
    """Whether all numbers are equal, to the bit."""
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


def lines(folder: Path) -> list[dict[str, Any]]:
    """The lines of a training's log."""
    return [json.loads(line) for line in (folder / NAME).read_text().splitlines()]


def test_what_broke_off_is_gone_on_with_to_the_same_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = train_tiny(tmp_path, tmp_path / "whole")
    step = stages.Stage.training_step

    def breaks(self: Any, *given: Any, **named: Any) -> Any:
        if self.state.global_step == 4:
            raise TrainingError("the machine is gone")
        return step(self, *given, **named)

    with monkeypatch.context() as patched:
        patched.setattr(stages.Stage, "training_step", breaks)
        with pytest.raises(TrainingError, match="the machine is gone"):
            train_tiny(tmp_path, tmp_path / "broken")
    (tmp_path / "broken" / "checkpoint-4" / stages.WHOLE).unlink()  # as if the kill had come while it was written
    again = train_tiny(tmp_path, tmp_path / "broken")
    assert (again.steps, whole.steps) == (6, 6)
    assert again.loss == whole.loss  # of all steps, not of those after the break alone
    assert same(weights(tmp_path / "broken"), weights(tmp_path / "whole"))
    told = lines(tmp_path / "broken")
    assert [line["kind"] for line in told] == ["run", *["step"] * 4, "error", "run", *["step"] * 4, "end"]
    assert [line["step"] for line in told if line["kind"] == "step"] == [1, 2, 3, 4, 3, 4, 5, 6]
    assert [line["goes_on_from"] for line in told if line["kind"] == "run"] == [None, "checkpoint-2"]
    by_step: dict[int, Any] = {line["step"]: line for line in lines(tmp_path / "whole") if line["kind"] == "step"}
    assert all(line == by_step[line["step"]] for line in told if line["kind"] == "step")
    (tmp_path / "whole/checkpoint-6/trainer_state.json").write_text("")
    with pytest.raises(TrainingError, match="checkpoint is damaged"):
        train_tiny(tmp_path, tmp_path / "whole")
    assert by_step[2]["rates"].keys() == {"connector", "language", "tower"}


def test_two_trainings_into_one_folder_are_refused(tmp_path: Path) -> None:
    log = TrainingLog(tmp_path)
    with pytest.raises(TrainingError, match="another process trains into the folder"):
        TrainingLog(tmp_path)
    log.close()


PROGRAM = """
import sys
from pathlib import Path
from tests.training import test_going_on as tiny
tiny.train_tiny(Path(sys.argv[1]), Path(sys.argv[2]), **eval(sys.argv[3]))
"""


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", PROGRAM, *arguments]


@pytest.mark.slow
def test_a_kill_at_any_step_costs_nothing(tmp_path: Path) -> None:
    steps = "{'steps': 30, 'save_steps': 3}"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run(_command(str(tmp_path), str(tmp_path / "whole"), steps), check=True, env=environment)
    for number in range(3):
        out = tmp_path / f"killed-{number}"
        goal = random.Random(number).randint(2, 28)
        running = subprocess.Popen(_command(str(tmp_path), str(out), steps), env=environment)
        while running.poll() is None and not ((out / NAME).exists() and len(lines(out)) > goal):
            time.sleep(0.005)
        running.send_signal(signal.SIGKILL)
        running.wait()
        subprocess.run(_command(str(tmp_path), str(out), steps), check=True, env=environment)
        assert same(weights(out), weights(tmp_path / "whole"))
        assert [line["kind"] for line in lines(out)].count("run") == 2


@pytest.mark.slow
def test_two_processes_train_as_one_does(tmp_path: Path) -> None:
    settings = "{'drop_path': 0.0, 'lora': {'r': 2, 'alpha': 4, 'targets': ['q_proj', 'down_proj']}, 'micro_batch': %d}"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run(_command(str(tmp_path), str(tmp_path / "one"), settings % 4), check=True, env=environment)
    (tmp_path / "program.py").write_text(PROGRAM)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone"]
    given = [str(tmp_path / "program.py"), str(tmp_path), str(tmp_path / "two"), settings % 2]
    subprocess.run([*torchrun, *given], check=True, env={**environment, "PYTHONPATH": str(Path.cwd())})
    one, two = weights(tmp_path / "one"), weights(tmp_path / "two")
    start = weights(tmp_path / "one" / "start")
    ours, theirs = (
        torch.cat([each[f"base_model.model.{name}"].flatten() - tensor.flatten() for name, tensor in start.items()])
        for each in (two, one)
    )
    assert float((ours - theirs).norm() / theirs.norm()) < 1e-5
    assert [line["processes"] for line in lines(tmp_path / "two") if line["kind"] == "run"] == [2]


@pytest.mark.slow
def test_the_command_trains_in_a_fresh_process_without_a_gpu(tmp_path: Path) -> None:
    write_base(tmp_path / "base")
    write_tower(tmp_path / "tower")
    for number in range(4):
        Image.fromarray(np.full((40, 30, 3), 60 * number, dtype=np.uint8)).save(tmp_path / f"{number}.png")
    said = [{"from": "human", "value": "<image>\nWhat is it?"}, {"from": "gpt", "value": "A grey wall."}]
    samples = [{"id": str(number), "image": f"{number}.png", "conversations": said} for number in range(4)]
    (tmp_path / "chat.json").write_text(json.dumps(samples))
    keys = 'name = "own"\nmodel = "anomshield"\nstage = 1\ntemplate = "plain"\nframes = 1\nshaping = "crop"\n'
    (tmp_path / "own.toml").write_text(f"{keys}steps = 2\nbatch = 2\nmicro_batch = 1\n[rates]\nconnector = 1e-3\n")
    program = Path(sys.executable).with_name("ecva-bench")
    parts = ["--model-arg", "base=base", "--model-arg", "vision-tower=tower"]
    command = [str(program), "train", "own.toml", "--data", "chat.json", "--media", ".", *parts, "--out", "out"]
    subprocess.run(command, cwd=tmp_path, check=True)
    assert [line["kind"] for line in lines(tmp_path / "out")] == ["run", "step", "step", "end"]
    assert len(weights(tmp_path / "out")) == 22
