"""A run as the page and the plots need it: its results with the scores of the same answers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ..errors import ResultsError
from ..leaderboard.groups import ranking_column
from ..leaderboard.qualified import qualification_texts
from ..reading.units import TimeUnit
from ..records.answers import Results
from ..records.scores import Score, Scores, Summary
from ..scoring.files import scores_path
from ..scoring.protocol import PROTOCOLS
from ..scoring.run_facts import unit_asked_for
from ..untrusted import parse_json
from ..wording import counted

MetricKey = tuple[str, str, str]


@dataclass(frozen=True)
class Metric:
    """A column of a scorer on a task. Values are fractions where `unit` is %, else in that unit."""

    task: str
    scorer: str
    column: str
    unit: str = "%"
    decimals: int = 2
    higher_is_better: bool = True

    @property
    def key(self) -> MetricKey:
        """What tells it from the others of a page: task, scorer, column."""
        return self.task, self.scorer, self.column


@dataclass(frozen=True)
class Run:
    """Results, and scores of exactly these answers: none, or several of different metrics or protocols."""

    results: Results
    scores: tuple[Scores, ...] = ()

    @cached_property
    def items(self) -> Mapping[tuple[str, str], list[tuple[Score, str]]]:
        """The scores of an answer with their protocols, by sample id and view."""
        items: dict[tuple[str, str], list[tuple[Score, str]]] = defaultdict(list)
        for scores in self.scores:
            for score in scores.scores:
                items[score.id, score.view].append((score, scores.header.protocol))
        return items

    @cached_property
    def metrics(self) -> dict[Metric, tuple[Scores, Summary]]:
        """The metrics of the full video in the order of the scores files, each with where its values are."""
        return {
            Metric(
                s.task, s.scorer, column_label(s.column, scores.header.protocol), s.unit, s.decimals, s.higher_is_better
            ): (
                scores,
                s,
            )
            for scores in self.scores
            for s in scores.summaries
            if s.view == "full" and not s.balanced  # an answer's value is that of the plain column beside it
        }

    @property
    def scored(self) -> dict[Metric, bool]:
        """The metrics in which the run has a mean, with whether boards may rank by it: not where no judge qualified."""
        return {
            metric: not summary.disqualified
            for metric, (_, summary) in self.metrics.items()
            if summary.zero_filled is not None
        }

    @cached_property
    def judge_notes(self) -> dict[str, tuple[str, ...]]:
        """What boards tell of the judge of a task on the full video: that it failed its controls, or was asked none."""
        told: dict[str, dict[str, None]] = defaultdict(dict)
        for scores in self.scores:
            for task in dict.fromkeys(summary.task for summary in scores.summaries):
                here = (one for one in scores.summaries if (one.task, one.view) == (task, "full"))
                told[task] |= dict.fromkeys(qualification_texts(here))
        return {task: tuple(texts) for task, texts in told.items()}

    @property
    def baseline(self) -> bool:
        """Whether this is one of the project's baselines."""
        return bool(self.results.spec.get("baseline", False))

    @property
    def time_unit(self) -> TimeUnit | None:
        """The unit in which bare numbers in answers about time are read: as scored, else as the prompt says."""
        units = [scores.header.settings.get("timestamp_unit") for scores in self.scores]
        return next((unit for unit in units if unit), unit_asked_for(self.results))


def column_label(column: str, protocol: str) -> str:
    """Return a column's name with its protocol behind it, unless that is the standard."""
    return column if protocol == "standard" else f"{column} ({protocol})"


def run_with_scores(results: Results, scores: Iterable[Scores]) -> Run:
    """Return a run with those of the scores that were made from exactly these answers."""
    return Run(results, tuple(one for one in scores if one.header.results_sha256 == results.sha256))


def tell_incomplete(results: Results) -> list[str]:
    """Return in a line each what a run lacks: answers that it owes, and parts that are in other files."""
    owed = {(sample, view) for view, samples in results.expects.items() for sample in samples}
    lines = [results.lacking.text] if results.lacking else []
    if len(results.answers) >= len(owed):
        return lines
    failed = sum((one.id, one.view) in owed for one in results.failures)  # others, nobody asked for
    return [f"{len(results.answers):,} of {counted(len(owed), 'answer')} there, {failed} failed", *lines]


def dataset_of(path: Path) -> str | None:
    """Return the name of the data set a results file was made with; None where the file is not a run's."""
    header = _first_line(path)
    return header["spec"].get("dataset", {}).get("name") if header.get("type") == "run" else None


def scores_beside(path: Path) -> list[Path]:
    """Return the scores files that `ecva-bench score` wrote beside a results file, one per protocol at most."""
    return [scores for protocol in PROTOCOLS if (scores := scores_path(path, protocol)).is_file()]


def scores_by_results(paths: Iterable[Path]) -> dict[str, list[Path]]:
    """Return scores files by the hash of the results they are of; `ResultsError` where one is not a scores file."""
    found: dict[str, list[Path]] = defaultdict(list)
    for path in paths:
        header = _first_line(path)
        if header.get("type") != "scores":
            raise ResultsError("this is not a scores file", path, "write one with `ecva-bench score`")
        found[header["results_sha256"]].append(path)
    return found


def _first_line(path: Path) -> dict[str, Any]:
    try:
        with path.open(encoding="utf-8") as file:
            found = parse_json(file.readline())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def main_metric(task: str, scored: Iterable[Mapping[Metric, bool]]) -> Metric | None:
    """Return the metric a task is looked at by: the one by which a board of these runs ranks (`ranking_column`).

    `scored` are the metrics with a value, run by run, each with whether boards may rank by it; a run without one of the
    task is passed over. Where there is none to rank by, it is the first that all runs share, else the first there is;
    none of a judge that does not qualify. None where there is no other.
    """
    of_runs = [here for run in scored if (here := {one: may for one, may in run.items() if one.task == task})]
    column = ranking_column(task, [{one.column: may for one, may in run.items()} for run in of_runs])
    every = list(dict.fromkeys(metric for run in of_runs for metric, may in run.items() if may))
    ranked = [metric for metric in every if metric.column == column]
    shared = [metric for metric in every if all(metric in run for run in of_runs)]
    return next(iter([*ranked, *shared, *every]), None)
