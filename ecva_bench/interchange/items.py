"""The rows of a file as items: what each says of which video, task and view. Nothing is joined here.

A row of no use is set aside and counted: it names no video, or is of no task of ours.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..errors import UsageError
from ..names import Name
from ..records.base import View
from ..tasks import TASKS
from ..untrusted import id_problem
from .columns import FINISH_NAMES, PROMPT_NAMES, TASK_NAMES
from .lookup import Lookup
from .mapping import FieldMap
from .opening import AnswerFile
from .owed import is_owed
from .sources import AnswerSource
from .table import Columns, Flat
from .values import answer_text, held, is_span, option_texts, prompt_text, video_text, written_text
from .words import SampleId, sample_ids, task_of, task_of_file, task_of_prompt, view_of

# Columns of sample ids, of options as shown and of what was owed; the longer names are those of other harnesses' logs.
_IDS = ("id", "doc.id", "sample_id", "ecva_answered.id")
_OPTIONS = ("options", "doc.options", "metadata.options", "ecva_answered.options")
_OWED = ("owed", "doc.owed")
_LONGEST_ERROR = 500  # characters of another program's message that are kept


@dataclass(frozen=True, slots=True)
class Item:
    """One answer of a row, or its want: `text` is None where the row holds none, and `lack` says what it holds.

    `owed`: whether the run owed it, None where the row does not say.
    """

    name: str
    task: str | None
    view: View
    text: str | None
    lack: str
    where: str
    prompt: str
    finish: str
    reference: str
    query: str = ""
    options: tuple[str, ...] = ()
    owed: bool | None = None

    def sample(self, video: str) -> str:
        """Return the id of the sample that it answers about a video."""
        return f"{video}/{self.task}" + (self.query if self.query[:1] == "@" else f"/{self.query}" * bool(self.query))


@dataclass
class FileItems:
    """The items of a file, and by what each field was told, in words. `aside` are rows that are of no use, by why."""

    items: list[Item] = field(default_factory=list)
    task_by: str = ""
    aside: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


def items_of(source: AnswerSource, file: AnswerFile, columns: Columns, fields: FieldMap, lookup: Lookup) -> FileItems:
    """Return the items of a file's rows.

    Raises `UsageError` where no task can be told.
    """
    result = FileItems()
    prompts = _prompts(columns)
    ids = [_with_query(_sample_id(video_text(row.get(fields.video)), fields, lookup), row) for row in columns.flat]
    tasks = _tasks(source, file, columns, fields, ids, prompts, result)
    for row, flat, sample, prompt, of_row in zip(file.rows, columns.flat, ids, prompts, tasks, strict=True):
        where = f"{file.path.name}, {row.where}"
        if not sample.video:
            result.aside["no video named"].append(row.where)
            continue
        if id_problem(sample.video):
            result.aside["a name that no video can have"].append(row.where)
            continue
        for named, column in fields.answers.items():
            if named and flat.get(column) in (None, ""):
                continue  # an empty cell of a table with a column a task: not asked
            one = named or of_row
            if one is None:
                result.aside["no task of ours"].append(row.where)
                continue
            one = lookup.task(one)
            if not lookup.is_asked(one):
                result.aside[f"the task {one}, for which no annotation has a reference"].append(row.where)
                continue
            result.items.append(_item(flat, column, fields, sample, one, source.view, where, prompt))
    return result


def _item(
    flat: Flat,
    column: str,
    fields: FieldMap,
    sample: SampleId,
    task: str,
    view: View | None,
    where: str,
    prompt: str,
) -> Item:
    value = flat.get(column)
    owed = is_owed(next((flat[name] for name in _OWED if name in flat), None))
    text_of = answer_text if owed is None else written_text  # our own exports have a column for what failed
    text = held(value) if task == "timestamp" and is_span(value) else text_of(value)
    error = flat.get("error")
    if not text and error not in (None, ""):
        text, lack = None, f"{error:.{_LONGEST_ERROR}}" if isinstance(error, str) else held(error)
    elif column not in flat:
        lack = f"it has no {column} in place of an answer"
    else:
        lack = f"its {column} is {held(value)} in place of an answer"
    finish = next((flat[name] for name in FINISH_NAMES if isinstance(flat.get(name), str)), "")
    of_row = view_of(str(flat.get(fields.view) or "")) if fields.view else None
    reference = flat.get(fields.reference) if fields.reference else None
    return Item(
        name=sample.video,
        task=task,
        view=view or of_row or sample.view or "full",
        text=text,
        lack=lack,
        where=where,
        prompt=prompt,
        finish=str(finish),
        reference=reference if isinstance(reference, str) else "",
        query=sample.query,
        options=option_texts(next((flat[name] for name in _OPTIONS if name in flat), None)),
        owed=owed,
    )


def _with_query(sample: SampleId, row: Flat) -> SampleId:
    """Return a sample's id with the query that a column of ids names beside the column of videos."""
    told = (row[name] for name in _IDS if isinstance(row.get(name), str))
    named = [one for text in told for one in sample_ids(str(text)) if one.query]
    return sample._replace(task=named[0].task, query=named[0].query) if named and not sample.query else sample


