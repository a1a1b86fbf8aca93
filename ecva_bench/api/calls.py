"""Run, score, compare, rank: each in one call, with the files the command line writes. Composes rooms, no more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import Literal

from ..answering.factory import ModelSource
from ..answering.inference import Mode, Settings
from ..answering.plan import Selection
from ..answering.request import RunRequest
from ..answering.worker_options import WorkerOptions
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
from ..judging import open_judge
from ..judging.panel import opened_judge
from ..judging.user_judge import JudgeSource
from ..leaderboard.board import leaderboards
from ..leaderboard.compare import Comparison, compare_runs
from ..leaderboard.pairing import On
from ..leaderboard.published import published_tables
from ..leaderboard.submission import Submission, submission
from ..reading.units import TimeUnit
from ..records.answers import Results
from ..records.base import View, sha256_of_file
from ..records.scores import Scores
from ..samples import OptionOrder
from ..scoring.files import check_target, read_scores_of, scores_path, write_scores
from ..scoring.neural import model_settings
from ..scoring.protocol import get_anomeval
from ..scoring.score import score_results
from ..scoring.scorer import ScorerSource, ScoringProgress, silent
from ..scoring.unseen import videos_seen, without_videos
from ..tasks import PromptSet, SeverityFrom, find_tasks
from ..untrusted import parse_json, say
from ..verification.evidence import Evidence
from ..verification.examining import (
    check_scored_by_data_set,
    data_set_at_hand,
    doubt_notes,
    examined,
    identity_of,
)
from .outcomes import Compared, Leaderboard, RunOutcome, Scored

RunSource = RunOutcome | Scored | str | Path


def run(
    model: ModelSource,
    *,
    data: DatasetSource = "mini",
    videos: str | Path | None = None,
    tasks: str | Sequence[str] = (),
    out: str | Path | None = None,
    reuse: Sequence[str | Path] = (),
    name: str = "",
    model_path: str | None = None,
    model_args: Mapping[str, str | int | float | bool] | None = None,
    training: str | Path | None = None,
    prompts: PromptSet = "ours",
    edited: Sequence[View] = (),
    all_tasks: bool = False,
    shuffle: int | None = 0,
    rotate: bool = False,
    samples: int = 1,
    severity_from: SeverityFrom = "segments",
    curves: str | Path | None = None,
    ids: Sequence[str] = (),
    subset: int | None = None,
    seed: int = 0,
    limit: int | None = None,
    available: bool = False,
    mode: Mode = "exact",
    engine: Literal["local", "ray"] = "local",
    workers: int | None = None,
    devices: Sequence[str] = (),
    settings: Settings | None = None,
    progress: ScoringProgress = silent,
) -> RunOutcome:
    """Ask a model about videos, write every answer to `out` (`MODEL-DATASET.jsonl`) at once, and return all of them.

    `model` is a name (`ecva-bench models` lists them), `./file.py:Name`, an `Adapter` or its class, or a function
    `(video, question) -> str`; tables call the run `name`. A results file that is there is resumed: what it answers
    is not asked again, nor what the files `reuse` answer; `SpecMismatch` where its answers were made in another way.
    All tasks but severity are asked where none is named, each question `samples` times. Options are in an order drawn
    by the seed `shuffle`, with `rotate` in all; severities are asked for as `severity_from` says, and held against
    `curves`. Videos in the record `training` are marked. `workers` need `if __name__ == "__main__":` in a script.

    >>> import ecva_bench as eb
    >>> outcome = eb.run(lambda video, question: "A car brakes too late.", tasks="cause", limit=2, out="guess.jsonl")
    >>> outcome.end.answers, outcome.records[0].answer
    (2, 'A car brakes too late.')
    """
    args = {option: _as_text(value) for option, value in (model_args or {}).items()}
    about = RunRequest(model, model_path, args, data=data, videos=_path(videos), tasks=_several(tasks), name=name)
    about = replace(about, prompts=prompts, edited=tuple(edited), all_tasks=all_tasks, curves=_path(curves))
    request = replace(
        about,
        order=OptionOrder(shuffle, rotate),
        repeats=samples,
        severity_from=severity_from,
        training=_path(training),
        selection=Selection(_several(ids), subset, seed, limit, available=available),
        settings=settings or Settings(mode=mode),
        worker_options=WorkerOptions(engine, workers, _several(devices)),
    )
    return _answered(request, _path(out), [Path(file) for file in reuse], progress)


def _path(given: str | Path | None) -> Path | None:
    return None if given is None else Path(given)


def _answered(request: RunRequest, out: Path | None, files: Sequence[Path], progress: ScoringProgress) -> RunOutcome:
    path = out or request.results_file
    work = request.open()
    with progress("render", "clips") as rendered:
        request.render(work.plan, rendered)
    with work, request.journal(path, work, files) as results, progress("run", "answers") as settled:
        end = work.run(results, lambda done, owed, errors: settled(done, owed))
    return RunOutcome(path, read_results(path), end)


def score(
    results: RunOutcome | str | Path,
    *,
    scorers: str | ScorerSource | Sequence[ScorerSource] | None = None,
    tasks: str | Sequence[str] = (),
    data: DatasetSource | None = None,
    judge: JudgeSource | None = None,
    protocol: str = "standard",
    timestamp_unit: TimeUnit | None = None,
    curves: str | Path | None = None,
    anomeval: str = "paper",
    metric_args: Mapping[str, str] | None = None,
    unseen_only: bool = False,
    out: str | Path | None = None,
    seed: int = 0,
    progress: ScoringProgress = silent,
) -> Scored:
    """Score the answers of a run, or answers made elsewhere with the annotations `data`.

    `scorers` are names (`"all"`: every one that can be had), `./file.py:Name`, classes or instances; without them,
    those of each task are taken and, with a `judge`, the judged ones. `judge` is the name of a model at an
    endpoint, `hf:PATH_OR_ID`, `./file.py:Name`, several of these as `a,b` (a panel), or an object with `ask` and
    `identity`, such as `open_judge(name, votes=3)` gives. Severities are held against the importance curves of the file
    `curves` where it is named.
    With `unseen_only`, questions about videos that the model was trained on are left out.
    Scores are written to `out`, else beside the results; the file keeps what it holds of other metrics. Raises
    `UsageError` for a request that leaves nothing to score, `ResultsError` where scores would be lost, and
    `ScoringError` for a scorer that does not give what it says.

    >>> import ecva_bench as eb
    >>> outcome = eb.run("constant", tasks="cause", limit=3, out="constant.jsonl")
    >>> scored = eb.score(outcome, scorers="rouge")
    >>> [row["metric"] for row in scored.rows()]
    ['rouge1', 'rouge2', 'rougeL']
    """
    if not isinstance(results, RunOutcome | str | Path):
        remedy = "give what eb.run returned, or a file: write the answers as JSON, such as {id: text}, and name it"
        raise UsageError(f"a {type(results).__name__} is neither a run nor a file of answers", remedy=remedy)
    file = results.path if isinstance(results, RunOutcome) else Path(results)
    target = scores_path(file, protocol, unseen_only=unseen_only) if out is None else Path(out)
    check_target(target)
    answers = read_answer_file(file, data, _several(tasks), _path(curves))
    if unseen_only:
        answers = without_videos(answers, videos_seen([answers]))
    with nullcontext() if judge is None else opened_judge(judge, open_judge) as scoring_judge:
        scores = score_results(
            answers,
            scorers=None if scorers is None else _several_scorers(scorers),
            tasks=_several(tasks),
            protocol=protocol,
            timestamp_unit=timestamp_unit,
            anomeval=get_anomeval(anomeval),
            judge=scoring_judge,
            qualify=True,
            models=model_settings(metric_args or {}),
            seed=seed,
            progress=progress,
        )
    write_scores(scores, target)
    return Scored(target, scores)


def compare(
    *,
    base: RunSource,
    new: RunSource,
    metrics: str | Sequence[str] = (),
    tasks: str | Sequence[str] = (),
    on: On = "owed",
    seed: int = 0,
    data: DatasetSource | None = None,
) -> Compared:
    """Return how a run differs from its base: each task's difference with its interval, and what moved most.

    Runs are outcomes, scores files, results files with their scores beside them, or, with the annotations `data`,
    answers made elsewhere, which are scored in memory without a judge. `metrics` are by default the one of each task by
    which leaderboards rank; `"all"` are all. Samples are paired and videos drawn anew; p-values are corrected after
    Holm. Compared is what both were asked, a missing answer at its worst value; with `on="intersection"` what both
    answered; with `on="all"` runs over other samples raise `UsageError`. So do runs without a common sample.
    `ResultsError` is raised for a run that was not scored.

    >>> import ecva_bench as eb
    >>> for model in ("constant", "oracle"):
    ...     scored = eb.score(eb.run(model, tasks="cause", limit=3, out=f"{model}.jsonl"), scorers="rouge")
    >>> eb.compare(base="constant.jsonl", new="oracle.jsonl", metrics="rougeL").records[0].new
    1.0
    """
    return Compared(compare_all([base, new], metrics=metrics, tasks=tasks, on=on, seed=seed, data=data)[0])


def compare_all(
    runs: Sequence[RunSource],
    *,
    metrics: str | Sequence[str] = (),
    tasks: str | Sequence[str] = (),
    on: On = "owed",
    seed: int = 0,
    data: DatasetSource | None = None,
) -> list[Comparison]:
    """Return how each run differs from every one before it, as `compare` does; p-values are corrected for all pairs."""
    datasets = [] if data is None else [load_dataset(data)]
    return compare_runs(
        [_scores(run, datasets) for run in runs],
        metrics=_several(metrics),
        tasks=[task.name for task in find_tasks(_several(tasks))],
        on=on,
        seed=seed,
    )


def leaderboard(
    *runs: RunSource, task: str | None = None, published: bool = True, data: DatasetSource | None = None
) -> Leaderboard:
    """Rank scored runs, one table per task, view, protocol and set of samples; without runs, the published rows alone.

    Runs are outcomes, scores files, results files with their scores beside them, or submissions (`.json`); `data` is
    their data set where it is not embedded, by which they are checked.

    >>> import ecva_bench as eb
    >>> scored = eb.score(eb.run("motion", tasks="cause", limit=2, out="motion.jsonl"))
    >>> board = eb.leaderboard(scored, task="cause", published=False)
    >>> board.rows()[0]["model"]
    'motion'
    """
    only = find_tasks([task])[0].name if task else None
    printed = published_tables() if published else []
    datasets = [] if data is None else [load_dataset(data)]
    return Leaderboard(leaderboards([read_run(one, datasets) for one in runs], published=printed, task=only))


def read_run(run: RunSource, data: Sequence[Dataset] = ()) -> Submission:
    """Return the submission that a run is, or makes; `ResultsError` for one that contradicts itself, or its data set.

    The data set is one of `data` or an embedded one.
    """
    if isinstance(run, str | Path) and Path(run).suffix == ".json":
        return Evidence(data=data).read_as_stated(Path(run))
    return submission(_scores(run, data))


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


def _scores(run: RunSource, data: Sequence[Dataset] = ()) -> Scores:
    """Return the scores of a run; those of answers made elsewhere that are not scored yet are made with `data[0]`."""
    if isinstance(run, Scored):
        return run.scores
    path = run.path if isinstance(run, RunOutcome) else Path(run)
    unscored = path.exists() and not scores_path(path, "standard").exists()
    if data and unscored and not (is_results(path) or kind_of_ours(path)):
        return score_results(read_answer_file(path, data[0]))
    return read_scored(path, data)


def _several(names: str | Sequence[str]) -> tuple[str, ...]:
    """Return what one text, with commas or without, or several texts name; `UsageError` for an empty list.

    The empty tuple, which is the default, stands for all.
    """
    if isinstance(names, list) and not names:
        raise UsageError("an empty list names nothing", remedy="leave it out to take all")
    return tuple(names.split(",")) if isinstance(names, str) else tuple(names)


def _several_scorers(scorers: ScorerSource | Sequence[ScorerSource]) -> Sequence[ScorerSource]:
    if isinstance(scorers, str):
        return scorers.split(",")
    return scorers if isinstance(scorers, Sequence) else [scorers]


def _as_text(value: str | int | float | bool) -> str:
    """Return an option of a model as the command line would give it."""
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
