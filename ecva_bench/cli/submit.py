"""`ecva-bench submit`: put a scored run into the leaderboards' folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .score import Data


def submit_command(
    results: Annotated[
        Path, typer.Argument(help="Results file of the run, or answers made elsewhere.", show_default=False)
    ],
    scores: Annotated[Path | None, typer.Option(help="Its scores file. Default: the one beside it.")] = None,
    data: Data = None,
    to: Annotated[Path, typer.Option(help="Folder of the leaderboards.")] = Path("leaderboards"),
    hardware: Annotated[str | None, typer.Option(help="What the run ran on, for the cost table.")] = None,
    usd: Annotated[float | None, typer.Option(min=0, help="What the whole run cost, in US dollars.")] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace this model's submission of the same name.")
    ] = False,
) -> None:
    """Write a submission: scores, signatures, settings, coverage and every video's value, but not the answers.

    It goes to <to>/<data set>/submissions/<results file's name>.json. `ecva-bench
    leaderboard --build <to>` makes the tables of it. A submission that is there
    and says something else is left alone, unless it is to be replaced.

    Examples:

      ecva-bench submit results.jsonl

      ecva-bench submit results.jsonl --hardware "1x A100 80 GB" --usd 3.20
    """
    from ..api.calls import read_answer_file
    from ..leaderboard.submission import submission, write_submission
    from ..scoring.files import read_scores, scores_path

    answers = read_answer_file(results, data)
    scored = read_scores(scores or scores_path(results, "standard"))
    made = submission(scored, answers, hardware=hardware, usd=usd)
    path = write_submission(made, to, replace=replace)
    print(f"wrote {path}")
    if made.dataset.renamed:
        print(f"data set: {made.dataset}")
    print(f"next: ecva-bench leaderboard --build {to}")
