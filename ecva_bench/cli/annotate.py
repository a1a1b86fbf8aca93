"""`ecva-bench annotate`: have people annotate videos with tools they know, and see how far they agree."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated

import typer

from ..untrusted import say_json, say_lines
from .naming import NamingCommand

app = typer.Typer(help="Plan, exchange, compare and settle annotations made by people.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON in place of tables.")]


@app.command("agreement", cls=NamingCommand)
def annotate_agreement_command(
    annotations: Annotated[
        Path, typer.Argument(help="annotations.jsonl, or a workbook with two rounds.", show_default=False)
    ],
    gold: Annotated[
        Path | None, typer.Option(help="Adjudicated answers (annotate adjudicate), to screen annotators by.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the intervals and of what is shuffled.")] = 0,
    as_json: Json = False,
) -> None:
    """Say how far annotators agree: on moments, classes, severity digits, ranked sentences and texts.

    Blind annotations of the same videos are compared with one another, reviews with
    what they reviewed. Intervals are over videos. With --gold, annotators are
    screened: exit code 1 where one fails, or a batch goes back to the queue.

    Example: ecva-bench annotate agreement annotations.xlsx
    """
    from ..annotation.acts import read_acts
    from ..annotation.agreement import agreements
    from ..annotation.screening import screen
    from ..errors import DataError
    from ..leaderboard.forms import as_text
    from .annotate_tables import agreement_table, screening_table

    acts = read_acts(annotations)
    found = agreements(acts, seed=seed)
    screened = screen(acts, read_acts(gold)) if gold else []
    if not found and not screened:
        what = "no video was annotated by two people blind, or reviewed"
        raise DataError(what, annotations, "have some videos annotated twice: annotate queue --overlap")
    if as_json:
        content = {"agreement": [one.as_dict() for one in found], "screening": [one.as_dict() for one in screened]}
        say_json(json_module.dumps(content, ensure_ascii=False, indent=2))
    else:
        tables = [*map(agreement_table, found), *([screening_table(screened)] if screened else [])]
        say_lines("\n".join(map(as_text, tables)))
    if any(one.passed is False or one.batch for one in screened):
        raise typer.Exit(1)
