"""The place in an answer that its model marked as the answer: a box or an answer tag. Knows no class and no option."""

from __future__ import annotations

import re

_BOX = re.compile(
    r"\\boxed\s*\{((?:[^{}]|\{[^{}]*\})*)\}|<answer>((?:(?!</?answer>).)*)(?:</answer>|$)"
    r"|<\|begin_of_box\|>((?:(?!<\|).)*)(?:<\|end_of_box\|>|$)|<(?:class|category|label)>([^<]*)</",
    re.DOTALL,
)


def boxed(plain_text: str) -> str:
    """Return the text with all blanked but what stands in its last box or answer tag, if it has one."""
    boxes = list(_BOX.finditer(plain_text))
    if not boxes:
        return plain_text
    start, end = next(boxes[-1].span(group) for group in range(1, _BOX.groups + 1) if boxes[-1].start(group) >= 0)
    return " " * start + plain_text[start:end] + " " * (len(plain_text) - end)
