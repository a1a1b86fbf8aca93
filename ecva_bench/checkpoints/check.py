"""The result of comparing a checkpoint with the model it is for, by names and shapes. Reads no file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class PartCheck:
    """One network, or one file of weights, compared with what it should contain.

    `tensors` is how many were compared. `problems` maps `missing`, `unexpected`, `of another shape` and `of whole
    numbers` (quantised, where fractions belong) to the names of the tensors concerned; kinds without any are left out.
    """

    name: str
    where: str
    tensors: int
    problems: Mapping[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class CheckpointCheck:
    """Whether the files of a model's weights match the model, by names and shapes alone.

    `parameters` is the number of parameters of its networks, None where the comparison ended early: `stopped` says why.
    """

    parts: tuple[PartCheck, ...]
    parameters: int | None
    stopped: str = ""

    @property
    def passed(self) -> bool:
        """Whether all names and shapes match."""
        return not self.stopped and not any(part.problems for part in self.parts)
