"""`ecva-bench summary`: what to report of a scored run, and what to do next."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from ..untrusted import one_line, say_lines
from .named_files import UnseenOnly, each_run_once, unseen_scores
from .terminal import say_tables

NEXT_FOR_EMBEDDED = """next, with real videos (`{dataset}` is drawn by this program):
  ecva-bench data fetch cuva --to cuva
  ecva-bench doctor --data annotations.xlsx --videos cuva
  ecva-bench run --model {model} --data annotations.xlsx --videos cuva --subset 100 --out cuva.jsonl"""
NEXT = "next: ecva-bench leaderboard {files}"


def summary_command(
    runs: Annotated[
        list[Path],
        typer.Argument(
            help="Results files with their scores beside them, scores files, or submissions.", show_default=False
        ),
    ],
    baseline: Annotated[
        list[Path] | None,
        typer.Option(help="Scored run to compare with, over the same videos; may be repeated.", show_default=False),
    ] = None,
    unseen_only: UnseenOnly = False,
) -> None:
    """Say what to report of scored runs: a number per task with interval, floor and baseline, and what to do next.

    It is the number by which leaderboards rank. The baseline of
    classification is the most frequent class, that of timestamp the best
    span that is the same for every video; for the other tasks, name a run
    of `constant` with --baseline. A run that was asked about `still`,
    `shuffled` or `blank` videos also shows what its model uses, by view, and
    its `blank` score is a baseline.

    Examples:

      ecva-bench summary motion-mini.jsonl

      ecva-bench summary motion-mini.jsonl --baseline constant-mini.jsonl
    """
    from ..api.reading import read_run_with_settings
    from ..data.dataset import EMBEDDED
    from ..leaderboard.by_view import view_table
    from ..leaderboard.headline import headline_table
    from ..leaderboard.published import published_tables

    baselines = [read_run_with_settings(path) for path in unseen_scores(baseline or [], unseen_only)]
    runs = unseen_scores(each_run_once(runs), unseen_only)
    for run in runs:
        found = read_run_with_settings(run)
        views = view_table(found)
        say_tables([headline_table(found, baselines, published_tables()), *([views] if views else [])])
    dataset = found.dataset.current
    following = NEXT_FOR_EMBEDDED if dataset in EMBEDDED else NEXT
    model, files = one_line(found.scores.model), one_line(shlex.join(map(str, runs)))
    say_lines(following.format(dataset=dataset, model=model, files=files))
