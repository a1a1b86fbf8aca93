"""The interface of a judge's language model, local or remote: a reply to each vote. Knows no store and no metric."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from .calls import Call
from .store import Cost, Reply


@dataclass(frozen=True)
class Vote:
    """One request of a call to a model. `key` is the content address of `request`, its canonical JSON."""

    call: Call
    seed: int
    key: str
    request: str


# A vote's reply, or the reason why there is none ("failed: …"). Reasons are not stored.
Outcome = Reply | str
# Called with outcomes as soon as they arrive, several at once where they arrive together.
Keep = Callable[[Sequence[tuple[Vote, Outcome]]], None]


class Backend(Protocol):
    """A language model. `kind` and `parameters` are part of every content address."""

    kind: ClassVar[str]

    @property
    def model(self) -> str:
        """Return the model's unique name."""

    def parameters(self, seed: int) -> dict[str, Any]:
        """Return the sampling parameters of a vote with this seed."""

    @property
    def limited(self) -> bool:
        """Return whether there is a budget."""

    def estimate(self, vote: Vote) -> Cost | None:
        """Return what asking for a vote is likely to cost; None where that is written down elsewhere, or is free."""

    def take_cost(self, vote: Vote) -> Cost:
        """Return what was spent on a vote since the last call of this."""

    def count_before(self, votes: Sequence[Vote], replies: Mapping[str, Reply], costs: Mapping[str, Cost]) -> None:
        """Count what these votes have cost earlier commands, by key, against the budget."""

    def answer(self, votes: Iterator[Vote], keep: Keep) -> None:
        """Send every vote to the model and pass every outcome to `keep` at once.

        Raises `BudgetExhausted` or `JudgeError`, but only after the replies under way were passed on.
        """

    def close(self) -> None:
        """Close connections."""
