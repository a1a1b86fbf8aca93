"""A judge that reads what rules could not: which class an answer names, and which spans. Asked for, never by default.

What a judge read is marked with its name in the reading, and the signature says that one was asked. Knows prompts and
calls, and neither scores nor rules.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import UsageError
from ..judging import Call, Judge, Verdict
from ..judging.panel import Panel
from ..records import Label
from ..records.readings import Reading
from ..taxonomy import AnomalyClass
from .judged import chosen_prompt
from .protocol import Protocol

NONE = 99_999  # tenths of a second: no such span
WANTED = tuple(f"{edge} of span {number}" for number in (1, 2, 3) for edge in ("start", "end"))
_LOCAL = "hf:"


class SecondReader:
    """Reads answers with a judge, whose verdicts are numbers: a class, or tenths of a second."""

    def __init__(self, judge: Judge, protocol: Protocol) -> None:
        """Raises `UsageError` for a local judge, which tells apart verdicts of one digit alone, and for a panel."""
        if isinstance(judge, Panel):
            raise UsageError("a panel cannot read answers: the mean of two classes is none", remedy="name one judge")
        if judge.identity()["judge"].startswith(_LOCAL):
            raise UsageError(
                "a local judge cannot read answers", judge.identity()["judge"], "name a model at an endpoint"
            )
        own = {prompt.id: prompt for prompt in protocol.judge_prompts}
        self._judge = judge
        self._keys: set[str] = set()  # of the votes asked for
        self._prompts = {name: chosen_prompt(f"judge/{name}", own) for name in ("read-class", "read-spans")}

    def settings(self, name: str) -> dict[str, str]:
        """Return the prompt of this name and what determines the judge's verdicts, for a signature."""
        prompt = self._prompts[name]
        identity = "+".join(f"{key}={value}" for key, value in self._identity().items())
        return {"read-with": f"{name}.v{prompt.version}@{prompt.sha256[:8]}+{identity}"}

    def classes(self, texts: Sequence[str], offered: Sequence[Sequence[AnomalyClass]]) -> list[Reading | None]:
        """Return the class each text names, of those on offer to it; None where the judge finds none."""
        listed = [[f"{entry.code}. {entry.name}" for entry in classes] for classes in offered]
        prompt = self._prompts["read-class"]
        calls = [Call(prompt, {"classes": c, "answer": text}) for text, c in zip(texts, listed, strict=True)]
        pairs = zip(self._ask(calls), offered, strict=True)
        return [self._class(verdict, {entry.code for entry in classes}) for verdict, classes in pairs]

    def spans(self, texts: Sequence[str], durations: Sequence[float | None]) -> list[Reading | None]:
        """Return the spans each text names about a video of so many seconds; None where the judge finds none."""
        prompt = self._prompts["read-spans"]
        pairs = zip(texts, durations, strict=True)
        calls = [Call(prompt, {"answer": text, "duration": long, "wanted": list(WANTED)}) for text, long in pairs]
        return [self._spans(verdict, long) for verdict, long in zip(self._ask(calls), durations, strict=True)]

    def _class(self, verdict: Verdict, codes: set[int]) -> Reading | None:
        if verdict.value not in codes or not _agreed(verdict):
            return None
        return Reading(labels=(Label(major=int(verdict.value)),), rule="judge", by=self._name())

    def _spans(self, verdict: Verdict, duration: float | None) -> Reading | None:
        edges = verdict.values or ()
        pairs = [(start / 10, end / 10) for start, end in zip(edges[::2], edges[1::2], strict=True) if end < NONE]
        if (
            not pairs
            or not _agreed(verdict)
            or any(start > end or (duration and start > duration) for start, end in pairs)
        ):
            return None
        return Reading(spans=tuple(pairs), rule="judge", by=self._name())

    def _ask(self, calls: Sequence[Call]) -> list[Verdict]:
        verdicts = self._judge.ask(calls) if calls else []
        self._keys.update(key for verdict in verdicts for key in verdict.keys)
        return verdicts

    def _identity(self) -> dict[str, str]:
        return self._judge.identity(self._keys) if self._keys else self._judge.identity()

    def _name(self) -> str:
        return self._judge.identity()["judge"]


def _agreed(verdict: Verdict) -> bool:
    """Say whether all votes are the same: the mean of two classes is no class."""
    return len({vote for vote in verdict.votes if vote}) <= 1
