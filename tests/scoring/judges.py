"""Judges without a model: verdicts by a rule in Python, in this process or behind the loopback server."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ecva_bench.judging import Call, Verdict
from ecva_bench.judging.prompts import load_prompt
from ecva_bench.scoring.rouge import rouge

NAMES = (
    "coverage",
    "logic",
    "consistency",
    "agreement",
    "refusal",
    "gpt-correctness",
    "gpt-detail",
    "gpt-context",
    "gpt-temporal",
    "read-class",
    "read-spans",
    "claims-anomaly",
    "claims-told-ours",
    "claims-ours",
    "vau-eval-ours",
)
_PLACES = {"at", "on", "in", "under", "behind", "night"}  # the words by which the rule tells a place or a time
Rule = Callable[[str, Mapping[str, Any]], list[int] | None]


def lexical(name: str, payload: Mapping[str, Any]) -> list[int]:
    """ItemVerdicts by shared words alone: a judge that knows nothing, obeys nothing and always says the same."""
    if name == "refusal":
        return [int(payload["edited_candidate"].strip(" .").lower() == "none")]
    if name == "coverage":
        said = set(payload["candidate"].lower().split())
        return [int(len(said & set(key.lower().split())) * 2 > len(key.split())) for key in payload["key_sentences"]]
    if name == "agreement":
        return [int(rouge(reference=payload["candidate"], candidate=payload["edited_candidate"]).rougeL > 0.9)]
    if name == "claims-anomaly":
        return [int(rouge(reference=payload["event"], candidate=payload["candidate"]).rouge1 > 0.5)]
    if name == "claims-told-ours":
        return [
            int(claim.startswith(("what", "who")) or bool(_PLACES & set(claim.split()))) for claim in payload["claims"]
        ]
    if name == "claims-ours":
        said = set(payload["candidate"].lower().split())
        shares = [len(said & set(words)) / len(words) for _, *words in (c.lower().split() for c in payload["claims"])]
        return [1 + int(share > 0.5) for share in shares]
    overlap = rouge(reference=payload["reference"], candidate=payload["candidate"]).rouge1
    if name == "vau-eval-ours":
        return [round(10 * overlap)] * len(payload["aspects"])
    return [int(overlap > 0.2)] if name == "consistency" else [round(5 * overlap)]


class RuleJudge:
    """Answers every call by a rule on the prompt's name and the payload; None from the rule is unscored."""

    SILENCE = "the reply cannot be read"

    def __init__(self, rule: Rule = lexical, *, expectations: bool = False) -> None:
        self.rule, self.expectations = rule, expectations
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.batches = 0

    def ask(self, calls: Sequence[Call]) -> list[Verdict]:
        self.batches += 1
        return [self._verdict(call) for call in calls]

    def identity(self, keys=()) -> dict[str, str]:
        return {"judge": "rule", "votes": "1"}

    def _verdict(self, call: Call) -> Verdict:
        name = call.prompt.id.removeprefix("judge/")
        self.calls.append((name, dict(call.payload)))
        verdicts = self.rule(name, call.payload)
        if verdicts is None:
            return Verdict(None, reason=self.SILENCE)
        assert len(verdicts) == call.expected
        values = tuple(map(float, verdicts))
        return Verdict(values, expectations=tuple(value * 0.9 for value in values) if self.expectations else None)


def served(rule: Rule = lexical) -> Callable[[str, dict[str, Any]], dict[str, Any]]:
    """The rule as the loopback server wants it: from the system message and the payload to a reply."""
    texts = {load_prompt(f"judge/{name}").text: name for name in NAMES}

    def reply(system: str, payload: dict[str, Any]) -> dict[str, Any]:
        name = next(name for text, name in texts.items() if system.startswith(text))
        yes_no = load_prompt(f"judge/{name}").scale.yes_no
        verdicts = rule(name, payload)
        return {"rationale": "by rule", "verdicts": [["no", "yes"][v] for v in verdicts] if yes_no else verdicts}

    return reply


def key(payload: Mapping[str, Any]) -> str:
    """A payload as one text, to count distinct ones."""
    return json.dumps(payload, sort_keys=True)
