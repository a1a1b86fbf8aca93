"""`ecva-bench compare`: whether scored runs differ."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from ..untrusted import say_json, say_lines
from .named_files import UnseenOnly, each_run_once, unseen_scores
from .options import listed
from .score import Data
from .terminal import say_tables

SCORED_RUN = "a scores file, or a results file with its scores beside it."
_RUN = "a scores file, a results file with its scores beside it, or answers made elsewhere."
Metric = Annotated[
    list[str] | None,
    typer.Option(
        help="Metrics, such as rougeL,cause/bleu; or repeated; or all. Default: what boards rank by.",
        show_default=False,
        callback=listed,
    ),
]
On = Annotated[
    Literal["owed", "all", "intersection"],
    typer.Option(
        help="owed: what all were asked, a missing answer at its worst; all: refuse runs over different samples; "
        "intersection: what both of a pair answered."
    ),
]
Form = Annotated[Literal["text", "md", "tex", "csv"], typer.Option("--format", help="Form to print in.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")]


def compare_command(
    runs: Annotated[list[Path], typer.Argument(help=f"Two runs or more, the base first: {_RUN}", show_default=False)],
    metric: Metric = None,
    task: Annotated[
        list[str] | None, typer.Option(help="Tasks to compare, as a,b or repeated. Default: all.", callback=listed)
    ] = None,
    on: On = "owed",
    seed: Seed = 0,
    data: Data = None,
    unseen_only: UnseenOnly = False,
    form: Form = "text",
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
) -> None:
    """Compare scored runs two by two: one metric per task, with interval, p-values and a sentence for a paper.

    Paired by question, resampled by video; p-values are corrected after Holm for
    all that is compared. A difference is the later run less the earlier one,
    turned so that a minus is always worse. Of two runs, the videos that moved
    most are named. Answers made elsewhere are scored for this with the
    annotations that --data names, by the metrics without a judge.

    Examples:

      ecva-bench compare constant-mini.jsonl motion-mini.jsonl

      ecva-bench compare constant-mini.jsonl motion-mini.jsonl --format tex

      ecva-bench compare constant-mini.jsonl motion-mini.jsonl --task cause --metric all --on intersection

      ecva-bench compare one.csv other.csv --data annotations.xlsx
    """
    from ..api.calls import compare_all
    from ..errors import UsageError
    from ..leaderboard.comparison_tables import comparison_sentence, comparison_tables
    from ..leaderboard.files import written
    from ..records.base import canonical_json

    runs = each_run_once(runs)
    if len(runs) < 2:
        raise UsageError("one run cannot be compared", runs[0], "name two or more, the base first")
    runs = unseen_scores(runs, unseen_only)
    found = compare_all(runs, metrics=metric or (), tasks=task or (), on=on, seed=seed, data=data)
    if as_json:
        several = [one.model_dump(mode="json") for one in found]
        say_json(canonical_json(several[0] if len(several) == 1 else {"comparisons": several}))
    elif form == "text":
        say_tables(comparison_tables(found))
        for one in found:
            say_lines(f"{comparison_sentence(one)}\n")
    else:
        say_lines(written(comparison_tables(found)[: 1 if form == "csv" else None], form))
