"""`ecva-bench export`: a run's answers, or its scores, as another program's file."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from ..untrusted import say
from ..wording import counted
from . import score

if TYPE_CHECKING:
    from ..interchange.every_eval_ever import Evaluator

_To = Annotated[
    str,
    typer.Option(
        help="Form: csv, lmms-eval, parquet, qvhighlights or vlmevalkit; of scores, eval-results or every-eval-ever.",
        show_default=False,
    ),
]
_Out = Annotated[
    Path | None, typer.Option(help="New file, or the folder of a form of scores. Default: beside the results file.")
]
_Scores = Annotated[Path | None, typer.Option(help="The scores file. Default: the one beside the results file.")]
_HubDataset = Annotated[
    str,
    typer.Option(help="The data set's repository on the hub, OWNER/NAME or OWNER/NAME@REVISION.", show_default=False),
]
_Source = Annotated[str | None, typer.Option(help="Link to where the results lie, for eval-results.")]
_ModelId = Annotated[
    str, typer.Option(help="The model's id, OWNER/NAME, for every-eval-ever.", show_default="its checkpoint's")
]
_Organization = Annotated[str | None, typer.Option(help="Who evaluated, for every-eval-ever.")]
_Relationship = Annotated[
    str | None,
    typer.Option(help="Who that is to the model: first_party, third_party, collaborative or other."),
]


def export_command(
    results: Annotated[Path, typer.Argument(help="Results file.", show_default=False)],
    to: _To,
    data: score.Data = None,
    out: _Out = None,
    scores: _Scores = None,
    hub_dataset: _HubDataset = "",
    source: _Source = None,
    model_id: _ModelId = "",
    organization: _Organization = None,
    relationship: _Relationship = None,
) -> None:
    """Write answers, or scores, in the form of another program.

    A form of answers holds them with task, view and reference, and says which
    could not be had; `ecva-bench import` reads it again. `qvhighlights` holds
    the curves of the task severity alone, for that data set's evaluation, and
    is not read again.

    eval-results: `.eval_results/*.yaml` for a model's repository on the Hugging
    Face Hub, and `eval.yaml` for a benchmark's. every-eval-ever: a record of
    Every Eval Ever with its instances, which `import` reads again.

    Examples:

      ecva-bench export motion-mini.jsonl --to csv

      ecva-bench export motion-mini.jsonl --to eval-results --hub-dataset me/my-benchmark

      ecva-bench export motion-mini.jsonl --to every-eval-ever --organization "My lab"
    """
    from ..api.exports import SCORED_FORMS, export_notes, export_scored, scored_run
    from ..api.reading import read_answer_file
    from ..errors import UsageError
    from ..interchange.export import FORMS, default_name, export_results

    if to not in FORMS and to not in SCORED_FORMS:
        raise UsageError(f"there is no form {to!r}", remedy=f"available: {', '.join([*FORMS, *SCORED_FORMS])}")
    if to in FORMS:
        of_scores = {"--scores": scores, "--hub-dataset": hub_dataset, "--source": source, "--model-id": model_id}
        of_scores |= {"--organization": organization, "--relationship": relationship}
        if given := [name for name, value in of_scores.items() if value]:
            raise UsageError(f"the form {to} holds no scores", given[0], f"leave out {', '.join(given)}")
        target = out or default_name(results, to)
        count = export_results(read_answer_file(results, data), to, target)
        say(f"wrote {target}: {counted(count, 'row')}")
        return
    by = _evaluator(organization or "unknown", relationship or "other", model_id, hub_dataset.partition("@")[0])
    run = scored_run(results, scores, data)
    target = out or results.with_name(f"{results.stem}_{to}")
    written = export_scored(run, to, target, dataset=hub_dataset, source=source, by=by)
    for path in written:
        say(f"wrote {path}")
    for line in export_notes(run, to, written, named=bool(model_id or run.checkpoint)):
        say(line, error=True)
    for line in _next(to, target):
        say(line)


def _evaluator(organization: str, relationship: str, model: str, dataset: str) -> Evaluator:
    from ..errors import UsageError
    from ..interchange.every_eval_ever import RELATIONSHIPS, Evaluator

    if relationship not in RELATIONSHIPS:
        what = f"{relationship!r} is no relationship to a model"
        raise UsageError(what, "--relationship", f"write one of {', '.join(RELATIONSHIPS)}")
    return Evaluator(organization, relationship, model, dataset)


def _next(form: str, folder: Path) -> list[str]:
    """Return what to do with the files of a form of scores."""
    if form == "eval-results":
        return [
            f"next: copy {folder}/model into the model's repository, or open a pull request there; it shows on the hub"
            " where the data set is registered as a benchmark.",
            f"who registers one copies {folder}/dataset into its repository; the hub takes an eval.yaml once it lists"
            " the framework ecva-bench (huggingface.js, packages/tasks/src/eval.ts).",
        ]
    return [
        f"next: cd {quote(str(folder))} && every_eval_ever validate 'data/*/*/*/*.json*' (pip install every-eval-ever)"
    ]
