"""`ecva-bench merge`: join the shards of one run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def merge(
    shards: Annotated[list[Path], typer.Argument(help="Results files of one run's shards.", show_default=False)],
    out: Annotated[Path, typer.Option(help="New results file.")] = Path("results.jsonl"),
) -> None:
    """Join the results files of `run --shard i/n` into one, by key; nothing is asked again.

    Example: ecva-bench merge part1.jsonl part2.jsonl --out results.jsonl
    """
    from ..journal import merge as merge_results

    manifest = merge_results(shards, out)
    print(f"{out}: {len(shards)} shards, {sum(map(len, manifest.expects.values()))} answers owed")
