"""`ecva-bench plan`: what a run would do and take, without doing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..untrusted import say
from ..wording import amount, counted, duration, size, usd
from . import options

if TYPE_CHECKING:
    from ..answering.request import RunRequest
    from ..answering.run_status import RunStatus
    from ..answering.runner import Runner

_NOWHERE = Path("videos")  # where the videos of a plan would be, if their folder is not known


def plan_command(
    model: options.Model,
    model_path: options.ModelPath = None,
    task: options.Task = None,
    data: options.Data = "mini",
    videos: options.Videos = None,
    out: options.Out = None,
    model_arg: options.ModelArg = None,
    hard_prompt: options.HardPrompt = None,
    connector: options.Connector = None,
    prompts: options.Prompts = "ours",
    edited: options.Edited = None,
    all_tasks: options.AllTasks = False,
    shuffle: options.Shuffle = "0",
    rotate: options.Rotate = False,
    samples: options.Samples = 1,
    severity_from: options.SeverityWay = "segments",
    curves: options.Curves = None,
    limit: options.Limit = None,
    ids: options.Ids = None,
    available: options.Available = False,
    subset: options.Subset = None,
    seed: options.Seed = 0,
    shard: options.Shard = None,
    mode: options.Mode = "exact",
    budget_usd: Annotated[
        float | None, typer.Option(min=0, help="Say what fits so many USD. Default: the model's budget-usd.")
    ] = None,
    prices: Annotated[Path | None, typer.Option(help="Price table (JSON) that extends the packaged one.")] = None,
) -> None:
    """Say what a run with the same options owes and what it will take: calls, tokens, USD, time, disk.

    A results file (--out, or the run's own) with some answers is a trial: the
    others will take what those took. Without one, tokens and USD are the most.
    No video need be there: frames are 16:9. --prices adds {"models":
    {"my-model": {"input": 0.15, "output": 0.6}}}, USD per million tokens.

    Examples:

      ecva-bench plan --model motion --data annotations.xlsx --videos videos/ --subset 100

      ecva-bench plan --model openai:gpt-5.4-mini --data annotations.xlsx --budget-usd 20
    """
    if prices is not None:
        model_arg = [*(model_arg or []), f"prices={prices}"]
    values = {name: value for name, value in locals().items() if name not in ("out", "budget_usd", "prices")}
    from ..answering.run_status import run_status

    request, note = _needs_no_videos(options.build_request(**values))
    request.check_numbering()  # as a run does
    runner = request.prepare()
    out = out or request.results_file
    found = run_status(runner, out)
    _print_owed(request, runner, note)
    _print_rows(found, out)
    _print_cost(found)
    _print_machine(found, runner, out)
    _print_fit(found, len(runner.plan.groups), budget_usd, options.model_options(model_arg))


def _needs_no_videos(request: RunRequest) -> tuple[RunRequest, str]:
    """Return a request that can be planned though no folder of videos is known, and a note where it is not."""
    dataset = request.dataset
    if dataset.videos is not None or dataset.render is not None or request.selection.available:
        return request, ""
    note = "no folder of videos is named (--videos): all of them are counted, none is looked at"
    return replace(request, data=replace(dataset, videos=_NOWHERE)), note


def _print_owed(request: RunRequest, runner: Runner, note: str) -> None:
    """Print what is owed, and what is to be known of it; `note` is the first, where there is one."""
    from ..answering import notices

    plan = runner.plan
    videos, answers = counted(len(plan.groups), "video"), counted(plan.owed, "answer")
    answers += f" to {counted(plan.questions, 'question')}" if plan.questions != plan.owed else ""
    say(f"{videos}, {answers} owed, {len(plan.unasked):,} not asked")
    notes = [note or notices.tell_unusable(request, plan), *notices.tell_data(request)]
    notes += [notices.tell_samples(request, runner.manifest), *request.adapter.notes(plan.prompts)]
    for line in filter(None, notes):
        say(line)


def _print_rows(found: RunStatus, out: Path) -> None:
    if found.option:
        say(f"{out}: a run goes on with it by {found.option}")
    say(f"{'view':<8} {'task':<15} {'owed':>6} {'answered':>9} {'failed':>7} {'open':>6}")
    for (view, name), row in found.rows.items():
        say(f"{view:<8} {name:<15} {row['owed']:>6,} {row['answered']:>9,} {row['failed']:>7,} {row['open']:>6,}")


def _print_cost(found: RunStatus) -> None:
    if found.cost is None:
        return
    cost, most = found.cost, "about" if found.cost.measured else "at most"
    tokens_in, tokens_out = amount(found.calls * cost.tokens_in), amount(found.calls * cost.tokens_out)
    once = ", each question once for all videos" if found.calls < found.open else ""
    say(f"calls: {found.calls:,}{once}; a question takes {most} {amount(cost.tokens_in)} tokens in ({cost.basis})")
    say(f"tokens: {most} {tokens_in} in, {tokens_out} out")
    money, half = found.usd(), found.usd(batch=True)
    if money is None or half is None:
        say('cost: not known; name a price: --prices FILE with {"models": {MODEL: {"input": USD, "output": USD}}}')
    else:
        say(f"cost: {most} {usd(money)}; as batches (--batch) {most} {usd(half)}")


def _print_machine(found: RunStatus, runner: Runner, out: Path) -> None:
    card = runner.adapter.card
    if card:
        say(f"a question: {card.visual_tokens} visual tokens; frames: {card.frames}")
    if found.seconds is None:
        say("time: not known; run with --limit 2 --out trial.jsonl, then plan with --out trial.jsonl")
    else:
        say(f"time: about {duration(found.seconds)} at the pace of the answers in {out}, one after another")
    if found.computes:
        hours = "not known, as the time" if found.seconds is None else _hours(found.seconds)
        say(f"GPU hours: {hours}" + ("" if found.seconds is None else ", where the trial had one GPU"))
    absent = f", and {found.absent:,} that are not there" if found.absent else ""
    weights = f"; weights: {card.memory}" if card else ""
    say(f"disk: results {size(found.bytes)}; videos {size(found.video_bytes)}{absent}{weights}")


def _hours(seconds: float) -> str:
    return f"about {amount(seconds / 3600)}" if seconds >= 360 else "under 0.1"


def _print_fit(found: RunStatus, videos: int, budget_usd: float | None, model_options: Mapping[str, str]) -> None:
    """Print what fits a budget, where one is given here or to the model."""
    from ..answering.run_status import fitting_frames, fitting_subset

    given = budget_usd if budget_usd is not None else model_options.get("budget_usd")
    if given is None:
        return
    budget = float(given)
    money = found.usd()
    if money is None:
        say(f"of {usd(budget)}: not known, as the price")
        return
    if money <= budget:
        say(f"of {usd(budget)}: all of it fits")
        return
    subset, frames = fitting_subset(found, videos, budget), fitting_frames(found, budget)
    ways = [f"--subset {subset}"] if subset else []
    ways += [f"--model-arg frames={frames}"] if frames else []
    say(f"of {usd(budget)} fits: {' or '.join(ways) or 'not one video'}")