def _sample_id(text: str, fields: FieldMap, lookup: Lookup) -> SampleId:
    """Return what the cell of a video names: a video, or a sample's id as a whole."""
    if fields.by_reference:
        videos = lookup.by_reference(text)
        return SampleId(videos[0] if len(videos) == 1 else "")
    if not Name.of(text).stem:
        return SampleId("")
    if lookup.find(text):
        return SampleId(text)
    return next((one for one in sample_ids(text) if lookup.find(one.video)), SampleId(text))


def _prompts(columns: Columns) -> list[str]:
    """Return what was asked in each row, as far as the file says it."""
    found = [name for name in columns.names for known in PROMPT_NAMES if name == known or name == f"doc.{known}"]
    return [next((text for name in found if (text := prompt_text(row.get(name)))), "") for row in columns.flat]


def _tasks(
    source: AnswerSource,
    file: AnswerFile,
    columns: Columns,
    fields: FieldMap,
    ids: Sequence[SampleId],
    prompts: Sequence[str],
    result: FileItems,
) -> list[str | None]:
    """Return the task of each row: the user's, else that of its id, column or prompt, of all others, or of the file."""
    rows = range(len(columns.flat))
    if source.task is not None:
        result.task_by = f"task as given (`{source.task}`)"
        return [source.task for _ in rows]
    if None not in fields.answers:
        result.task_by = "task from the columns' names"
        return [None for _ in rows]
    words = [columns.flat[row].get(fields.task) if fields.task else None for row in rows]
    by_column = [task_of(word) if isinstance(word, str) else None for word in words]
    by_prompt = [None if word else task_of_prompt(prompts[row]) for row, word in enumerate(words)]
    found = [ids[row].task or by_column[row] or by_prompt[row] for row in rows]
    sources = (
        (f"task from `{fields.task}`", any(by_column)),
        ("task from the ids", any(one.task for one in ids)),
        ("task from the prompts", any(by_prompt) and not any(by_column)),
    )
    result.task_by = next((text for text, holds in sources if holds), "")
    known = set(found) - {None}
    default = next(iter(known)) if len(known) == 1 else None
    if not known and (default := task_of_file(file.stem)):
        result.task_by = f"task from the file's name (`{default}`)"
    elif not known and (default := source.else_task):
        result.task_by = f"task as given (`{default}`)"
    found = [one or (None if words[row] else default) for row, one in enumerate(found)]
    if not any(found):
        raise _untold(columns)
    return found


def _untold(columns: Columns) -> UsageError:
    """Return the error for a file that tells no task, with what its column of tasks holds where it has one."""
    held_there = ""
    for column in columns.called(TASK_NAMES):
        words = dict.fromkeys(value for value in columns.values(column) if isinstance(value, str))
        if words:
            held_there = f" (`{column}` holds {', '.join(map(repr, list(words)[:3]))})"
            break
    remedy = f"name it with --task cause or --map task=COLUMN of `ecva-bench import`; tasks: {', '.join(TASKS)}"
    return UsageError(f"the task of these answers cannot be told{held_there}", columns.path, remedy)
