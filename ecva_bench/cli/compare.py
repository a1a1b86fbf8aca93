"""`ecva-bench compare`: whether two scored runs differ."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from ..untrusted import say_json, say_lines
from .named_files import UnseenOnly, unseen_scores
from .options import listed
from .score import Data

SCORED_RUN = "a scores file, or a results file with its scores beside it."
_RUN = "a scores file, a results file with its scores beside it, or answers made elsewhere."
Metric = Annotated[
    list[str] | None,
    typer.Option(help="Metrics, such as rougeL,cause/bleu; or repeated.", show_default=False, callback=listed),
]
On = Annotated[
    Literal["all", "intersection"],
    typer.Option(help="all: refuse runs over different samples; intersection: compare what both have."),
]
Seed = Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")]


def compare_command(
    base: Annotated[Path, typer.Argument(help=f"The run to compare with: {_RUN}", show_default=False)],
    new: Annotated[Path, typer.Argument(help=f"The other: {_RUN}", show_default=False)],
    metric: Metric = None,
    task: Annotated[
        list[str] | None, typer.Option(help="Tasks to compare, as a,b or repeated. Default: all.", callback=listed)
    ] = None,
    on: On = "all",
    seed: Seed = 0,
    data: Data = None,
    unseen_only: UnseenOnly = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
) -> None:
    """Compare two scored runs: every difference with its interval, and the videos that moved most.

    Paired by question, resampled by video; p-values are corrected after Holm for
    all metrics and tasks compared. A difference is the second run less the first,
    turned so that a minus is always worse. Answers made elsewhere are scored for
    this with the annotations that --data names, by the metrics without a judge.

    Examples:

      ecva-bench compare constant-mini.jsonl motion-mini.jsonl

      ecva-bench compare constant-mini.jsonl motion-mini.jsonl --task cause --metric gated --on intersection

      ecva-bench compare one.csv other.csv --data annotations.xlsx
    """
    from ..api import compare
    from ..leaderboard.compare import comparison_tables
    from ..leaderboard.forms import as_text
    from ..records.base import canonical_json

    base, new = unseen_scores([base, new], unseen_only)
    found = compare(base=base, new=new, metrics=metric or (), tasks=task or (), on=on, seed=seed, data=data).comparison
    tables = comparison_tables(found)
    if as_json:
        say_json(canonical_json(found.model_dump(mode="json")))
    else:
        say_lines("\n".join(map(as_text, tables)))
