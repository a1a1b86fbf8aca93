"""Calls to a judge and its verdicts. Knows no model, no network and no metric."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from ..reading.verdicts import Scale


@dataclass(frozen=True)
class JudgePrompt:
    """The instructions of a judge, from a versioned file; `fields` are the names of the data they refer to.

    >>> import ecva_bench as eb

    >>> prompt = eb.JudgePrompt("judge/mine", 1, "my paper", "Is it right?", ("answer",), eb.Scale(0, 1))
    >>> prompt.scale.yes_no
    True
    """

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
    """One question to a judge: instructions and data. Data is never treated as instructions, whatever it says.

    >>> import ecva_bench as eb

    >>> scale = eb.Scale(0, 1, many="facts")  # one verdict for each of them
    >>> prompt = eb.JudgePrompt("judge/mine", 1, "my paper", "Which are named?", ("answer", "facts"), scale)
    >>> eb.Call(prompt, {"answer": "A car.", "facts": ["a car", "a wall"]}).expected
    2
    """

    prompt: JudgePrompt
    payload: Mapping[str, Any]

    @property
    def expected(self) -> int:
        """How many verdicts the reply must contain."""
        many = self.prompt.scale.many
        return len(self.payload[many]) if many else 1


@dataclass(frozen=True)
class Verdict:
    """The result of one call, over all its votes.

    `values` are, for each verdict asked for, the mean of the valid votes (for yes/no the majority: 1, 0, or 0.5 on a
    tie), None where the call is unscored. `expectations` are the same from token log-probabilities, where the endpoint
    gives them. `votes` are the single votes, None for a vote without a verdict; `reason` says why a call is unscored.
    `keys` are the content addresses of the votes. `passing`: what there is no verdict for may pass and has nothing to
    do with what was asked, such as a lost connection.

    >>> import ecva_bench as eb

    >>> eb.Verdict((1.0,)).value, eb.Verdict(None, reason="the judge gave no verdict").value
    (1.0, None)
    """

    values: tuple[float, ...] | None
    votes: tuple[tuple[int, ...] | None, ...] = ()
    expectations: tuple[float, ...] | None = None
    rationale: str = ""
    reason: str = ""
    keys: tuple[str, ...] = field(default=())
    passing: bool = False

    @property
    def value(self) -> float | None:
        """The verdict of a call that asked for one; None where it is unscored."""
        return self.values[0] if self.values else None

    @property
    def expectation(self) -> float | None:
        """The expected verdict of a call that asked for one; None where there is none."""
        return self.expectations[0] if self.expectations else None


class Judge(Protocol):
    """The interface that scorers use. Verdicts come in the order of the calls; a call that fails is unscored.

    Only an exhausted budget is an exception (`BudgetExhausted`): earlier replies are stored, and asking again goes on
    from there.

    >>> import ecva_bench as eb

    >>> class Lenient:
    ...     def ask(self, calls):
    ...         return [eb.Verdict((float(call.prompt.scale.high),) * call.expected) for call in calls]
    ...     def identity(self, keys=()):
    ...         return {"model": "lenient"}
    >>> outcome = eb.run("motion", tasks="cause", limit=1)
    >>> eb.score(outcome, scorers="gpt", judge=Lenient()).rows()[0]["mean"]
    5.0
    """

    def ask(self, calls: Sequence[Call]) -> list[Verdict]:
        """Return one verdict per call."""

    def identity(self, keys: Collection[str] = ()) -> dict[str, str]:
        """Return what determined its verdicts, for signatures: model, temperature, seed and votes as really used.

        `keys` are the addresses of the votes that count, as in `Verdict.keys`; without any, all votes so far count.
        """


@runtime_checkable
class ReplayingJudge(Protocol):
    """A judge whose calls may be those of an export alone."""

    def lacks(self, calls: Sequence[Call]) -> bool:
        """Return whether nothing more is asked, and a reply to one of these calls is not there."""
