"""The values of JSON files as rows of fields, whatever they are nested in.

Lists of rows or of pairs; an id to a text, to fields, to a list of rows, or to a text per task or view, in either
order; columns as lists; and the envelopes that programs put around such. Knows shapes, and nothing of what texts mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from .columns import is_known
from .owed import OWED
from .values import answer_text
from .words import are_tasks, is_task, view_of

KEY = "key"  # the field that an entry's own key goes to

# Names under which programs put the rows of a file, and what beside them is about every row.
_ENVELOPES = (
    "samples", "logs", "results", "answers", "predictions", "outputs", "responses", "request_states",
    "data", "items", "rows",
)  # fmt: skip
_OF_EVERY_ROW = ("task", "view")
# The fields of an inspect sample that are taken, each under the name it has in a row of ours.
_INSPECT = {"id": "id", "epoch": "epoch", "target": "target", "metadata": "metadata", "error": "error"}
# What an instance of Every Eval Ever that we wrote says in its metadata.
_OF_INSTANCE = ("video", "task", "view", "finish", OWED)


class Row(NamedTuple):
    """The fields of a row, and where it stands in its file, in words."""

    fields: Mapping[str, Any]
    where: str


def rows_of(value: Any) -> list[Row]:
    """Return the rows of a JSON value, none where it has none."""
    found = value if isinstance(value, list) else _unwrapped(value)
    if isinstance(found, list):
        return list(_of_list(found, {}))
    return list(_descend(found, {}))


def model_in(value: Any) -> str:
    """Return the name of the model that a file as a whole is by, empty where it tells none."""
    if not isinstance(value, Mapping):
        return ""
    evaluation = value.get("eval", value.get("adapter_spec", value))  # inspect's and HELM's
    name = evaluation.get("model") if isinstance(evaluation, Mapping) else None
    return name if isinstance(name, str) else ""


def of_inspect(sample: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of an inspect sample: its completion, why that ends, what was asked, and any video shown."""
    output = sample.get("output") or {}
    choices = output.get("choices") or [{}]
    attachments = sample.get("attachments") or {}
    text = output.get("completion") or answer_text(choices[0].get("message"))
    if isinstance(text, str) and text.startswith("attachment://"):
        text = attachments.get(text.removeprefix("attachment://"), text)
    fields = {ours: sample[theirs] for theirs, ours in _INSPECT.items() if sample.get(theirs) not in (None, "", {})}
    asked = sample.get("input")
    shown = [
        part["video"]
        for message in (asked if isinstance(asked, list) else [])
        for part in (message.get("content") if isinstance(message.get("content"), list) else [])
        if part.get("type") == "video" and isinstance(part.get("video"), str)
    ]
    fields |= {"input": asked, "prediction": text, "stop_reason": choices[0].get("stop_reason")}
    return fields | ({"video": shown[0]} if len(set(shown)) == 1 else {})


def of_instance(line: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of an instance of Every Eval Ever: the answer, what was asked, and what its metadata tell."""
    asked, metadata = (line[name] if isinstance(line.get(name), Mapping) else {} for name in ("input", "metadata"))
    output = line.get("output")
    given = output.get("raw") if isinstance(output, Mapping) else line.get("messages")
    references = asked.get("reference")
    model = line.get("model_id")
    fields = {
        "sample_id": line["sample_id"],
        "model": model.removeprefix("unknown/") if isinstance(model, str) else None,  # whose developer nobody named
        **{name: metadata[name] for name in _OF_INSTANCE if isinstance(metadata.get(name), str)},
        "input": asked.get("raw"),
        "options": asked.get("choices"),
        "reference": references[0] if isinstance(references, list) and len(references) == 1 else None,
        "error": line.get("error"),
    }
    return {name: held for name, held in fields.items() if held is not None} | {"prediction": given or None}


def _unwrapped(value: Any) -> Any:
    """Return the rows within an envelope, or the value itself."""
    if not isinstance(value, Mapping):
        return value
    if _is_instance(value):
        return [value]
    if isinstance(value.get("eval"), Mapping) and isinstance(value.get("samples"), list):
        return [of_inspect(sample) for sample in value["samples"]]
    if isinstance(value.get("columns"), list) and isinstance(value.get("data"), list):
        return [dict(zip(value["columns"], line, strict=False)) for line in value["data"]]
    for name in _ENVELOPES:
        inner = value.get(name)
        if isinstance(inner, list) and inner and all(isinstance(row, Mapping) for row in inner):
            shared = {key: value[key] for key in _OF_EVERY_ROW if isinstance(value.get(key), str)}
            return [{**shared, **row} for row in inner]
        if isinstance(inner, Mapping) and inner and not any(is_known(other) for other in value if other != name):
            return inner
    return _by_row(value)


def _by_row(value: Mapping[str, Any]) -> Any:
    """Return rows of a table that is written by column, `{"video": [...], "answer": [...]}`; else the value itself."""
    if sum(map(is_known, value)) < 2:
        return value
    lists = [column for column in value.values() if isinstance(column, list)]
    if len(lists) == len(value) and len({len(column) for column in lists}) == 1:
        return [dict(zip(value, line, strict=True)) for line in zip(*lists, strict=True)]
    mappings = [column for column in value.values() if isinstance(column, Mapping)]
    if len(mappings) == len(value) and all(column.keys() == mappings[0].keys() for column in mappings):
        return [{name: column[number] for name, column in value.items()} for number in mappings[0]]
    return value


def _of_list(items: Sequence[Any], above: Mapping[str, Any]) -> Iterator[Row]:
    for number, item in enumerate(items, start=1):
        where = f"row {number}"
        if isinstance(item, Mapping):
            fields = of_inspect(item) if _is_inspect(item) else of_instance(item) if _is_instance(item) else item
            yield Row({**above, **fields}, where)
        elif isinstance(item, list | tuple) and len(item) == 2:
            yield Row({**above, KEY: item[0], "answer": item[1]}, where)
        else:
            yield Row({**above, "not a row": item}, where)


def _is_inspect(item: Mapping[str, Any]) -> bool:
    return {"id", "epoch", "output"} <= item.keys() and isinstance(item["output"], Mapping)


def _is_instance(item: Mapping[str, Any]) -> bool:
    return {"evaluation_id", "sample_id", "interaction_type", "input"} <= item.keys()


def _descend(value: Any, above: Mapping[str, Any]) -> Iterator[Row]:
    """Yield the rows below a value, each named by the keys above it: an id, a task, a view."""
    where = ", ".join(f"{name} {key!r}" for name, key in above.items()) or "row 1"
    if isinstance(value, Mapping) and value:
        level = _level(value, above)
        if level:
            for key, inner in value.items():
                yield from _descend(inner, {**above, level: key})
        else:
            yield Row({**above, **value}, where)
    elif isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        for row in _of_list(value, above):
            yield Row(row.fields, f"{where}, {row.where}")
    elif above:
        yield Row({**above, "answer": value}, where)


def _level(value: Mapping[str, Any], above: Mapping[str, Any]) -> str:
    """Return what the keys of a value are: tasks, views or ids; empty where they are the fields of a row."""
    if "task" not in above and are_tasks(value):
        return "task"
    if "view" not in above and all(view_of(key) for key in value):
        return "view"
    known = any(is_known(key) or is_task(key) for key in value)
    return "" if KEY in above or known else KEY
