"""Whether the files of a model's weights fit it, by names and shapes. Knows no file and no model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Part:
    """One network, or one file of weights, compared with what it should hold.

    `tensors` is how many were compared. `problems` are the names by what is wrong with them: `missing`, `unexpected`,
    `of another shape`; those without names are left out.
    """

    name: str
    where: str
    tensors: int
    problems: Mapping[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Fit:
    """Whether a model's files fit it, by names and shapes alone.

    `parameters` is how many numbers its networks have, None where the comparison ended early: `stopped` says why.
    """

    parts: tuple[Part, ...]
    parameters: int | None
    stopped: str = ""

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.stopped and not any(part.problems for part in self.parts)
