"""What an endpoint's replies mean for a run: an answer, a refusal, or why there is neither. Knows no connection."""

from __future__ import annotations

from ecva_bench.answering import ModelOutput
from ecva_bench.errors import AdapterError, AnswerCutOff, AnswerLost, AnswerRefused
from ecva_bench.judging.completions import RequestFailure
from ecva_bench.judging.store import Reply

MORE_ROOM = (
    "give it more room with --model-arg max-new-tokens=…, or let it think less with --model-arg reasoning-effort=low, "
    "in a run of its own (another --out)"
)


def answer_in(reply: Reply, model: str) -> ModelOutput:
    """Return the answer in a reply, with its end and with who served it.

    Raises `AnswerRefused` where it is none, and `AnswerCutOff` where the reply ended before one began: an empty text is
    an answer only of a model that stopped by itself.
    """
    if reply.refusal:
        raise AnswerRefused(f"the model refused ({reply.refusal})", model, "it counts as unanswered")
    if reply.ended_in_thought:
        thought = f", {reply.tokens_reasoning:,} of them for its thoughts" if reply.tokens_reasoning else ""
        took = f" ({reply.tokens_out:,} tokens{thought})" if reply.tokens_out else ""
        raise AnswerCutOff(f"the reply ended at its most tokens before an answer began{took}", model, MORE_ROOM)
    steps = {"served": reply.served, "left_out": list(reply.left_out), "thought": reply.thought}
    return ModelOutput(reply.content, {k: v for k, v in steps.items() if v} or None, finish=reply.finish or "stop")


def why_lost(failure: RequestFailure, where: str) -> AdapterError:
    """Return the error of a question that got no reply: `AnswerLost` where asking again may help."""
    if failure.passing:
        return AnswerLost(failure.what, where, "run the same command again")
    return AdapterError(failure.what, where, "mend it, then run again with --retry-errors")
