"""`ecva-bench score`: score answers and write the scores beside them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from ..data import Dataset
    from ..records import Results, Scores


def score(
    files: Annotated[
        list[Path], typer.Argument(help="Results files, or the authors' answer files.", show_default=False)
    ],
    data: Annotated[
        str | None, typer.Option(help="Annotations for the authors' answer files; results files need none.")
    ] = None,
    task: Annotated[list[str] | None, typer.Option(help="Task to score; may be repeated. Default: all.")] = None,
    scorers: Annotated[
        str | None, typer.Option(help="Scorers by name, separated by commas, or all. Default: those of each task.")
    ] = None,
    protocol: Annotated[
        str, typer.Option(help="standard, or ecva-2024: the published figures' arithmetic.")
    ] = "standard",
    timestamp_unit: Annotated[
        Literal["seconds", "minutes", "mmss", "mm.ss"] | None,
        typer.Option(help="Unit of bare numbers in timestamp answers. Default: what our prompt asked for."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Scores file. Default: beside each results file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of the intervals and of the shuffled-reference floor.")] = 0,
) -> None:
    """Score answers: coverage first, then every metric with interval, floor and signature.

    A results file stands alone. The authors' answer files are joined by video id with the annotations that
    --data names.

    Examples:

      ecva-bench score results.jsonl

      ecva-bench score videollama2_classification.json --data annotations.xlsx --protocol ecva-2024
    """
    from ..data import load
    from ..errors import ResultsError, UsageError
    from ..leaderboard import as_text, score_sheets
    from ..records import canonical_json
    from ..scoring import score_results, scores_path, write_scores

    if out and len(files) > 1:
        raise UsageError(
            "one scores file cannot hold several results", out, "score them one by one, or leave out --out"
        )
    dataset = load(data) if data else None
    names = scorers.split(",") if scorers else None
    for file in files:
        results = _read(file, dataset, task)
        scores = score_results(
            results, scorers=names, tasks=task or (), protocol=protocol, timestamp_unit=timestamp_unit, seed=seed
        )
        print(canonical_json(_summary(scores)) if as_json else "\n".join(map(as_text, score_sheets(scores))))
        target = out or scores_path(file, protocol)
        try:
            write_scores(scores, target)
        except ResultsError as error:
            print(f"warning: {error}", file=sys.stderr)
        else:
            print(f"scores: {target}", file=sys.stderr)


def _read(file: Path, dataset: Dataset | None, tasks: list[str] | None) -> Results:
    """Read a results file, or an answer file of the authors' together with their annotations."""
    from .. import journal
    from ..data import read_released_answers
    from ..errors import UsageError
    from ..tasks import resolve

    if file.suffix == ".jsonl":
        return journal.read(file)
    if dataset is None:
        raise UsageError("an answer file holds no references", file, "name the annotations with --data")
    return read_released_answers(file, dataset, resolve(tasks)[0].name if tasks else None)


def _summary(scores: Scores) -> dict[str, object]:
    """Everything but the item scores, as JSON values."""
    return scores.model_dump(mode="json", exclude={"scores"})
