"""`ecva-bench submit`: put a scored run into the leaderboards' folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..untrusted import say
from .named_files import only_answers
from .score import Data


def submit_command(
    results: Annotated[
        list[Path], typer.Argument(help="Results files of runs, or answers made elsewhere.", show_default=False)
    ],
    scores: Annotated[
        Path | None, typer.Option(help="The scores file, of one run. Default: the one beside each.")
    ] = None,
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

      ecva-bench submit motion-mini.jsonl

      ecva-bench submit motion-mini.jsonl --hardware "1x A100 80 GB" --usd 3.20
    """
    from ..api.calls import read_answer_file, read_scored
    from ..errors import UsageError
    from ..leaderboard.submission import submission, write_submission
    from ..scoring.files import read_scores

    results = only_answers(results)
    if len(results) > 1 and (scores or hardware or usd is not None):
        raise UsageError("--scores, --hardware and --usd are of one run", remedy="submit the runs one by one")
    for file in results:
        answers = read_answer_file(file, data)
        made = submission(read_scores(scores) if scores else read_scored(file), answers, hardware=hardware, usd=usd)
        say(f"wrote {write_submission(made, to, replace=replace)}")
        if made.dataset.renamed:
            say(f"data set: {made.dataset}")
    say(f"next: ecva-bench leaderboard --build {to}")
