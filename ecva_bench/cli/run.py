"""`ecva-bench run`: ask a model and write its answers down."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from functools import partial
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ..errors import VideoMissing
from ..names import first_few
from ..untrusted import say
from ..wording import counted, spent, versions
from . import options

if TYPE_CHECKING:
    from ..answering.request import RunRequest
    from ..journal.writer import Journal
    from ..records.answers import End, Failure

_SHOWN = 20  # errors that are printed

_option = partial(typer.Option, rich_help_panel="Work")

Reuse = Annotated[list[Path] | None, _option(help="Take what this results file answers, by key; may be repeated.")]
Training = Annotated[
    Path | None,
    _option(
        help="Record of the model's training, to mark questions about videos it was trained on. Default: the "
        "training.json beside its weights.",
        show_default=False,
    ),
]
Name = Annotated[str, _option(help="What tables call this run. Default: the model's name.", show_default=False)]
MemoryMb = Annotated[int, _option(min=1, help="Bound on decoded frames held ahead, in MiB.")]
Decoders = Annotated[int, _option(min=1, help="Videos decoded at the same time, by each worker.")]
Deadline = Annotated[float, _option(min=0.1, help="Seconds one video may take to decode.")]
Batch = Annotated[
    bool, _option("--batch", help="Ask an endpoint's model by batches: half the price, within a day (`openai:`).")
]
Isolate = Annotated[bool, _option("--isolate", help="Decode in a process that may crash or hang.")]
RetryErrors = Annotated[bool, _option("--retry-errors", help="Ask again what failed for good.")]
Workers = Annotated[int | None, _option(min=1, help="Processes that answer; one for each GPU in turn.")]
Devices = Annotated[str | None, _option(help="One worker for each: cuda:0,cuda:1, or cpu,cpu.")]
Engine = Annotated[
    Literal["local", "ray"], _option(help="Where workers are: this machine, or a Ray cluster (extra `ray`).")
]


def run_command(
    model: options.Model,
    model_path: options.ModelPath = None,
    task: options.Task = None,
    data: options.Data = "mini",
    videos: options.Videos = None,
    out: options.Out = None,
    reuse: Reuse = None,
    name: Name = "",
    training: Training = None,
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
    memory_mb: MemoryMb = 1024,
    decoders: Decoders = 1,
    deadline: Deadline = 60.0,
    isolate: Isolate = False,
    retry_errors: RetryErrors = False,
    workers: Workers = None,
    devices: Devices = None,
    engine: Engine = "local",
    batch: Batch = False,
) -> None:
    """Ask a model about videos and write every answer to a results file at once.

    A results file that exists is resumed and takes more videos, tasks, views
    and samples, asking nothing twice. What fails is an error record; exit code
    3 then, as where all answers are empty or cut off.

    Examples:

      ecva-bench run --model videollama2 --model-path DAMO-NLP-SG/VideoLLaMA2-7B --task cause

      ecva-bench run --model oracle --data annotations.xlsx --videos videos/ --edited anomaly --edited control

      ecva-bench run --model motion --data new.xlsx --videos videos/ --reuse motion-cuva.jsonl --out new.jsonl

      ecva-bench run --model openai:gpt-5.4-mini --model-arg budget-usd=5 --batch
    """
    request = options.build_request(**{n: v for n, v in locals().items() if n not in ("out", "reuse", "batch")})
    out = out or request.results_file
    if batch:
        request = replace(request, model_args={**request.model_args, **_batch_option(out, engine, workers, devices)})
    _run(request, out, reuse or [])
    say("next: ecva-bench merge, with the other parts" if shard else f"next: ecva-bench score {quote(str(out))}")


def _batch_option(out: Path, engine: str, workers: int | None, devices: str | None) -> dict[str, str]:
    """Return the option that has a model asked by batches; `UsageError` where several workers would."""
    from ..errors import UsageError

    if engine != "local" or devices or workers not in (None, 1):
        raise UsageError("batches are one worker's", "--batch", "leave out --workers, --devices and --engine")
    return {"batch": str(out.with_suffix(".batches.jsonl"))}


def _run(request: RunRequest, out: Path, reuse: list[Path]) -> None:
    """Answer what the results file still lacks and print what became of it; end with code 3 where that is not all."""
    from ..answering import notices
    from ..answering.ending import on_signals
    from ..answering.orphans import none_left
    from ..journal.manifests import sample_views
    from .progress import progress

    work = request.open()
    _warn(*notices.tell_data(request), notices.tell_trial(request))
    with progress("render", "clips") as rendered:
        request.render(work.plan, rendered)
    unusable, training = notices.tell_unusable(request, work.plan), notices.tell_training(request)
    _warn(unusable, training, *request.adapter.notes(work.plan.prompts))
    with (
        on_signals(),
        none_left(),
        work,
        request.journal(out, work, reuse) as journal,
        progress(f"run {request.model}", "answers") as settled,
    ):
        before = len(journal.answered)
        _warn(notices.tell_mode(request, work.manifest), notices.tell_samples(request, work.manifest))
        try:
            end = work.run(journal, settled)
        finally:
            _print_cost(out, journal.usage)
    _print_outcome(out, before, end, journal)
    _warn(notices.tell_curves(request, out))
    if others := sample_views(journal.manifest.expects) - sample_views(work.manifest.expects) - journal.state.keys():
        say(f"  {len(others)} of the missing are of earlier commands, which ask them", error=True)
    if end.useless:
        cut = "was cut off: give the model more room (max_new_tokens), or let it not think aloud, in another --out"
        say(f"every answer {cut if end.cut_off == end.answers else 'is empty'}", error=True)
        raise typer.Exit(3)
    if end.status != "complete":
        raise typer.Exit(3)


def _warn(*notes: str) -> None:
    for note in filter(None, notes):
        say(note, error=True)


def _print_cost(out: Path, usage: dict[str, float]) -> None:
    if shown := spent((name, used) for name, used in usage.items() if not name.startswith(("uncounted_", "unpriced"))):
        say(f"{out} has cost so far: {shown}", error=True)
    if calls := usage.get("uncounted"):
        why = "no reply came that counts its tokens, or the run was killed before one did"
        say(f"  {calls:,.0f} calls are in this by estimate: {why}", error=True)


def _print_errors(failures: list[Failure]) -> None:
    """Print missing videos in one line, and what else failed in a line for each message."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for failure in failures:
        missing = failure.error == VideoMissing.code
        found[failure.error, "" if missing else failure.message].append(failure.video)
    for (error, message), videos in list(found.items())[:_SHOWN]:
        distinct = list(dict.fromkeys(videos))
        if error == VideoMissing.code:
            say(
                f"  missing: {counted(len(distinct), 'video')}, {counted(len(videos), 'answer')}: {first_few(distinct)}"
            )
        else:
            say(f"  {first_few(distinct)}: {error}, {counted(len(videos), 'answer')}: {message}")
    if len(found) > _SHOWN:
        say(f"  and {counted(len(found) - _SHOWN, 'other error')}, all in the results file")


def _print_outcome(out: Path, before: int, end: End, journal: Journal) -> None:
    """Print the outcome of a run: its counts, its errors, what nobody can be asked, and which models answered."""
    reused = sum(key in journal.answered for key in journal.reusable)
    there = f"{before:,} {'was' if before == 1 else 'were'} there"
    there += f", {reused:,} of --reuse" if reused else ""
    say(
        f"{out}: {counted(end.answers, 'answer')} ({there}), "
        f"{counted(end.errors, 'error')}, {end.missing:,} missing; {end.empty:,} empty, {end.cut_off:,} cut off"
    )
    _print_errors(journal.unsettled)
    impossible = {(u.id, u.view): u.reason for u in journal.unasked.values()}
    for (view, reason), questions in Counter((view, why) for (_, view), why in impossible.items()).items():
        say(f"  no {view} view, {counted(questions, 'question')} that nobody can be asked: {reason}")
    if len(journal.makers.served) > 1:
        several = ", ".join(sorted(journal.makers.served))
        say(f"beware: several models gave the answers of this run: {several}", error=True)
    if several := versions(journal.makers.several):
        say(f"beware: several versions of packages gave the answers of this run: {several}", error=True)
