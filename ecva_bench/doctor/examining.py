"""The examination: each subject in turn, and the first thing that stands in the way as the next command."""

from __future__ import annotations

import platform
import shlex
from dataclasses import dataclass
from pathlib import Path

from ..answering.model_card import ModelCard
from ..answering.models import find_model, weights_here
from ..checkpoints.finding import WEIGHTS, find_checkpoint
from ..data import Dataset, load_dataset
from ..errors import CheckpointError, EcvaError
from ..version import __version__
from ..wording import counted
from . import machine, videos
from .finding import Line

_SCHEMES = {"hf": "models", "vllm": ""}  # of models named by their weights; the extra that each needs


@dataclass(frozen=True)
class Examination:
    """What was found, the next command to type, and whether a run can begin."""

    lines: tuple[Line, ...]
    next: str
    ready: bool


def examine(
    data: str | None = None, folder: Path | None = None, model: str | None = None, model_path: str | None = None
) -> Examination:
    """Return what there is to run with, and what is to be done next.

    Raises nothing for what is not there or cannot be read: that is a line.
    """
    lines = [Line("program", f"ecva-bench {__version__}, Python {platform.python_version()}")]
    lines += [*machine.extra_lines(), *machine.key_lines(), *machine.gpu_lines(), *machine.space_lines()]
    dataset, of_data = _data(data, folder)
    of_model, lacks = _model(model, model_path) if model else ([], "")
    lines += [*of_data, *of_model]
    run = " ".join(["ecva-bench run", *_option("--model", model or "motion"), *_option("--model-path", model_path)])
    command, ready = _next(lines, dataset, lacks, data, folder, run)
    return Examination(tuple(lines), command, ready)


def _data(data: str | None, folder: Path | None) -> tuple[Dataset | None, list[Line]]:
    """Return the data set, None where there is none, and what was found of it and of its videos."""
    if folder is not None and not folder.is_dir():
        return None, [Line("videos", f"there is no such folder: {folder}", False)]
    if data is None:
        return None, list(videos.folder_alone(folder)) if folder else []
    try:
        dataset = load_dataset(data, videos=folder)
    except EcvaError as error:
        return None, [Line("data", str(error), False)]
    rows = f"{dataset.name}, {counted(len(dataset.annotations), 'usable video')}, {len(dataset.excluded)} unusable"
    lines = [Line("data", f"{rows}: {dataset.source}", bool(dataset.annotations))]
    if dataset.render is None and dataset.videos is not None:
        lines += videos.against(dataset)
    return dataset, lines


def _model(model: str, model_path: str | None) -> tuple[list[Line], str]:
    """Return what was found of a model, and the command that gets what it lacks; empty where it lacks nothing."""
    try:
        entry = find_model(model)
    except EcvaError as error:
        return [Line("model", str(error), False)], "ecva-bench models"
    if entry.problem:
        return [Line("model", f"{model} cannot be used: {entry.problem}", False)], "ecva-bench models"
    lines = [Line("model", f"{model}: {entry.summary}".rstrip(": "))]
    scheme, _, target = model.partition(":")
    extra = "models" if entry.card else _SCHEMES.get(scheme, "")
    lacks = ""
    if extra and not machine.has_extra(extra):
        lines.append(Line("model", f"needs the extra {extra}", False))
        lacks = f"pip install 'ecva-bench[{extra}]'"
    weights = model_path or (target if scheme in _SCHEMES else "")
    if weights:
        try:
            found = find_checkpoint(weights, files=WEIGHTS, download=False, identify=False, option="")
            lines.append(Line("weights", f"here: {found.folder}"))
        except CheckpointError as error:
            lines.append(Line("weights", error.what + f": {weights}", False))
            lacks = lacks or f"hf download {shlex.quote(weights.partition('@')[0])}"
    elif entry.card:
        line, command = _weights_of(entry.card)
        lines.append(line)
        lacks = lacks or command
    return lines, lacks


def _weights_of(card: ModelCard) -> tuple[Line, str]:
    """Return which of a card's weights are here, and the command that gets one where none is."""
    here = [hub_id for hub_id in card.hub_ids if weights_here(hub_id)]
    away = [hub_id for hub_id in card.hub_ids if hub_id not in here]
    if not card.hub_ids:
        return Line("weights", "none are published: name yours with --model-path", False), ""
    if not here:
        return Line("weights", f"not on this machine: {', '.join(away)}", False), f"hf download {away[0]}"
    return Line("weights", f"here: {', '.join(here)}" + (f"; not here: {', '.join(away)}" if away else "")), ""


def _next(
    lines: list[Line], dataset: Dataset | None, lacks: str, data: str | None, folder: Path | None, run: str
) -> tuple[str, bool]:
    """Return the command to type next, and whether it is the run itself."""
    subjects = {line.subject: line for line in lines}
    given = [*_option("--data", data or "FILE"), *_option("--videos", folder)]
    if dataset is None and (data or folder):
        if (data is None and subjects["videos"].good) or "data" in subjects:
            return " ".join(["ecva-bench doctor", *_option("--data", "FILE"), *_option("--videos", folder)]), False
        return " ".join(["ecva-bench doctor", *_option("--data", data), "--videos FOLDER"]), False
    if dataset is not None and dataset.render is None:
        every = [annotation.video for annotation in dataset.annotations]
        others = videos.NUMBERING in subjects and not subjects[videos.NUMBERING].good
        if folder is None or others or len(dataset.missing(every)) == len(every):
            return " ".join(["ecva-bench doctor", *_option("--data", data), "--videos FOLDER"]), False
    if lacks:
        return lacks, False
    available = ["--available"] if subjects.keys() & {"missing", "ambiguous", "empty"} else []
    return " ".join([run, *(given if data else []), *available, "--limit 2 --out trial.jsonl"]), True


def _option(name: str, value: object) -> list[str]:
    return [] if value is None else [f"{name} {shlex.quote(str(value))}"]
