"""`ecva-bench gate`: whether a run is worse than its base, for continuous integration."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ..untrusted import say, say_lines
from .compare import SCORED_RUN, Seed
from .named_files import UnseenOnly, unseen_scores
from .options import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..leaderboard.exact import Reproduction
    from ..leaderboard.gate import Gate
    from ..leaderboard.table import Table
    from ..leaderboard.verdict import Case
    from ..records.scores import Scores

New = Annotated[Path, typer.Argument(help=f"The run to judge: {SCORED_RUN}", show_default=False)]
Against = Annotated[Path, typer.Option(help=f"Its base: {SCORED_RUN}", show_default=False)]
Margin = Annotated[
    list[str] | None,
    typer.Option(
        help="Loss that is tolerated, as metric=loss in the metric's own unit: gated=0.005 is half a percentage point; "
        "may be repeated. Default: none.",
        show_default=False,
    ),
]
Metric = Annotated[
    list[str] | None,
    typer.Option(
        help="Metrics to check, as a,b or repeated, or all. Default: those that leaderboards rank by.", callback=listed
    ),
]
Calibrate = Annotated[
    list[Path] | None,
    typer.Option(
        help="Another run of the base's own system; may be repeated. Margins are raised to what these differ by."
    ),
]
Exact = Annotated[bool, typer.Option(help="Every number must be equal to the last digit; no statistics.")]
Strict = Annotated[bool, typer.Option(help="End with code 1 on WARN and 3 on INCONCLUSIVE too.")]
History = Annotated[
    Path | None,
    typer.Option(help="File to append the means to; the summary draws the last 20 runs in it.", show_default=False),
]
Out = Annotated[Path | None, typer.Option(help="Folder to write verdict.json and junit.xml to.", show_default=False)]
Data = Annotated[
    str | None,
    typer.Option(help="Annotations to check both runs by, of a data set that is not embedded.", show_default=False),
]
Summary = Annotated[
    Path | None,
    typer.Option(help="File to append the summary to, as Markdown.", envvar="GITHUB_STEP_SUMMARY", show_default=False),
]

On = Annotated[
    Literal["all", "intersection"],
    typer.Option(help="all: refuse runs over different samples; intersection: compare what both have."),
]


def gate_command(
    new: New,
    against: Against,
    margin: Margin = None,
    metric: Metric = None,
    calibrate: Calibrate = None,
    on: On = "all",
    exact: Exact = False,
    strict: Strict = False,
    seed: Seed = 0,
    data: Data = None,
    unseen_only: UnseenOnly = False,
    history: History = None,
    out: Out = None,
    summary: Summary = None,
) -> None:
    """Judge whether a run is worse than its base: PASS, WARN, FAIL, INCONCLUSIVE or INVALID.

    Ends with code 1 on FAIL (surely worse than tolerated) and 2 on INVALID (data
    set, prompts, judge or coverage differ). Give it once: a gate that is run
    again until it passes tests nothing.

    Examples:

      ecva-bench gate new.jsonl --against base.jsonl --margin gated=0.005

      ecva-bench gate new.jsonl --against base.jsonl --calibrate base2.jsonl --calibrate base3.jsonl --out gate/

      ecva-bench gate new.scores.jsonl --against frozen.scores.jsonl --exact
    """
    from ..api.boards import video_classes
    from ..api.reading import answers_of_scored, read_scored
    from ..data import load_dataset

    _check_exact(exact, bool(margin or metric or calibrate or history or on != "all"))
    datasets = [load_dataset(data)] if data else []
    answers = None if exact else answers_of_scored(new, datasets)
    classes = video_classes(answers) if answers else {}
    against, new, *others = unseen_scores([against, new, *(calibrate or [])], unseen_only)
    new_scores = read_scored(new, datasets, answers)
    del answers  # two runs of answers together may be too much for the memory
    base_scores = read_scored(against, datasets)
    if exact:
        _reproduce(against=base_scores, new=new_scores, strict=strict, out=out, summary=summary)
        return
    from ..leaderboard.gate import gate, read_margins
    from ..leaderboard.gate_report import gate_cases

    found = gate(
        base=base_scores,
        new=new_scores,
        margins=read_margins(margin or ()),
        calibration=[read_scored(path, datasets) for path in others],
        metrics=metric or (),
        on=on,
        classes=classes,
        seed=seed,
    )
    say_lines("".join(f"{case.verdict}  {case.name}  {case.text}\n" for case in gate_cases(found)))
    _end(found, gate_cases(found), _tables(found, history), strict=strict, out=out, summary=summary)


def _check_exact(exact: bool, statistics: bool) -> None:
    from ..errors import UsageError

    if exact and statistics:
        raise UsageError("--exact compares everything, without statistics", remedy="leave out the other options")


def _tables(found: Gate, history: Path | None) -> list[Table]:
    from ..leaderboard.gate_report import gate_tables
    from ..leaderboard.history import remember

    return gate_tables(found, remember(found, history) if history else None)


def _reproduce(*, against: Scores, new: Scores, strict: bool, out: Path | None, summary: Path | None) -> None:
    from ..leaderboard.exact import reproduce, reproduction_table

    found = reproduce(base=against, new=new)
    _end(found, found.cases, [reproduction_table(found)], strict=strict, out=out, summary=summary)


def _end(
    found: Gate | Reproduction,
    cases: Sequence[Case],
    tables: Sequence[Table],
    *,
    strict: bool,
    out: Path | None,
    summary: Path | None,
) -> None:
    """Print the outcome, write it to the files asked for, and end with the exit code of the verdict."""
    from ..leaderboard.forms import as_text
    from ..leaderboard.gate_files import append_summary, write_gate
    from ..leaderboard.github import as_annotations
    from ..leaderboard.verdict import exit_code

    say_lines("\n".join(map(as_text, tables)))
    if os.environ.get("GITHUB_ACTIONS"):
        print("\n".join(as_annotations(cases)))  # commands to GitHub, each of our making
    if out:
        for path in write_gate(found, cases, out, suite=f"{found.new.name} against {found.base.name}", strict=strict):
            say(f"wrote {path}", error=True)
    if summary:
        append_summary(tables, summary)
    raise typer.Exit(exit_code(found.verdict, strict=strict))
