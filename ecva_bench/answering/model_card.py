"""Model cards: what a reader must know about a model before using its numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ModelCard:
    """Where a model comes from, what it costs, and how this implementation differs from the authors'.

    `frames` and `visual_tokens` are what one question takes by default. `memory` is what a real run needs; it begins
    with the size of the weights in 16 bits, as in `14.1 GB of weights in 16 bits`. `deviations` lists all ways in which
    answers may differ from those of the authors' program, one sentence each. `packaged` weights come with this package.

    >>> import ecva_bench as eb

    >>> size = "14.1 GB of weights in 16 bits"
    >>> eb.ModelCard("Mine", "unpublished", "mine.py", "MIT", "MIT", (), "8", "256", size).parameters  # in billions
    7.05
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
    packaged: bool = False

    @property
    def parameters(self) -> float:
        """The number of parameters in billions, to within 0.03; computed from `memory`, at two bytes each."""
        return float(self.memory.split()[0]) / 2
