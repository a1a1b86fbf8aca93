"""What to report of a scored run: one number per task, with its interval, its floor and its baseline."""

from __future__ import annotations

from collections.abc import Sequence

from ..records.scores import Scores, Summary, signature_parts
from ..wording import counted
from .by_view import blank_score, view_table
from .groups import LeaderboardGroup, LeaderboardRow, blind_rules, group_submissions, rows_on_the_same
from .published import WITH_PUBLISHED, PublishedTable
from .qualified import qualification_texts
from .run_notes import judges_text, samples_text, warnings_of
from .sheet import VIEWS, judged_texts, score_sheets, signature_tables, value_text
from .submission import Entry, Submission, submission
from .table import Cell, Table

_LIKE = {"gated": "anomeval"}  # the paper has no other column of what a judge says
# Aggregates of a run that are baselines themselves: what one answer to every video would have got.
OWN_BASELINES = ("majority_baseline", "constant_span")
NOTES = (
    "value: the mean over the videos, where a missing answer counts as the worst. floor: the same answers, scored "
    "against the annotations of other videos.",
    "above: the whole interval lies above floor and baseline, where there are such. Where it does not, the number does "
    "not show that the model understood the videos.",
)
PAPER = "paper: the best figure that the paper prints, over its own videos and by its own arithmetic."
DISQUALIFIED = (
    "rouge2 counts shared words. It stands here because the judge is not qualified: with one that is, report `gated`."
)
UNJUDGED = "rouge2 counts shared words. For description, cause and effect, report `gated`, which needs a judge."


def scored_tables(
    scores: Scores, baselines: Sequence[Submission] = (), published: Sequence[PublishedTable] = ()
) -> list[Table]:
    """Return all tables of a scored run; the last one says what to report of it."""
    run = submission(scores)
    views = view_table(run)
    return [
        *score_sheets(scores),
        *signature_tables(scores),
        *([views] if views else []),
        headline_table(run, baselines, published),
    ]


def headline_table(
    run: Submission, baselines: Sequence[Submission] = (), published: Sequence[PublishedTable] = ()
) -> Table:
    """Return a table with a row per task of a run, on full videos, in the column by which leaderboards rank.

    A task's baseline is the best of those that the run's own scores hold (`OWN_BASELINES`, and `blank`: the same model
    shown no picture) and of `baselines`, other runs over the same samples whose column was computed in the same way;
    empty where there is none. Of `published` tables, the best figure of the task stands beside it, where they are of
    the run's data set.
    """
    published = published if run.dataset.current in WITH_PUBLISHED else ()
    groups = [group for group in group_submissions([run]) if group.view == "full"]
    owed = sum(group.rows[0].entry.coverage.owed for group in groups)
    answered = sum(group.rows[0].entry.coverage.answered for group in groups)
    videos = max(map(_videos, groups), default=0)
    share = f"{answered:,} of {counted(owed, 'question')}"
    where = f" on {run.dataset}" if run.dataset.current else ""
    by_words = [group.rows[0] for group in groups if group.by == "rouge2"]
    if any(one.disqualified for row in by_words for one in row.entry.summaries):
        unjudged = DISQUALIFIED
    else:
        unjudged = UNJUDGED if by_words else ""
    judges = judges_text(summary.signature for group in groups for summary in group.rows[0].entry.summaries)
    several = samples_text(group.rows[0].entry.coverage for group in groups)
    beware = [*warnings_of(run.scores), *filter(None, (judges, several))]
    for group in groups:
        beware += [f"{group.task}: {text}" for text in qualification_texts(group.rows[0].entry.summaries)]
        ranked_by = group.rows[0].summaries.get(group.by)
        if ranked_by and ranked_by.unjudged:
            beware += [f"{group.task}: {text}" for text in judged_texts([ranked_by])]
        beware += _few_texts(group)
    return Table(
        title=f"{run.scores.model}{where}: {counted(videos, 'video')}, {VIEWS['full']}, {share} answered",
        header=(
            "task",
            "report",
            "value",
            "95 % interval",
            "floor",
            "baseline",
            "above",
            *(["paper"] if published else []),
        ),
        rows=tuple(
            (*_row(group, baselines), *([_paper_cell(group, published)] if published else [])) for group in groups
        ),
        notes=(*beware, *NOTES, *([PAPER] if published else []), *filter(None, [unjudged])),
    )


