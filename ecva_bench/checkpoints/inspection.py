"""Weights compared by names and shapes alone, in seconds, whatever their size: a model's own loading, without numbers.

Inside `inspecting()`, files give tensors without numbers (`weights`), and what does not fit is noted and is no error;
with networks on torch's meta device, which have no numbers either, `Composed.build` compares and copies nothing. Knows
no file and no network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

import torch

from .check import PartCheck

_INSPECTED: ContextVar[list[PartCheck] | None] = ContextVar("inspected", default=None)


@contextmanager
def inspecting() -> Iterator[list[PartCheck]]:
    """Give the list in which everything is noted that is compared until the end."""
    parts: list[PartCheck] = []
    token = _INSPECTED.set(parts)
    try:
        yield parts
    finally:
        _INSPECTED.reset(token)


def inspected() -> list[PartCheck] | None:
    """Return the list in which to note what was compared; None outside of an inspection, where it is an error."""
    return _INSPECTED.get()


def without_numbers(tensors: Mapping[str, torch.Tensor]) -> Mapping[str, torch.Tensor]:
    """Return the tensors of a file as an inspection sees them, which are on disk still; outside of one, unchanged."""
    if inspected() is None:
        return tensors
    return {name: tensor.to("meta") for name, tensor in tensors.items()}


def count_parameters(*networks: object) -> int:
    """Return how many numbers networks have; one that is shared counts once, what is no network not at all."""
    modules = [network for network in networks if isinstance(network, torch.nn.Module)]
    return sum(each.numel() for each in torch.nn.ModuleList(modules).parameters())
