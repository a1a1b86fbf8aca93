"""`ecva-bench import`: answers made elsewhere as a results file."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from ..untrusted import say
from ..wording import counted

Files = Annotated[
    list[str],
    typer.Argument(
        help="Files of answers; FILE@cause or FILE@anomaly where a file does not tell its task or view.",
        show_default=False,
    ),
]
Data = Annotated[str, typer.Option(help="Annotations: mini, an annotation file, or name:file.", show_default=False)]
Videos = Annotated[
    Path | None,
    typer.Option(
        exists=True, help="Folder of the video files, which say how long videos last: for answers about severity."
    ),
]
Name = Annotated[str | None, typer.Option(help="What to call the model. Default: as the files say.")]
Training = Annotated[
    Path | None,
    typer.Option(
        help="Record of the model's training, to mark answers about videos it was trained on; with --videos they are "
        "known by their bytes, too.",
        show_default=False,
    ),
]
Map = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        help="Columns by field: video=COLUMN,answer=COLUMN,task=COLUMN,view=COLUMN; with a column for each task "
        "cause=COLUMN,effect=COLUMN in place of answer; may be repeated. Numbers count the "
        "columns of a table without headings.",
        show_default=False,
    ),
]


def import_command(
    files: Files,
    data: Data,
    name: Name = None,
    columns: Map = None,
    task: Annotated[str | None, typer.Option(help="Task of all answers, where the files do not tell it.")] = None,
    videos: Videos = None,
    training: Training = None,
    out: Annotated[Path | None, typer.Option(help="New results file. Default: MODEL-DATASET.jsonl.")] = None,
) -> None:
    """Make a results file of answers from elsewhere: JSON, JSON lines, CSV, TSV, workbooks, parquet, logs.

    Lists, ids to texts, tables with a column a task; logs of lmms-eval,
    VLMEvalKit and inspect; CUVA's and the authors' rows. Which column is what is
    found by its name and printed. Where it may be either of two, nothing is
    taken and both are named. Several files become one run, edited views with
    them.

    Examples:

      ecva-bench import answers.json --data annotations.xlsx --name my-model

      ecva-bench import cause.csv effect.csv cut.csv@cause@anomaly --data annotations.xlsx --name my-model

      ecva-bench import table.csv --data annotations.xlsx --name my-model --map video=clip,answer=qwen --task cause

      ecva-bench import wide.csv --data annotations.xlsx --name my-model --map cause=reasons,effect=ending
    """
    from ..data import load_dataset
    from ..errors import UsageError
    from ..interchange.imported import import_answers
    from ..interchange.mapping import parse_map
    from ..interchange.sources import AnswerSource
    from ..tasks import find_tasks
    from .progress import progress

    sources = [AnswerSource.parse(file, task) for file in files]
    dataset = load_dataset(data, videos=videos)
    imported = import_answers(sources, dataset, model=name, given=parse_map(columns or ()))
    if training is not None:
        from ..api.imports import marked_by_training

        imported, share = marked_by_training(imported, training, dataset)
        say(share, error=True)
    for note in imported.notes:
        say(note, error=True)
    tasks = imported.manifest.spec["tasks"]
    if task and find_tasks([task])[0].name not in tasks:
        remedy = f"write FILE@{task} where it holds for all of a file"
        raise UsageError(f"--task {task} is of no use: the files tell {', '.join(tasks)}", remedy=remedy)
    out = out or imported.results_file
    with progress("import", "answers") as update:
        imported.write(out, update)
    owed = sum(map(len, imported.manifest.expects.values()))
    held = imported.results()
    say(
        f"{out}: {len(held.answers):,} of {counted(owed, 'answer')} of {imported.model}, "
        f"{counted(len(held.failures), 'error')}"
    )
    say(f"next: ecva-bench score {quote(str(out))}")
