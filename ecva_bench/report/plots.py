"""The plots of runs for a paper: one page per task, as PDF or as one HTML file. Needs matplotlib.

Four panels: means with their intervals, means by class, means by duration, and how similarly metrics order answers.
Means are those leaderboards rank by: a sample without an answer has the worst value. Equal input gives equal files.
"""

from __future__ import annotations

import html
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..leaderboard.groups import labels
from ..leaderboard.values import sample_values
from ..records import Label
from ..records.annotations import sample_parts
from ..statistics.intervals import bootstrap_interval
from ..statistics.ranks import tau_b
from ..untrusted import one_line
from ..writing import write_whole
from .run import Metric, Run, main_metric

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Told apart by the colour-blind too (Okabe and Ito 2008); baselines are grey.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
GREYS = ("#555555", "#8a8a8a", "#b3b3b3")
MARKERS = "osD^vP*X<>"
DURATIONS = (0.0, 30.0, 60.0, 120.0, 240.0)  # seconds at which a bin begins
METRICS_SHOWN = 6
SEED, DRAWS = 0, 1000
A4_LANDSCAPE = (11.69, 8.27)
LABEL = 24  # characters of a run's name; a longer one would leave no room to draw in


def write_plots(runs: Sequence[Run], path: Path, *, task: str | None = None) -> int:
    """Write the plots of scored runs to a .pdf or .html file, a page per task, and return the number of pages.

    Raises `UsageError` where matplotlib is not installed, the file has another ending or cannot be written, or
    nothing was scored.
    """
    try:
        from matplotlib import rc_context
    except ImportError:
        raise UsageError("plots need matplotlib", remedy='pip install "ecva-bench[report]"') from None
    tasks = list(dict.fromkeys(metric.task for run in runs for metric in run.metrics if task in (None, metric.task)))
    if not tasks:
        raise UsageError("there are no scores to plot", remedy="score these results with `ecva-bench score` first")
    if path.suffix not in (".pdf", ".html"):
        raise UsageError("plots are written as .pdf or .html", path, "name such a file with --out")
    style: dict[Any, Any] = {
        "font.size": 8,
        "svg.hashsalt": "ecva-bench",
        "text.parse_math": False,  # a dollar in a model's name is a dollar
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    with rc_context(style):
        figures = [_page(runs, name) for name in tasks]
        try:
            write_whole(path, (_as_pdf if path.suffix == ".pdf" else _as_html)(figures, tasks))
        except OSError as error:
            raise UsageError("the plots cannot be written", path, f"name another file with --out ({error})") from None
    return len(figures)


def means_by(
    values: Mapping[str, float], groups: Mapping[str, str]
) -> dict[str, tuple[float, tuple[float, float] | None, int]]:
    """Return per group the mean of sample values, its interval over videos and their number.

    `values` are by sample id; `groups` name each video's group, and a video without one is left out.
    """
    members: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for sample, value in values.items():
        video = sample_parts(sample).video
        if video in groups:
            members[groups[video]].append((value, video))
    found = {}
    for group, pairs in members.items():
        numbers, videos = zip(*pairs, strict=True)
        interval = bootstrap_interval(numbers, videos, seed=SEED, draws=DRAWS)
        found[group] = (sum(numbers) / len(numbers), interval, len(numbers))
    return found


def agreement(runs: Iterable[Run], one: Metric, other: Metric) -> float | None:
    """Return Kendall's tau-b of two metrics over the answers of a run that both scored, as a mean over runs.

    A run in which a metric gives every answer the same orders nothing and is left out; None where that leaves none.
    """
    found = []
    for run in runs:
        if one in run.metrics and other in run.metrics:
            a, b = (sample_values(*run.metrics[metric]) for metric in (one, other))
            both = sorted(a.keys() & b.keys())
            first, second = [a[sample] for sample in both], [b[sample] for sample in both]
            if len(set(first)) > 1 and len(set(second)) > 1:
                found.append(tau_b(first, second))
    return sum(found) / len(found) if found else None


def duration_bin(seconds: float) -> str:
    """Return the bin of a video's duration in words, such as `30-60 s`."""
    start = max(bound for bound in DURATIONS if bound <= seconds)
    following = DURATIONS.index(start) + 1
    if following == len(DURATIONS):
        return f"{start:g}+ s"
    return f"{start:g}-{DURATIONS[following]:g} s"


def _page(runs: Sequence[Run], task: str) -> Figure:
    from matplotlib.figure import Figure

    here = [run for run in runs if any(metric.task == task for metric in run.metrics)]
    metrics = list(dict.fromkeys(metric for run in here for metric in run.metrics if metric.task == task))
    main = main_metric(task, [run.scored for run in here])
    assert main is not None  # noqa: S101 # there is a run with a metric of this task
    shown = list(dict.fromkeys([main, *metrics]))[:METRICS_SHOWN]
    figure = Figure(figsize=A4_LANDSCAPE, layout="constrained")
    figure.suptitle(f"{task}: {len(here)} {'run' if len(here) == 1 else 'runs'}", fontweight="bold")
    halves = figure.add_gridspec(2, 1, height_ratios=(1, 1.15))
    top, bottom = figure.add_subfigure(halves[0]), figure.add_subfigure(halves[1])
    _draw_intervals(top.subplots(1, len(shown), sharey=True, squeeze=False)[0], here, shown)
    classes, durations, agreements = bottom.subplots(1, 3, width_ratios=(1.5, 1, 1))
    classes_of = {a.video: a.label for run in here for a in run.results.answers if a.label}
    lengths = {a.video: a.duration for run in here for a in run.results.answers if a.duration}
    _draw_classes(classes, here, main, classes_of)
    _draw_durations(durations, here, main, {video: duration_bin(seconds) for video, seconds in lengths.items()})
    _draw_agreement(agreements, here, shown)
    return figure


def _draw_intervals(axes: Sequence[Axes], runs: Sequence[Run], metrics: Sequence[Metric]) -> None:
    """Draw a panel per metric: a dot with its interval for each run, in the order the runs were given."""
    names = _labels(runs)
    for place, (axis, metric) in enumerate(zip(axes, metrics, strict=True)):
        for row, run in enumerate(runs):
            summary = run.metrics[metric][1] if metric in run.metrics else None
            if summary is None or summary.zero_filled is None:
                continue
            middle = _shown(summary.zero_filled, metric)
            low, high = (_shown(x, metric) for x in summary.zero_filled_interval or (summary.zero_filled,) * 2)
            # Rounding may put a mean of equal values outside its interval by its last bit.
            bars = [[max(0.0, middle - low)], [max(0.0, high - middle)]]
            axis.errorbar([middle], [row], xerr=bars, capsize=2, **_style(runs, run))
        axis.set_title(f"{metric.column} ({metric.unit})", fontsize=8)
        axis.set_yticks(range(len(runs)), names)
        axis.set_ylim(len(runs) - 0.5, -0.5)
        axis.grid(axis="x", alpha=0.3)
        if place == 0:
            axis.set_xlabel("mean, 95 % interval over videos")


def _draw_classes(axis: Axes, runs: Sequence[Run], metric: Metric, classes: Mapping[str, Label]) -> None:
    groups = {video: str(label.major) for video, label in classes.items()}
    columns = sorted(set(groups.values()), key=int)
    rows = [means_by(sample_values(*run.metrics[metric]), groups) if metric in run.metrics else {} for run in runs]
    table = [[_shown(row[c][0], metric) if c in row else float("nan") for c in columns] for row in rows]
    counts = {c: max((row[c][2] for row in rows if c in row), default=0) for c in columns}
    axis.set_title(f"{metric.column} ({metric.unit}) by class", fontsize=8)
    if not columns:
        axis.set_axis_off()
        axis.text(0.5, 0.5, "no class is known", ha="center", transform=axis.transAxes)
        return
    axis.imshow(table, aspect="auto", cmap="Blues")
    _write_cells(axis, table)
    axis.set_xticks(range(len(columns)), [f"{c}\nn={counts[c]}" for c in columns], fontsize=6)
    axis.set_yticks(range(len(runs)), _labels(runs))


def _draw_durations(axis: Axes, runs: Sequence[Run], metric: Metric, bins: Mapping[str, str]) -> None:
    order = [name for name in map(duration_bin, DURATIONS) if name in set(bins.values())]
    names = _labels(runs)
    for run, label in zip(runs, names, strict=True) if order else ():
        if metric not in run.metrics:
            continue
        found = means_by(sample_values(*run.metrics[metric]), bins)
        places = [place for place, name in enumerate(order) if name in found]
        means = [_shown(found[order[place]][0], metric) for place in places]
        axis.plot(places, means, label=label, **_style(runs, run) | {"linestyle": "-"})
        for place, mean in zip(places, means, strict=True):
            low, high = (_shown(x, metric) for x in found[order[place]][1] or (found[order[place]][0],) * 2)
            bars = [[max(0.0, mean - low)], [max(0.0, high - mean)]]
            axis.errorbar([place], [mean], yerr=bars, capsize=2, **_style(runs, run) | {"marker": ""})
    axis.set_xticks(range(len(order)), order)
    axis.set_title(f"{metric.column} ({metric.unit}) by duration", fontsize=8)
    axis.grid(axis="y", alpha=0.3)
    if order:
        axis.legend(fontsize=6, frameon=False)
    else:
        axis.text(0.5, 0.5, "no duration is known", ha="center", transform=axis.transAxes)


def _draw_agreement(axis: Axes, runs: Sequence[Run], metrics: Sequence[Metric]) -> None:
    values = [[agreement(runs, one, other) for other in metrics] for one in metrics]
    table = [[float("nan") if value is None else value for value in row] for row in values]
    axis.imshow(table, vmin=-1, vmax=1, cmap="RdBu")
    _write_cells(axis, table, decimals=2)
    names = [metric.column for metric in metrics]
    axis.set_xticks(range(len(names)), names, rotation=45, ha="right")
    axis.set_yticks(range(len(names)), names)
    axis.set_title("Kendall's tau-b of metrics over a run's answers,\nmean over runs", fontsize=8)


def _write_cells(axis: Axes, table: Sequence[Sequence[float]], *, decimals: int = 1) -> None:
    for y, row in enumerate(table):
        for x, value in enumerate(row):
            if value == value:  # NaN: there is nothing to write
                halo = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.8}
                axis.text(x, y, f"{value:.{decimals}f}", ha="center", va="center", fontsize=6, bbox=halo)


