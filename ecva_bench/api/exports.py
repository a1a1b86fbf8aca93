"""A run's answers and scores as files of other programs: `ecva-bench export`, without its terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..data import load_dataset
from ..errors import UsageError
from ..interchange.eval_results import eval_results
from ..interchange.every_eval_ever import RETRIEVED, Evaluator, every_eval_ever
from ..interchange.scored_runs import Bounds, ScoredRun, column_id, write_new
from ..leaderboard.submission import submission
from ..leaderboard.values import sample_values
from ..records.scores import Scores
from ..scoring.factory import scorer_class
from ..scoring.files import read_scores
from ..scoring.unseen import without_videos
from ..untrusted import parse_json
from ..wording import counted
from .reading import read_answer_file, read_scored

EVAL_RESULTS, EVERY_EVAL_EVER = "eval-results", "every-eval-ever"
SCORED_FORMS = (EVAL_RESULTS, EVERY_EVAL_EVER)  # which hold scores, and are folders


def scored_run(results: Path, scores: Path | None, data: str | None) -> ScoredRun:
    """Return a run with its scores, those beside it unless a file is named.

    Raises `UsageError` for one that is not scored, and `ResultsError` for scores that are of other answers.
    """
    dataset = load_dataset(data) if data else None
    datasets = [] if dataset is None else [dataset]
    answers = read_answer_file(results, dataset)
    found = read_scores(scores) if scores else read_scored(results, datasets, answers)
    if found.header.unseen_only is not None:
        answers = without_videos(answers, found.header.unseen_only)
    published = submission(found, answers)  # without this machine's paths
    found = found.model_copy(update={"header": published.scores})
    answers = answers.model_copy(update={"spec": published.spec})
    values = {column_id(summary): sample_values(found, summary) for summary in found.summaries}
    return ScoredRun(found, answers, values, _bounds(found))


def _bounds(scores: Scores) -> dict[tuple[str, str], Bounds]:
    """Return the bounds of the columns whose metric is installed."""
    found: dict[tuple[str, str], Bounds] = {}
    for scorer in {summary.scorer for summary in scores.summaries}:
        try:
            columns = scorer_class(scorer).columns
        except UsageError:
            continue
        found |= {(scorer, column.name): Bounds(column.low, column.high) for column in columns}
    return found


def export_scored(
    run: ScoredRun, form: str, out: Path, *, dataset: str = "", source: str | None = None, by: Evaluator
) -> Sequence[Path]:
    """Write a scored run in one of the forms that hold scores, into the folder `out`, and return the files.

    What was exported there before stays as it is. Raises `UsageError` for what the form needs and was not said, and
    `ResultsError` where a file of another content has a name that is needed.
    """
    if form == EVAL_RESULTS:
        if not dataset:
            remedy = "name the benchmark's repository with --hub-dataset OWNER/NAME"
            raise UsageError("an entry of .eval_results names a data set of the hub", f"--to {form}", remedy)
        files = eval_results(run, dataset, source)
    else:
        files = every_eval_ever(run, by, exported=lambda record: _exported_at(out / record) or time.time())
    return write_new({out / path: text for path, text in files.items()})


def export_notes(run: ScoredRun, form: str, written: Sequence[Path], *, named: bool) -> Iterator[str]:
    """Yield what is to be known of the files written in a form of scores; `named`: whether the model's id is known."""
    if form == EVERY_EVAL_EVER and (others := set(written[-1].parent.glob("*.json")) - {*written}):
        yield f"beside it: {counted(len(others), 'other record')} of this model, exported before"
    if lost := run.valueless():
        yield f"left out, since no answer has a value: {', '.join(lost)}"
    if form == EVERY_EVAL_EVER and not named:
        yield "the model's id is not known: before others get the record, name it with --model-id OWNER/NAME"


def _exported_at(record: Path) -> float | None:
    """Return when a record of Every Eval Ever was exported, in seconds since 1970; None where it does not say."""
    try:
        return float(parse_json(record.read_text(encoding="utf-8"))[RETRIEVED])
    except (OSError, ValueError, KeyError, TypeError):
        return None  # not there, or changed since: writing will tell
