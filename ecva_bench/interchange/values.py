"""What stands in a cell: the text of an answer, however it is wrapped, and the name of a video."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..data.json_forms import cell_text
from ..names import of_number
from ..untrusted import parse_json, well_formed

# What programs write in place of an answer that they did not get.
_FAILED = ("ERROR", "nan", "NaN", "#N/A", "#NAME?", "#VALUE!", "#REF!")
_FAILED_BEGINNINGS = ("Failed to obtain answer",)  # VLMEvalKit
_WRAPPERS = (
    "choices", "message", "body", "content", "text", "value", "prediction", "answer", "completion",
    "output", "candidates", "parts",
)  # fmt: skip
_TEXTS = ("text", "output_text")  # types of parts that are the answer
_ASSISTANTS = ("assistant", "gpt", "model", "bot")
_DEEPEST = 8


def answer_text(value: Any) -> str | None:
    """Return the text of an answer: a text, a number, the only item of a list, a completion as services return it.

    None for anything else, and for what programs write where there is no answer.
    """
    text = written_text(value)
    failed = text is not None and (text.strip() in _FAILED or text.startswith(_FAILED_BEGINNINGS))
    return None if failed else text


def written_text(value: Any, depth: int = _DEEPEST) -> str | None:
    """Return the text of an answer as `answer_text` does, whatever it says: a model may have answered "ERROR"."""
    text = cell_text(value)
    if text is not None:
        return well_formed(text)
    if not depth:
        return None
    if isinstance(value, list | tuple):
        return _of_list(value, depth - 1)
    if isinstance(value, Mapping):
        wrapper = next((name for name in _WRAPPERS if name in value), None)
        return None if wrapper is None else written_text(value[wrapper], depth - 1)
    return None


def _of_list(items: list[Any] | tuple[Any, ...], depth: int) -> str | None:
    """Return the text of a list: of messages the last of the model's, of parts all texts, else of the only item."""
    if items and all(isinstance(item, Mapping) for item in items):
        items = [item for item in items if item.get("type") != "reasoning" and not item.get("thought")]
        if all("role" in item or "from" in item for item in items):
            said = [item for item in items if item.get("role", item.get("from")) in _ASSISTANTS]
            return written_text(said[-1], depth) if said else None
        if all("type" in item for item in items):
            return "".join(str(item["text"]) for item in items if item["type"] in _TEXTS and "text" in item) or None
        if len(items) > 1 and all(isinstance(item.get("text"), str) for item in items):
            return "".join(item["text"] for item in items)
    return written_text(items[0], depth) if len(items) == 1 else None


def option_texts(value: Any) -> tuple[str, ...]:
    """Return the options of a choice as shown: a list of texts, or one written as JSON; none of anything else."""
    if isinstance(value, str):
        try:
            value = parse_json(value)
        except ValueError:
            return ()
    return tuple(value) if isinstance(value, list) and all(isinstance(item, str) for item in value) else ()


def prompt_text(value: Any) -> str:
    """Return what a model was asked: a text, or the words of the messages that are not its own."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, Mapping) for item in value):
        asked = (item for item in value if item.get("role", item.get("from", "user")) not in _ASSISTANTS)
        return "\n".join(filter(None, (answer_text(item) for item in asked)))
    return ""


def is_span(value: Any) -> bool:
    """Return whether a value is a moment as two numbers, `[1.0, 2.5]`."""
    is_pair = isinstance(value, list | tuple) and len(value) == 2
    return is_pair and all(isinstance(one, int | float) and not isinstance(one, bool) for one in value)


def video_text(value: Any) -> str:
    """Return the name of a video as it is written, 00007 for a number; empty where none is."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list | tuple) and len(value) == 1:
        return video_text(value[0])
    if isinstance(value, Mapping):
        return next((video_text(value[name]) for name in ("video", "path", "url") if name in value), "")
    return of_number(value) or ""


def held(value: Any) -> str:
    """Return in words what stands in a cell, for a message."""
    return f"{json.dumps(value, ensure_ascii=False, default=str):.60}"
