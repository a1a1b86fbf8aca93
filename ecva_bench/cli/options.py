"""The options `run` and `plan` share, and the one function that turns them into a request."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from ..answering.plan import Selection
    from ..answering.request import RunRequest
    from ..answering.worker_options import WorkerOptions
    from ..records.base import View
    from ..samples import OptionOrder
    from ..tasks import SeverityFrom


# The edited views that can be asked for.
_VIEWS: dict[str, View] = {
    "anomaly": "anomaly",
    "control": "control",
    "still": "still",
    "shuffled": "shuffled",
    "blank": "blank",
}


def listed(values: list[str] | None) -> list[str] | None:
    """Return the items of a list option, which may be repeated, separated by commas, or both."""
    return values and [item.strip() for value in values for item in value.split(",") if item.strip()]


def _listed_views(values: list[str] | None) -> list[str] | None:
    found = listed(values)
    if unknown := [view for view in found or () if view not in _VIEWS]:
        raise typer.BadParameter(f"{unknown[0]!r} is not one of {', '.join(_VIEWS)}")
    return found


# The groups that help shows options in.
_model_option = partial(typer.Option, rich_help_panel="Model")
_videos_option = partial(typer.Option, rich_help_panel="Videos")
_questions_option = partial(typer.Option, rich_help_panel="Questions")

Model = Annotated[
    str,
    _model_option(help="Model to ask: a name (`ecva-bench models` lists them), or ./file.py:Name.", show_default=False),
]
ModelPath = Annotated[
    str | None,
    _model_option(help="The model's weights: a folder, or a hub id as ID or ID@REVISION.", show_default=False),
]
ModelArg = Annotated[list[str] | None, _model_option(help="Option of the model, as name=value; may be repeated.")]
HardPrompt = Annotated[
    bool | None,
    typer.Option(
        "--hard-prompt/--no-hard-prompt",
        help="Look closer at segments ranked by the question, or take frames of the whole video.",
        show_default=False,
        rich_help_panel="AnomShield",
    ),
]
Connector = Annotated[
    str | None,
    typer.Option(help="What the checkpoint has: mamba or mlp.", show_default=False, rich_help_panel="AnomShield"),
]
Task = Annotated[
    list[str] | None,
    _questions_option(help="Tasks to ask, as a,b or repeated. Default: all but severity.", callback=listed),
]
Data = Annotated[
    str,
    _videos_option(
        help="Data set: mini, mini-twins, an annotation file, a description (my.toml), name:file "
        "(cuva:…, vau-bench:…), or ./file.py:name[:file]."
    ),
]
Videos = Annotated[Path | None, _videos_option(help="Folder of the video files.")]
Out = Annotated[
    Path | None,
    typer.Option(help="Results file; one that exists is resumed, or extended. Default: MODEL-DATASET.jsonl."),
]
Prompts = Annotated[
    str,
    _questions_option(
        help="Prompt set: ours, authors (the paper's repository), cuva (A-Guardian's), or a folder with TASK.md files."
    ),
]
Edited = Annotated[
    list[str] | None,
    _questions_option(
        help="Ask about edited views too: anomaly (moments cut), control (as much normal time cut); still (one frame "
        "at all times), shuffled (another order), blank (no picture); a,b or repeated.",
        callback=_listed_views,
    ),
]
AllTasks = Annotated[
    bool, _questions_option("--all-tasks", help="Ask about anomaly and control also what no metric reads.")
]
Shuffle = Annotated[
    str,
    _questions_option(
        metavar="SEED|no",
        help="Options of a choice: in an order drawn by this seed; no: as the data set has them.",
    ),
]
Rotate = Annotated[
    bool, _questions_option("--rotate", help="Ask a choice once for each of its options, with all in other places.")
]
Samples = Annotated[
    int,
    _questions_option(
        min=1, help="Ask each question so many times, of a model that samples: scores are then means over its samples."
    ),
]
SeverityWay = Annotated[
    Literal["segments", "once", "likelihood"],
    _questions_option(
        "--severity-from",
        help="Ask how severe each part of a video is: part by part (segments), all in one question (once), or part by "
        "part by the probabilities of the digits (likelihood).",
    ),
]
Curves = Annotated[
    Path | None,
    _questions_option(help="Importance curves that a program made (`data curves`), to hold severities against."),
]
Limit = Annotated[int | None, _videos_option(min=1, help="Only the first N videos.")]
Ids = Annotated[str | None, _videos_option(help="Only these videos: ids separated by commas, or a file of ids.")]
Available = Annotated[
    bool, _videos_option("--available", help="Only videos with exactly one file, which is not empty.")
]
Subset = Annotated[int | None, _videos_option(min=1, help="Only N videos, stratified by class; subsets are nested.")]
Seed = Annotated[int, _videos_option(help="Seed of the subset.")]
Shard = Annotated[str | None, _videos_option(help="Only the i-th of n parts, as i/n; join them with `merge`.")]
Mode = Annotated[
    Literal["exact", "fast"],
    _questions_option(help="exact: one question at a time; fast: a video's questions as one."),
]


def build_request(
    *,
    model: str,
    model_path: str | None,
    model_arg: list[str] | None,
    hard_prompt: bool | None = None,
    connector: str | None = None,
    task: list[str] | None,
    data: str,
    videos: Path | None,
    prompts: str,
    edited: list[str] | None,
    all_tasks: bool = False,
    shuffle: str = "0",
    rotate: bool = False,
    samples: int = 1,
    severity_from: SeverityFrom = "segments",
    curves: Path | None = None,
    training: Path | None = None,
    name: str = "",
    limit: int | None,
    ids: str | None,
    available: bool,
    subset: int | None,
    seed: int,
    shard: str | None,
    mode: Literal["exact", "fast"],
    memory_mb: int = 1024,
    decoders: int = 1,
    deadline: float = 60.0,
    isolate: bool = False,
    retry_errors: bool = False,
    engine: Literal["local", "ray"] = "local",
    workers: int | None = None,
    devices: str | None = None,
) -> RunRequest:
    """Return the request the options describe; `UsageError` for an invalid value."""
    from ..answering.inference import Settings
    from ..answering.request import RunRequest

    return RunRequest(
        model=model,
        model_path=model_path,
        model_args={**model_options(model_arg), **_of_anomshield(hard_prompt, connector)},
        data=data,
        videos=videos,
        tasks=tuple(task or ()),
        prompts=prompts,
        edited=tuple(_VIEWS[view] for view in edited or ()),
        all_tasks=all_tasks,
        order=_order(shuffle, rotate),
        repeats=samples,
        severity_from=severity_from,
        curves=curves,
        training=training,
        name=name,
        selection=_selection(ids, subset, seed, limit, shard, available),
        settings=Settings(mode, memory_mb << 20, decoders, deadline, isolate, retry_errors),
        worker_options=_worker_options(engine, workers, devices),
    )


def _selection(
    ids: str | None, subset: int | None, seed: int, limit: int | None, shard: str | None, available: bool
) -> Selection:
    from ..answering.plan import Selection

    return Selection(_id_list(ids), subset, seed, limit, _shard(shard), available)


def _worker_options(engine: Literal["local", "ray"], workers: int | None, devices: str | None) -> WorkerOptions:
    from ..answering.worker_options import WorkerOptions

    return WorkerOptions(engine, workers, tuple(devices.split(",")) if devices else ())


def _order(shuffle: str, rotate: bool) -> OptionOrder:
    from ..errors import UsageError
    from ..samples import OptionOrder

    if not (shuffle == "no" or shuffle.isdecimal()):
        raise UsageError(f"{shuffle!r} is no seed", "--shuffle", "write a whole number, or no")
    return OptionOrder(None if shuffle == "no" else int(shuffle), rotate)


def name_and_value(item: str, what: str) -> tuple[str, str]:
    """Return name and value of `name=value`; `UsageError` where it is not; `what` it should be is in the message."""
    from ..errors import UsageError

    name, equals, value = item.partition("=")
    if not (name and equals):
        raise UsageError(f"{item!r} is no {what}", remedy="write name=value")
    return name, value


def model_options(items: list[str] | None) -> dict[str, str]:
    """Return the options of a model by name; `UsageError` where one is not `name=value`."""
    found = [name_and_value(item, "option of a model") for item in items or ()]
    return {name.replace("-", "_"): value for name, value in found}


def _of_anomshield(hard_prompt: bool | None, connector: str | None) -> dict[str, str]:
    given = {} if hard_prompt is None else {"hard_prompt": "yes" if hard_prompt else "no"}
    return given if connector is None else {**given, "connector": connector}


def _id_list(ids: str | None) -> tuple[str, ...]:
    """Return the ids named, or those in the file of that name; `UsageError` where the file is not text."""
    from ..errors import UsageError

    if ids is None:
        return ()
    if not ids.replace(",", " ").strip():
        raise UsageError("no id is named", "--ids", "name some, or leave the option out to take all videos")
    try:
        text = Path(ids).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise UsageError("the file of ids is not a text file", ids, "write one id a line, in UTF-8") from None
    except OSError:  # no such file, or, of many ids, no name that a file can have
        text = ids
    return tuple(text.replace(",", " ").split())


def _shard(text: str | None) -> tuple[int, int] | None:
    from ..errors import UsageError

    if text is None:
        return None
    part, slash, parts = text.partition("/")
    if not (slash and part.isdecimal() and parts.isdecimal()):
        raise UsageError(f"{text!r} is not a shard", remedy="write --shard i/n, for example 1/4")
    return int(part), int(parts)
