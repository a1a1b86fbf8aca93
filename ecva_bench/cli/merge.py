"""`ecva-bench merge`: join the parts of one run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .named_files import only_answers


def merge_command(
    parts: Annotated[list[Path], typer.Argument(help="Results files of one run's parts.", show_default=False)],
    out: Annotated[Path, typer.Option(help="New results file.")] = Path("results.jsonl"),
    incomplete: Annotated[
        bool, typer.Option("--incomplete", help="Merge what is there, though parts or answers are absent.")
    ] = False,
) -> None:
    """Join the results files of `run --shard i/n` into one, by key; nothing is asked again.

    Where a part is absent or unfinished, nothing is merged. With --incomplete the
    new file still owes what is absent, and says so; the command of the parts
    without --shard, and with --out naming the new file, asks it.

    Example: ecva-bench merge part1.jsonl part2.jsonl --out results.jsonl
    """
    from ..journal.merging import merge_results
    from ..journal.results import read_results

    parts = only_answers(parts)
    merge_results(parts, out, incomplete)
    merged = read_results(out)
    owed, answers, errors = sum(map(len, merged.expects.values())), len(merged.answers), len(merged.failures)
    print(f"{out}: {len(parts)} files, {owed} answers owed: {answers} answers, {errors} errors, ", end="")
    print(f"{owed - answers - errors} missing")
    if merged.lacking:
        print(f"{merged.lacking.text}: run the parts' command without --shard and with --out {out} to complete it")
