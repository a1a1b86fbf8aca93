"""`ecva-bench check-fast`: whether the fast mode gives the exact mode's answers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..untrusted import say, say_lines
from . import options


def check_fast_command(
    model: options.Model,
    model_path: options.ModelPath = None,
    task: options.Task = None,
    data: options.Data = "mini",
    videos: options.Videos = None,
    model_arg: options.ModelArg = None,
    prompts: options.Prompts = "ours",
    edited: options.Edited = None,
    ids: options.Ids = None,
    available: options.Available = False,
    seed: options.Seed = 0,
    n: Annotated[int, typer.Option("--n", min=1, help="Ask at least so many questions, about whole videos.")] = 50,
    out: Annotated[Path, typer.Option(help="Folder of the two results files.")] = Path("check-fast"),
) -> None:
    """Ask the same questions in both modes, and say how many answers and how much score differ.

    Videos are drawn over the anomaly classes with the seed. Both runs are kept and can be resumed.

    Example: ecva-bench check-fast --model videollama2 --data annotations.xlsx --videos videos/ --n 50
    """
    values = {name: value for name, value in locals().items() if name not in ("n", "out")}
    from ..answering.both_modes import in_both_modes
    from ..answering.notices import tell_unusable
    from ..journal.results import read_results
    from ..leaderboard.forms import as_text
    from ..scoring.modes import compare_modes
    from .mode_tables import mode_table
    from .progress import progress

    request = options.build_request(**values, limit=None, subset=None, shard=None, mode="exact")
    if unusable := tell_unusable(request, request.plan):
        say(unusable, error=True)
    with progress("render", "clips") as rendered, progress(f"ask {model}", "answers") as settled:
        files = in_both_modes(request, n, out, rendered, settled)
    check = compare_modes(exact=read_results(files["exact"]), fast=read_results(files["fast"]), seed=seed)
    say_lines(as_text(mode_table(check)))
