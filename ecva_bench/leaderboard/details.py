"""Further tables of a leaderboard: scores by class, score against cost, agreement of metrics, how runs were made.

The page also draws the second as points, and shades the cells of the first and the third.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..statistics.ranks import tau_b
from ..wording import counted
from .background import NOTHING_KNOWN, Background
from .board import board, leaderboards, score_cell, title
from .by_view import compared_table
from .groups import LeaderboardGroup, LeaderboardRow, group_submissions
from .overview import file_links, frames_shown, overviews, published_overview
from .printed import published_boards
from .published import WITH_PUBLISHED, PublishedTable
from .sheet import in_unit
from .submission import Submission
from .table import Cell, Table, count_cell, decimal_cell, marked

FEWEST = 3  # rows that can be said to be ordered
IMPORTED = "imported: answered elsewhere and read from another program's files; how is known only as far as it is said."
HASH = 12  # characters of a hash that are shown


def dataset_tables(
    submissions: Sequence[Submission],
    *,
    published: Sequence[PublishedTable] = (),
    others: Mapping[str, Sequence[PublishedTable]] | None = None,
    known: Background = NOTHING_KNOWN,
    task: str | None = None,
) -> list[Table]:
    """Return all tables of a data set: models x tasks, each task's board and what stands beside it, edited views, runs.

    Published rows stand below the full-video board of their task and data set, or alone where their data set has no
    board of the task. `others` are tables of other papers by data set: those of the runs' data sets come last. Raises
    `UsageError` where there is nothing to show.
    """
    groups = group_submissions(submissions, task)
    if not groups:
        return [*published_overview(published, known), *leaderboards([], published=published, task=task)]
    tables = overviews(groups, known)
    for group in groups:
        full = group.view == "full"
        tables.append(replace(board(group, published, known), detail=not full))
        if full:
            runs = [(row.label, row.submission) for row in group.rows]
            beside = (
                compared_table(title(group), group.task, runs),
                class_table(group, known.class_names),
                cost_table(group),
                correlation_table(group),
            )
            tables += [replace(table, detail=True) for table in beside if table]
    if not any(group.dataset in WITH_PUBLISHED for group in groups):
        published = ()
    ranked = {group.task for group in groups if group.view == "full" and group.dataset in WITH_PUBLISHED}
    tables += [*published_boards(published, task, without=ranked), replace(runs_table(submissions), detail=True)]
    for dataset in dict.fromkeys(group.dataset for group in groups):
        tables += published_boards((others or {}).get(dataset, ()), task)
    return tables


def class_table(group: LeaderboardGroup, class_names: Mapping[int, str]) -> Table | None:
    """Return the ranking column's mean by annotated class; None where no class is known."""
    classes = {video: major for row in group.rows for video, major in row.submission.classes.items()}
    if not (classes and group.by):
        return None
    videos = {row.entry.video_of(place) for row in group.rows for place in row.entry.values.get(group.by, {})}
    sizes = Counter(classes[video] for video in videos if video in classes)
    unknown = len(videos - classes.keys())
    unit = group.columns[group.by].unit
    means = [[_class_mean(row, group.by, classes, major) for major in sorted(sizes)] for row in group.rows]
    largest = _largest(group, means)
    if not group.rows[0].submission.dataset.has_cuva_classes:
        class_names = {}
    listed = next((found for row in group.rows if (found := row.submission.class_names)), {})
    class_names = listed or class_names
    names = [" ".join(filter(None, [str(m), class_names.get(m), f"({sizes[m]})"])) for m in sorted(sizes)]
    rows = []
    for row, line in zip(group.rows, means, strict=True):
        cells = (Cell(row.label), Cell(row.kind), *(_shaded(mean, largest, unit) for mean in line))
        rows.append(marked(cells, "baseline") if row.baseline else cells)
    return Table(
        title=f"{title(group)}: {group.by} by class, {unit}",
        header=("model", "kind", *names),
        rows=tuple(rows),
        notes=(
            "In brackets: videos of the class. A sample without an answer counts 0.",
            *([f"Videos left out, for no answer names their class: {unknown}."] if unknown else []),
        ),
    )


def _largest(group: LeaderboardGroup, means: Sequence[Sequence[float | None]]) -> float:
    """Return the mean that is shaded darkest: the best model's, since beside the oracle all would look alike."""
    ranked = [not row.baseline and row.counts(group.by) for row in group.rows]
    models = [line for line, is_ranked in zip(means, ranked, strict=True) if is_ranked] or means
    return max((mean for line in models for mean in line if mean is not None), default=0.0)


