"""What a model uses: its score on every view of the videos, beside that on the full video.

A model that loses nothing where it is shown no picture has not answered by what it saw; one that loses nothing where
the order of the frames is another, or where one frame stands for all, has used neither order nor motion.
"""

from __future__ import annotations

from ..records.base import VIEWS, Record, View, changes_pictures
from ..records.scores import Summary
from ..records.twins import original_of
from ..statistics.paired import (
    FEWEST_CLUSTERS,
    PAIRED_DRAWS,
    PairedBootstrap,
    PairedDifferences,
    paired_bootstraps,
)
from .groups import RANKED_BY
from .sheet import number_cell
from .submission import Entry, Submission
from .table import Cell, Table, count_cell

# Where `gated` cannot be had, because it needs a cut of the view itself.
_INSTEAD = {"gated": ("gated", "s2")}


class ViewScore(Record):
    """A run's score of a task on a view: the mean over its samples, in which a missing answer counts as the worst.

    `drop` is the score on the full video less that on the view, over the `n` samples, about `videos` videos, that have
    both, turned so that more is always a loss; `drop_interval` is its 95 % paired bootstrap interval over videos, None
    with too few of them. Both are None for the full video, of which all samples count. All are in the column's unit:
    fractions where `unit` is %.
    """

    task: str
    column: str
    unit: str
    decimals: int
    view: View
    n: int
    videos: int
    score: float | None
    interval: tuple[float, float] | None
    drop: float | None = None
    drop_interval: tuple[float, float] | None = None


def view_scores(run: Submission, task: str | None = None) -> list[ViewScore]:
    """Return the scores of a run by task and view, full video first, for tasks asked about a view of other pictures.

    Each task is scored by the first of the columns that leaderboards rank by which is scored on all of these views.
    """
    there = dict.fromkeys(entry.task for entry in run.entries if changes_pictures(entry.view))
    tasks = sorted(there, key=lambda name: list(RANKED_BY).index(name) if name in RANKED_BY else len(RANKED_BY))
    found: list[tuple[ViewScore, PairedDifferences | None]] = []
    for name in tasks:
        entries = {entry.view: entry for entry in run.entries if entry.task == name}
        if task in (None, name) and "full" in entries and (column := _column(name, entries)):
            found += [_score(entries, view, column) for view in VIEWS if view in entries]
    resampled = iter(paired_bootstraps([drop for _, drop in found if drop], seed=run.scores.seed))
    return [one if drop is None else _with_drop(one, next(resampled)) for one, drop in found]


def view_table(run: Submission) -> Table | None:
    """Return the scores by view of a run as a table; None where no task was asked about a view of other pictures."""
    found = view_scores(run)
    if not found:
        return None
    return Table(
        title=f"{run.scores.model}{f' on {run.dataset}' if run.dataset.current else ''}: what the model uses",
        header=("task", "metric", "unit", *_HEADER),
        rows=tuple((Cell(one.task), Cell(one.column), Cell(one.unit), *_cells(one)) for one in found),
        notes=_notes(run, found),
    )


def compared_table(title: str, task: str, runs: list[tuple[str, Submission]]) -> Table | None:
    """Return the scores of one task by view of several runs, each with its label; None where none has such views."""
    found = [(label, run, one) for label, run in runs for one in view_scores(run, task)]
    if not found:
        return None
    return Table(
        title=f"{title}: what the models use",
        header=("model", "kind", "metric", "unit", *_HEADER),
        rows=tuple(
            (Cell(label), Cell(run.kind), Cell(one.column), Cell(one.unit), *_cells(one)) for label, run, one in found
        ),
        notes=_notes(found[0][1], [one for *_, one in found]),
    )


def blank_score(run: Submission, full: Entry, column: str) -> Summary | None:
    """Return what a run gets in a column where it was shown no picture; None unless that is over the same samples."""
    for entry in run.entries:
        same = entry.coverage.samples_sha256 == full.coverage.samples_sha256
        if (entry.task, entry.view) == (full.task, "blank") and same:
            return next((s for s in entry.summaries if s.column == column and s.zero_filled is not None), None)
    return None


_HEADER = ("view", "score", "drop", "n", "videos")


def _column(task: str, entries: dict[View, Entry]) -> str | None:
    """Return the column to score a task by; None where none is scored on all views of other pictures."""
    shown = [entry for view, entry in entries.items() if view == "full" or changes_pictures(view)]
    scored = [{s.column for s in entry.summaries if s.zero_filled is not None} for entry in shown]
    ranked = [column for name in RANKED_BY.get(task, ()) for column in _INSTEAD.get(name, (name,))]
    there = [summary.column for summary in entries["full"].summaries]
    return next((column for column in [*ranked, *there] if all(column in columns for columns in scored)), None)


def _score(entries: dict[View, Entry], view: View, column: str) -> tuple[ViewScore, PairedDifferences | None]:
    """Return the score on a view, and the samples' losses against the full video; None where there is none to tell."""
    of_full = next(summary for summary in entries["full"].summaries if summary.column == column)
    summary = next((summary for summary in entries[view].summaries if summary.column == column), None)
    full, values = entries["full"].values[column], entries[view].values.get(column, {})
    both = sorted(full.keys() & values.keys())
    videos = [original_of(entries["full"].video_of(place)) for place in both]
    one = ViewScore(
        task=of_full.task,
        column=column,
        unit=of_full.unit,
        decimals=of_full.decimals,
        view=view,
        n=len(both),
        videos=len(set(videos)),
        score=summary.zero_filled if summary else None,
        interval=summary.zero_filled_interval if summary else None,
    )
    if view == "full" or not both:
        return one, None
    sign = 1.0 if of_full.higher_is_better else -1.0
    strata = {**entries[view].strata, **entries["full"].strata} if of_full.balanced else {}
    own = [strata.get(place, "") for place in both] if of_full.balanced else []
    if of_full.balanced and len({*own} - {""}) < 2:
        return one, None  # nothing to balance
    gains = [sign * (full[place] - values[place]) for place in both]
    return one, PairedDifferences(gains, videos, own)


def _with_drop(one: ViewScore, drop: PairedBootstrap) -> ViewScore:
    return one.model_copy(update={"drop": drop.mean, "drop_interval": drop.interval()})


def _cells(one: ViewScore) -> tuple[Cell, ...]:
    return (
        Cell(one.view),
        number_cell(one.score, one.unit, one.decimals, one.interval),
        number_cell(one.drop, one.unit, one.decimals, one.drop_interval),
        count_cell(one.n),
        count_cell(one.videos),
    )


def _notes(run: Submission, found: list[ViewScore]) -> tuple[str, ...]:
    instead = {other for columns in _INSTEAD.values() for other in columns[1:]} & {one.column for one in found}
    return (
        "drop: the score on the full video less that on the view, over the samples that have both; a plus is a loss. "
        f"In brackets 95 % intervals over videos, paired for the drop (seed {run.scores.seed}, {PAIRED_DRAWS} draws; "
        f"none for fewer than {FEWEST_CLUSTERS} videos, of each class where the score is balanced), not corrected for "
        "the number of rows.",
        "A drop whose interval lies above 0 shows that the model uses what the view lacks: still, other pictures; "
        "shuffled, their order; blank, any picture; anomaly, the annotated moments; control, as much normal time. An "
        "interval that contains 0 shows no difference, not that there is none.",
        *(f"{column} stands for gated, which would need a cut of each view." for column in sorted(instead)),
    )
