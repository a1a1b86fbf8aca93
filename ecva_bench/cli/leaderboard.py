"""`ecva-bench leaderboard`: rank scored runs, with the published rows beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer


def leaderboard(
    scores: Annotated[
        list[Path] | None, typer.Argument(help="Scores files, as `ecva-bench score` writes them.", show_default=False)
    ] = None,
    published: Annotated[bool, typer.Option(help="Show the paper's rows below ours.")] = True,
    task: Annotated[str | None, typer.Option(help="Only this task.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write leaderboard.md and a CSV file per table to.")
    ] = None,
    form: Annotated[Literal["text", "md", "csv"], typer.Option("--format", help="Form to print in.")] = "text",
) -> None:
    """Rank scored runs: one table per task, view, protocol and set of samples.

    Without scores files, the paper's tables alone.

    Examples:

      ecva-bench leaderboard results.scores.jsonl other.scores.jsonl --task cause

      ecva-bench leaderboard *.scores.jsonl --out leaderboards/ours
    """
    from ..leaderboard import as_csv, as_markdown, as_text, leaderboards, published_tables, write_leaderboards
    from ..scoring import read_scores
    from ..tasks import resolve

    tables = leaderboards(
        [read_scores(path) for path in scores or ()],
        published=published_tables() if published else (),
        task=resolve([task])[0].name if task else None,
    )
    write = {"text": as_text, "md": as_markdown, "csv": as_csv}[form]
    print("\n".join(map(write, tables)))
    if out:
        for path in write_leaderboards(tables, out):
            print(f"wrote {path}")
