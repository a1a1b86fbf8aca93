"""What the judge needs of a language model, near or far: a reply to each vote. Knows no store and no metric."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from .calls import Call
from .store import Reply


@dataclass(frozen=True)
class Vote:
    """A call put to a model once. `key` is the content address of `request`, its canonical JSON."""

    call: Call
    seed: int
    key: str
    request: str


# A vote's reply, or the reason why there is none ("failed: …"), which is not stored.
Outcome = Reply | str
# Takes the outcomes that came together, as they come.
Keep = Callable[[Sequence[tuple[Vote, Outcome]]], None]


class Backend(Protocol):
    """A way to a model. `kind` and `parameters` are part of every content address."""

    kind: ClassVar[str]

    @property
    def model(self) -> str:
        """Return what tells the model from every other."""

    def parameters(self, seed: int) -> dict[str, Any]:
        """Return how the model is sampled for a vote with this seed."""

    def answer(self, votes: Iterator[Vote], keep: Keep) -> None:
        """Put every vote to the model and hand every outcome to `keep` at once.

        Raises `BudgetExhausted` or `JudgeError` after every reply under way was kept.
        """

    def close(self) -> None:
        """Let go of connections."""
