"""Group submissions into leaderboards: runs of one task, view and protocol over the same samples of a data set.

Models are ordered by the mean in which a sample without an answer counts 0, so that skipping hard videos does not help.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from ..records.base import VIEWS, View, changes_pictures
from ..records.scores import Aggregate, Summary, settings_of
from ..records.twins import original_of
from ..statistics.standings import RankedColumn, Standing, standings
from .submission import Entry, Submission
from .unjudgeable import on_the_same

_Place = tuple[str, View, str, str, str]  # task, view, protocol, hashes of the samples and of the data set

SEED = 0  # of the draws behind ranks and ties; every board prints it

# The first that every run has. A judge's verdict comes before shared words (design/anomeval.md); of the text columns,
# ROUGE-2 tells an answer to the video from an answer to another best (design/scoring.md).
RANKED_BY = {
    "description": ("gated", "rouge2"),
    "cause": ("gated", "rouge2"),
    "effect": ("gated", "rouge2"),
    "classification": ("accuracy",),
    "timestamp": ("iou",),
    "detection": ("balanced_accuracy", "correct"),
    "choice": ("accuracy",),
    "grounding": ("iou",),
    "severity": ("hit1", "frame_auc"),  # without an importance curve, as of the released annotations, by moments
}


@dataclass(frozen=True)
class LeaderboardRow:
    """One run on one leaderboard. `label` is its unique name there (`labels`)."""

    submission: Submission
    entry: Entry
    label: str

    @property
    def baseline(self) -> bool:
        """Whether the run is a baseline, which takes no rank."""
        return self.submission.scores.baseline

    @property
    def kind(self) -> str:
        """What the run is, in a word."""
        return self.submission.kind

    def counts(self, column: str) -> bool:
        """Return whether the row's value in a column may be ranked: where it was looked at, only a verified one.

        One of a judge that failed its controls may not.
        """
        verification = self.submission.verification
        return (verification is None or verification.covers(column)) and column not in self.disqualified

    @property
    def disqualified(self) -> frozenset[str]:
        """The columns of a judge that does not tell right answers from wrong ones."""
        return frozenset(summary.column for summary in self.entry.summaries if summary.disqualified)

    @property
    def summaries(self) -> dict[str, Summary]:
        """The run's summaries by column."""
        return {summary.column: summary for summary in self.entry.summaries}

    def mean(self, column: str) -> float | None:
        """Return the mean of a column with missing answers at their worst; None where the run has none."""
        summary = self.summaries.get(column)
        return None if summary is None else summary.zero_filled


@dataclass(frozen=True)
class LeaderboardGroup:
    """The rows of one board, best first; those of which the score is as stated stand below, and baselines last.

    `by` is the column they are ranked by; `dataset` is empty where unknown. `prompts` are the hashes of the prompts,
    and `made` the parts of that column's signature (judge, settings), where another board differs in them alone.
    """

    dataset: str
    task: str
    view: View
    protocol: str
    samples: int
    by: str
    rows: tuple[LeaderboardRow, ...]
    prompts: tuple[str, ...] = ()
    made: tuple[str, ...] = ()

    @property
    def columns(self) -> dict[str, Summary]:
        """The columns that some row has, the ranking one first, each with a summary that knows its unit."""
        found: dict[str, Summary] = {}
        for row in self.rows:
            for name, summary in row.summaries.items():
                found.setdefault(name, summary)
        return {name: found[name] for name in sorted(found, key=lambda name: name != self.by)}

    @cached_property
    def standings(self) -> dict[str, dict[str, Standing]]:
        """The standing of each row that is ranked in a column, by column and label; baselines are not.

        Nor are rows that were not verified where others were, or whose judge did not qualify.
        """
        columns = self.columns
        ranked = {
            name: [row for row in self.rows if not row.baseline and row.counts(name) and row.mean(name) is not None]
            for name in columns
        }
        found = standings([self._ranked_column(name, rows) for name, rows in ranked.items()], seed=SEED)
        return {
            name: dict(zip((row.label for row in rows), some, strict=True))
            for (name, rows), some in zip(ranked.items(), found, strict=True)
        }

    def _ranked_column(self, column: str, rows: Sequence[LeaderboardRow]) -> RankedColumn:
        summary = self.columns[column]
        sign = 1.0 if summary.higher_is_better else -1.0
        return RankedColumn(
            values=[{place: sign * value for place, value in row.entry.values[column].items()} for row in rows],
            clusters={
                place: original_of(row.entry.video_of(place)) for row in rows for place in row.entry.values[column]
            },
            strata={place: name for row in rows for place, name in row.entry.strata.items()}
            if summary.balanced
            else {},
        )


def group_submissions(submissions: Sequence[Submission], task: str | None = None) -> list[LeaderboardGroup]:
    """Return the groups of all submissions, of one task or all: full videos first, tasks in the paper's order.

    Answers to other pictures than the video's make no group: they are shown beside those to the full video.
    """
    found: dict[_Place, list[LeaderboardRow]] = defaultdict(list)
    for one in submissions:
        for entry in one.entries:
            if task in (None, entry.task) and not changes_pictures(entry.view):
                samples = (entry.coverage.samples_sha256, one.scores.dataset_sha256)  # ids of two sets may be alike
                place = (entry.task, entry.view, one.scores.protocol, *samples)
                found[place].append(LeaderboardRow(one, entry, one.scores.model))
    tasks = list(RANKED_BY)

    def order(place: _Place) -> tuple[int, int, _Place]:
        number = tasks.index(place[0]) if place[0] in tasks else len(tasks)
        return VIEWS.index(place[1]), number, place

    return [
        _group(*place[:3], rows, prompts, made)
        for place in sorted(found, key=order)
        for prompts, asked in _by_prompts(place[0], found[place])
        for made, rows in _by_making(place[0], asked)
    ]


