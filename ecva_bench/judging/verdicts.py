"""From the replies to a call's votes to its verdict. Knows no model, no store and no metric.

A vote that brought no verdict is left out: it is never 0. A call none of whose votes brought one is unscored, and the
reason begins with one of the words below.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from ..reading.verdicts import Scale, read_verdicts
from .calls import Call, Verdict
from .store import Reply

REFUSED = "refused"
UNPARSABLE = "unparsable"
REJECTED = "rejected"  # the request, for what is in it: too long a text, for instance
FAILED = "failed"
NOT_IN_REPLAY = "not in the replay"
_PASSING = (FAILED, NOT_IN_REPLAY)
_THOUGHT_ALONE = (
    "the reply ended at its most tokens before a verdict began; allow more with --judge-max-tokens, "
    "or have it think less with --judge-arg reasoning-effort=low"
)
_SHOWN = 120  # characters of a reply that a reason quotes


def verdict(call: Call, outcomes: Sequence[Reply | str], *, keys: tuple[str, ...]) -> Verdict:
    """Return the verdict of a call from the outcomes of its votes: replies, or the reason why there is none.

    Votes are averaged; for yes/no the majority is taken, a tie is 0.5. Expectations are averaged over the votes that
    have them.
    """
    scale = call.prompt.scale
    votes: list[tuple[int, ...] | None] = []
    expected: list[tuple[float, ...]] = []
    rationale = reason = ""
    for outcome in outcomes:
        parsed = None
        if isinstance(outcome, Reply) and not outcome.refusal:
            parsed = read_verdicts(outcome.content, scale, call.expected)
            if parsed and outcome.expectations is not None:
                expected.append(outcome.expectations)
        votes.append(parsed.values if parsed else None)
        if parsed:
            rationale = rationale or parsed.rationale
        else:
            reason = reason or _reason(outcome)
    valid = [vote for vote in votes if vote is not None]
    return Verdict(
        values=mean_verdict(valid, scale) if valid else None,
        votes=tuple(votes),
        expectations=tuple(fmean(place) for place in zip(*expected, strict=True)) if expected else None,
        rationale=rationale,
        reason="" if valid else reason,
        keys=keys,
        passing=not valid and all(isinstance(one, str) and one.startswith(_PASSING) for one in outcomes),
    )


def mean_verdict(votes: Sequence[Sequence[float]], scale: Scale) -> tuple[float, ...]:
    """Return the mean of votes at each place; for yes/no the majority, and 0.5 on a tie."""
    means = [sum(place) / len(votes) for place in zip(*votes, strict=True)]
    if not scale.yes_no:
        return tuple(means)
    return tuple(0.5 if mean == 0.5 else float(mean > 0.5) for mean in means)


def _reason(outcome: Reply | str) -> str:
    if isinstance(outcome, str):
        return outcome
    if outcome.ended_in_thought and not outcome.refusal:
        return f"{UNPARSABLE}: {_THOUGHT_ALONE}"
    word, said = (REFUSED, outcome.refusal) if outcome.refusal else (UNPARSABLE, outcome.content)
    return f"{word}: {said[:_SHOWN]!r}"
