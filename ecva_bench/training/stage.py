"""A stage of a training, carried by transformers' Trainer: groups with rates of their own, checkpoints by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers

from ..errors import TrainingError
from ..records.training import TRAINING_FILE
from ..writing import write_whole
from .batches import Samples, VideoOrder, collate
from .model import TrainedModel
from .networks import GROUPS, Trainable
from .provenance import write_steps
from .recipe import Recipe
from .saving import read_back, save

WHOLE = "whole"  # a file that says that all of a checkpoint is there

_NO_NUMBER = "lower the rates, or look at the data; the last checkpoint is as it was"

Told = Callable[[dict[str, Any]], None]


class _FiniteGradients(transformers.TrainerCallback):
    """Ends a training whose gradient is no number: of a loss that is one, too, it may be none."""

    def __init__(self, out: Path) -> None:
        self._out = out

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        """Look at the gradient of a whole batch."""
        gradients = [each.grad for each in given["model"].parameters() if each.grad is not None]
        if not torch.isfinite(torch.nn.utils.get_total_norm(gradients)):
            raise TrainingError(f"the gradient of step {state.global_step + 1} is no number", self._out, _NO_NUMBER)


class Stage(transformers.Trainer):
    """A stage: a model, its samples, a recipe. `told` is called with each step's loss and rates.

    Raises `TrainingError` for a loss or gradient that is no number, before it changes a weight, and where memory ends.
    """

    def __init__(
        self,
        model: TrainedModel,
        networks: Trainable,
        samples: Samples,
        recipe: Recipe,
        out: Path,
        told: Told,
        **more: Any,
    ) -> None:
        self.trained, self.networks, self.samples, self.recipe = model, networks, samples, recipe
        self.out, self._told = out, told
        self._rates: dict[str, float] = {}
        super().__init__(model, arguments(recipe, out, **more), collate, samples)
        self.model_accepts_loss_kwargs = recipe.mean == "tokens"
        self.add_callback(_FiniteGradients(out))
        self.remove_callback(transformers.PrinterCallback)  # `told` hears of each step

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        """Return AdamW with a group for each part of the model that is trained, and its rate."""
        if self.optimizer is None:
            kind, settings = self.get_optimizer_cls_and_kwargs(self.args)
            self.optimizer = kind(list(groups_of(self.trained, self.recipe)), **settings)
        return self.optimizer

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        if self.recipe.by_video:
            return VideoOrder(self.samples, self.recipe.seed)
        return super()._get_train_sampler(train_dataset)

    def training_step(self, *given: Any, **named: Any) -> torch.Tensor:
        """Return the loss of a micro-batch, which must be a number."""
        groups = self.optimizer.param_groups if self.optimizer else []
        self._rates = {group["name"]: group["lr"] for group in groups}
        step = self.state.global_step + 1
        try:
            loss: torch.Tensor = super().training_step(*given, **named)
        except torch.OutOfMemoryError:
            remedy = "choose a smaller micro_batch, or checkpointing = true"
            raise TrainingError(f"memory ran out in step {step}", self.out, remedy) from None
        if not torch.isfinite(loss):
            raise TrainingError(f"the loss of step {step} is {loss.item()}", self.out, _NO_NUMBER)
        return loss

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Tell a step with the rate of every group, and log it as the Trainer does."""
        if "loss" in logs:
            self._told(
                {
                    "step": self.state.global_step,
                    "steps": self.state.max_steps,
                    "epoch": round(self.state.epoch or 0.0, 6),
                    "loss": logs["loss"],
                    "rates": self._rates,
                    **({"grad_norm": float(logs["grad_norm"])} if "grad_norm" in logs else {}),
                }
            )
            logs = {**logs, **{f"rate/{name}": rate for name, rate in self._rates.items()}}
        super().log(logs, start_time)

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        save(self.trained, self.networks, self.recipe, Path(output_dir or self.out))

    def restore(self, checkpoint: Path) -> None:
        """Put the weights of a checkpoint into the model."""
        read_back(self.trained, self.networks, self.recipe, checkpoint)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        self.restore(Path(resume_from_checkpoint))

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        super()._save_checkpoint(model, trial)
        self.accelerator.wait_for_everyone()
        if self.args.should_save:
            checkpoint = self.out / f"checkpoint-{self.state.global_step}"
            if (self.out / TRAINING_FILE).is_file():  # a checkpoint can be asked questions, too
                write_steps(self.out, checkpoint, self.state.global_step)
            write_whole(checkpoint / WHOLE, "")


