"""Runs read as users name them: answers, scores and submissions, held against their data set where it is at hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shlex import quote

from ..data import Dataset, load_dataset
from ..data.curve_files import read_curves
from ..data.loading import DatasetSource
from ..errors import EcvaError, ResultsError, UsageError
from ..interchange.imported import import_answers
from ..interchange.kinds import kind_of_ours
from ..interchange.opening import open_answers
from ..interchange.sources import AnswerSource
from ..journal.lines import absent, is_results
from ..journal.results import read_results
from ..leaderboard.submission import Submission, submission
from ..records.answers import Results
from ..records.base import sha256_of_file
from ..records.scores import Scores
from ..scoring.files import read_scores_of, scores_path
from ..scoring.score import score_results
from ..untrusted import parse_json, say
from ..verification.evidence import Evidence
from ..verification.examining import (
    check_scored_by_data_set,
    data_set_at_hand,
    doubt_notes,
    examined,
    identity_of,
)
from .outcomes import RunOutcome, Scored

RunSource = RunOutcome | Scored | str | Path


def read_run(run: RunSource, data: Sequence[Dataset] = ()) -> Submission:
    """Return the submission that a run is, or makes; `ResultsError` for one that contradicts itself, or its data set.

    The data set is one of `data` or an embedded one.
    """
    if isinstance(run, str | Path) and Path(run).suffix == ".json":
        return Evidence(data=data).read_as_stated(Path(run))
    return submission(run_scores(run, data))


def read_run_with_settings(path: Path) -> Submission:
    """Return the submission that a run makes, with the run's settings where the file is that of its answers."""
    if path.exists() and is_results(path):
        answers = read_answer_file(path, None)
        return submission(read_scored(path, answers=answers), answers)
    return read_run(path)


def answers_of_scored(path: Path, data: Sequence[Dataset] = ()) -> Results | None:
    """Return the answers of a scored run; None where the path is that of its scores, or answers are not scored."""
    if not scores_path(path, "standard").exists() or not is_results(path):
        return None
    return read_answer_file(path, next(iter(data), None))


def read_answer_file(
    file: Path, data: DatasetSource | None, tasks: Sequence[str] = (), curves: Path | None = None
) -> Results:
    """Read a results file, or answers made elsewhere together with their annotations, `data`.

    Answers about severity get the importance curves of the file `curves`, where it is named.

    A results file's answers get the annotation of their data set where it is `data` or an embedded one. Where the file
    has another, and what was read from which column of other files, is said on standard error. Answers that do not tell
    their task are of the first of `tasks`. Raises `UsageError` for a file of another kind, and for answers made
    elsewhere without annotations.
    """
    results = _read_answers(file, data, tasks)
    if curves is None:
        return results
    references = read_curves(curves)
    if note := references.tell_other_files(results):
        say(note, error=True)
    return references.of_results(results)


def _read_answers(file: Path, data: DatasetSource | None, tasks: Sequence[str]) -> Results:
    if not file.exists() or is_results(file):
        return _examined_file(file, () if data is None else (data,))
    if data is None:
        open_answers(file)  # says so where it is of another kind
        once = f"ecva-bench import {quote(str(file))} --data ANNOTATIONS --name MODEL"
        remedy = f"name them with --data; or import it once: {once}"
        raise UsageError("answers made elsewhere are scored with annotations", file, remedy)
    imported = import_answers([AnswerSource.parse(str(file), next(iter(tasks), None))], load_dataset(data))
    for note in imported.notes:
        say(note, error=True)
    return imported.results()


def _examined_file(file: Path, data: Sequence[DatasetSource]) -> Results:
    """Return a results file as `examined`; doubts are said."""
    results = read_results(file)
    results = examined(results, data_set_at_hand(identity_of(results), data))
    for note in doubt_notes(results):
        say(note, error=True)
    return results


def read_scored(path: Path, data: Sequence[DatasetSource] = (), answers: Results | None = None) -> Scores:
    """Return the scores in a file or beside it; `answers` are the file's, by the same `data`, where they are at hand.

    Raises `UsageError` for answers that are not scored yet, `SealBroken` where answers or scores were changed since
    they were written, and `ResultsError` for scores by another annotation than that of the data set, as far as the
    answers lie there and their data set is one of `data` or an embedded one.
    """
    if not path.exists() and not path.name.endswith(".scores.jsonl"):
        raise absent(path)
    try:
        scored = scores_path(path, "standard").exists() and is_results(path)
        file = path if scored else _answers_beside(path)
        if answers is None and file is not None:
            answers = _examined_file(file, data)
        if answers is not None:  # here alone, not while the scores are read: both may be too much for the memory
            answers = answers.model_copy(update={"answers": (), "extra": ()})
        scores = read_scores_of(path)
        if answers is not None and data_set_at_hand(identity_of(answers), data) is not None:
            check_scored_by_data_set(scores, answers)  # else nobody can tell which answers have another annotation
        return scores
    except ResultsError as error:
        if scores_path(path, "standard").exists():
            raise
        remedy = f"score them first: ecva-bench score {quote(str(path))}"
        if not is_results(path):
            try:
                open_answers(path)
            except EcvaError:
                raise error from None  # no answers either
            remedy += " --data ANNOTATIONS"
        raise UsageError("these answers are not scored yet", path, remedy) from error


def _answers_beside(path: Path) -> Path | None:
    """Return the results file beside a scores file that it is of, by the hash in its header; None where none is."""
    if not path.name.endswith(".scores.jsonl"):
        return None
    try:
        with path.open("rb") as lines:
            header = parse_json(lines.readline())
        stem = path.name.removesuffix(".scores.jsonl").removesuffix(".unseen").removesuffix(f".{header['protocol']}")
        answers = path.with_name(f"{stem}.jsonl")
        its_own = is_results(answers) and sha256_of_file(answers) == header["results_sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        return None  # what is wrong with the scores is said where they are read
    return answers if its_own else None


def run_scores(run: RunSource, data: Sequence[Dataset] = ()) -> Scores:
    """Return the scores of a run; those of answers made elsewhere that are not scored yet are made with `data[0]`."""
    if isinstance(run, Scored):
        return run.scores
    path = run.path if isinstance(run, RunOutcome) else Path(run)
    unscored = path.exists() and not scores_path(path, "standard").exists()
    if data and unscored and not (is_results(path) or kind_of_ours(path)):
        return score_results(read_answer_file(path, data[0]))
    return read_scored(path, data)
