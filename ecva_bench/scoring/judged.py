"""The base of scorers that ask a judge: one batch of calls for all items, and a reason for every missing verdict.

Knows calls and verdicts, not the judge behind them. Texts reach the judge as fields of a payload. The question that the
judge sees is the task's, in the same words for every model and prompt set: a model's prompt may also say how long an
answer should be, which the judge should not consider.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

from ..errors import UsageError
from ..judging import Call, Judge, JudgePrompt, Verdict
from ..judging.prompts import load_prompt
from ..records.base import VIEWS, View, cuts_moments
from ..records.scores import JudgedPart
from .protocol import Protocol
from .scorer import Gap, Scorable, Scorer

QUESTIONS = {
    "description": "What abnormal event happens in the video?",
    "cause": "Why does the abnormal event in the video happen?",
    "effect": "What does the abnormal event in the video lead to?",
}

# One part of an item's score: a call to make, a verdict given by a rule without a call, or a reason why it is missing.
Part = Call | Verdict | Gap
Settled = Verdict | Gap


class JudgedScorer(Scorer):
    """A scorer over verdicts on answers to whole videos, in their own pictures or in others.

    Subclasses give what a `Scorer` does, and `prompt_names`.
    """

    tasks = tuple(QUESTIONS)
    views: ClassVar[tuple[View, ...]] = tuple(view for view in VIEWS if not cuts_moments(view))
    needs_judge = True

    def __init__(self, protocol: Protocol, judge: Judge) -> None:
        super().__init__(protocol)
        self.judge = judge
        own = {prompt.id: prompt for prompt in protocol.judge_prompts}
        self.prompts = {name: chosen_prompt(f"judge/{name}", own) for name in self.prompt_names()}
        self._keys: set[str] = set()  # of the votes asked for
        self._gaps: dict[str, dict[str, Gap]] = {}
        self._judged: dict[str, dict[str, JudgedPart]] = {}

    @abstractmethod
    def prompt_names(self) -> tuple[str, ...]:
        """Return the names of the judge prompts the scorer asks with."""

    def gaps(self, item: Scorable) -> Mapping[str, Gap]:
        """Return why columns of an item just scored have no value."""
        return self._gaps.get(item.key, {})

    def parts(self, item: Scorable) -> Mapping[str, JudgedPart]:
        """Return the verdicts on an item just scored, with the judge's reasons."""
        return self._judged.get(item.key, {})

    def settings(self) -> dict[str, str]:
        """Return the prompts, each with version and hash, and what determined the verdicts that were asked for."""
        prompts = (f"{name}.v{prompt.version}@{prompt.sha256[:8]}" for name, prompt in self.prompts.items())
        judge = self.judge.identity(self._keys) if self._keys else self.judge.identity()
        return {"prompts": ",".join(prompts), **judge}

    def call(self, name: str, item: Scorable, **texts: object) -> Call:
        """Return the call of a prompt about an item: the fields the prompt names, `texts` before those of the item."""
        fields = {
            "question": QUESTIONS[item.task],
            "reference": item.reference,
            "candidate": item.candidate,
            "key_sentences": list(item.key_sentences),
            **texts,
        }
        prompt = self.prompts[name]
        return Call(prompt, {field: fields[field] for field in prompt.fields})

    def settle(self, items: Sequence[Mapping[str, Part]]) -> list[dict[str, Settled]]:
        """Ask all calls of all items in one batch; an unscored verdict becomes a gap with its reason.

        Where the judge gives expectations, a verdict settled by rule is its own.
        """
        calls = [part for parts in items for part in parts.values() if isinstance(part, Call)]
        verdicts = self.judge.ask(calls) if calls else []
        self._keys.update(key for verdict in verdicts for key in verdict.keys)
        expects = any(verdict.expectations for verdict in verdicts)
        answered = iter(verdicts)

        def settled(part: Part) -> Settled:
            if isinstance(part, Call):
                part = next(answered)
                return Gap(f"judge: {part.reason}") if part.values is None else part
            if isinstance(part, Verdict) and expects:
                return Verdict(part.values, expectations=part.values)
            return part

        return [{name: settled(part) for name, part in parts.items()} for parts in items]

    def note(self, item: Scorable, parts: Mapping[str, Settled], gaps: dict[str, Gap]) -> None:
        """Store the verdicts on an item, and why columns of it have no value."""
        self._gaps[item.key] = gaps
        self._judged[item.key] = {
            name: JudgedPart(values=part.values, rationale=part.rationale)
            for name, part in parts.items()
            if isinstance(part, Verdict) and part.values is not None
        }


def chosen_prompt(prompt_id: str, own: Mapping[str, JudgePrompt]) -> JudgePrompt:
    """Return a user's prompt of this id, or the packaged one; `UsageError` where fields or scale differ."""
    packaged = load_prompt(prompt_id)
    prompt = own.get(prompt_id, packaged)
    if (set(prompt.fields), prompt.scale) != (set(packaged.fields), packaged.scale):
        raise UsageError("the prompt has other fields or another scale", prompt_id, "keep those of the packaged prompt")
    return prompt
