"""What a model that thinks aloud says: the text behind its thought. Knows the marks and nothing of who reads.

A thought ends with `</think>`, and begins with `<think>` where the chat template has not written that itself, as many
do. What is said may stand between `<answer>` and `</answer>`. Some templates have a switch for it.
"""

from __future__ import annotations

import re

from ..errors import UsageError

SWITCH = "enable_thinking"  # as templates of many families call it
OPENING = "<think>"

_CLOSED = re.compile(r"\s*(?![\s{`]).*</think>", re.DOTALL)  # a judge's verdicts, a JSON object, may quote the mark
_TAGGED = re.compile(r"<answer>((?:(?!</?answer>).)*)</answer>", re.DOTALL)


def said_from(text: str) -> int:
    """Return where in a text the thought is over: 0 where there is none, the text's end where it is not over."""
    closed = _CLOSED.match(text)
    if closed:
        return closed.end()
    return len(text) if text.lstrip().startswith(OPENING) else 0


def without_thought(text: str) -> tuple[str, str]:
    """Return what is said and what was thought; a text without a thought is returned as it is."""
    start = said_from(text)
    if not start:
        return text, ""
    said = text[start:].strip()
    tagged = _TAGGED.fullmatch(said)
    thought = text[:start].strip().removeprefix(OPENING).removesuffix("</think>").strip()
    return tagged[1].strip() if tagged else said, thought


def template_options(template: object, thinking: str) -> dict[str, bool]:
    """Return what a chat template is told: to let a model think aloud (`yes`), or not (`no`); for "", nothing.

    Raises `UsageError` where the template has no switch for it.
    """
    if thinking and SWITCH not in str(template):
        remedy = "leave thinking out, or take a checkpoint that does the one or the other"
        raise UsageError(f"the chat template knows no {SWITCH}", f"thinking={thinking}", remedy)
    return {SWITCH: thinking == "yes"} if thinking else {}


def opened_by(prompt: str) -> str:
    """Return the mark with which a prompt begins the thought, which the model does not repeat; else nothing."""
    return OPENING if prompt.rstrip().endswith(OPENING) else ""
