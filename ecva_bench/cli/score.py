"""`ecva-bench score`: score answers and write the scores beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ..untrusted import say, say_json
from . import judge_options, options
from .named_files import only_answers
from .terminal import say_tables

if TYPE_CHECKING:
    from ..api.outcomes import Scored
    from ..judging import Judge
    from ..leaderboard.submission import Submission
    from ..reading.units import TimeUnit
    from ..records.answers import Results
    from ..records.scores import Scores

Files = Annotated[
    list[Path] | None,
    typer.Argument(
        help="Results files, or files of answers made elsewhere. Default: the results file written last here.",
        show_default=False,
    ),
]
Data = Annotated[str | None, typer.Option(help="Annotations, for answers made elsewhere; results files need none.")]
Task = Annotated[
    list[str] | None, typer.Option(help="Tasks to score, as a,b or repeated. Default: all.", callback=options.listed)
]
Scorers = Annotated[
    list[str] | None,
    typer.Option(
        help="Scorers: names or ./file.py:Name, as a,b or repeated, or all. Default: each task's, and the judge's.",
        callback=options.listed,
    ),
]
Protocol = Annotated[str, typer.Option(help="standard, or ecva-2024: the published figures' arithmetic.")]
TimestampUnit = Annotated[
    Literal["seconds", "minutes", "mmss", "mm.ss"] | None,
    typer.Option(help="Unit of bare numbers in timestamp answers. Default: what our prompt asked for."),
]
Curves = Annotated[
    Path | None,
    typer.Option(help="Importance curves that a program made, to hold severities against: a pseudo-reference."),
]
AnomEval = Annotated[str, typer.Option(help="AnomEval as in the paper, or upstream: as in its code.")]
AnomEvalSet = Annotated[
    list[str] | None,
    typer.Option(
        help="Change to AnomEval, as name=value; may be repeated: weights=20,40,40, s1=mean, s3=refusal, "
        "questions=key-sentences."
    ),
]
JudgePrompts = Annotated[
    Path | None, typer.Option(help="Folder of prompts for the judge that stand in for ours of the same id.")
]
MetricArg = Annotated[
    list[str] | None,
    typer.Option(
        help="Setting of a metric that runs a model, as scorer.name=value, such as bleurt.checkpoint=FOLDER; may be "
        "repeated. Names: checkpoint, device, dtype, batch_tokens."
    ),
]
ReadWith = Annotated[
    str | None,
    typer.Option(
        help="Judge that reads classes and spans which the rules cannot read, marked as such; never by itself."
    ),
]
UnseenOnly = Annotated[
    bool,
    typer.Option(
        "--unseen-only",
        help="Leave out of all files the questions about videos that the model of any of them was trained on.",
    ),
]
Out = Annotated[Path | None, typer.Option(help="Scores file. Default: beside each results file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")]
Seed = Annotated[int, typer.Option(help="Seed of the intervals and of the shuffled-reference floor.")]

# The options of the judge, as `judge_options.judge_from_options` takes them but for the prefix.
JUDGING = (
    "judge_url",
    "votes",
    "judge_max_tokens",
    "judge_arg",
    "concurrency",
    "budget_usd",
    "budget_tokens",
    "prices",
    "batch",
    "judge_store",
    "judge_export",
    "judge_replay",
)


def score_command(
    files: Files = None,
    data: Data = None,
    task: Task = None,
    scorers: Scorers = None,
    protocol: Protocol = "standard",
    timestamp_unit: TimestampUnit = None,
    curves: Curves = None,
    anomeval: AnomEval = "paper",
    anomeval_set: AnomEvalSet = None,
    metric_arg: MetricArg = None,
    unseen_only: UnseenOnly = False,
    out: Out = None,
    as_json: AsJson = False,
    seed: Seed = 0,
    judge: judge_options.Model = None,
    judge_url: judge_options.Url = None,
    votes: judge_options.Votes = None,
    judge_max_tokens: judge_options.MaxTokens = None,
    judge_arg: judge_options.Args = None,
    concurrency: judge_options.Concurrency = None,
    budget_usd: judge_options.BudgetUsd = None,
    budget_tokens: judge_options.BudgetTokens = None,
    prices: judge_options.Prices = None,
    batch: judge_options.Batch = False,
    judge_store: judge_options.Store = None,
    judge_export: judge_options.Export = None,
    judge_replay: judge_options.Replay = None,
    judge_prompts: JudgePrompts = None,
    read_with: ReadWith = None,
) -> None:
    """Score answers: every metric with interval and floor, how it was computed, and last what to report.

    A results file stands alone. Answers made elsewhere, in JSON, CSV, a workbook
    and more, are joined by the videos' names with the annotations that --data
    names; `ecva-bench import` takes several as one run. With --judge, a language
    model also judges: the GPT-based score and AnomEval. Its verdicts are stored:
    asking again costs nothing, and a budget that ends (exit code 3) loses none.
    A scorer that finds no value ends with code 3. Other metrics' scores stay.

    Examples:

      ecva-bench score

      ecva-bench score motion-mini.jsonl --judge gpt-4o-mini --budget-usd 2 --judge-export judge.jsonl

      ecva-bench score motion-mini.jsonl --scorers bleurt,unieval --metric-arg bleurt.checkpoint=FOLDER

      ecva-bench score videollama2_classification.json --data annotations.xlsx --protocol ecva-2024

      ecva-bench score trained.jsonl motion-mini.jsonl --unseen-only
    """
    values = dict(locals())
    judging = {name.removeprefix("judge_"): values.pop(name) for name in JUDGING}
    judge, read_with = values.pop("judge"), values.pop("read_with")
    values["files"] = files = only_answers(files or [_newest()])
    _check_options(files, out, judge, read_with)
    with judge_options.judge_from_options(judge or read_with, **judging) as language_judge:
        judges = judge or not read_with
        _score_files(judge=language_judge if judges else None, reader=language_judge if read_with else None, **values)


def _newest() -> Path:
    """Return the results file that was written last here, and say so."""
    from ..journal.lines import newest_results

    newest = newest_results(Path())
    say(f"scoring {newest}, the results file that was written last here", error=True)
    return newest


def _check_options(files: list[Path], out: Path | None, judge: str | None, read_with: str | None) -> None:
    from ..errors import UsageError

    if out and len(files) > 1:
        remedy = "score them one by one, or leave out --out"
        raise UsageError("one scores file cannot hold several results", out, remedy)
    if judge and read_with and judge != read_with:
        what = f"--judge {judge} and --read-with {read_with} are two judges"
        raise UsageError(what, remedy="name one, or score in two steps")


def _score_files(
    *,
    files: list[Path],
    data: str | None,
    task: list[str] | None,
    scorers: list[str] | None,
    protocol: str,
    timestamp_unit: TimeUnit | None,
    curves: Path | None,
    anomeval: str,
    anomeval_set: list[str] | None,
    metric_arg: list[str] | None,
    unseen_only: bool,
    out: Path | None,
    as_json: bool,
    seed: int,
    judge: Judge | None,
    reader: Judge | None,
    judge_prompts: Path | None,
) -> None:
    """Score each file, and write and print its scores before the next, so that a later failure loses nothing.

    Ends with code 2 where scores could be printed only, and with 3 where a scorer found nothing to score.
    """
    from ..judging.prompts import read_prompts
    from ..scoring.files import check_target, scores_path
    from ..scoring.neural import model_settings
    from ..scoring.protocol import get_anomeval
    from ..scoring.score import score_results
    from .progress import progress

    prompts = read_prompts(judge_prompts) if judge_prompts else ()
    changes = dict(options.name_and_value(item, "setting of AnomEval") for item in anomeval_set or ())
    models = model_settings(dict(options.name_and_value(item, "setting of a metric") for item in metric_arg or ()))
    targets = [out or scores_path(file, protocol, unseen_only=unseen_only) for file in files]
    for target in targets:
        check_target(target)
    whole, idle = True, False
    baselines: list[Submission] = []
    several = _answers(files, data, task or (), curves, unseen_only)
    for file, target in zip(files, targets, strict=True):
        scores = score_results(
            next(several),  # nothing else holds them, while the next are read
            scorers=scorers or None,
            tasks=task or (),
            protocol=protocol,
            timestamp_unit=timestamp_unit,
            anomeval=get_anomeval(anomeval, changes),
            judge=judge,
            judge_prompts=prompts,
            qualify=True,
            reader=reader,
            models=models,
            seed=seed,
            progress=progress,
        )
        whole &= _show(scores, target, as_json, baselines)
        idle |= _print_unscored(scores, file)
    if not whole or idle:
        raise typer.Exit(3 if whole else 2)


def _answers(
    files: list[Path], data: str | None, tasks: Sequence[str], curves: Path | None, unseen_only: bool
) -> Iterator[Results]:
    """Return the answers, read one by one; with `unseen_only` all at once, without what any model was trained on."""
    from ..api.reading import read_answer_file
    from ..data import load_dataset
    from ..scoring.unseen import only_unseen

    dataset = load_dataset(data) if data else None
    several = (read_answer_file(file, dataset, tasks, curves) for file in files)
    return only_unseen(several) if unseen_only else several


def _show(scores: Scores, target: Path, as_json: bool, baselines: list[Submission]) -> bool:
    """Write the scores, print them, and return whether they were written: what took long is not lost either way.

    `baselines` are those that were scored before; these scores are added where they are of one.
    """
    from ..api.outcomes import Scored
    from ..errors import ResultsError
    from ..leaderboard.headline import scored_tables
    from ..leaderboard.published import published_tables
    from ..leaderboard.submission import submission
    from ..records.base import canonical_json
    from ..scoring.files import write_scores

    failure, kept = None, list[str]()
    try:
        kept = sorted({one.scorer for one in write_scores(scores, target).summaries if one not in scores.summaries})
    except ResultsError as error:
        failure = error
    if as_json:
        say_json(canonical_json(_summary(Scored(target, scores))))
    else:
        say_tables(scored_tables(scores, baselines, published_tables()))
    if scores.header.baseline:
        baselines.append(submission(scores))
    for name, reason in scores.header.left_out.items():
        say(f"left out: {name}: {reason}", error=True)
    if kept:
        say(f"kept: scores that {target} held and that were not asked for now: {', '.join(kept)}", error=True)
    say(f"error: {failure}" if failure else f"scores: {target}", error=True)
    return failure is None


def _print_unscored(scores: Scores, file: Path) -> bool:
    """Print and return whether a scorer gave no answer a value, with the reason for the first."""
    from ..scoring.checks import idle_scorers

    if idle := idle_scorers(scores):
        reason = next(iter(idle.values()))
        say(f"error: nothing was scored by {', '.join(idle)}: {file}: {reason}", error=True)
    return bool(idle)


def _summary(scored: Scored) -> dict[str, object]:
    """Everything but the item scores, as JSON values, and the scores by view where there are such views."""
    by_view = scored.by_view()
    return scored.scores.model_dump(mode="json", exclude={"scores"}) | ({"by_view": by_view} if by_view else {})
