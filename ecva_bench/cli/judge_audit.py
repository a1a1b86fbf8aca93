"""`ecva-bench judge-audit`: whether a judge can be trusted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..untrusted import say_json, say_lines
from . import judge_options
from .score import JUDGING

Runs = Annotated[
    int | None, typer.Option(min=2, help="How many times each is judged. Default: 3, or as in the replay.")
]
Invariance = Annotated[
    bool, typer.Option("--invariance", help="Also judge the references told otherwise, and with one fact changed.")
]


def judge_audit_command(
    results: Annotated[Path, typer.Argument(help="A results file with free-text answers.", show_default=False)],
    judge: judge_options.Model = None,
    sample: Annotated[int, typer.Option(min=1, help="How many answers to judge.")] = 200,
    runs: Runs = None,
    invariance: Invariance = False,
    seed: Annotated[int, typer.Option(help="Seed of the sample, the shuffled references and the intervals.")] = 0,
    judge_url: judge_options.Url = None,
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
    as_json: Annotated[bool, typer.Option("--json", help="Print the audit as JSON.")] = False,
) -> None:
    """Audit a judge on a sample of answers: does it repeat itself, does it read, can an answer talk it over?

    Each answer is judged beside controls whose score is known: the reference
    copied, another video's reference, always None, padding, and an instruction to
    the judge. Costs 12 calls per answer and run. Ends with code 1 where the judge
    does something that a sound one does not. With --invariance, at most 14 calls
    more, the references are judged as answers: as they are, in another style,
    length, order and language, and with one word or sentence exchanged.

    Example: ecva-bench judge-audit motion-mini.jsonl --judge gpt-4o-mini --budget-usd 2
    """
    judging = {name.removeprefix("judge_"): value for name, value in locals().items() if name in JUDGING}
    judging["votes"] = runs
    from ..errors import UsageError
    from ..journal.results import read_results
    from ..leaderboard.forms import as_text
    from ..records.base import canonical_json
    from ..scoring.judge_audit import audit_judge
    from .judge_audit_tables import judge_audit_tables

    answers = read_results(results)
    with judge_options.judge_from_options(judge, usual_votes=3, **judging) as opened:
        if opened is None:
            raise UsageError("no judge is named", remedy="name one with --judge, or its calls with --judge-replay")
        found = audit_judge(answers, opened, sample=sample, seed=seed, invariance=invariance)
        if as_json:
            say_json(canonical_json(found.model_dump(mode="json")))
        else:
            say_lines("\n".join(map(as_text, judge_audit_tables(found))))
    if found.failed:
        raise typer.Exit(1)
