"""`ecva-bench models`: what there is to ask, what it costs, whether its weights are here and whether they fit."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..untrusted import say, say_json
from ..wording import amount, counted, size
from . import options
from .naming import NamingCommand

if TYPE_CHECKING:
    from ..answering.models import ModelEntry
    from ..checkpoints.check import CheckpointCheck

app = typer.Typer(invoke_without_command=True)

_SHOWN = 10  # names of a problem that are printed; --all prints the rest
_COLUMNS = ("model", "size", "frames", "visual tokens", "memory", "licence of the weights", "here")


@app.callback()
def models_command(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything there is to know, as JSON.")] = False,
) -> None:
    """List the models that can be run, what one question costs each, and whether its weights are here; no network.

    Examples:

      ecva-bench models

      ecva-bench models show timechat

      ecva-bench models check videollama2 --model-path FOLDER
    """
    if context.invoked_subcommand:
        return
    import json

    from .. import registry
    from ..answering.adapter import ADAPTER_GROUP
    from ..answering.models import list_models

    found = list_models()
    if as_json:
        say_json(json.dumps([model.as_json() for model in found], ensure_ascii=False, indent=1))
        return
    _print_without_card([model for model in found if not model.card])
    _print_with_card([model for model in found if model.card])
    for note in registry.passed_over(ADAPTER_GROUP):
        say(note)
    say("size: billions of parameters; memory: of the weights in 16 bits;")
    say("here: how many of the hub's repositories it can need are on this machine; all of a card: models show NAME")


@app.command("show", cls=NamingCommand)
def models_show_command(name: Annotated[str, typer.Argument(help="A model's name.")]) -> None:
    """Print a model's card: paper, code, weights, licences, costs, and in what our answers may differ.

    Of a model of transformers (hf:ID or hf:FOLDER) it prints what its family is shown: frames, pixels, times.

    Example: ecva-bench models show timechat
    """
    from ..answering.models import find_model, target_rows

    model = find_model(name)
    say(model.summary or model.problem)
    if model.options:
        say(f"{'options':<13}  {', '.join(model.options)} (as --model-arg NAME=VALUE)")
    for field, text in target_rows(name):
        say(f"{field:<13}  {text}")
    if not model.card:
        return
    card = model.card
    ids = [f"{hub_id}{' (here)' if hub_id in model.here else ''}" for hub_id in card.hub_ids]
    rows = [
        ("name", card.name),
        ("paper", card.paper),
        ("code", f"{card.code}: {card.code_licence}"),
        *[("weights", hub_id) for hub_id in ids],
        ("licence", card.weights_licence),
        ("frames", card.frames),
        ("visual tokens", card.visual_tokens),
        ("memory", card.memory),
        *[("deviation", sentence) for sentence in card.deviations],
    ]
    for field, text in rows:
        say(f"{field:<13}  {text}")


@app.command("check", cls=NamingCommand)
def models_check_command(
    name: Annotated[str, typer.Argument(help="A model's name.")],
    model_path: options.ModelPath = None,
    model_arg: options.ModelArg = None,
    show_all: Annotated[bool, typer.Option("--all", help="Print all names, not the first ten of a kind.")] = False,
) -> None:
    """Say in seconds whether the files of a model's weights fit it: every name and shape, and no weights read.

    Nothing is downloaded. The exit code is 1 where something is missing, too much or of another shape.

    Examples:

      ecva-bench models check videollama2 --model-path FOLDER

      ecva-bench models check pandagpt --model-path FOLDER --model-arg base=VICUNA --model-arg imagebind=FOLDER
    """
    from ..answering import create_adapter

    weights = {"model_path": model_path} if model_path else {}
    found = create_adapter(name, {**options.model_options(model_arg), **weights}).check_checkpoint()
    _print_check(found, None if show_all else _SHOWN)
    if not found.passed:
        raise typer.Exit(1)


def _print_without_card(found: list[ModelEntry]) -> None:
    width = max((len(model.name) for model in found), default=0)
    for model in found:
        say(f"{model.name:<{width}}  {f'cannot be used ({model.problem})' if model.problem else model.summary}")


def _print_with_card(found: list[ModelEntry]) -> None:
    rows = [_COLUMNS, *[row for model in found if (row := _row(model))]]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    say()
    for row in rows:
        say("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
    say()


def _row(model: ModelEntry) -> tuple[str, ...] | None:
    if not (card := model.card):
        return None
    absent = "in the package" if card.packaged else "none released"
    where = f"{len(model.here)} of {len(card.hub_ids)}" if card.hub_ids else absent
    size = f"{card.parameters:.0f} B" if card.parameters >= 1 else f"{card.parameters:.3f} B"
    costs = (card.frames, card.visual_tokens, card.memory.partition(" of ")[0], card.weights_licence)
    return (model.name, size, *(_first_words(text) for text in costs), where)


def _first_words(text: str) -> str:
    """Return what stands before the first sign that something is added."""
    return re.split(r"[:;,(]", text)[0].strip()


def _print_check(check: CheckpointCheck, most: int | None) -> None:
    for part in check.parts:
        result = "does not fit" if part.problems else f"fits: {counted(part.tensors, 'tensor')}"
        say(f"{part.name}: {result}  [{_shortened(part.where)}]")
        for problem, names in part.problems.items():
            say(f"  {len(names):,} {problem}")
            for name in names[:most]:
                say(f"    {name}")
            if names[len(names) if most is None else most :]:
                say(f"    … and {len(names) - (most or 0):,} more (--all)")
    if check.parameters is not None:
        say(f"{amount(check.parameters)} parameters, {size(check.parameters * 2)} in 16 bits")
    if check.stopped:
        say(f"not compared further: {check.stopped}")
    say("the weights fit" if check.passed else "the weights do not fit")


def _shortened(where: str) -> str:
    path = Path(where)
    return where if path.parent == Path() else f"{path.parent.name}/{path.name}"
