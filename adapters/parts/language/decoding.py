"""From the ids a model has said to its text: without special tokens, but for those that mark a thought."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from ecva_bench.reading.thoughts import is_mark


def decoded(tokenizer: Any, ids: Sequence[int], ends: Collection[int]) -> str:
    """Return the text of ids, without blanks around it, by a tokenizer of transformers.

    Marks of thoughts are special tokens in many vocabularies: dropped, the thought would be a part of the answer.
    `ends` are ids that end an answer, and no marks.
    """
    names = {number: str(tokenizer.convert_ids_to_tokens(number)) for number in set(ids).difference(ends)}
    marks = {number: name for number, name in names.items() if is_mark(name)}
    parts, run = list[str](), list[int]()
    for number in ids:
        if number in marks:
            parts += [tokenizer.decode(run, skip_special_tokens=True), marks[number]]
            run = []
        else:
            run.append(number)
    return "".join([*parts, tokenizer.decode(run, skip_special_tokens=True)]).strip()
