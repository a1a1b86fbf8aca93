"""What is asked of a judge and what comes back. Knows no model, no network and no metric."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..reading.verdicts import Scale


@dataclass(frozen=True)
class JudgePrompt:
    """The instructions of a judge, as a versioned file says them; `fields` are the data they speak of."""

    id: str
    version: int
    source: str
    text: str
    fields: tuple[str, ...]
    scale: Scale

    @property
    def sha256(self) -> str:
        """Hex SHA-256 of the instructions."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True)
class Call:
    """One question to a judge: instructions, and data that is never instructions, whatever it says."""

    prompt: JudgePrompt
    payload: Mapping[str, Any]

    @property
    def expected(self) -> int:
        """How many verdicts the reply must hold."""
        many = self.prompt.scale.many
        return len(self.payload[many]) if many else 1


@dataclass(frozen=True)
class Verdict:
    """What a judge said to one call, over all its votes.

    `values` holds the mean of the valid votes per verdict asked for (majority for yes/no: 1, 0, or 0.5 on a tie),
    None where the call is unscored; `expectations` the same from token log-probabilities where the endpoint gives
    them. `votes` are the single votes, None for one that could not be had; `reason` says why a call is unscored.
    `keys` are the content addresses of the votes.
    """

    values: tuple[float, ...] | None
    votes: tuple[tuple[int, ...] | None, ...] = ()
    expectations: tuple[float, ...] | None = None
    rationale: str = ""
    reason: str = ""
    keys: tuple[str, ...] = field(default=())

    @property
    def value(self) -> float | None:
        """The verdict of a call that asked for one; None where it is unscored."""
        return self.values[0] if self.values else None

    @property
    def expectation(self) -> float | None:
        """The expected verdict of a call that asked for one; None where there is none."""
        return self.expectations[0] if self.expectations else None


class Judge(Protocol):
    """What scorers ask. Replies come in the order of the calls; a call that fails is unscored, never an exception.

    An exhausted budget is an exception (`BudgetExhausted`): everything asked before is stored, and asking again
    goes on from there.
    """

    def ask(self, calls: Sequence[Call]) -> list[Verdict]:
        """Return one verdict per call."""

    def identity(self, keys: Collection[str] = ()) -> dict[str, str]:
        """Return what determined its verdicts, for signatures: model, temperature, seed, votes, as they really were.

        `keys` are the addresses of the votes meant, as verdicts name them; without any, all that it gave are.
        """
