"""Leaderboards: one table per task, view, protocol and set of samples, published rows beside our own.

Beside its rank, a model has a 95 % interval of ranks from resampling the videos, and a tie group: the models from which
the data do not distinguish it. Baselines stand behind the models and take no rank. Published rows stand below, since
they were computed over other samples and in another way.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..errors import UsageError
from ..records.scores import Aggregate, Summary
from ..statistics.intervals import DRAWS
from ..statistics.standings import Standing
from ..wording import counted
from .background import NOTHING_KNOWN, Background
from .by_view import blank_score
from .differences import judged_notes, video_notes
from .groups import SEED, LeaderboardGroup, LeaderboardRow, blind_rules, group_submissions
from .headings import meanings_of
from .printed import printed_notes, printed_rows, published_boards
from .published import WITH_PUBLISHED, PublishedTable
from .qualified import qualification_texts
from .run_notes import warnings_of
from .sheet import (
    VIEWS,
    aggregate_text,
    blind_notes,
    number_cell,
    reference_texts,
    repeats_text,
    worst_texts,
)
from .submission import Submission
from .table import Cell, Mark, Table, count_cell, marked
from .unjudgeable import unjudgeable_texts
from .verified import verification_notes

# More would be noise beside the intervals, and the paper prints as many; score sheets and CSV have all.
DECIMALS = 2
HEADER = ("rank", "tie group", "model", "kind", "answered", "errors", "parse failures")


def leaderboards(
    submissions: Sequence[Submission],
    *,
    published: Sequence[PublishedTable] = (),
    others: Mapping[str, Sequence[PublishedTable]] | None = None,
    task: str | None = None,
) -> list[Table]:
    """Return the leaderboards of submissions, of one task or all.

    Published rows, where given, stand below those of their data set; `others` are tables of other papers by data set,
    of which those of the runs' data sets and tasks follow apart. Without submissions, the published rows alone. Raises
    `UsageError` where there is nothing to show.
    """
    groups = group_submissions(submissions, task)
    tables = [board(group, published) for group in groups]
    for dataset, name in dict.fromkeys((group.dataset, group.task) for group in groups if group.view == "full"):
        tables += published_boards((others or {}).get(dataset, ()), name)
    if not submissions:
        tables = published_boards(published, task)
    if not tables:
        raise UsageError("there is nothing to rank", remedy="give scores files of this task, or leave out --task")
    return tables


def title(group: LeaderboardGroup) -> str:
    """Return the title of a group's tables."""
    of = f" of {group.dataset}" if group.dataset else ""
    of += f", prompt {', '.join(sha256[:8] for sha256 in group.prompts)}" if group.prompts else ""
    of += f", {group.by} by {', '.join(group.made)}" if group.made else ""
    return f"{group.task}, {VIEWS[group.view]}, protocol {group.protocol}, {counted(group.samples, 'sample')}{of}"


def board(
    group: LeaderboardGroup, published: Sequence[PublishedTable] = (), known: Background = NOTHING_KNOWN
) -> Table:
    """Return the leaderboard of a group, with the published rows of its task below if they are of its data set."""
    beside = group.view == "full" and group.dataset in WITH_PUBLISHED
    printed = [table for table in published if beside and not table.ablation and group.task in table.tasks]
    differing, common = _aggregates(group)
    units = {name: f"{name} {summary.unit}" for name, summary in group.columns.items()}
    theirs = {column.column: column.heading for table in printed for column in table.columns_of(group.task)}
    names = units | {column: name for column, name in theirs.items() if column not in units}
    standings = group.standings
    blanks = [blank_score(row.submission, row.entry, group.by) for row in group.rows] if group.view == "full" else []
    blank = ("blank",) if any(blanks) else ()
    rows = [
        _row(group, row, standings, list(names), differing, blanks[place : place + len(blank)])
        for place, row in enumerate(group.rows)
    ]
    after = 1 + len(blank) + len(differing)
    rows += _blind_row(group, list(names), after)
    for model, kind, *cells in (row for table in printed for row in printed_rows(table, group.task, list(names))):
        # Rank and tie group stand before; answered, errors and parse failures between.
        rows.append(marked((*[Cell()] * 2, model, kind, *[Cell()] * 3, *cells, *[Cell()] * after), "printed"))
    return Table(
        title=title(group),
        header=(*HEADER, *names.values(), "floor", *blank, *(f"{one.column} {one.unit}" for one in differing)),
        rows=tuple(rows),
        notes=(
            *_notes(group, standings.get(group.by, {})),
            *([f"blank: {group.by} of the same model where it was shown no picture."] if blank else []),
            *map(aggregate_text, common),
            *blind_notes(_blind(group)),
            *(note for table in printed for note in printed_notes(table)),
        ),
        meanings=meanings_of(
            {names[name]: summary for name, summary in group.columns.items()}, known.metrics, differing
        ),
    )