def groups_of(model: TrainedModel, recipe: Recipe) -> list[dict[str, Any]]:
    """Return the optimizer's groups: a name, parameters, a rate and a decay, which vectors and A_log are spared."""
    found = []
    for group in (group for group in GROUPS if group in recipe.rates):
        own = [(n, p) for n, p in model.named_parameters() if n.startswith(f"{group}.") and p.requires_grad]
        spared = [n for n, p in own if recipe.weight_decay and (p.ndim < 2 or n.endswith("_log"))]
        for name, decay in ((group, recipe.weight_decay), (f"{group} without decay", 0.0)):
            if chosen := [p for n, p in own if (n in spared) == (name != group)]:
                found.append({"name": name, "params": chosen, "lr": recipe.rates[group], "weight_decay": decay})
    return found


def arguments(recipe: Recipe, out: Path, **more: Any) -> transformers.TrainingArguments:
    """Return the Trainer's settings for a recipe; `more` are those of a machine and not of a recipe.

    Raises `TrainingError` where the optimizer batch cannot be shared out among the processes.
    """
    cuda = torch.cuda.is_available() and not more.get("use_cpu")
    settings: dict[str, Any] = {
        "output_dir": str(out),
        "per_device_train_batch_size": recipe.micro_batch,
        "num_train_epochs": recipe.epochs or 1.0,
        "max_steps": recipe.steps or -1,
        "learning_rate": max(recipe.rates.values()),
        "lr_scheduler_type": "constant_with_warmup" if recipe.schedule == "constant" else recipe.schedule,
        "warmup_steps": recipe.warmup,
        "max_grad_norm": recipe.clip,
        "bf16": recipe.precision == "bf16",
        "seed": recipe.seed,
        "save_steps": recipe.save_steps,
        "save_strategy": "steps",
        "save_total_limit": 2,
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "report_to": "none",
        "optim": "adamw_torch_fused" if cuda else "adamw_torch",
        "remove_unused_columns": False,
        "label_names": ["labels"],
        "ddp_find_unused_parameters": False,
        "disable_tqdm": True,
        **more,
    }
    found = transformers.TrainingArguments(**settings)
    found._n_gpu = min(found.n_gpu, 1)  # several are used by torchrun: samples are no tensors that could be split
    share = recipe.micro_batch * found.world_size
    if recipe.batch % share:
        what = f"a batch of {recipe.batch} is not a multiple of {recipe.micro_batch} on {found.world_size} processes"
        raise TrainingError(what, recipe.id, "choose another micro_batch, or another number of processes")
    found.gradient_accumulation_steps = recipe.batch // share
    return found


def last_checkpoint(out: Path) -> Path | None:
    """Return the last checkpoint of which all was written; what a kill left of another is passed over."""
    there = {int(path.parent.name.rpartition("-")[2]): path.parent for path in out.glob(f"checkpoint-*/{WHOLE}")}
    return there[max(there)] if there else None


def finished(checkpoint: Path) -> transformers.TrainerState | None:
    """Return the state of a checkpoint after which there is no step left; None of another."""
    file = checkpoint / "trainer_state.json"
    try:
        state = transformers.TrainerState.load_from_json(str(file))
    except (OSError, ValueError, TypeError) as error:
        remedy = "move this checkpoint elsewhere, and the one before it is gone on with"
        raise TrainingError("the checkpoint is damaged", file, remedy) from error
    return state if state.global_step >= state.max_steps else None


def mean_loss(state: transformers.TrainerState) -> float:
    """Return the mean of all steps' losses, those before the training was gone on with included."""
    losses = [entry["loss"] for entry in state.log_history if "loss" in entry]
    return float(sum(losses) / max(len(losses), 1))
