"""`ecva-bench plan`: what a run would do, without doing it."""

from __future__ import annotations

from pathlib import Path

from . import options


def plan_command(
    model: options.Model,
    model_path: options.ModelPath = None,
    task: options.Task = None,
    data: options.Data = "mini",
    videos: options.Videos = None,
    out: options.Out = Path("results.jsonl"),
    model_arg: options.ModelArg = None,
    hard_prompt: options.HardPrompt = None,
    connector: options.Connector = None,
    prompts: options.Prompts = "ours",
    edited: options.Edited = None,
    limit: options.Limit = None,
    ids: options.Ids = None,
    available: options.Available = False,
    subset: options.Subset = None,
    seed: options.Seed = 0,
    shard: options.Shard = None,
    mode: options.Mode = "exact",
) -> None:
    """Say what a run with the same options owes, what its results file holds, and how long the rest will take.

    Example: ecva-bench plan --model motion --data annotations.xlsx --videos videos/ --subset 100
    """
    values = {name: value for name, value in locals().items() if name != "out"}
    from ..answering.request import run_status

    request = options.build_request(**values)
    runner = request.prepare()
    found = run_status(runner, out)
    print(f"{len(runner.plan.groups)} videos, {runner.plan.owed} answers owed, {len(runner.plan.unasked)} not asked")
    if missing := request.tell_missing(runner.plan):
        print(missing)
    print(f"{'view':<8} {'task':<15} {'owed':>6} {'answered':>9} {'failed':>7} {'open':>6}")
    for (view, name), row in found.rows.items():
        print(f"{view:<8} {name:<15} {row['owed']:>6} {row['answered']:>9} {row['failed']:>7} {row['open']:>6}")
    if found.seconds is None:
        print("time: not known; run with --limit 2 --out trial.jsonl, then plan with --out trial.jsonl")
    else:
        print(f"time: about {found.seconds / 3600:.2f} hours at the pace of the answers in {out}")
