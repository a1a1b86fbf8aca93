"""`ecva-bench audit`: whether answers are what they seem."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..untrusted import say, say_json, say_lines
from . import judge_options
from .named_files import only_answers
from .score import JUDGING, Data, ReadWith

if TYPE_CHECKING:
    from ..records.scores import Scores


def audit_command(
    files: Annotated[list[Path], typer.Argument(help="Results, or the authors' answer files.", show_default=False)],
    data: Data = None,
    task: Annotated[
        str | None, typer.Option(help="Task of the authors' answer files, where they do not tell.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the audit as JSON.")] = False,
    read_with: ReadWith = None,
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
) -> None:
    """Look for answers that are not what they seem, in each file and between files of different models.

    The same answers under two names, one answer to everything, the prompt or
    the annotation as answer, words to the judge, no answer, one that was cut
    off or, in scores beside a file, got no verdict, models asked otherwise.
    Ends with code 1 where it finds any. Classes and spans are read as by
    `score`, and so is --read-with: options and stored verdicts are the same.

    Examples:

      ecva-bench audit motion-mini.jsonl constant-mini.jsonl

      ecva-bench audit motion-mini.jsonl --read-with gpt-4o-mini --budget-usd 1

      ecva-bench audit video_llama_description.json video_llava_description.json --data annotations.xlsx
    """
    judging = {name.removeprefix("judge_"): value for name, value in locals().items() if name in JUDGING}
    from ..answer_audit.audit import audit_answers
    from ..api.reading import read_answer_file
    from ..data import load_dataset
    from ..leaderboard.forms import as_text
    from ..records.base import canonical_json
    from ..tasks import find_tasks
    from .audit_tables import audit_tables

    tasks = [find_tasks([task])[0].name] if task else []
    dataset = load_dataset(data) if data else None
    files = only_answers(files)
    scores = _scores_beside(files)  # first, since reading them takes memory for a while
    answers = [read_answer_file(file, dataset, tasks) for file in files]
    with judge_options.judge_from_options(read_with, **judging) as reader:
        found = audit_answers(answers, reader, scores)
    if as_json:
        say_json(canonical_json(found.model_dump(mode="json")))
    else:
        say_lines("\n".join(map(as_text, audit_tables(found))))
    if found.findings:
        raise typer.Exit(1)


def _scores_beside(files: list[Path]) -> list[Scores]:
    """Return the scores beside files of answers, without the items that have all their values.

    Those that are of other answers are passed over, and named.
    """
    from ..errors import ResultsError
    from ..scoring.files import read_scores_of, scores_path

    found = []
    for file in files:
        try:
            if scores_path(file, "standard").exists():
                scores = read_scores_of(file)
                gaps = tuple(score for score in scores.scores if score.gaps)
                found.append(scores.model_copy(update={"scores": gaps}))
        except ResultsError as error:
            say(f"passed over: {error}", error=True)
    return found
