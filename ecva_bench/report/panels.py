"""The panels of the plots: means, by class, by duration, by severity, against cost, and how metrics agree.

Each draws one task's runs into a figure or a part of one. Means are those leaderboards rank by: a sample without an
answer has the worst value. Needs matplotlib.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, Any

from ..leaderboard.groups import labels
from ..leaderboard.published import WITH_PUBLISHED, published_tables
from ..leaderboard.values import sample_values
from ..records import Label
from ..records.annotations import sample_parts
from ..records.answers import Answer
from ..statistics.intervals import bootstrap_interval
from ..statistics.ranks import tau_b
from ..taxonomy import Taxonomy
from ..untrusted import one_line
from .run import Metric, Run, main_metric

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

# Told apart by the colour-blind too (Okabe and Ito 2008); baselines are grey.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
GREYS = ("#555555", "#8a8a8a", "#b3b3b3")
MARKERS = "osD^vP*X<>"
DURATIONS = (0.0, 30.0, 60.0, 120.0, 240.0)  # seconds at which a bin begins
SEED, DRAWS = 0, 1000
LABEL = 24  # characters of a run's name or a class; a longer one would leave no room to draw in
IN_A_ROW = 6  # panels of means


@dataclass(frozen=True)
class Plotted:
    """What is drawn of one task: its runs, and its metrics with a mean, the one it is looked at by first.

    `taxonomy` has the names of the classes, where it is known. `published` are the paper's figures by column and model,
    in the metrics' own units or %; none where the runs are of another data set.
    """

    task: str
    runs: tuple[Run, ...]
    metrics: tuple[Metric, ...]
    taxonomy: Taxonomy | None
    published: Mapping[str, Mapping[str, float]]

    @property
    def main(self) -> Metric:
        """The metric the task is looked at by."""
        return self.metrics[0]

    @property
    def judge_notes(self) -> tuple[str, ...]:
        """What boards tell of the judges of the runs, each text once, with the runs that it is of."""
        called = labels([(run.results.model, run.results.name) for run in self.runs])
        told: dict[str, list[str]] = defaultdict(list)
        for name, run in zip(called, self.runs, strict=True):
            for text in run.judge_notes.get(self.task, ()):
                told[text].append(one_line(name))
        return tuple(f"{', '.join(names)}: {text}" for text, names in told.items())

    def answers(self) -> Iterable[tuple[Run, Answer]]:
        """Yield the answers to the task on the full video, with their runs."""
        return (
            (run, one)
            for run in self.runs
            for one in run.results.answers
            if (one.task, one.view) == (self.task, "full")
        )


def plotted(runs: Sequence[Run], task: str, taxonomy: Taxonomy | None) -> Plotted:
    """Return what is to be drawn of a task that at least one run has a metric of."""
    here = tuple(run for run in runs if any(metric.task == task for metric in run.metrics))
    metrics = list(dict.fromkeys(metric for run in here for metric in run.metrics if metric.task == task))
    main = main_metric(task, [run.scored for run in here]) or metrics[0]
    datasets = {scores.header.dataset for run in here for scores in run.scores}
    return Plotted(
        task,
        here,
        tuple(dict.fromkeys([main, *metrics])),
        taxonomy,
        _published(task) if datasets & set(WITH_PUBLISHED) else {},
    )


def _published(task: str) -> Mapping[str, Mapping[str, float]]:
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for table in published_tables():
        for column in () if table.ablation else table.columns_of(task):
            for row in table.rows:
                if (cell := row.cells[column.name]) and cell.value is not None:
                    found[column.column][row.model] = cell.value
    return found


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


def draw_means(figure: Figure | SubFigure, what: Plotted) -> None:
    """Draw a panel per metric: for each run a dot with its interval, and a stroke at its floor; below, the paper's."""
    rows = -(-len(what.metrics) // IN_A_ROW)
    axes = figure.subplots(rows, min(len(what.metrics), IN_A_ROW), sharey=True, squeeze=False)
    for axis in axes.flat[len(what.metrics) :]:
        axis.set_axis_off()
    names = [*_labels(what.runs), *(["the paper's"] if what.published else [])]
    for axis, metric in zip(axes.flat, what.metrics, strict=False):
        for row, run in enumerate(what.runs):
            _draw_mean(axis, row, run, metric, what.runs)
        _draw_published(axis, len(what.runs), what.published.get(metric.column.partition(" (")[0], {}))
        axis.set_title(f"{metric.column} ({metric.unit})", fontsize=8)
        axis.set_yticks(range(len(names)), names)
        axis.set_ylim(len(names) - 0.5, -0.5)
        axis.grid(axis="x", alpha=0.3)
    said = "mean, 95 % interval over videos; |: floor"
    axes[-1][0].set_xlabel(f"{said}; ◇: published" if what.published else said, loc="left")


def _draw_mean(axis: Axes, row: int, run: Run, metric: Metric, runs: Sequence[Run]) -> None:
    summary = run.metrics[metric][1] if metric in run.metrics else None
    if summary is None or summary.zero_filled is None:
        return
    middle = _shown(summary.zero_filled, metric)
    low, high = (_shown(x, metric) for x in summary.zero_filled_interval or (summary.zero_filled,) * 2)
    # Rounding may put a mean of equal values outside its interval by its last bit.
    bars = [[max(0.0, middle - low)], [max(0.0, high - middle)]]
    axis.errorbar([middle], [row], xerr=bars, capsize=2, **_style(runs, run))
    if summary.floor is not None:
        axis.plot([_shown(summary.floor, metric)], [row], marker="|", markersize=9, color="black", linestyle="none")


def _draw_published(axis: Axes, row: int, published: Mapping[str, float]) -> None:
    """Draw the paper's models as hollow marks, with the name of the best."""
    if not published:
        return
    values = list(published.values())
    axis.plot(values, [row] * len(values), marker="D", markersize=4, markerfacecolor="none", color="grey", linestyle="")
    best = max(published, key=lambda model: published[model])
    axis.annotate(
        f"{_short(best)} {published[best]:g}",
        (published[best], row),
        xytext=(0, 4),
        textcoords="offset points",
        ha="right",
        fontsize=5.5,
    )


def draw_classes(figure: Figure | SubFigure, what: Plotted) -> None:
    """Draw the means by class, a row for each run."""
    axis = figure.subplots()
    classes = {one.video: one.label.major for _, one in what.answers() if one.label}
    groups = {video: str(major) for video, major in classes.items()}
    columns = sorted(set(groups.values()), key=int)
    axis.set_title(f"{what.main.column} ({what.main.unit}) by class", fontsize=8)
    if not columns:
        _say(axis, "no class is known")
        return
    rows = [_means_of(run, what.main, groups) for run in what.runs]
    table = [[_shown(row[c][0], what.main) if c in row else float("nan") for c in columns] for row in rows]
    counts = {c: max((row[c][2] for row in rows if c in row), default=0) for c in columns}
    names = [f"{_class_name(what, int(c))} (n={counts[c]})" for c in columns]
    axis.imshow(table, aspect="auto", cmap="Blues")
    _write_cells(axis, table)
    axis.set_xticks(range(len(columns)), names, fontsize=6, rotation=35, ha="right", rotation_mode="anchor")
    axis.set_yticks(range(len(what.runs)), _labels(what.runs))


def _class_name(what: Plotted, major: int) -> str:
    return _short(what.taxonomy.describe(Label(major=major))) if what.taxonomy else str(major)


def draw_durations(figure: Figure | SubFigure, what: Plotted) -> None:
    """Draw the means by the duration of the videos, a line for each run."""
    lengths = {one.video: duration_bin(one.duration) for _, one in what.answers() if one.duration}
    _draw_lines(figure.subplots(), what, lengths, list(map(duration_bin, DURATIONS)), "duration")


def draw_severities(figure: Figure | SubFigure, what: Plotted) -> None:
    """Draw the means by the annotated severity of the videos, a line for each run."""
    found = {one.video: str(one.label.severity) for _, one in what.answers() if one.label and one.label.severity}
    _draw_lines(figure.subplots(), what, found, [str(level) for level in range(1, 6)], "annotated severity")


def _draw_lines(axis: Axes, what: Plotted, groups: Mapping[str, str], order: Sequence[str], by: str) -> None:
    order = [name for name in order if name in set(groups.values())]
    axis.set_title(f"{what.main.column} ({what.main.unit}) by {by}", fontsize=8)
    if not order:
        _say(axis, f"no {by} is known")
        return
    for run, label in zip(what.runs, _labels(what.runs), strict=True):
        if what.main not in run.metrics:
            continue
        found = _means_of(run, what.main, groups)
        places = [place for place, name in enumerate(order) if name in found]
        means = [_shown(found[order[place]][0], what.main) for place in places]
        axis.plot(places, means, label=label, **_style(what.runs, run) | {"linestyle": "-"})
        for place, mean in zip(places, means, strict=True):
            low, high = (_shown(x, what.main) for x in found[order[place]][1] or (found[order[place]][0],) * 2)
            bars = [[max(0.0, mean - low)], [max(0.0, high - mean)]]
            axis.errorbar([place], [mean], yerr=bars, capsize=2, **_style(what.runs, run) | {"marker": ""})
    axis.set_xticks(range(len(order)), order)
    axis.set_xlabel(by)
    axis.grid(axis="y", alpha=0.3)
    axis.legend(fontsize=6, frameon=False)


def draw_costs(figure: Figure | SubFigure, what: Plotted) -> None:
    """Draw the mean of each run against the seconds that its answers took."""
    axis = figure.subplots()
    seconds: dict[int, list[float]] = defaultdict(list)
    for run, one in what.answers():
        if one.time:
            seconds[what.runs.index(run)].append(sum(one.time.values()))
    axis.set_title(f"{what.main.column} ({what.main.unit}) against time", fontsize=8)
    if not any(map(sum, seconds.values())):
        _say(axis, "no time is recorded")
        return
    names = _labels(what.runs)
    for place, taken in sorted(seconds.items()):
        run = what.runs[place]
        mean = run.metrics[what.main][1].zero_filled if what.main in run.metrics else None
        if mean is not None:
            axis.plot(
                [sum(taken) / len(taken)], [_shown(mean, what.main)], label=names[place], **_style(what.runs, run)
            )
    if (taken := axis.dataLim.intervalx)[0] > 0 and taken[1] > 10 * taken[0]:
        axis.set_xscale("log")
    for side in (axis.xaxis.set_major_formatter, axis.xaxis.set_minor_formatter):
        side(lambda seconds, _: f"{seconds:g}")
    axis.tick_params(which="both", axis="x", labelrotation=45, labelsize=6)
    axis.set_xlabel("seconds per answer")
    axis.grid(alpha=0.3)
    axis.legend(fontsize=6, frameon=False)


def draw_correlation(figure: Figure | SubFigure, what: Plotted) -> None:
    """Draw Kendall's tau-b between metrics over the answers of a run, as a mean over runs."""
    axis = figure.subplots()
    found = {
        frozenset((one, other)): agreement(what.runs, one, other)
        for one, other in combinations_with_replacement(what.metrics, 2)
    }
    values = [[found[frozenset((one, other))] for other in what.metrics] for one in what.metrics]
    table = [[float("nan") if value is None else value for value in row] for row in values]
    axis.imshow(table, vmin=-1, vmax=1, cmap="RdBu")
    _write_cells(axis, table, decimals=2)
    names = [metric.column for metric in what.metrics]
    axis.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor")
    axis.set_yticks(range(len(names)), names)
    axis.set_title("Kendall's tau-b of metrics over a run's answers,\nmean over runs", fontsize=8)


def first_metrics(what: Plotted, most: int) -> Plotted:
    """Return the same with so many of its metrics at most: the main one, and those of a judge before others."""
    judged = {metric for run in what.runs for metric, (_, summary) in run.metrics.items() if summary.judged}
    chosen = sorted(what.metrics[1:], key=lambda metric: metric not in judged)[: most - 1]
    return replace(what, metrics=tuple(metric for metric in what.metrics if metric in {what.main, *chosen}))


def _means_of(run: Run, metric: Metric, groups: Mapping[str, str]) -> dict[str, tuple[float, Any, int]]:
    return means_by(sample_values(*run.metrics[metric]), groups) if metric in run.metrics else {}


def _say(axis: Axes, text: str) -> None:
    axis.set_axis_off()
    axis.text(0.5, 0.5, text, ha="center", transform=axis.transAxes)


def _write_cells(axis: Axes, table: Sequence[Sequence[float]], *, decimals: int = 1) -> None:
    for y, row in enumerate(table):
        for x, value in enumerate(row):
            if value == value:  # NaN: there is nothing to write
                halo = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.8}
                axis.text(x, y, f"{value:.{decimals}f}", ha="center", va="center", fontsize=6, bbox=halo)


def _labels(runs: Sequence[Run]) -> list[str]:
    called = labels([(run.results.model, run.results.name) for run in runs])
    return labels([(_short(label), str(number)) for number, label in enumerate(called, start=1)])


def _short(name: str) -> str:
    """Return a name without its middle, where it is long: names of checkpoints often differ at the end alone."""
    half = LABEL // 2
    return one_line(name if len(name) <= LABEL else f"{name[:half]}…{name[1 - half :]}")


def _style(runs: Sequence[Run], run: Run) -> dict[str, Any]:
    alike = [other for other in runs if other.baseline == run.baseline]
    place = alike.index(run)
    colours = GREYS if run.baseline else COLOURS
    colour, marker = colours[place % len(colours)], MARKERS[runs.index(run) % len(MARKERS)]
    return {"color": colour, "marker": marker, "markersize": 4, "linewidth": 1, "linestyle": "none"}


def _shown(value: float, metric: Metric) -> float:
    return 100 * value if metric.unit == "%" else value
