"""`ecva-bench train`: train a model by a recipe, or say what that will take."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ..untrusted import say, say_lines
from . import options

if TYPE_CHECKING:
    from ..training.request import TrainingRequest

_data_option = partial(typer.Option, rich_help_panel="Data", show_default=False)
_work_option = partial(typer.Option, rich_help_panel="Work")

RecipeName = Annotated[
    str,
    typer.Argument(help="Recipe: a name (`--help` lists them below), or a file of yours (my.toml).", metavar="RECIPE"),
]
Data = Annotated[
    list[str] | None,
    _data_option(
        help="Samples: a file in the form of LLaVA's trainers or of VideoInstruct, or a data set as `run` takes it, "
        "such as cuva:FILE; may be repeated."
    ),
]
Media = Annotated[Path | None, _data_option(help="Folder of the pictures and videos.")]
From = Annotated[Path | None, _data_option("--from", help="Folder of the stage before, whose weights are trained on.")]
MaxBad = Annotated[
    str, _data_option(help="Share of the samples that may be of no use, as 0.1%; each is named.", show_default=True)
]
Out = Annotated[Path | None, typer.Option(help="Folder to train into; one begun by this command is gone on with.")]
Plan = Annotated[bool, typer.Option("--plan", help="Only say what it will take; nothing is loaded or opened.")]
Cache = Annotated[
    Path | None, _work_option(help="Folder for the frames of videos. Default: in the cache; of drawn scenes none.")
]
Workers = Annotated[
    int, _work_option(min=1, help="Threads that read files before, and processes that do so during it.")
]
ReportTo = Annotated[
    Literal["none", "tensorboard", "wandb", "trackio"],
    _work_option(help="Where transformers' Trainer reports to, beside train.jsonl."),
]


def train_command(
    recipe: RecipeName,
    data: Data = None,
    media: Media = None,
    start: From = None,
    out: Out = None,
    plan: Plan = False,
    prompts: options.Prompts = "ours",
    max_bad: MaxBad = "0.1%",
    model_arg: options.ModelArg = None,
    cache: Cache = None,
    workers: Workers = 1,
    report_to: ReportTo = "none",
) -> None:
    """Train a stage of a model by a recipe, into a folder that `run --model-path` takes.

    Recipes are anomshield/paper/1, 2 and 3 (what the paper says),
    anomshield/released/1, 2 and 3 (what the released code does) and
    anomshield/mini/1, 2 and 3 (small networks on drawn scenes, without --data),
    or a file. The same command goes on where it was killed. The folder gets
    training.json: recipe, versions, and the hash of every video and sample, by
    which `run` marks questions about videos that the model was trained on.
    Several GPUs: torchrun --nproc-per-node 4 --no-python ecva-bench train …

    Examples:

      ecva-bench train anomshield/paper/1 --plan --data mini

      ecva-bench train anomshield/paper/1 --data chat.json --media images --out FOLDER

      ecva-bench train anomshield/mini/1 --out FOLDER

      ecva-bench train anomshield/paper/3 --data cuva:annotations.xlsx --media videos --from FOLDER --out FOLDER
    """
    from ..training.training import is_first

    request = _request(
        recipe=recipe,
        data=data,
        media=media,
        start=start,
        prompts=prompts,
        max_bad=max_bad,
        model_arg=model_arg,
        cache=cache,
        workers=workers,
        report_to=report_to,
    )
    if request.unknown_before and is_first():
        say(f"beware: {request.unknown_before}", error=True)
    if plan:
        say_lines(request.plan(out).text)
        return
    _train(request, out or Path(request.recipe.id.replace("/", "-")), model_arg or [])


def _train(request: TrainingRequest, out: Path, model_args: list[str]) -> None:
    """Train, and print what became of it."""
    from ..training.request import SKIPPED
    from ..training.training import is_first
    from ..wording import counted
    from .progress import progress

    if not is_first():
        request.train(request.prepare(out))
        return
    with progress("read", "files") as read:
        ready = request.prepare(out, read)
    if ready.skipped:
        left_out = counted(len(ready.skipped), "sample")
        say(f"left out: {left_out}, each named in {out / SKIPPED} with the reason", error=True)
    with progress("train", "steps") as steps:
        trained = request.train(ready, steps)
    say(f"{out}: {counted(trained.steps, 'step')} on {counted(trained.samples, 'sample')}, loss {trained.loss:.4f}")
    base = [f"base={request.lora_base}"] if request.lora_base else []
    also = "".join(f" --model-arg {quote(one)}" for one in (*model_args, *base))
    say(f"next: ecva-bench run --model {request.recipe.answers_as} --model-path {quote(str(out))}{also}")


def _request(
    *,
    recipe: str,
    data: list[str] | None,
    media: Path | None,
    start: Path | None,
    prompts: str,
    max_bad: str,
    model_arg: list[str] | None,
    cache: Path | None,
    workers: int,
    report_to: str,
) -> TrainingRequest:
    """Return the stage that the options describe; `UsageError` for an invalid value."""
    from ..answering.factory import create_adapter
    from ..errors import UsageError
    from ..training.recipe import get_recipe
    from ..training.request import TrainingRequest

    found = get_recipe(recipe)
    if start is not None and not start.is_dir():
        raise UsageError("there is no such folder of a stage", start, "name one that `train` wrote with --from")
    weights = {"model_path": str(start)} if start else {}
    return TrainingRequest(
        recipe=found,
        adapter=create_adapter(found.answers_as, {**options.model_options(model_arg), **weights}),
        data=tuple(data or ()),
        media=media,
        start=start,
        prompts=prompts,
        cache=cache,
        max_bad=_share(max_bad),
        threads=workers,
        machine={"report_to": _reporter(report_to), "dataloader_num_workers": workers if workers > 1 else 0},
    )


def _reporter(name: str) -> str:
    """Return what the Trainer reports to; `UsageError` where it is not installed."""
    from importlib.util import find_spec

    from ..errors import UsageError

    if name != "none" and find_spec(name) is None:
        remedy = "pip install 'ecva-bench[train]'" if name == "tensorboard" else f"pip install {name}"
        raise UsageError(f"{name} is not installed", f"--report-to {name}", remedy)
    return name


def _share(text: str) -> float:
    """Return the share that `0.1%` names; `UsageError` for another text."""
    from ..errors import UsageError

    try:
        share = float(text.removesuffix("%")) / 100
    except ValueError:
        share = -1.0
    if not (text.endswith("%") and 0 <= share <= 1):
        raise UsageError(f"{text!r} is no share", "--max-bad", "write one as 0.1%")
    return share
