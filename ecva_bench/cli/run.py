"""`ecva-bench run`: ask a model and write its answers down."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from . import options

if TYPE_CHECKING:
    from ..journal import Journal
    from ..records import End


def run_command(
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
    subset: options.Subset = None,
    seed: options.Seed = 0,
    shard: options.Shard = None,
    mode: options.Mode = "exact",
    memory_mb: Annotated[int, typer.Option(min=1, help="Bound on decoded frames held ahead, in MiB.")] = 1024,
    decoders: Annotated[int, typer.Option(min=1, help="Videos decoded at the same time, by each worker.")] = 1,
    deadline: Annotated[float, typer.Option(min=0.1, help="Seconds one video may take to decode.")] = 60.0,
    isolate: Annotated[bool, typer.Option("--isolate", help="Decode in a process that may crash or hang.")] = False,
    retry_errors: Annotated[bool, typer.Option("--retry-errors", help="Ask again what failed for good.")] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes that answer; one for each GPU in turn.")] = None,
    devices: Annotated[str | None, typer.Option(help="One worker for each: cuda:0,cuda:1, or cpu,cpu.")] = None,
    engine: Annotated[
        Literal["local", "ray"], typer.Option(help="Where workers are: this machine, or a Ray cluster (extra `ray`).")
    ] = "local",
) -> None:
    """Ask a model about videos and write every answer to a results file at once.

    A results file that exists is resumed: what it answers is not asked again. A
    video or a question that fails becomes an error record and the run goes on;
    the exit code is then 3. So it is where every answer was cut off or is empty.

    Examples:

      ecva-bench run --model motion --task cause

      ecva-bench run --model videollama2 --model-path DAMO-NLP-SG/VideoLLaMA2-7B-16F --task cause

      ecva-bench run --model oracle --data annotations.xlsx --videos videos/ --edited anomaly --edited control

      ecva-bench run --model anomshield --model-path LORA --no-hard-prompt

      ecva-bench run --model motion --subset 100 --shard 2/4 --out part2.jsonl

      ecva-bench run --model videollama2 --mode fast --devices cuda:0,cuda:1
    """
    asked = {name: value for name, value in locals().items() if name != "out"}
    from ..journal import Journal
    from .progress import progress

    request = options.build_request(**asked)
    work = request.open()
    with progress("render", "clips") as rendered:
        request.render(work.plan, rendered)
    with work, Journal(out, work.manifest) as journal, progress(f"run {model}", "answers") as settled:
        held = len(journal.answered)
        if mode != work.manifest.spec["mode"]:
            print(f"{model} answers each question alone, so this is a run in exact mode", file=sys.stderr)
        try:
            end = work.run(journal, settled)
        finally:
            if journal.spent:
                costs = ", ".join(f"{amount:g} {name}" for name, amount in journal.spent.items() if amount)
                print(f"{out} has cost so far: {costs}", file=sys.stderr)
    _tell(out, held, end, journal)
    if end.answers and end.answers in (end.empty, end.cut_off):
        cut = "was cut off: give the model more room (max_new_tokens), or let it not think aloud, in another --out"
        print(f"every answer {cut if end.cut_off == end.answers else 'is empty'}", file=sys.stderr)
        raise typer.Exit(3)
    if end.status != "complete":
        raise typer.Exit(3)
    print("next: ecva-bench merge, with the other parts" if shard else f"next: ecva-bench score {out}")


def _tell(out: Path, held: int, end: End, journal: Journal) -> None:
    """Print what a run came to: its counts, its errors, what nobody can be asked, and which models answered."""
    print(
        f"{out}: {end.answers} answers ({held} were there), {end.errors} errors, {end.missing} missing; "
        f"{end.empty} empty, {end.cut_off} cut off"
    )
    failed = [f for f in journal.failed.values() if journal.state.get((f.id, f.view)) == "error"]
    for (video, error, message), answers in Counter((f.video, f.error, f.message) for f in failed).items():
        print(f"  {video}: {error}, {answers} answers: {message}")
    impossible = {(u.id, u.view): u.reason for u in journal.unasked.values()}
    for (view, reason), questions in Counter((view, why) for (_, view), why in impossible.items()).items():
        print(f"  no {view} view, {questions} questions that nobody can be asked: {reason}")
    if len(journal.served) > 1:
        several = ", ".join(sorted(journal.served))
        print(f"beware: several models gave the answers of this run: {several}", file=sys.stderr)
