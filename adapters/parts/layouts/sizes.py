"""Sizes of a network, read from the shapes of its weights: the files of some authors state none. Knows no model."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from ecva_bench.checkpoints.filling import fill, mismatch_error, report_problems
from ecva_bench.checkpoints.tensors import Tensors, under

from ..placement import Placement


def tensor_of(tensors: Tensors, name: str, where: object) -> torch.Tensor:
    """Return a tensor; `CheckpointError` where there is none of that name in `where`."""
    if name not in tensors:
        raise mismatch_error({"missing": [name]}, "the model", where)
    return tensors[name]


def shape_of(tensors: Tensors, name: str, where: object) -> tuple[int, ...]:
    """Return the shape of a tensor; `CheckpointError` where there is none of that name in `where`."""
    return tuple(tensor_of(tensors, name, where).shape)


def numbers(tensors: Tensors, before: str, after: str = "") -> set[int]:
    """Return the numbers that follow `before` in names, such as those of a network's layers.

    With `after`, those alone whose names hold it behind the number.
    """
    parts = [name.removeprefix(before).partition(".") for name in tensors if name.startswith(before)]
    return {int(number) for number, _, rest in parts if number.isdecimal() and after in rest}


def check_widths(joined: Mapping[str, tuple[int, int]], what: str, where: object) -> None:
    """Raise `CheckpointError` where a weight has another width than what it is joined to: name -> (its width, theirs).

    The sizes of a part are read from its own weights, so each part alone is always right. In an inspection what is
    wrong is noted.
    """
    wrong = [f"{name} {own} for {other}" for name, (own, other) in joined.items() if own != other]
    report_problems({"of another shape": wrong}, what, where)


def load_linear(tensors: Tensors, name: str, where: object, placement: Placement) -> torch.nn.Linear:
    """Return the linear layer called `name`, with bias, of the shape of its weights and filled with them."""
    out, width = shape_of(tensors, f"{name}.weight", where)
    layer = placement.make(lambda: torch.nn.Linear(width, out))
    fill(layer, under(tensors, f"{name}."), f"{where} ({name})")
    return layer


def load_embedding(tensors: Tensors, name: str, where: object, placement: Placement) -> torch.nn.Embedding:
    """Return the table called `name`, of the shape of its weights and filled with them."""
    rows, width = shape_of(tensors, f"{name}.weight", where)
    table = placement.make(lambda: torch.nn.Embedding(rows, width))
    fill(table, under(tensors, f"{name}."), f"{where} ({name})")
    return table
