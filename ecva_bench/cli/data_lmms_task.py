"""`ecva-bench data lmms-task`: our questions as a task of lmms-eval."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from ..untrusted import say
from ..wording import counted


def data_lmms_task_command(
    source: Annotated[str, typer.Argument(help="mini, an annotation file, a description, or name:file.")],
    task: Annotated[str, typer.Option(help="The task whose questions are asked.", show_default=False)],
    videos: Annotated[Path | None, typer.Option(help="Folder of the video files.")] = None,
    out: Annotated[Path | None, typer.Option(help="New folder. Default: the task's name.")] = None,
) -> None:
    """Write a folder that makes a task's questions one of lmms-eval.

    lmms-eval asks the model; its log is imported and scored here, for both
    cannot be installed in one environment. inspect needs no folder: where
    inspect_ai is installed, `inspect eval ecva_bench/ecva` asks our questions.

    Example: ecva-bench data lmms-task mini --task cause
    """
    from ..data import load_dataset
    from ..harnesses.lmms_eval import write_lmms_task
    from ..harnesses.questions import questions

    dataset = load_dataset(source, videos=videos)
    asked = questions(dataset, task)
    if lacking := dataset.tell_unusable([annotation.video for annotation in dataset.annotations]):
        say(f"left out: {lacking}", error=True)
    name = f"ecva_{dataset.name}_{asked[0].sample.task}".replace("-", "_")
    folder = out or Path(name)
    for path in write_lmms_task(asked, name, folder):
        say(f"wrote {path}")
    say(f"{counted(len(asked), 'question')}; next, where lmms-eval is installed, with a model of it:")
    say(f"  python -m lmms_eval --include_path {quote(str(folder))} --tasks {name} --log_samples --output_path logs …")
    say(f"  ecva-bench import logs/*/*_samples_{name}.jsonl --data {quote(source)} --name MODEL")
