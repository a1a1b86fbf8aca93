"""`ecva-bench report`: the plots of runs for a paper."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..report import FigureName
from ..untrusted import say
from ..wording import counted
from . import view
from .named_files import only_answers


def report_command(
    files: view.Files,
    scores: view.ScoresFiles = None,
    data: view.Data = None,
    task: Annotated[str | None, typer.Option(help="Only this task. Default: a page per task.")] = None,
    figure: Annotated[
        FigureName | None,
        typer.Option(help="Only this figure, as .pdf, .png or .svg. Default: pages of four panels, as .pdf or .html."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="File to write. Default: report.pdf, or FIGURE.pdf.")] = None,
) -> None:
    """Draw the plots of scored runs for a paper: intervals, classes, durations, agreement of metrics.

    A page or two per task, or one figure by its name. Needs the extra `report` (matplotlib).

    Examples:

      ecva-bench report motion-mini.jsonl constant-mini.jsonl --task cause --out cause.pdf

      ecva-bench report *.jsonl --out report.html

      ecva-bench report *.jsonl --figure means --task cause --out means.svg
    """
    from ..leaderboard.published import WITH_PUBLISHED
    from ..report import plots
    from ..report.run import dataset_of
    from ..tasks import find_tasks
    from ..taxonomy import TAXONOMY, load_taxonomy

    files = only_answers(files)
    dataset = view.open_dataset(files, data, None)
    runs = list(view.read_runs(files, scores, dataset))
    known = dataset.taxonomy if dataset else None
    if known is None and dataset_of(files[0]) in WITH_PUBLISHED:
        known = load_taxonomy(TAXONOMY)
    only = find_tasks([task])[0].name if task else None
    if figure:
        paths = plots.write_figure(runs, out or Path(f"{figure}.pdf"), figure, task=only, taxonomy=known)
        say(f"wrote {', '.join(map(str, paths))}")
        return
    out = out or Path("report.pdf")
    pages = plots.write_plots(runs, out, task=only, taxonomy=known)
    say(f"wrote {out}: {counted(pages, 'page')}")
