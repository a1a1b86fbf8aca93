"""Sizes of a network, read from the shapes of its weights: the files of some authors state none. Knows no model."""

from __future__ import annotations

import torch

from .placement import Placement
from .weights import Tensors, fill, misfit, under


def tensor_of(tensors: Tensors, name: str, where: object) -> torch.Tensor:
    """Return a tensor; `AdapterError` where there is none of that name in `where`."""
    if name not in tensors:
        raise misfit({"missing": [name]}, "the model", where)
    return tensors[name]


def shape_of(tensors: Tensors, name: str, where: object) -> tuple[int, ...]:
    """Return the shape of a tensor; `AdapterError` where there is none of that name in `where`."""
    return tuple(tensor_of(tensors, name, where).shape)


def numbers(tensors: Tensors, before: str, after: str = "") -> set[int]:
    """Return the numbers that follow `before` in names, such as those of a network's layers.

    With `after`, those alone whose names hold it behind the number.
    """
    parts = [name.removeprefix(before).partition(".") for name in tensors if name.startswith(before)]
    return {int(number) for number, _, rest in parts if number.isdecimal() and after in rest}


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
