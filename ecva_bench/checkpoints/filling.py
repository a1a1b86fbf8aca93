"""Networks filled from tensors by name and shape: every name has its place, or one error lists all that have none.

In an inspection (`inspection`) what is wrong is noted in place of an error.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import torch

from ..errors import CheckpointError
from .check import PartCheck
from .inspection import inspected
from .tensors import Tensors, under

_SHOWN = 20


def fill(module: torch.nn.Module, tensors: Tensors, where: object) -> None:
    """Copy tensors into a module, in the module's dtype and on its device; the names must be its own, all of them.

    Raises one `CheckpointError` that lists what is missing and unexpected, of another shape, or of whole numbers where
    fractions belong; `where` is the file or folder it names.
    """
    what, targets = type(module).__name__, module.state_dict()
    problems = compare_names(targets, tensors, what, where)
    shapes, kinds = [], []
    with torch.no_grad():
        for name in (name for name in targets if name in tensors):
            tensor, target = tensors[name], targets[name]
            if tensor.shape != target.shape:
                shapes.append(f"{name} {shape_text(tensor.shape)} for {shape_text(target.shape)}")
            elif target.is_floating_point() and not tensor.is_floating_point():
                kinds.append(name)  # quantised: its numbers mean nothing without their scales
            else:
                target.copy_(tensor)
    report_problems({**problems, "of another shape": shapes, "of whole numbers": kinds}, what, where, len(targets))


def parted(tensors: Tensors, names: Iterable[str], what: str, where: object) -> dict[str, Tensors]:
    """Return by each prefix, one of `names` that ends in a dot, the tensors whose names begin with it, without it.

    The others of `names` are whole names. Raises `CheckpointError` that names all tensors that have no place there;
    `what` and `where` are the model and its file.
    """
    known = set(names)
    prefixes = tuple(name for name in known if name.endswith("."))
    strange = sorted(name for name in tensors if name not in known and not name.startswith(prefixes))
    report_problems({"unexpected": strange}, what, where)
    return {prefix: under(tensors, prefix) for prefix in prefixes}


def compare_names(expected: Collection[str], given: Collection[str], what: str, where: object) -> dict[str, list[str]]:
    """Return which names are missing and unexpected: none, but in an inspection.

    Elsewhere raises the `CheckpointError` of `report_problems`, so that nothing is read in vain.
    """
    problems = {"missing": sorted({*expected} - {*given}), "unexpected": sorted({*given} - {*expected})}
    if inspected() is None:
        report_problems(problems, what, where)
    return problems


def report_problems(problems: Mapping[str, list[str]], what: str, where: object, tensors: int = 0) -> None:
    """Raise one `CheckpointError` that lists the names of each problem, at most 20; return where there are none.

    In an inspection, note them and the number of `tensors` compared, and return in any case.
    """
    found = inspected()
    if found is None:
        if any(problems.values()):
            raise mismatch_error(problems, what, where)
    elif tensors or any(problems.values()):
        found.append(
            PartCheck(what, str(where), tensors, {problem: names for problem, names in problems.items() if names})
        )


def mismatch_error(problems: Mapping[str, list[str]], what: str, where: object) -> CheckpointError:
    """Return the error that lists the names of each problem, at most 20."""
    listed = [
        f"{len(names)} {problem}: {', '.join(names[:_SHOWN])}{', …' if len(names) > _SHOWN else ''}"
        for problem, names in problems.items()
        if names
    ]
    remedy = "name the checkpoint this network was made for, whole and in its authors' layout"
    return CheckpointError(f"the weights do not fit {what} ({'; '.join(listed)})", where, remedy)


def shape_text(shape: Sequence[int]) -> str:
    """Return a shape as errors write it: `2x3`."""
    return "x".join(map(str, shape)) or "scalar"
