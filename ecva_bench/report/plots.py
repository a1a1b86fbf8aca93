"""The plots of runs for a paper: a page per task, as PDF or one HTML file, or one figure by name as PDF, PNG or SVG.

Needs matplotlib. What is drawn stands in `panels`. Equal input gives equal files.
"""

from __future__ import annotations

import html
import io
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..taxonomy import Taxonomy
from ..wording import counted
from ..writing import write_whole
from . import FigureName, panels
from .panels import Plotted, plotted
from .run import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

METRICS_SHOWN = 6  # on a page of four panels; where there are more, a page of all means follows
A4_LANDSCAPE = (11.69, 8.27)
DPI = 200
_CHARACTERS_PER_INCH = 22  # of the notes below a figure

_FIGURES: dict[FigureName, Callable[[Figure | SubFigure, Plotted], None]] = {
    "means": panels.draw_means,
    "classes": panels.draw_classes,
    "duration": panels.draw_durations,
    "severity": panels.draw_severities,
    "cost": panels.draw_costs,
    "correlation": panels.draw_correlation,
}


def write_plots(runs: Sequence[Run], path: Path, *, task: str | None = None, taxonomy: Taxonomy | None = None) -> int:
    """Write the plots of scored runs to a .pdf or .html file, a page or two per task, and return the number of pages.

    `taxonomy` has the names of the classes; without it their codes are shown. Raises `UsageError` where matplotlib is
    not installed, the file has another ending or cannot be written, or nothing was scored.
    """
    with _style():
        tasks = _tasks(runs, task)
        if path.suffix not in (".pdf", ".html"):
            raise UsageError("plots are written as .pdf or .html", path, "name such a file with --out")
        pages = [(name, page) for name in tasks for page in _pages(plotted(runs, name, taxonomy))]
        _write(
            path, (_as_pdf if path.suffix == ".pdf" else _as_html)([page for _, page in pages], [n for n, _ in pages])
        )
    return len(pages)


def write_figure(
    runs: Sequence[Run],
    path: Path,
    name: FigureName,
    *,
    task: str | None = None,
    taxonomy: Taxonomy | None = None,
) -> list[Path]:
    """Write one figure of scored runs as .pdf, .png or .svg, and return the files.

    There is one file per task; where these are several, their names go into those of the files. Raises `UsageError` as
    `write_plots` does.
    """
    with _style():
        tasks = _tasks(runs, task)
        if path.suffix not in (".pdf", ".png", ".svg"):
            raise UsageError("a figure is written as .pdf, .png or .svg", path, "name such a file with --out")
        paths = []
        for one in tasks:
            paths.append(path if len(tasks) == 1 else path.with_name(f"{path.stem}-{one}{path.suffix}"))
            _write(paths[-1], _saved(_figure(name, plotted(runs, one, taxonomy)), path.suffix[1:]))
    return paths