def _labels(runs: Sequence[Run]) -> list[str]:
    called = labels([(run.results.model, run.results.name) for run in runs])
    return [one_line(label if len(label) <= LABEL else f"{label[: LABEL - 1]}…") for label in called]


def _style(runs: Sequence[Run], run: Run) -> dict[str, Any]:
    alike = [other for other in runs if other.baseline == run.baseline]
    place = alike.index(run)
    colours = GREYS if run.baseline else COLOURS
    colour, marker = colours[place % len(colours)], MARKERS[runs.index(run) % len(MARKERS)]
    return {"color": colour, "marker": marker, "markersize": 4, "linewidth": 1, "linestyle": "none"}


def _shown(value: float, metric: Metric) -> float:
    return 100 * value if metric.unit == "%" else value


def _as_pdf(figures: Sequence[Figure], tasks: Sequence[str]) -> bytes:
    from matplotlib.backends.backend_pdf import PdfPages

    file = io.BytesIO()
    with PdfPages(file, metadata={"Title": f"ecva-bench: {', '.join(tasks)}", "CreationDate": None}) as pages:
        for figure in figures:
            pages.savefig(figure)
    return file.getvalue()


def _as_html(figures: Sequence[Figure], tasks: Sequence[str]) -> str:
    """One page without scripts; a browser prints each task on a page of its own."""
    drawings = []
    for figure in figures:
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
        drawings.append(file.getvalue()[file.getvalue().index("<svg") :])
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
