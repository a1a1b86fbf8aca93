"""What a board shows beside its submissions: what classes, metrics and models are, and where answers can be seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


class Card(Protocol):
    """What a board reads of a model's card: an arXiv number with `arXiv` before it, and a GitHub repository."""

    @property
    def paper(self) -> str:
        """The paper, as `arXiv 2412.07183`."""

    @property
    def code(self) -> str:
        """The program, as `owner/name`."""


@dataclass(frozen=True)
class Background:
    """What is known of classes, metrics and models, by number or name; empty where nothing is.

    `class_names` are those of CUVA's classes by number; of a set with its own, names are what its questions listed.
    `metrics` say what a column means, by its scorer
    and name (`rouge/rouge2`). `cards` are those of models by the name they are run by. `answers` lead to the page
    of a run's answers, by the hash of its results file.
    """

    class_names: Mapping[int, str] = field(default_factory=dict)
    metrics: Mapping[str, str] = field(default_factory=dict)
    cards: Mapping[str, Card] = field(default_factory=dict)
    answers: Mapping[str, str] = field(default_factory=dict)


NOTHING_KNOWN = Background()
