"""`ecva-bench meta-eval`: which scorers order answers the way people do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ..untrusted import say, say_json, say_lines
from . import judge_options
from .score import JUDGING


def meta_eval_command(
    rankings: Annotated[Path, typer.Argument(help="Ranked answers (JSONL), or published ones.", show_default=False)],
    scorers: Annotated[str, typer.Option(help="Scorers by name, separated by commas.")] = "bleu,rouge",
    criterion: Annotated[str, typer.Option(help="Take people's ranks by this criterion, of `ranks_by`.")] = "",
    protocol: Annotated[str, typer.Option(help="standard, or ecva-2024.")] = "standard",
    seed: Annotated[int, typer.Option(help="Seed of the intervals and tests.")] = 0,
    judge: judge_options.Model = None,
    votes: judge_options.Votes = None,
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
    as_json: Annotated[bool, typer.Option("--json", help="Print the evaluation as JSON.")] = False,
) -> None:
    """Compare scorers with people who ranked answers: pairwise accuracy, tau-b, exact order, best answer.

    Intervals and paired tests are over videos, the tests corrected after Holm.
    What people reach among themselves stands first, fixed rows last.
    design/trust.md describes the file, and how TRECVID VTT, VideoAutoBench,
    LAVE and EmoPrefer are read as published.

    Example: ecva-bench meta-eval rankings.jsonl --scorers bleu,rouge,gpt --judge gpt-4o-mini
    """
    judging = {name.removeprefix("judge_"): value for name, value in locals().items() if name in JUDGING}
    from ..annotation.judgements import read_judgements
    from ..leaderboard.forms import as_text
    from ..records.base import canonical_json
    from ..scoring import get_protocol, get_scorer
    from ..scoring.meta import meta_evaluate
    from .meta_eval_tables import meta_eval_tables

    ranked = read_judgements(rankings, criterion=criterion)
    for problem in ranked.problems:
        say(f"{rankings}, {problem.place}: left out: {problem.reason}", error=True)
    with judge_options.judge_from_options(judge, usual_votes=3, **judging) as language_judge:
        rules = replace(get_protocol(protocol), timestamp_unit=ranked.unit)
        chosen = [get_scorer(name, rules, language_judge) for name in scorers.split(",")]
        found = meta_evaluate(ranked, chosen, seed=seed)
        if as_json:
            say_json(canonical_json(found.model_dump(mode="json")))
        else:
            say_lines("\n".join(map(as_text, meta_eval_tables(found))))
