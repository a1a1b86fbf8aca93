"""`ecva-bench report`: the plots of runs for a paper."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..untrusted import say
from ..wording import counted
from . import view
from .named_files import only_answers


def report_command(
    files: view.Files,
    scores: view.ScoresFiles = None,
    data: view.Data = None,
    task: Annotated[str | None, typer.Option(help="Only this task. Default: a page per task.")] = None,
    out: Annotated[Path, typer.Option(help="File to write: .pdf or .html.")] = Path("report.pdf"),
) -> None:
    """Draw the plots of scored runs for a paper: intervals, classes, durations, agreement of metrics.

    One page per task. Needs the extra `report` (matplotlib).

    Examples:

      ecva-bench report motion-mini.jsonl constant-mini.jsonl --task cause --out cause.pdf

      ecva-bench report *.jsonl --out report.html
    """
    from ..report.plots import write_plots
    from ..tasks import find_tasks

    files = only_answers(files)
    dataset = view.open_dataset(files, data, None)
    runs = list(view.read_runs(files, scores, dataset))
    pages = write_plots(runs, out, task=find_tasks([task])[0].name if task else None)
    say(f"wrote {out}: {counted(pages, 'page')}")
