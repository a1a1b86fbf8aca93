"""Which fields of a file's rows are the video, the answer, the task and the view: known names, or the user's.

What is found is said in words; where names may mean more than one thing, the choices are named and nothing is taken.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import DataError, UsageError
from ..records.base import VIEWS
from .columns import (
    ANSWER_NAMES,
    NOT_ANSWERS_BELOW,
    REFERENCE_NAMES,
    TASK_NAMES,
    VIDEO_NAMES,
    VIEW_NAMES,
    is_known,
)
from .nesting import Row
from .values import answer_text, video_text
from .words import bare_name, is_task, sample_ids, task_of, view_of

FIELDS = ("video", "answer", "task", "view")  # what can be mapped
_DEEPEST = 3  # of a dotted name: doc.meta.video
_SHOWN = 12  # columns that a message names

_ANSWER_WORDS = frozenset().union(*ANSWER_NAMES[:2])

Find = Callable[[str], tuple[str, ...]]  # the ids of the videos that a name may mean
Flat = Mapping[str, Any]  # a row's fields by their dotted names


@dataclass(frozen=True)
class FieldMap:
    """The columns of a file, by dotted names. `answers` is one column, or one for each task it is named after.

    `by_reference` says that `video` holds the annotation's text, by which the video is found: the file names none.
    """

    video: str
    answers: Mapping[str | None, str]
    task: str | None = None
    view: str | None = None
    by_reference: bool = False
    reference: str | None = None

    def described(self) -> dict[str, str]:
        """Return the column of each field that has one, for the manifest."""
        answers = ", ".join(self.answers.values())
        found = {"video": self.video, "answer": answers, "task": self.task, "view": self.view}
        return {name: column for name, column in found.items() if column}


@dataclass
class Columns:
    """The columns of a file's rows, by dotted names. A `table` has a line of headings, or should have."""

    path: Path
    rows: Sequence[Row]
    table: bool = False
    flat: list[Flat] = field(init=False)
    names: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.flat = [dict(_flat(row.fields)) for row in self.rows]
        self.names = list(dict.fromkeys(name for row in self.flat for name in row))

    def called(self, names: Iterable[str], *, below: bool = True) -> list[str]:
        """Return the columns of these bare names; those of documents and metadata only where `below` is set."""
        wanted = frozenset(names)
        found = [column for column in self.names if bare_name(column.rpartition(".")[2]) in wanted]
        return [column for column in found if below or not _is_below(column)]

    def values(self, column: str) -> list[Any]:
        """Return what the column holds in each row, None where it has nothing."""
        return [row.get(column) for row in self.flat]

    def choices(self, columns: Sequence[str]) -> str:
        """Return columns in words, each with its first value."""
        firsts = ((column, next((v for v in self.values(column) if v not in (None, "")), "")) for column in columns)
        return ", ".join(f"`{column}` ({str(value)!r:.40})" for column, value in firsts)

    @property
    def without_headings(self) -> str:
        """What to type where the first line of a table is no line of headings; empty where it is one."""
        headed = not self.table or any(map(is_known, self.names)) or any(map(is_task, self.names))
        return "" if headed else ", or, as the first line is no heading: --map video=1,answer=2"

    def all_choices(self) -> str:
        """Return the columns of the file in words."""
        more = f" and {len(self.names) - _SHOWN} more" if len(self.names) > _SHOWN else ""
        return self.choices(self.names[:_SHOWN]) + more


def field_map(columns: Columns, given: Mapping[str, str], find: Find, reference: Find) -> FieldMap:
    """Return which columns are what. `given` are the user's, of which a file may lack some where another has them;
    `find` and `reference` tell which videos are meant.

    Raises `UsageError`, with the choices and what to type, where names tell nothing or too much, and `DataError`
    where no video of the data set is named.
    """
    given = {name: column for name, column in given.items() if column in columns.names}
    task = given.get("task") or _task_column(columns)
    view = given.get("view") or _view_column(columns)
    answers: Mapping[str | None, str] = {None: given["answer"]} if "answer" in given else _answer_columns(columns)
    references = columns.called(REFERENCE_NAMES, below=False)
    video, by_reference = (given["video"], False) if "video" in given else _video_column(columns, find, reference)
    return FieldMap(
        video=video,
        answers=answers,
        task=task if None in answers else None,
        view=view,
        by_reference=by_reference,
        reference=references[0] if references else None,
    )


def _flat(fields: Mapping[str, Any], prefix: str = "", depth: int = 1) -> Iterable[tuple[str, Any]]:
    for name, value in fields.items():
        dotted = f"{prefix}{name}"
        yield dotted, value
        if isinstance(value, Mapping) and depth < _DEEPEST:
            yield from _flat(value, f"{dotted}.", depth + 1)


def _is_below(column: str) -> bool:
    return bool({bare_name(part) for part in column.split(".")[:-1]} & NOT_ANSWERS_BELOW)


def _answer_columns(columns: Columns) -> dict[str | None, str]:
    """Return the column of the answers, or those that are named after tasks."""
    wide = _task_columns(columns)
    for rank, names in enumerate(ANSWER_NAMES):
        found = columns.called(names, below=False)
        found = [column for column in found if not any(column.startswith(f"{other}.") for other in found)]
        texts = {column: tuple(map(answer_text, columns.values(column))) for column in found}
        full = [column for column in found if any(text is not None for text in texts[column])] or found[:1]
        if not full:
            continue
        if rank and wide:
            both = columns.choices([*full, *wide.values()])
            raise UsageError(f"answers may be in {both}", columns.path, f"say which: --map answer={full[0]}")
        if len({texts[column] for column in full}) > 1:
            remedy = f"say which: --map answer={full[0]}"
            raise UsageError(f"answers may be in {columns.choices(full)}", columns.path, remedy)
        return {None: min(full, key=lambda column: column.count("."))}
    if wide:
        return {task: column for task, column in wide.items()}  # noqa: C416 (the keys' type is wider)
    what = f"no column is known to hold answers; there are {columns.all_choices()}"
    raise UsageError(what, columns.path, f"say which: --map answer=COLUMN{columns.without_headings}")


