"""`ecva-bench export`: a run's answers as another program's file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..untrusted import say
from ..wording import counted
from . import score


def export_command(
    results: Annotated[Path, typer.Argument(help="Results file.", show_default=False)],
    to: Annotated[
        str, typer.Option(help="Form: csv, lmms-eval, parquet, qvhighlights or vlmevalkit.", show_default=False)
    ],
    data: score.Data = None,
    out: Annotated[Path | None, typer.Option(help="New file. Default: beside the results file.")] = None,
) -> None:
    """Write answers in the form of another program; `ecva-bench import` reads them again.

    A form holds the answers with task, view and reference, and says which
    answers could not be had. `qvhighlights` holds the curves of the task
    severity alone, for that data set's evaluation, and is not read again.

    Examples:

      ecva-bench export motion-mini.jsonl --to csv

      ecva-bench export motion-mini.jsonl --to lmms-eval --out samples.jsonl
    """
    from ..api.calls import read_answer_file
    from ..interchange.export import default_name, export_results

    target = out or default_name(results, to)
    count = export_results(read_answer_file(results, data), to, target)
    say(f"wrote {target}: {counted(count, 'row')}")