def score_cell(summary: Summary | None, marks: frozenset[Mark] = frozenset()) -> Cell:
    """Return the mean of a column with missing answers at their worst, with its interval; empty where there is none."""
    if summary is None:
        return Cell()
    cell = number_cell(summary.zero_filled, summary.unit, DECIMALS, summary.zero_filled_interval)
    return replace(cell, marks=marks)


def _row(
    group: LeaderboardGroup,
    row: LeaderboardRow,
    standings: dict[str, dict[str, Standing]],
    columns: Sequence[str],
    aggregates: Sequence[Aggregate],
    blank: Sequence[Summary | None],
) -> tuple[Cell, ...]:
    ranked_by = row.summaries.get(group.by)
    standing = standings.get(group.by, {}).get(row.label)
    coverage = row.entry.coverage
    own = {one.column: one for one in row.entry.aggregates}
    cells = (
        Cell(str(standing.rank), standing.rank, standing.interval) if standing else Cell(),
        count_cell(standing.group) if standing else Cell(),
        Cell(row.label),
        Cell(row.kind),
        Cell(f"{coverage.answered}/{coverage.owed}"),
        count_cell(coverage.failed),
        count_cell(_parse_failures(row, ranked_by)),
        *(_score(row, c, standings.get(c, {})) for c in columns),
        number_cell(ranked_by.floor, ranked_by.unit, DECIMALS) if ranked_by else Cell(),
        *map(score_cell, blank),
        *(
            number_cell(own[one.column].value, one.unit, DECIMALS) if one.column in own else Cell()
            for one in aggregates
        ),
    )
    if not row.counts(group.by):
        return marked(cells, "printed")
    return marked(cells, "baseline") if row.baseline else cells


def _score(row: LeaderboardRow, column: str, standings: Mapping[str, Standing]) -> Cell:
    summary = row.summaries.get(column)
    return score_cell(summary, marks_in(standings, row.label, summary) if summary else frozenset())


def marks_in(standings: Mapping[str, Standing], label: str, summary: Summary) -> frozenset[Mark]:
    """Return the mark of the best model of a column, or of one tied with it.

    There is none where only one model is ranked, nor for a mean that no answer at all would have as well.
    """
    if len(standings) < 2 or label not in standings or standings[label].group > 1:
        return frozenset()
    if summary.zero_filled == summary.worst:
        return frozenset()
    return frozenset({"best" if standings[label].rank == 1 else "tie"})


def _parse_failures(row: LeaderboardRow, ranked_by: Summary | None) -> int:
    """Return in how many answers no class or span could be read, plus how many answers the judge gave no verdict on."""
    parsed = row.summaries.get("parsed")
    hits = (parsed.stability.hits if parsed.stability else parsed.hits) if parsed else None
    unread = parsed.answers - hits if parsed is not None and hits is not None else 0
    if ranked_by is None or (parsed is not None and parsed.scorer == ranked_by.scorer):
        return unread  # what has no value then is for the annotation to say, and no failure
    exempt = set(ranked_by.exempt) - set(row.entry.coverage.absent)  # they have an answer, and nobody's has a value
    return unread + ranked_by.unscored - len(exempt)


def _aggregates(group: LeaderboardGroup) -> tuple[list[Aggregate], list[Aggregate]]:
    """Return the aggregates that differ between rows, and those that are the same in all of them."""
    found: dict[str, list[Aggregate]] = defaultdict(list)
    for row in group.rows:
        for one in row.entry.aggregates:
            if not one.blind:
                found[one.column].append(one)
    alike = {
        name: len(ones) == len(group.rows) and len({one.value for one in ones}) == 1 for name, ones in found.items()
    }
    firsts = [ones[0] for ones in found.values()]
    return [one for one in firsts if not alike[one.column]], [one for one in firsts if alike[one.column]]


