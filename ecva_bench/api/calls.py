"""Run, score, compare, rank: each in one call, with the files the command line writes. Composes rooms, no more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Literal

from ..answering.factory import ModelSource
from ..answering.inference import Mode, Settings
from ..answering.plan import Selection
from ..answering.request import RunRequest
from ..answering.worker_options import WorkerOptions
from ..data import load_dataset
from ..data.loading import DatasetSource
from ..errors import UsageError
from ..journal.results import read_results
from ..judging import open_judge
from ..judging.panel import opened_judge
from ..judging.user_judge import JudgeSource
from ..leaderboard.board import leaderboards
from ..leaderboard.compare import Comparison, compare_runs
from ..leaderboard.pairing import On
from ..leaderboard.published import published_tables, tables_of_others
from ..reading.units import TimeUnit
from ..records.base import View
from ..samples import OptionOrder
from ..scoring.files import check_target, scores_path, write_scores
from ..scoring.neural import model_settings
from ..scoring.protocol import get_anomeval
from ..scoring.score import score_results
from ..scoring.scorer import ScorerSource, ScoringProgress, silent
from ..scoring.unseen import only_unseen
from ..tasks import PromptSet, SeverityFrom, find_tasks
from .outcomes import Compared, Leaderboard, RunOutcome, Scored
from .reading import RunSource, read_answer_file, read_run, run_scores


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
        (answers,) = only_unseen([answers])
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
        [run_scores(run, datasets) for run in runs],
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
    others = tables_of_others() if published else {}
    datasets = [] if data is None else [load_dataset(data)]
    submissions = [read_run(one, datasets) for one in runs]
    return Leaderboard(leaderboards(submissions, published=printed, others=others, task=only))


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
