"""Which fields of a file's rows are the video, the answer, the task and the view: known names, or the user's.

What is found is said in words; where names may mean more than one thing, the choices are named and nothing is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import DataError, UsageError
from ..records.base import VIEWS
from ..tasks import TASKS, find_tasks
from .answer_columns import answer_columns, left_aside
from .columns import MODEL_NAMES, REFERENCE_NAMES, TASK_NAMES, VIDEO_NAMES, VIEW_NAMES
from .table import Columns
from .values import video_text
from .words import sample_ids, task_of, view_of

FIELDS = ("video", "answer", "task", "view")  # what can be mapped, beside the answers of a task

Find = Callable[[str], tuple[str, ...]]  # the ids of the videos that a name may mean


@dataclass(frozen=True)
class FieldMap:
    """The columns of a file, by dotted names. `answers` is one column, or one for each task it is named after.

    `by_reference` says that `video` holds the annotation's text, by which the video is found: the file names none.
    `aside` are columns of words from which nothing was taken, and `models` the models that the rows say they are by.
    """

    video: str
    answers: Mapping[str | None, str]
    task: str | None = None
    view: str | None = None
    by_reference: bool = False
    reference: str | None = None
    aside: tuple[str, ...] = ()
    models: tuple[str, ...] = ()

    def described(self) -> dict[str, str]:
        """Return the column of each field that has one, for the manifest."""
        answers = ", ".join(self.answers.values())
        found = {"video": self.video, "answer": answers, "task": self.task, "view": self.view}
        return {name: column for name, column in found.items() if column}


def field_map(columns: Columns, given: Mapping[str, str], find: Find, reference: Find) -> FieldMap:
    """Return which columns are what. `given` are the user's, of which a file may lack some where another has them;
    `find` and `reference` tell which videos are meant.

    Raises `UsageError`, with the choices and what to type, where names tell nothing or too much, and `DataError`
    where no video of the data set is named.
    """
    given = {name: column for name, column in given.items() if column in columns.names}
    task = given.get("task") or _task_column(columns)
    view = given.get("view") or _view_column(columns)
    by_task = {name: column for name, column in given.items() if name not in FIELDS}
    one = given.get("answer")
    answers: Mapping[str | None, str] = {None: one} if one else answer_columns(columns, by_task)
    references = columns.called(REFERENCE_NAMES, below=False)
    video, by_reference = (given["video"], False) if "video" in given else _video_column(columns, find, reference)
    taken = [column for column in (video, task, view, *answers.values()) if column]
    return FieldMap(
        video=video,
        answers=answers,
        task=task if None in answers else None,
        view=view,
        by_reference=by_reference,
        reference=references[0] if references else None,
        aside=tuple(left_aside(columns, taken)),
        models=_models(columns, taken),
    )


def _models(columns: Columns, taken: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the models that the rows say they are by, of the first column that tells any."""
    for kind in MODEL_NAMES:
        for column in (one for one in columns.called([kind], below=False) if one not in taken):
            told = [value.strip() for value in columns.values(column) if isinstance(value, str) and value.strip()]
            if told:
                return tuple(dict.fromkeys(told))
    return ()


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
    """Return `video=COLUMN,answer=COLUMN` or `video=COLUMN,cause=COLUMN,effect=COLUMN` as a mapping.

    Tasks go by any of their names. Raises `UsageError` for what is none, and for one answer beside one a task.
    """
    found: dict[str, str] = {}
    for pair in (pair for item in items for pair in item.split(",")):
        name, equals, column = (part.strip() for part in pair.partition("="))
        field = _field(name)
        if not (equals and column and field):
            remedy = f"write --map video=COLUMN,answer=COLUMN; fields: {', '.join((*FIELDS, *TASKS))}"
            raise UsageError(f"{pair!r} maps nothing", "--map", remedy)
        if found.setdefault(field, column) != column:
            what = f"two columns for the {field}, {found[field]!r} and {column!r}"
            raise UsageError(what, "--map", "name one")
    if "answer" in found and found.keys() - set(FIELDS):
        task = next(iter(found.keys() - set(FIELDS)))
        what = f"answer={found['answer']} is the column of all answers, and {task}={found[task]} that of one task"
        raise UsageError(what, "--map", "name one column for all, or one for each task")
    return found


def _field(name: str) -> str | None:
    if name in FIELDS:
        return name
    try:
        return find_tasks([name])[0].name
    except UsageError:
        return None


def no_video_joins(path: Path, source: str, here: Sequence[str], there: Sequence[str], near: str) -> DataError:
    """Return the error for a file none of whose videos is the data set's, with the first names of both."""
    shown = [", ".join(map(repr, dict.fromkeys(names[:3]))) for names in (here, there)]
    what = f"no answer is to a video of {source}: {shown[0]} here, {shown[1]} there{near}"
    remedy = "name the annotations of these videos with --data, or the column of their names with --map video=COLUMN"
    return DataError(what, path, remedy)
