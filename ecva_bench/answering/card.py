"""What a reader must know of a model before using its numbers. Knows no code."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Card:
    """Where a model comes from and how far ours is from it.

    `frames` and `visual_tokens` are what one question costs by default. `memory` is what a real run needs; it begins
    with the weights in 16 bits, as `14.1 GB of weights in 16 bits`. `deviations` are everything in which our answers
    may differ from the authors' program, one sentence each.
    """

    name: str
    paper: str
    code: str
    code_licence: str
    weights_licence: str
    hub_ids: tuple[str, ...]
    frames: str
    visual_tokens: str
    memory: str
    deviations: tuple[str, ...] = ()

    @property
    def parameters(self) -> float:
        """How many numbers the model has, in billions, to 0.03: two bytes of its weights are one."""
        return float(self.memory.split()[0]) / 2
