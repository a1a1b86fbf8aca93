"""A judge's instructions and data as its own chat template puts them. Knows templates; no weights and no store.

Templates differ in what they take. One without a system role raises an error at a system message or leaves it out: the
instructions then stand before the data in the user message. One that opens a thought is told not to, where it has a
switch for that; a verdict put behind an open thought would be part of the thought. What a template marks turns with is
asked of it and of its tokenizer, so that data can be kept from holding it.
"""

from __future__ import annotations

import re
from typing import Any

from ..checkpoints.chat_templates import fill_template
from ..errors import JudgeError
from ..reading.thoughts import SWITCH, opened_by

_CONTENTS = ("instructionsofthejudge", "datatobejudged")  # in their places a template shows what is its own
_MARK = re.compile(r"[<>\[\]|#]|:$")  # in a word of a template that marks a turn; others are sentences of its author

SYSTEM_ROLE, THOUGHT = "system_role", "thought"


def opened(tokenizer: Any, system: str, user: str, name: str) -> tuple[str, tuple[str, ...]]:
    """Return the text up to the reply, and what of the usual form it had to do without, sorted.

    Raises `JudgeError`, which names the judge, where the template cannot be used.
    """
    if not tokenizer.chat_template:
        return f"{system}\n\n{user}\n\n", ()
    left_out: tuple[str, ...] = ()
    messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
    text, why = _rendered(tokenizer, messages)
    if why:
        left_out, messages = (SYSTEM_ROLE,), [{"role": "user", "content": f"{system}\n\n{user}"}]
        text, why = _rendered(tokenizer, messages)
    if why:
        raise JudgeError(f"its chat template cannot be used ({why})", name, "choose another model")
    if opened_by(text):
        left_out = (*left_out, THOUGHT)
        text, why = _rendered(tokenizer, messages, **{SWITCH: False})
        if why or opened_by(text):
            what = "its chat template opens a thought before the verdict, and has no switch for that"
            raise JudgeError(what, name, "choose a model, or a version of this one, that does not think aloud")
    return text, left_out


def turn_marks(tokenizer: Any, name: str) -> frozenset[str]:
    """Return the texts that are no data to a judge: tokens read anywhere, and marks of its template.

    Raises `JudgeError` as `opened` does.
    """
    tokens = {*tokenizer.get_added_vocab(), *tokenizer.all_special_tokens}
    empty, _ = opened(tokenizer, *_CONTENTS, name) if tokenizer.chat_template else ("", ())
    around = re.sub("|".join(_CONTENTS), " ", empty).split()
    marks = {mark.strip() for mark in tokens} | {word for word in around if _MARK.search(word)}
    return frozenset(mark for mark in marks if mark and not mark.isalnum())


def _rendered(tokenizer: Any, messages: list[dict[str, str]], **options: bool) -> tuple[str, str]:
    """Return messages as the template writes them, or why it does not write all of them."""
    try:
        text = fill_template(tokenizer, messages, **options)
    except Exception as error:  # a template is a program of its author's, and raises whatever that says
        return "", (str(error).strip() or type(error).__name__).partition("\n")[0][:200]
    lost = [message["role"] for message in messages if message["content"].strip() not in text]
    return text, f"it leaves out the {lost[0]} message" if lost else ""