def cost_table(group: LeaderboardGroup) -> Table | None:
    """Return the ranking column with the cost of the answers; None where no run has a cost."""
    if not group.by or not any(row.entry.effort.seconds is not None or row.submission.usd for row in group.rows):
        return None
    by = f"{group.by} {group.columns[group.by].unit}"
    rows = []
    for row in group.rows:
        cells = (
            Cell(row.label),
            Cell(row.kind),
            score_cell(row.summaries.get(group.by)),
            decimal_cell(row.entry.effort.seconds, 3),
            decimal_cell(row.entry.effort.words, 1),
            decimal_cell(row.submission.usd, 2),
            Cell(row.submission.hardware or ""),
        )
        rows.append(marked(cells, "baseline") if row.baseline else cells)
    paid = all(row.submission.usd is not None for row in group.rows)
    return Table(
        title=f"{title(group)}: {group.by} against cost",
        header=("model", "kind", by, "s per answer", "words per answer", "USD of the run", "hardware"),
        rows=tuple(rows),
        notes=(
            "s per answer: decoding and answering, as timed by the run; compare it on the same hardware only. USD and "
            "hardware are what the submitter states, for all tasks and views together.",
        ),
        chart=("USD of the run" if paid else "s per answer", by),
    )


def correlation_table(group: LeaderboardGroup) -> Table | None:
    """Return how similarly metrics order the models; None with fewer than three rows or two metrics that differ.

    Baselines are left out where three models remain without them.
    """
    models = [row for row in group.rows if not row.baseline and row.counts(group.by)]
    rows = models if len(models) >= FEWEST else list(group.rows)
    ordering = [c for c in group.columns if len({row.mean(c) for row in rows} - {None}) > 1]
    if len(rows) < FEWEST or len(ordering) < 2:
        return None
    return Table(
        title=f"{title(group)}: rank correlation of metrics",
        header=("metric", *ordering),
        rows=tuple((Cell(one), *(_correlation(group, rows, one, other) for other in ordering)) for one in ordering),
        notes=(
            f"Kendall's tau-b over n = {counted(len(rows), 'row')}, "
            f"baselines {'left out' if rows is models else 'included'}; "
            "1: the same order, -1: the opposite. Where fewer rows have both metrics, their number is in brackets.",
        ),
    )


def runs_table(submissions: Sequence[Submission]) -> Table:
    """Return how each run was made and scored, as its manifest and its scores say."""
    ordered = sorted(submissions, key=lambda one: (one.scores.baseline, one.scores.model, one.scores.name))
    rows = []
    for one in ordered:
        cells = (
            Cell(one.scores.model),
            Cell(one.kind),
            Cell(one.scores.name, links=file_links([one])),
            *(Cell(made or ("unknown" if one.scores.imported else "")) for made in _making(one)),
            count_cell(sum(entry.coverage.answered for entry in one.entries)),
            count_cell(sum(entry.coverage.failed for entry in one.entries)),
            count_cell(sum(entry.coverage.missing for entry in one.entries)),
            Cell(one.scores.protocol),
            Cell(one.scores.version),
            Cell(one.scores.results_sha256[:HASH]),
        )
        rows.append(marked(cells, "baseline") if one.scores.baseline else cells)
    header = ("model", "kind", "run", "mode", "frames", "decoder", "prompts", "answered", "errors", "missing")
    return Table(
        title="How the runs were made",
        header=(*header, "protocol", "version", "results SHA-256"),
        rows=tuple(rows),
        notes=(
            "frames: the fewest and the most that the model was shown of a video, edited views included.",
            *([IMPORTED] if any(one.scores.imported for one in ordered) else []),
            *(f"{one.scores.model}: data set {one.dataset}." for one in ordered if one.dataset.renamed),
        ),
    )


def _class_mean(row: LeaderboardRow, column: str, classes: Mapping[str, int], major: int) -> float | None:
    there = row.entry.values.get(column, {}).items()
    values = [value for place, value in there if classes.get(row.entry.video_of(place)) == major]
    return sum(values) / len(values) if values else None


def _shaded(mean: float | None, largest: float, unit: str) -> Cell:
    if mean is None:
        return Cell()
    value = in_unit(mean, unit)
    return Cell(f"{value:.1f}", value, shade=min(1.0, max(0.0, mean / largest)) if largest > 0 else 0.0)


def _correlation(group: LeaderboardGroup, rows: Sequence[LeaderboardRow], one: str, other: str) -> Cell:
    means = [(row.mean(one), row.mean(other)) for row in rows]
    both = [(a, b) for a, b in means if a is not None and b is not None]
    if len(both) < FEWEST or any(len(set(values)) < 2 for values in zip(*both, strict=True)):
        return Cell()
    alike = group.columns[one].higher_is_better == group.columns[other].higher_is_better
    found = tau_b([a for a, _ in both], [b for _, b in both]) * (1 if alike else -1)
    fewer = f" ({len(both)})" if len(both) < len(rows) else ""
    return Cell(f"{found:.2f}{fewer}", found, shade=abs(found))


def _making(one: Submission) -> tuple[str, ...]:
    """Return mode, frames, decoder and prompts of a run, each empty where the run does not say it."""
    return str(one.spec.get("mode", "")), frames_shown([one]), str(one.spec.get("decoder", "")), _prompts(one)


def _prompts(one: Submission) -> str:
    """Return the sets and versions of a run's prompts, `ours v1` for `ours/cause.v1`, and what some are asked with."""
    found = set()
    for prompt in one.spec.get("prompts", {}).values():
        name, more = str(prompt.get("id", "")), "".join(f" with {what}" for what in prompt.get("with", {}))
        found.add(f"{name.partition('/')[0]} {name.rpartition('.')[2]}{more}")
    return ", ".join(sorted(found))