def _task_columns(columns: Columns) -> dict[str, str]:
    """Return the columns that are named after a task, such as `cause` or `pred_cause`."""
    found: dict[str, str] = {}
    for column in columns.names:
        task = None if "." in column else _task_named(column)
        if task and any(isinstance(value, str) for value in columns.values(column)):
            if task in found:
                choices = columns.choices([found[task], column])
                raise UsageError(f"answers may be in {choices}", columns.path, f"say which: --map answer={column}")
            found[task] = column
    return found


def _task_named(column: str) -> str | None:
    """Return the task that a column of answers is named after, with or without a word for answers beside it."""
    words = [word for word in re.split(r"[\W_]+", column) if bare_name(word) not in _ANSWER_WORDS]
    return task_of("".join(words)) if is_task("".join(words)) else None


def _task_column(columns: Columns) -> str | None:
    """Return the column that tells the tasks: of those of a task's name the one whose values are most often tasks."""
    found = columns.called(TASK_NAMES)
    shares = {
        column: sum(isinstance(value, str) and task_of(value) is not None for value in columns.values(column))
        for column in found
    }
    best = max(shares.values(), default=0)
    return next((column for column in found if shares[column] == best), None) if best else None


def _view_column(columns: Columns) -> str | None:
    """Return the column that tells the views; `UsageError` for one whose words are none."""
    for column in columns.called(VIEW_NAMES):
        words = {value for value in columns.values(column) if value not in (None, "")}
        unknown = sorted(str(word) for word in words if not (isinstance(word, str) and view_of(word)))
        if unknown:
            what = f"column `{column}` holds {unknown[0]!r:.40}, which is no view"
            raise UsageError(what, columns.path, f"write one of {', '.join(VIEWS)} there")
        if words:
            return column
    return None


def _video_column(columns: Columns, find: Find, reference: Find) -> tuple[str, bool]:
    """Return the column that names the videos, and whether it does so by the annotation's text."""
    tried: list[str] = []
    for rank, names in enumerate(VIDEO_NAMES):
        found = [column for column in columns.called(names) if not (rank and _counts_rows(columns.values(column)))]
        tried += found
        meant = {column: _meant(columns.values(column), find) for column in found}
        most = max((sum(map(bool, ids)) for ids in meant.values()), default=0)
        best = [column for column in found if most and sum(map(bool, meant[column])) == most]
        if len({meant[column] for column in best}) > 1:
            remedy = f"say which: --map video={best[0]}"
            raise UsageError(f"videos may be named by {columns.choices(best)}", columns.path, remedy)
        if best:
            return min(best, key=lambda column: column.count(".")), False
    for column in columns.called(REFERENCE_NAMES, below=False):
        if any(len(reference(value)) == 1 for value in columns.values(column) if isinstance(value, str)):
            return column, True
    if tried:
        return tried[0], False  # whose names mean none of the data set's videos, as joining will say
    what = f"no column is known to name the videos; there are {columns.all_choices()}"
    remedy = f"say which: --map video=COLUMN{columns.without_headings}; a row's number names no video"
    raise UsageError(what, columns.path, remedy)


def _meant(values: Sequence[Any], find: Find) -> tuple[tuple[str, ...], ...]:
    texts = [video_text(value) for value in values]
    known = {text: _found(text, find) for text in dict.fromkeys(texts)}
    return tuple(known[text] for text in texts)


def _found(text: str, find: Find) -> tuple[str, ...]:
    if not text:
        return ()
    return find(text) or next((ids for one in sample_ids(text) if (ids := find(one.video))), ())


def _counts_rows(values: Sequence[Any]) -> bool:
    """Return whether a column counts the rows from 0, as positions do: it names no video."""
    return len(values) > 1 and [str(value) for value in values] == [str(place) for place in range(len(values))]


def parse_map(items: Sequence[str]) -> dict[str, str]:
    """Return `video=COLUMN,answer=COLUMN` as a mapping; `UsageError` for what is none."""
    found: dict[str, str] = {}
    for pair in (pair for item in items for pair in item.split(",")):
        name, equals, column = pair.partition("=")
        if not (equals and column.strip() and name.strip() in FIELDS):
            remedy = f"write --map video=COLUMN,answer=COLUMN; fields: {', '.join(FIELDS)}"
            raise UsageError(f"{pair!r} maps nothing", "--map", remedy)
        found[name.strip()] = column.strip()
    return found


def no_video_joins(path: Path, source: str, here: Sequence[str], there: Sequence[str], near: str) -> DataError:
    """Return the error for a file none of whose videos is the data set's, with the first names of both."""
    shown = [", ".join(map(repr, dict.fromkeys(names[:3]))) for names in (here, there)]
    what = f"no answer is to a video of {source}: {shown[0]} here, {shown[1]} there{near}"
    remedy = "name the annotations of these videos with --data, or the column of their names with --map video=COLUMN"
    return DataError(what, path, remedy)
