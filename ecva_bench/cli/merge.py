"""`ecva-bench merge`: join the parts of one run."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from ..untrusted import say
from ..wording import counted
from .named_files import only_answers


def merge_command(
    parts: Annotated[list[Path], typer.Argument(help="Results files of one run's parts.", show_default=False)],
    out: Annotated[Path | None, typer.Option(help="New results file. Default: MODEL-DATASET.jsonl.")] = None,
    incomplete: Annotated[
        bool, typer.Option("--incomplete", help="Merge what is there, though parts or answers are absent.")
    ] = False,
) -> None:
    """Join the results files of `run --shard i/n` into one, by key; nothing is asked again.

    Where a part is absent or unfinished, nothing is merged. With --incomplete the
    new file still owes what is absent, and says so; the command of the parts
    without --shard, and with --out naming the new file, asks it.

    Example: ecva-bench merge motion-mini-part*.jsonl
    """
    from ..journal.manifests import sample_views
    from ..journal.merging import merge_results, merged_file
    from ..journal.results import read_results

    parts = only_answers(parts)
    out = out or merged_file(parts)
    merge_results(parts, out, incomplete)
    merged = read_results(out)
    places = sample_views(merged.expects)
    owed, answers = len(places), len(merged.answers)
    errors = sum((one.id, one.view) in places for one in merged.failures)
    say(f"{out}: {counted(len(parts), 'file')}, {counted(owed, 'answer')} owed: ", end="")
    say(f"{counted(answers, 'answer')}, {counted(errors, 'error')}, {owed - answers - errors:,} missing")
    if merged.lacking:
        file = quote(str(out))
        say(f"{merged.lacking.text}: run the parts' command without --shard and with --out {file} to complete it")