def _few_texts(group: LeaderboardGroup) -> list[str]:
    """Return of how many of the questions a group's value is the mean; nothing where it is of all, or there is none."""
    entry = group.rows[0].entry
    n, owed = len(entry.values.get(group.by, ())), entry.coverage.owed
    over = f"{group.task}: {group.by} is over {n} of {counted(owed, 'question')}; the others have no value"
    return [over] if 0 < n < owed else []


def _videos(group: LeaderboardGroup) -> int:
    """Return how many videos a group's samples are about, as far as the values say it: a video may have several."""
    entry = group.rows[0].entry
    places = {place for values in entry.values.values() for place in values}
    videos = {entry.video_of(place) for place in places}
    return len(videos) if len(videos) < len(places) else group.samples


def _row(group: LeaderboardGroup, baselines: Sequence[Submission]) -> tuple[Cell, ...]:
    row, *others = rows_on_the_same([group.rows[0], *_beside(group, baselines)])
    entry, summary = row.entry, row.summaries.get(group.by)
    if summary is None or summary.zero_filled is None:
        return (Cell(group.task), Cell(group.by), *[Cell()] * 5)
    sign = 1 if summary.higher_is_better else -1
    candidates = _baselines(entry, summary, others)
    blank = blank_score(row.submission, entry, group.by)
    if blank is not None and blank.zero_filled is not None:
        candidates.append((blank.zero_filled, "blank"))
    best = max(candidates, key=lambda one: sign * one[0], default=None)
    interval = summary.zero_filled_interval
    beside = [value for value in (summary.floor, best[0] if best else None) if value is not None]
    above = interval and beside and min(sign * bound for bound in interval) > max(sign * value for value in beside)
    return (
        Cell(group.task),
        Cell(group.by),
        _with_unit(summary.zero_filled, summary),
        Cell(" to ".join(value_text(bound, summary.unit, summary.decimals) for bound in interval or ())),
        _with_unit(summary.floor, summary),
        _with_unit(best[0], summary, f" ({best[1]})") if best else Cell(),
        Cell("yes" if above else "no") if interval and beside else Cell(),
    )


def _paper_cell(group: LeaderboardGroup, published: Sequence[PublishedTable]) -> Cell:
    """Return the best figure that the paper prints of a group's task, by its metric that is most like the group's."""
    wanted = _LIKE.get(group.by, group.by)
    figures = [
        (cell.value, row.model, column)
        for table in published
        if not table.ablation
        for column in table.columns_of(group.task)
        if column.column == wanted
        for row in table.rows
        if (cell := row.cells[column.name]) and cell.value is not None
    ]
    if not figures:
        return Cell()
    value, model, column = max(figures, key=lambda one: one[0])
    return Cell(f"{value:.2f} {column.unit} ({model}, {column.name})", value)


def _beside(group: LeaderboardGroup, others: Sequence[Submission]) -> list[LeaderboardRow]:
    """Return other runs over the samples of a group."""
    samples = group.rows[0].entry.coverage.samples_sha256
    return [
        LeaderboardRow(one, entry, one.scores.model)
        for one in others
        for entry in one.entries
        if (entry.task, entry.view, entry.coverage.samples_sha256) == (group.task, group.view, samples)
    ]


def _baselines(entry: Entry, summary: Summary, others: Sequence[LeaderboardRow]) -> list[tuple[float, str]]:
    """Return the value and the name of each baseline of a column."""
    own = [one for one in entry.aggregates if one.column in OWN_BASELINES and one.scorer == summary.scorer]
    return [
        *((one.value, one.column) for one in (*own, *blind_rules(entry, summary.column))),
        *(
            (one.zero_filled, other.label)
            for other in others
            for one in other.summaries.values()
            if (one.column, signature_parts(one.signature)) == (summary.column, signature_parts(summary.signature))
            and one.zero_filled is not None
        ),
    ]


def _with_unit(value: float | None, summary: Summary, after: str = "") -> Cell:
    if value is None:
        return Cell()
    return Cell(f"{value_text(value, summary.unit, summary.decimals)} {summary.unit}{after}", value)
