"""`ecva-bench leaderboard`: rank scored runs, with the published rows beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from ..untrusted import say, say_json, say_lines
from .named_files import each_run_once


def leaderboard_command(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Scores files, results files with their scores beside them, or submissions (.json).",
            show_default=False,
        ),
    ] = None,
    published: Annotated[bool, typer.Option(help="Show the paper's rows below ours.")] = True,
    task: Annotated[str | None, typer.Option(help="Only this task.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write every table to: Markdown, HTML, LaTeX, JSON, CSV.")
    ] = None,
    form: Annotated[
        Literal["text", "md", "html", "tex", "csv", "json"], typer.Option("--format", help="Form to print in.")
    ] = "text",
    build: Annotated[
        Path | None,
        typer.Option(help="Write the leaderboards of every data set in this folder from its submissions, no more."),
    ] = None,
) -> None:
    """Rank scored runs: one table per task, view, protocol and set of samples.

    Without files, the paper's tables alone.

    Examples:

      ecva-bench leaderboard motion-mini.scores.jsonl constant-mini.scores.jsonl --task cause

      ecva-bench leaderboard *.scores.jsonl --out board

      ecva-bench leaderboard --format tex > tables.tex

      ecva-bench leaderboard --build leaderboards
    """
    from ..api.calls import read_run
    from ..leaderboard.board import leaderboards
    from ..leaderboard.details import dataset_tables
    from ..leaderboard.files import build_leaderboards, write_leaderboards, written
    from ..leaderboard.published import published_tables
    from ..tasks import find_tasks
    from ..taxonomy import load_taxonomy

    names = {entry.code: entry.name for entry in load_taxonomy("cuva").classes}
    printed = published_tables() if published else []
    if build:
        for path in build_leaderboards(build, published=printed, class_names=names):
            say(f"wrote {path}")
        return
    submissions = [read_run(path) for path in each_run_once(runs or [])]
    only = find_tasks([task])[0].name if task else None
    shown = written(leaderboards(submissions, published=printed, task=only), form)
    if form == "json":
        say_json(shown)
    else:
        say_lines(shown)
    if out:
        tables = dataset_tables(submissions, published=printed, class_names=names, task=only)
        for path in write_leaderboards(tables, out):
            say(f"wrote {path}")
