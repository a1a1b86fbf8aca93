"""The base of scorers that ask a judge: one batch of calls for all items, and a reason for every missing verdict.

Knows calls and verdicts, not the judge behind them. Texts reach the judge as fields of a payload. The question that the
judge sees is the task's, in the same words for every model and prompt set: a model's prompt may also say how long an
answer should be, which the judge should not consider.

A judge that refuses, or answers out of form, is asked once more with the reference in the answer's place. Where it
judges that, the answer was the cause, and counts as a missing one; where not, no answer can be judged here, and the
sample counts for no run that is compared with this one.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import ClassVar, Self

from ..errors import UsageError
from ..judging import Call, Judge, JudgePrompt, Verdict
from ..judging.prompts import load_prompt
from ..records.base import VIEWS, View, cuts_moments
from ..records.verdicts import NO_VERDICT, JudgedPart, Qualification
from .controls import Controls, controls_of
from .protocol import Protocol
from .scorer import Gap, Scorable, Scorer

QUESTIONS = {
    "description": "What abnormal event happens in the video?",
    "cause": "Why does the abnormal event in the video happen?",
    "effect": "What does the abnormal event in the video lead to?",
}

_ANSWERS = ("candidate", "edited_candidate")  # the fields of a call that a model wrote

# One part of an item's score: a call to make, a verdict given by a rule without a call, or a reason why it is missing.
Part = Call | Verdict | Gap
Settled = Verdict | Gap


class JudgedScorer(Scorer):
    """A scorer over verdicts on answers to whole videos, in their own pictures or in others.

    Subclasses give what a `Scorer` does, and `prompt_names`. `untested` are columns in which a wrong answer may be as
    good as a right one, such as style: the judge is not measured by them. `counted_in` are, by part, the columns that
    count its reply where they are called otherwise; one may count a yes as 0, as `s3` does.
    """

    tasks = tuple(QUESTIONS)
    views: ClassVar[tuple[View, ...]] = tuple(view for view in VIEWS if not cuts_moments(view))
    needs_judge = True
    untested: ClassVar[frozenset[str]] = frozenset()
    counted_in: ClassVar[Mapping[str, str]] = {}

    def __init__(self, protocol: Protocol, judge: Judge) -> None:
        super().__init__(protocol)
        self.judge = judge
        own = {prompt.id: prompt for prompt in protocol.judge_prompts}
        self.prompts = {name: chosen_prompt(f"judge/{name}", own) for name in self.prompt_names()}
        self._keys: set[str] = set()  # of the votes asked for
        self._gaps: dict[str, dict[str, Gap]] = {}
        self._judged: dict[str, dict[str, JudgedPart]] = {}
        self.qualifications: dict[str, Qualification] = {}  # by column; for `qualification.ask_controls` to set

    def with_judge(self, judge: Judge) -> Self:
        """Return the scorer with this judge and without anything it was told before."""
        fresh = copy(self)
        fresh.judge, fresh._keys, fresh._gaps, fresh._judged = judge, set(), {}, {}
        return fresh

    def controls(self, item: Scorable, other: Scorable | None) -> Controls | None:
        """Return answers to a question of which it is known whether they are right; `other` is about another video.

        A metric that does not hold answers against the reference gives others, or None: its judge is asked nothing.
        """
        return controls_of(item, other)

    def qualification(self, column: str) -> Qualification | None:
        """Return how well the judge tells right answers from wrong ones in a column."""
        return self.qualifications.get(column)

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
        return {"prompts": ",".join(prompts), **judge, **self._qualified()}

    def _qualified(self) -> dict[str, str]:
        """Return whether the judge qualified; nothing where it was not asked."""
        if not self.qualifications:
            return {}
        return {"qualified": "yes" if all(one.qualifies for one in self.qualifications.values()) else "no"}

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

    def settle(self, batch: Sequence[Scorable], items: Sequence[Mapping[str, Part]]) -> list[dict[str, Settled]]:
        """Ask all calls of all items of a batch together; an unscored verdict becomes a gap with its reason.

        Where the judge gives expectations, a verdict settled by rule is its own.
        """
        asked = [
            (item, part)
            for item, parts in zip(batch, items, strict=True)
            for part in parts.values()
            if isinstance(part, Call)
        ]
        verdicts = self._ask([call for _, call in asked])
        expects = any(verdict.expectations for verdict in verdicts)
        answered = self._settled_calls(asked, verdicts)

        def settled(part: Part) -> Settled:
            if isinstance(part, Call):
                return next(answered)
            if isinstance(part, Verdict) and expects:
                return Verdict(part.values, expectations=part.values)
            return part

        return [{name: settled(part) for name, part in parts.items()} for parts in items]

    def _ask(self, calls: Sequence[Call]) -> list[Verdict]:
        verdicts = self.judge.ask(calls) if calls else []
        self._keys.update(key for verdict in verdicts for key in verdict.keys)
        return verdicts

    def _settled_calls(
        self, asked: Sequence[tuple[Scorable, Call]], verdicts: Sequence[Verdict]
    ) -> Iterator[Verdict | Gap]:
        """Yield the verdict on each call or why there is none, and whether that is for the answer to it."""
        pairs = list(zip(asked, verdicts, strict=True))
        controls = iter(self._ask([_control(*one) for one, verdict in pairs if _is_outcome(verdict)]))
        for _, verdict in pairs:
            if verdict.values is not None:
                yield verdict
                continue
            reason, unanswered, unjudgeable = f"{NO_VERDICT}{verdict.reason}", False, False
            if _is_outcome(verdict):
                control = next(controls)
                unanswered, unjudgeable = control.values is not None, _is_outcome(control)
                if control.passing:
                    reason += f"; on the reference: {control.reason}"
            yield Gap(reason, unanswered=unanswered, unjudgeable=unjudgeable)

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


def _is_outcome(verdict: Verdict) -> bool:
    """Return whether a call without a verdict would have none the next time either."""
    return verdict.values is None and not verdict.passing


def _control(item: Scorable, call: Call) -> Call:
    """Return the same call about the right answer, which shows whether the answer was why there is no verdict."""
    right = dict.fromkeys(_ANSWERS, item.reference)
    return replace(call, payload={name: right.get(name, told) for name, told in call.payload.items()})