def _by_prompts(task: str, rows: Sequence[LeaderboardRow]) -> list[tuple[tuple[str, ...], list[LeaderboardRow]]]:
    """Return the rows that were asked in the same words, with the prompts' hashes, the most rows first.

    No hash where all rows are together. Rows of which the prompts are not known stand with the most.
    """
    asked = Counter(prompts for row in rows if (prompts := row.submission.scores.prompts.get(task)))
    if len(asked) < 2:
        return [((), list(rows))]
    ordered = sorted(asked, key=lambda prompts: (-asked[prompts], prompts))
    return [
        (prompts, [row for row in rows if (row.submission.scores.prompts.get(task) or ordered[0]) == prompts])
        for prompts in ordered
    ]


def _by_making(task: str, rows: Sequence[LeaderboardRow]) -> list[tuple[tuple[str, ...], list[LeaderboardRow]]]:
    """Return the rows whose ranking column was made alike: by one judge, with one reading; with what is their own.

    Else whoever submits would choose the judge that ranks them. The most rows first; those without the column stand
    with them.
    """
    by = _rank_column(task, rows)
    made = Counter(settings_of(row.summaries[by].signature) for row in rows if by in row.summaries)
    if len(made) < 2:
        return [((), list(rows))]
    ordered = sorted(made, key=lambda settings: (-made[settings], settings))
    common = set.intersection(*map(set, ordered))
    return [
        (
            tuple(part for part in settings if part not in common),
            [row for row in rows if _made(row, by, ordered[0]) == settings],
        )
        for settings in ordered
    ]


def _made(row: LeaderboardRow, column: str, otherwise: tuple[str, ...]) -> tuple[str, ...]:
    return settings_of(row.summaries[column].signature) if column in row.summaries else otherwise


def blind_rules(entry: Entry, column: str) -> list[Aggregate]:
    """Return what rules that never look reach in a column; nothing in one that is not the first of its scorer."""
    scorer = next((one.scorer for one in entry.summaries if one.column == column), "")
    first = next((one.column for one in entry.summaries if one.scorer == scorer), "")
    return [one for one in entry.aggregates if one.blind and one.scorer == scorer and first == column]


def labels(runs: Sequence[tuple[str, str]]) -> list[str]:
    """Return a unique label for each run (model, name): its model where no other run has the same.

    Else the name is added and, where several runs of the model have the same name, a number.
    """
    models = Counter(model for model, _ in runs)
    called = [model if models[model] == 1 else f"{model} ({name})" for model, name in runs]
    alike, so_far = Counter(called), Counter[str]()
    for place, label in enumerate(called):
        if alike[label] > 1:
            so_far[label] += 1
            called[place] = f"{label} #{so_far[label]}"
    return called


def _group(
    task: str,
    view: View,
    protocol: str,
    rows: Sequence[LeaderboardRow],
    prompts: tuple[str, ...],
    made: tuple[str, ...],
) -> LeaderboardGroup:
    rows = rows_on_the_same(rows)
    by = _rank_column(task, rows)
    called = labels([(row.label, row.submission.scores.name) for row in rows])
    named = [replace(row, label=label) for row, label in zip(rows, called, strict=True)]
    less_is_better = any(by in row.summaries and not row.summaries[by].higher_is_better for row in rows)

    def order(row: LeaderboardRow) -> tuple[bool, bool, bool, float, str]:
        mean = row.mean(by)
        return row.baseline, not row.counts(by), mean is None, (mean or 0.0) * (1 if less_is_better else -1), row.label

    ordered = tuple(sorted(named, key=order))
    dataset = next((name for row in rows if (name := row.submission.dataset.current)), "")
    return LeaderboardGroup(dataset, task, view, protocol, rows[0].entry.coverage.samples, by, ordered, prompts, made)


def rows_on_the_same(rows: Sequence[LeaderboardRow]) -> list[LeaderboardRow]:
    """Return rows of one task, view and set of samples without the samples of which no answer can be judged."""
    task, view = rows[0].entry.task, rows[0].entry.view
    runs = on_the_same([row.submission for row in rows], task, view)
    entries = [next(one for one in run.entries if (one.task, one.view) == (task, view)) for run in runs]
    return [replace(row, submission=run, entry=entry) for row, run, entry in zip(rows, runs, entries, strict=True)]


def _rank_column(task: str, rows: Sequence[LeaderboardRow]) -> str:
    """Return the column that rows are ranked by: `ranking_column`, else the first there is."""
    verified = [row for row in rows if any(map(row.counts, row.summaries))]  # where there are some, no other chooses
    runs = [
        {
            name: name not in row.disqualified
            for name, s in row.summaries.items()
            if s.zero_filled is not None and (not verified or row.counts(name) or name in row.disqualified)
        }
        for row in verified or rows
    ]
    present = (column for row in verified or rows for column in row.summaries)
    return ranking_column(task, runs) or next(present, "")


def ranking_column(task: str, runs: Sequence[Mapping[str, bool]]) -> str:
    """Return the first column of `RANKED_BY` that every run has, else that some run has; empty where none has one.

    A run is its columns with a value, each with whether it may be ranked by: those of a judge that does not qualify may
    not. Such a judge of one run takes no column from the others.
    """
    wanted = [column for column in RANKED_BY.get(task, ()) if any(run.get(column) for run in runs)]
    everywhere = [column for column in wanted if all(column in run for run in runs)]
    return next(iter([*everywhere, *wanted]), "")