@contextmanager
def _style() -> Iterator[None]:
    try:
        from matplotlib import rc_context
    except ImportError:
        raise UsageError("plots need matplotlib", remedy='pip install "ecva-bench[report]"') from None
    style: dict[Any, Any] = {
        "font.size": 8,
        "svg.hashsalt": "ecva-bench",
        "text.parse_math": False,  # a dollar in a model's name is a dollar
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    with rc_context(style):
        yield


def _tasks(runs: Sequence[Run], task: str | None) -> list[str]:
    tasks = list(dict.fromkeys(metric.task for run in runs for metric in run.metrics if task in (None, metric.task)))
    if not tasks:
        raise UsageError("there are no scores to plot", remedy="score these results with `ecva-bench score` first")
    return tasks


def _write(path: Path, content: bytes | str) -> None:
    try:
        write_whole(path, content)
    except OSError as error:
        raise UsageError("the plots cannot be written", path, f"name another file with --out ({error})") from None


def _figure(name: FigureName, what: Plotted) -> Figure:
    """Return one figure, as large as what it shows needs."""
    from matplotlib.figure import Figure

    rows = len(what.runs) + bool(what.published)
    sizes = {
        "means": (11.0, -(-len(what.metrics) // panels.IN_A_ROW) * (0.9 + 0.25 * rows)),
        "classes": (8.0, 1.6 + 0.3 * len(what.runs)),
        "correlation": (2.5 + 0.35 * len(what.metrics), 2.2 + 0.35 * len(what.metrics)),
    }
    figure = Figure(figsize=sizes.get(name, (5.0, 3.5)), layout="constrained")
    _FIGURES[name](figure, what)
    figure.suptitle(what.task, fontweight="bold", fontsize=9)
    _tell_notes(figure, what)
    return figure


def _pages(what: Plotted) -> Iterator[Figure]:
    """Yield the page of a task with four panels, and one with the means of all metrics where they are more."""
    from matplotlib.figure import Figure

    title = f"{what.task}: {counted(len(what.runs), 'run')}"
    few = panels.first_metrics(what, METRICS_SHOWN)
    figure = Figure(figsize=A4_LANDSCAPE, layout="constrained")
    figure.suptitle(title, fontweight="bold")
    halves = figure.add_gridspec(2, 1, height_ratios=(1, 1.15))
    panels.draw_means(figure.add_subfigure(halves[0]), few)
    below = figure.add_subfigure(halves[1])
    thirds = below.add_gridspec(1, 3, width_ratios=(1.5, 1, 1))
    panels.draw_classes(below.add_subfigure(thirds[0]), few)
    panels.draw_durations(below.add_subfigure(thirds[1]), few)
    panels.draw_correlation(below.add_subfigure(thirds[2]), few)
    _tell_notes(figure, what)
    yield figure
    if len(what.metrics) > METRICS_SHOWN:
        whole = Figure(figsize=A4_LANDSCAPE, layout="constrained")
        whole.suptitle(f"{title}, all metrics", fontweight="bold")
        panels.draw_means(whole, what)
        _tell_notes(whole, what)
        yield whole


def _tell_notes(figure: Figure, what: Plotted) -> None:
    """Write below a figure what is to be known of the judges, in lines as long as it is wide."""
    width = int(_CHARACTERS_PER_INCH * figure.get_figwidth())
    lines = [line for note in what.judge_notes for line in textwrap.wrap(note, width)]
    if lines:
        figure.supxlabel("\n".join(lines), x=0.01, horizontalalignment="left", fontsize=6)


def _saved(figure: Figure, form: str) -> bytes:
    metadata: dict[str, Mapping[str, str | None]] = {
        "pdf": {"CreationDate": None},
        "svg": {"Date": None, "Creator": None},
        "png": {"Software": None},
    }
    file = io.BytesIO()
    figure.savefig(file, format=form, dpi=DPI, metadata=dict(metadata[form]))
    return file.getvalue()


def _as_pdf(figures: Sequence[Figure], tasks: Sequence[str]) -> bytes:
    from matplotlib.backends.backend_pdf import PdfPages

    file = io.BytesIO()
    with PdfPages(
        file, metadata={"Title": f"ecva-bench: {', '.join(dict.fromkeys(tasks))}", "CreationDate": None}
    ) as pages:
        for figure in figures:
            pages.savefig(figure)
    return file.getvalue()


def _as_html(figures: Sequence[Figure], tasks: Sequence[str]) -> str:
    """One page without scripts; a browser prints each task on a page of its own."""
    drawings = []
    for figure in figures:
        text = _saved(figure, "svg").decode()
        drawings.append(text[text.index("<svg") :])
    sections = "".join(
        f'<section aria-label="{html.escape(task)}">{drawing}</section>\n'
        for task, drawing in zip(tasks, drawings, strict=True)
    )
    style = "@page{size:A4 landscape;margin:5mm}body{margin:0;background:#fff}svg{width:100%;height:auto}"
    style += "section{break-after:page;max-width:297mm;margin:auto}"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>ecva-bench</title>'
        f"<style>{style}</style></head><body>\n{sections}</body></html>\n"
    )
