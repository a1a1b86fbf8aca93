"""The interface of a judge's language model, local or remote: a reply to each vote. Knows no store and no metric."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from .calls import Call
from .store import Reply


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

    def answer(self, votes: Iterator[Vote], keep: Keep) -> None:
        """Send every vote to the model and pass every outcome to `keep` at once.

        Raises `BudgetExhausted` or `JudgeError`, but only after the replies under way were passed on.
        """

    def close(self) -> None:
        """Close connections."""
