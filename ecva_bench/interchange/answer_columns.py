"""Which columns of a file hold answers: one, or one for each task that columns are named after; and which are left."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import UsageError
from .columns import ANSWER_NAMES, FINISH_NAMES, MODEL_NAMES, PROMPT_NAMES, REFERENCE_NAMES, TASK_NAMES, VIDEO_NAMES
from .nesting import KEY
from .owed import OWED
from .table import Columns
from .values import answer_text, is_span
from .words import bare_name, is_question_word, is_task, task_of

_ANSWER_WORDS = frozenset().union(*ANSWER_NAMES[:2])
_NOT_LEFT = frozenset().union(
    *VIDEO_NAMES,
    TASK_NAMES,
    REFERENCE_NAMES,
    map(bare_name, (*PROMPT_NAMES, *FINISH_NAMES)),
    ("error", *MODEL_NAMES, KEY, OWED),
)


def answer_columns(columns: Columns, given: Mapping[str, str]) -> dict[str | None, str]:
    """Return the column of the answers, or those of tasks: the user's, `given` by task, and those named after one.

    Raises `UsageError`, with the choices and what to type, where there is none or where several may be meant.
    """
    wide = _task_columns(columns, given)
    if given:
        return dict[str | None, str]([*given.items(), *wide.items()])
    for rank, names in enumerate(ANSWER_NAMES):
        found = columns.called(names, below=False)
        found = [column for column in found if not any(column.startswith(f"{other}.") for other in found)]
        texts = {column: tuple(map(answer_text, columns.values(column))) for column in found}
        full = [column for column in found if any(text is not None for text in texts[column])] or found[:1]
        if not full:
            continue
        if rank and wide:
            both = columns.choices([*full, *wide.values()])
            remedy = f"say which: --map answer={full[0]}, or --map {_typed(wide)}"
            raise UsageError(f"answers may be in {both}", columns.path, remedy)
        if len({texts[column] for column in full}) > 1:
            remedy = f"say which: --map answer={full[0]}"
            raise UsageError(f"answers may be in {columns.choices(full)}", columns.path, remedy)
        return {None: min(full, key=lambda column: column.count("."))}
    if wide:
        return dict[str | None, str](wide.items())
    what = f"no column is known to hold answers; there are {columns.all_choices()}"
    remedy = "say which: --map answer=COLUMN, or of several tasks --map cause=COLUMN,effect=COLUMN"
    raise UsageError(what, columns.path, f"{remedy}{columns.without_headings}")


def left_aside(columns: Columns, taken: Iterable[str]) -> list[str]:
    """Return the columns of words that nothing was taken from and that are not known to be something else."""
    used = list(taken)
    texts = {tuple(columns.values(column)) for column in used if _are_hashable(columns.values(column))}
    found = []
    for column in columns.names:
        related = any(column == one or one.startswith(f"{column}.") for one in used)
        if "." in column or related or bare_name(column) in _NOT_LEFT:
            continue
        values = columns.values(column)
        has_words = any(isinstance(value, str) and any(map(str.isalpha, value)) for value in values)
        if has_words and not (_are_hashable(values) and tuple(values) in texts):
            found.append(column)
    return found


def _are_hashable(values: Iterable[Any]) -> bool:
    return all(isinstance(value, str | int | float | None) for value in values)


def _task_columns(columns: Columns, given: Mapping[str, str]) -> dict[str, str]:
    """Return the columns that are named after a task, such as `cause` or `pred_cause`, less those of the user's.

    `why` and its like, the words of the paper's title, count where another task's name stands beside them.
    """
    words = {name: _without_answer_word(name) for name in columns.names if "." not in name}
    named = {
        name: task for name, word in words.items() if (task := _task_named(word)) and _has_answers(columns, name, task)
    }
    several = len({*named.values(), *given}) > 1
    found: dict[str, str] = {}
    for column, task in named.items():
        if task in given or column in given.values() or (is_question_word(words[column]) and not several):
            continue
        if task in found:
            choices = columns.choices([found[task], column])
            raise UsageError(f"answers may be in {choices}", columns.path, f"say which: --map {task}={column}")
        found[task] = column
    return found


def _without_answer_word(column: str) -> str:
    return "".join(word for word in re.split(r"[\W_]+", column) if bare_name(word) not in _ANSWER_WORDS)


def _task_named(word: str) -> str | None:
    return task_of(word) if is_task(word) or is_question_word(word) else None


def _has_answers(columns: Columns, column: str, task: str) -> bool:
    values = columns.values(column)
    return any(isinstance(value, str) or (task == "timestamp" and is_span(value)) for value in values)


def _typed(wide: Mapping[str, str]) -> str:
    return ",".join(f"{task}={column}" for task, column in wide.items())