def _blind(group: LeaderboardGroup) -> list[Aggregate]:
    """Return what rules that never look reach in the column of the ranks, the best first.

    They are those of the runs with most answers: a run's own are over the questions that it answered. Where these
    showed options in other orders, each rule has the best of its values.
    """
    most = max((row.entry.coverage.answered for row in group.rows), default=0)
    sign = 1 if group.by not in group.columns or group.columns[group.by].higher_is_better else -1
    best: dict[str, Aggregate] = {}
    for row in group.rows:
        for one in blind_rules(row.entry, group.by) if row.entry.coverage.answered == most else ():
            if one.column not in best or sign * one.value > sign * best[one.column].value:
                best[one.column] = one
    return sorted(best.values(), key=lambda one: -sign * one.value)


def _blind_row(group: LeaderboardGroup, columns: Sequence[str], after: int) -> list[tuple[Cell, ...]]:
    """Return the row of the best rule that never looks, followed by `after` empty cells; none where none is known."""
    return [
        marked(
            (
                *[Cell()] * 2,
                Cell(best.column),
                Cell("never looks"),
                *[Cell()] * 3,
                *(number_cell(best.value, best.unit, DECIMALS) if c == group.by else Cell() for c in columns),
                *[Cell()] * after,
            ),
            "baseline",
        )
        for best in _blind(group)[:1]
    ]


def _notes(group: LeaderboardGroup, standings: dict[str, Standing]) -> list[str]:
    if not group.by:
        return ["None of these runs has a score of this task."]
    lower = group.by in group.columns and not group.columns[group.by].higher_is_better
    order = f"Ranked by {group.by}{', the lower the better' if lower else ''}. "
    notes = [
        f"{order}A sample without an answer counts 0. In brackets: 95 % bootstrap interval over videos. "
        f"floor: {group.by} with shuffled references.",
        *worst_texts(summary for row in group.rows for summary in row.summaries.values()),
    ]
    if standings:
        notes.append(
            f"Ranks and tie groups: {DRAWS} draws of videos, the same for all, seed {SEED}. Group 1 holds the best and "
            "all whose paired difference from it has a 95 % interval that contains 0, group 2 the best of the others, "
            "and so on; not corrected for the number of pairs. Baselines take no rank."
        )
    notes += verification_notes([row.submission.verification for row in group.rows])
    looked_at = [(row.label, row.submission.verification) for row in group.rows]
    notes += [f"{label}: {found.signature}." for label, found in looked_at if found and found.signature]
    notes += [f"{row.label}: {text}." for row in group.rows for text in warnings_of(row.submission.scores)]
    notes += [f"{row.label}: {text}." for row in group.rows for text in qualification_texts(row.entry.summaries)]
    notes += [f"{text}." for row in group.rows for text in reference_texts(row.summaries.values(), row.label)]
    repeated = [(row.label, text) for row in group.rows if (text := repeats_text(row.entry.coverage))]
    notes += [f"{label}: {text}; a question's value is the mean over its answers." for label, text in repeated]
    notes += [f"{row.label}: data set {one}." for row in group.rows if (one := row.submission.dataset).renamed]
    for what, counts in (
        ("Empty answers", [row.entry.coverage.empty for row in group.rows]),
        ("Answers cut off before their end", [row.entry.coverage.cut_off for row in group.rows]),
    ):
        shown = [
            f"{row.label} {n} of {row.entry.coverage.answers_given}"
            for row, n in zip(group.rows, counts, strict=True)
            if n
        ]
        notes += [f"{what}: {', '.join(shown)}."] if shown else []
    columns = [(name, row.summaries[name]) for row in group.rows for name in group.columns if name in row.summaries]
    notes += [f"{text}." for text in unjudgeable_texts(columns)]
    notes += [*judged_notes(group), *video_notes(group)]
    same: dict[str, list[str]] = defaultdict(list)
    models_by_signature: dict[str, list[str]] = defaultdict(list)
    for row in group.rows:
        if row.entry.answers_sha256:
            same[row.entry.answers_sha256].append(row.label)
        for signature in dict.fromkeys(summary.signature for summary in row.entry.summaries):
            models_by_signature[signature].append(row.label)
    notes += [f"The same answers, word for word: {', '.join(labels)}." for labels in same.values() if len(labels) > 1]
    scorers = Counter(signature.partition("|")[0] for signature in models_by_signature)
    for signature, models in models_by_signature.items():
        disputed = scorers[signature.partition("|")[0]] > 1
        notes.append(f"{signature} (of {', '.join(models)}: not comparable with the others)" if disputed else signature)
    return notes
