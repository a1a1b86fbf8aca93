"""`ecva-bench audit`: whether answers are what they seem."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .named_files import only_answers
from .score import Data


def audit_command(
    files: Annotated[
        list[Path], typer.Argument(help="Results files, or the authors' answer files.", show_default=False)
    ],
    data: Data = None,
    task: Annotated[
        str | None, typer.Option(help="Task of the authors' answer files, where they do not tell.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the audit as JSON.")] = False,
) -> None:
    """Look for answers that are not what they seem, in each file and between files of different models.

    The same answers under two models' names, one answer to everything, the prompt
    or the annotation as answer, words to the judge, samples without an answer,
    answers that were cut off, models that were asked otherwise. Ends with code 1
    where it finds any.

    Examples:

      ecva-bench audit one.jsonl other.jsonl

      ecva-bench audit video_llama_description.json video_llava_description.json --data annotations.xlsx
    """
    from ..api.calls import read_answer_file
    from ..data import load_dataset
    from ..leaderboard.forms import as_text
    from ..records.base import canonical_json
    from ..scoring.audit import audit_answers
    from ..tasks import find_tasks
    from .audit_tables import audit_tables

    tasks = [find_tasks([task])[0].name] if task else []
    dataset = load_dataset(data) if data else None
    answers = [read_answer_file(file, dataset, tasks) for file in only_answers(files)]
    found = audit_answers(answers)
    print(canonical_json(found.model_dump(mode="json")) if as_json else "\n".join(map(as_text, audit_tables(found))))
    if found.findings:
        raise typer.Exit(1)
