"""Train a stage: from conversations and an adapter to a folder that the adapter answers with.

The one way to train, in one process or in each of those that torchrun starts. What was begun is gone on with.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..checkpoints.files import first_line
from ..errors import EcvaError, TrainingError
from ..torchvision import ensure_torchvision
from ..version import __version__
from .conversations import Conversation
from .log import TrainingLog
from .networks import START, FramesOf, TrainableAdapter
from .recipe import Recipe
from .words import PLAIN, Words

if TYPE_CHECKING:
    from .model import TrainedModel
    from .networks import Trainable
    from .stage import Stage, Told


@dataclass(frozen=True)
class Trained:
    """What a training came to: its folder, steps, the mean loss of them, samples used, and by reason those left out."""

    folder: Path
    steps: int
    loss: float
    samples: int
    skipped: dict[str, int]


def train(
    recipe: Recipe,
    conversations: Iterable[Conversation],
    adapter: TrainableAdapter,
    frames: FramesOf,
    out: Path,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    **machine: Any,
) -> Trained:
    """Train a stage and write its weights to `out`; what an earlier call began there is gone on with, to the same end.

    `machine` are settings of transformers' `TrainingArguments` that are no part of a recipe: `report_to`,
    `dataloader_num_workers`. `progress` is told the steps made, and all. `train.jsonl` in `out` gets a line for each
    step, and for what ended the training.

    Raises `TrainingError` where nothing can be learned, another process trains there or a loss is no number, and what
    the adapter and `frames` raise.
    """
    log = TrainingLog(out) if is_first() else None
    try:
        stage = make_stage(recipe, conversations, adapter, frames, out, log, progress, **machine)
        result = _run(stage, log)
    except Exception as error:
        if log:
            what = error.what if isinstance(error, EcvaError) else first_line(error)
            log.write("error", what=what, where=str(getattr(error, "where", "")), error=type(error).__name__)
        raise
    finally:
        if log:
            log.close()
    return result


def make_stage(
    recipe: Recipe,
    conversations: Iterable[Conversation],
    adapter: TrainableAdapter,
    frames: FramesOf,
    out: Path,
    log: TrainingLog | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    **machine: Any,
) -> Stage:
    """Return a stage that is ready to run; `train` says what is given and raised."""
    ensure_torchvision()
    from transformers import set_seed

    from .batches import Samples
    from .stage import Stage

    if not adapter.model_path:
        if is_first() and not (out / START / "config.json").is_file():
            adapter.start(out / START, recipe.seed)
        _wait_for(out / START / "config.json")
        adapter.model_path = str(out / START)
    set_seed(recipe.seed)
    whole = {name for name in recipe.rates if name != "language" or not recipe.lora}
    networks = adapter.trainable(whole, pad=recipe.shaping == "pad")
    words = Words(PLAIN if recipe.template == PLAIN else networks.template, networks.tokenizer)
    samples = Samples(conversations, words, frames, recipe.max_length)
    if not len(samples):
        skipped = ", ".join(f"{count} {reason}" for reason, count in samples.skipped.items())
        what = f"there is no sample to learn from ({skipped or 'none were given'})"
        raise TrainingError(what, out, "look at the data")
    model = _model(networks, recipe)
    machine = {"use_cpu": next(model.connector.parameters()).device.type == "cpu", **machine}
    stage = Stage(model, networks, samples, recipe, out, _teller(log, progress), **machine)
    if log:
        log.write("run", **_facts(stage))
    return stage


def _model(networks: Trainable, recipe: Recipe) -> TrainedModel:
    """Return the module to train, with the recipe's LoRA in its language model."""
    from .model import TrainedModel
    from .saving import lora_config

    if recipe.lora:
        from peft import inject_adapter_in_model

        known = {name.rpartition(".")[2] for name, _ in networks.language.named_modules() if name.endswith("_proj")}
        if unknown := sorted(set(recipe.lora.targets) - known):
            what = f"the language model has no matrix {unknown[0]!r} that LoRA could be put on"
            raise TrainingError(what, f"{recipe.id}: lora.targets", f"known are {', '.join(sorted(known))}")
        inject_adapter_in_model(lora_config(recipe.lora), networks.language)
    if hasattr(networks.connector, "drop_path"):
        networks.connector.drop_path = recipe.drop_path
    if recipe.checkpointing:
        networks.language.gradient_checkpointing_enable({"use_reentrant": False})
    return TrainedModel(networks, tuple(recipe.rates), frames=recipe.frames, packing=recipe.packing)


def _run(stage: Stage, log: TrainingLog | None) -> Trained:
    from .stage import finished, last_checkpoint, mean_loss

    found = last_checkpoint(stage.out)
    if found and (done := finished(found)):  # the Trainer would make one more step
        stage.restore(found)
        state, seconds = done, 0.0
    else:
        output = stage.train(resume_from_checkpoint=str(found) if found else None)
        state, seconds = stage.state, output.metrics["train_runtime"]
    stage.save_model()
    samples = stage.samples
    result = Trained(stage.out, state.global_step, mean_loss(state), len(samples), dict(samples.skipped))
    if log:
        log.write("end", steps=result.steps, loss=result.loss, seconds=round(seconds, 3))
    return result


def _teller(log: TrainingLog | None, progress: Callable[[int, int], None]) -> Told:
    def tell(facts: dict[str, Any]) -> None:
        if log:
            progress(facts["step"], facts.pop("steps"))
            log.write("step", **facts)

    return tell


def _facts(stage: Stage) -> dict[str, Any]:
    import peft
    import torch
    import transformers

    from .stage import groups_of, last_checkpoint

    found, samples = last_checkpoint(stage.out), stage.samples
    groups = groups_of(stage.trained, stage.recipe)
    return {
        "recipe": stage.recipe.id,
        "recipe_sha256": stage.recipe.sha256,
        "samples": len(samples),
        "supervised": samples.supervised,
        "cut": samples.cut,
        "skipped": dict(samples.skipped),
        "parameters": {group["name"]: sum(p.numel() for p in group["params"]) for group in groups},
        "processes": stage.args.world_size,
        "accumulation": stage.args.gradient_accumulation_steps,
        "goes_on_from": found.name if found else None,
        "versions": {
            "ecva-bench": __version__,
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "peft": peft.__version__,
        },
    }


def is_first() -> bool:
    """Whether this is the only process, or the first of those that torchrun starts: it alone writes and speaks."""
    return os.environ.get("RANK", "0") == "0"


def _wait_for(path: Path) -> None:
    """Wait until the first process of several has written a file; `TrainingError` where it does not."""
    import time

    for _ in range(600):
        if path.is_file():
            return
        time.sleep(0.1)
    raise TrainingError("the first process has not begun within a minute", path, "look at what it says")
