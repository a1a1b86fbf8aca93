"""The files that the authors released: their workbook's nine columns, and CUVA's JSON of a row per video and task.

With the file that annotations came from, only cells whose value is another one are written: where nothing changed, the
bytes are the same.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...data.ecva import load_annotation_file, read_bytes
from ...data.json_forms import parse_json_file, row_places
from ...data.workbook import FIRST_ROUND, ID, row_numbers
from ...errors import DataError
from ...records.acts import AnnotationAct
from ...records.annotations import Annotation
from .fields import class_text

_COLUMNS = ("label", "cause", "effect", "moments", "description", "key_sentences")
_TASKS = {
    "label": "Classification",
    "moments": "Timestamp",
    "description": "Description",
    "cause": "Cause",
    "effect": "Result",
}
_LONGEST = 6000  # seconds: a time is four digits, minutes and seconds


def cells_of(said: AnnotationAct | Annotation) -> dict[str, str]:
    """Return the cells of a row by column, without those of what is not annotated; times are whole seconds."""
    cells = {
        "label": f"[{class_text(said.label)}]" if said.label else "",
        "cause": said.cause or "",
        "effect": said.effect or "",
        "moments": "".join(f"[{_mmss(one.start, said)},{_mmss(one.end, said)}]" for one in said.moments),
        "description": f"[{said.description}]" if said.description else "",
        "key_sentences": json.dumps(said.key_sentences, ensure_ascii=False) if said.key_sentences else "",
    }
    return {name: cell for name, cell in cells.items() if cell}


def write_workbook(acts: Sequence[AnnotationAct], source: Path | None) -> bytes:
    """Return a workbook with the first round alone, or that of `source` with what changed; `DataError` as below."""
    import openpyxl
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    def put(sheet: Any, row: int, column: int, text: str) -> None:
        cell = sheet.cell(row=row, column=column, value=ILLEGAL_CHARACTERS_RE.sub(" ", text))
        cell.data_type = "s"  # a text that begins with = is no formula

    if source is None:
        book = openpyxl.Workbook()
        sheet = book.worksheets[0]
        sheet.title = FIRST_ROUND
        heads = ("X1", "X2 - reason", "X2 - result", "X3 - moment", "X3 - description", "X4 - key sentences")
        sheet.append((ID, *heads, "Annotator", "备注"))
        for row, act in enumerate(acts, start=2):
            cells = cells_of(act)
            scores = json.dumps(act.scores) if act.scores else ""
            written = (act.video, *(cells.get(name, "/") for name in _COLUMNS), act.annotator, scores)
            for column, text in enumerate(written, start=1):
                put(sheet, row, column, text)
    else:
        content = read_bytes(source)
        changes = _changes(acts, source)
        if not changes:
            return content
        title, rows, places = row_numbers(content, source)
        book = openpyxl.load_workbook(io.BytesIO(content))
        sheet = book[title] if title in book.sheetnames else book.worksheets[0]
        for (video, name), text in changes.items():
            put(sheet, rows[video], places[name] + 1, text)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def write_cuva_json(acts: Sequence[AnnotationAct], source: Path | None) -> bytes:
    """Return CUVA's JSON of acts, or that of `source` with what changed; key sentences have no row in it.

    `DataError` where the source lacks a video or a row, as for the workbook.
    """
    if source is None:
        named = [(act, name, cells_of(act)[name]) for act in acts for name in _TASKS if name in cells_of(act)]
        rows: Any = [
            {
                "instruction": "",
                "visual_input": act.media or f"{act.video}.mp4",
                "output": cell,
                "task": _TASKS[name],
                "ID": number,
            }
            for number, (act, name, cell) in enumerate(named, start=1)
        ]
        return (json.dumps(rows, ensure_ascii=False, indent=4) + "\n").encode()
    content = read_bytes(source)
    changes = {place: text for place, text in _changes(acts, source).items() if place[1] in _TASKS}
    if not changes:
        return content
    rows = parse_json_file(content, source)
    form = _form_of(rows, content)
    places = row_places(rows, source)
    for (video, name), text in changes.items():
        if (video, name) not in places:
            raise DataError(f"video {video!r} has no row of {_TASKS[name]}", source, "leave --source out")
        row = rows[places[video, name]]
        row["output" if "output" in row else "answer"] = text
    return json.dumps(rows, **form).encode()


def _changes(acts: Sequence[AnnotationAct], source: Path) -> dict[tuple[str, str], str]:
    """Return the cells (video, column) of a source that acts change; what an act leaves out, it leaves as it is."""
    dataset = load_annotation_file(source)
    known = {one.video: one for one in (*dataset.excluded, *dataset.annotations)}
    changes: dict[tuple[str, str], str] = {}
    for act in acts:
        if act.video not in known:
            raise DataError(f"video {act.video!r} is not in it", source, "leave --source out, or name the right file")
        was, now = (cells_of(_without_layout(one)) for one in (known[act.video], act))
        changes |= {(act.video, name): text for name, text in cells_of(act).items() if was.get(name) != now.get(name)}
    return changes


def _without_layout(said: AnnotationAct | Annotation) -> AnnotationAct | Annotation:
    """Return what is said without what a tool may lose and nobody means: blanks, line breaks, the order of moments."""
    texts = {"description": said.description, "cause": said.cause, "effect": said.effect}
    plain = {name: " ".join(text.split()) for name, text in texts.items() if text}
    sentences = tuple(one for sentence in said.key_sentences if (one := " ".join(sentence.split())))
    moments = tuple(sorted(said.moments, key=lambda moment: (moment.start, moment.end)))
    return said.model_copy(update={**plain, "key_sentences": sentences, "moments": moments})


def _form_of(rows: Any, content: bytes) -> dict[str, Any]:
    """Return how a JSON text was written, as far as `json` can write it so."""
    forms: list[dict[str, Any]] = [
        {"ensure_ascii": escaped, "indent": indent} for escaped in (False, True) for indent in (4, 2, 1, None)
    ]
    return next((form for form in forms if json.dumps(rows, **form).encode() == content.rstrip()), forms[0])


def _mmss(seconds: float, said: AnnotationAct | Annotation) -> str:
    whole = round(seconds)
    if whole >= _LONGEST:
        raise DataError(f"video {said.video!r} has a moment at {seconds:g} s, and times end at 99:59 in this form")
    return f"{whole // 60:02}{whole % 60:02}"
