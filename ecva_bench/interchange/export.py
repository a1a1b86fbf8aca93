"""A run's answers as files of other programs: the way back of an import, which reads each of them again.

Every form holds all answers and failures, extra ones included, with task, view, question and reference, and a row for
each question that the run owes; but for QVHighlights', which holds the curves of the task severity alone, and is not
read again.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from ..errors import ResultsError, UsageError
from ..journal.manifests import sample_views
from ..records.annotations import sample_parts
from ..records.answers import Answer, Failure, Results
from ..wording import counted
from ..writing import holds, write_whole
from . import cell_texts
from .highlights import highlight_lines
from .owed import OWED, owed_word, unanswered

Fields = dict[str, str | int | None]

HIGHLIGHTS = "qvhighlights"
# Name of a form -> suffix of its files.
FORMS = {
    "csv": ".csv",
    "lmms-eval": "_samples.jsonl",
    "parquet": ".parquet",
    HIGHLIGHTS: "_highlights.jsonl",
    "vlmevalkit": ".xlsx",
}

_SAVED = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")
_CELL = 32_767  # characters that a cell of a workbook takes
_AT_ONCE = 10_000  # rows of a parquet file that are in memory


def export_results(results: Results, form: str, out: Path) -> int:
    """Write a run's answers and failures to a file and return their number; one with the same content stays.

    Raises `UsageError` for an unknown form or one whose package is not installed, and `ResultsError` where another file
    is there, it cannot be written or cannot hold a text.
    """
    if form not in FORMS:
        raise UsageError(f"there is no form {form!r}", remedy=f"available: {', '.join(FORMS)}")
    if form == HIGHLIGHTS:
        lines = highlight_lines(results)
        _write(out, lambda: (f"{line}\n" for line in lines))
        return len(lines)
    rows = _Rows(results)
    _write(out, lambda: WRITERS[form](rows, out))
    return len(rows.records)


def _write(out: Path, content: Callable[[], Iterable[str | bytes]]) -> None:
    try:
        if out.exists():
            if not holds(out, content()):
                raise ResultsError("the file to export into is another", out, "name a new file with --out")
        else:
            write_whole(out, content())
    except OSError as error:
        raise ResultsError(f"the file cannot be written ({error.strerror})", out, "name another with --out") from error


def default_name(results: Path, form: str) -> Path:
    """Return where a form of a results file goes: beside it; `UsageError` for an unknown form."""
    if form not in FORMS:
        raise UsageError(f"there is no form {form!r}", remedy=f"available: {', '.join(FORMS)}")
    return results.with_name(f"{results.stem}{FORMS[form]}")


class _Rows:
    """A run's answers and failures as flat rows, each made when it is its turn."""

    def __init__(self, results: Results) -> None:
        found: list[Answer | Failure] = [*results.answers, *results.extra, *results.failures, *unanswered(results)]
        self.records = sorted(found, key=lambda one: (one.task, one.id, one.view))
        self.questions = {task: prompt.get("text", "") for task, prompt in results.spec.get("prompts", {}).items()}
        options = ["options"] if any(isinstance(one, Answer) and one.options for one in self.records) else []
        self.names = ["id", "video", "task", "view", "question", *options]
        self.names += ["prediction", "reference", "finish", "error", OWED]
        self.owed = sample_views(results.expects)

    def __iter__(self) -> Iterator[Fields]:
        for record in self.records:
            row = _fields(record, self.questions.get(record.task, ""))
            row[OWED] = owed_word((record.id, record.view) in self.owed)
            yield {name: row[name] for name in self.names}


def _fields(record: Answer | Failure, question: str) -> Fields:
    """Return a record as one flat row, with the question as far as it is known."""
    row: Fields = {"id": record.id, "video": record.video, "task": record.task, "view": record.view}
    row["question"] = question
    row["options"] = json.dumps(record.options, ensure_ascii=False) if isinstance(record, Answer) else ""
    if isinstance(record, Failure):
        return {**row, "prediction": None, "reference": "", "finish": "", "error": record.message or record.error}
    columns = {"prediction": record.answer, "reference": record.reference, "finish": record.finish, "error": ""}
    return {**row, **columns}


def _csv(rows: _Rows, out: Path) -> Iterator[str]:
    line = io.StringIO(newline="")
    writer = csv.DictWriter(line, rows.names)
    writer.writeheader()
    for row in rows:
        writer.writerow(row)
        yield line.getvalue()
        line.seek(0)
        line.truncate()
    yield line.getvalue()


def _parquet(rows: _Rows, out: Path) -> list[bytes]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ModuleNotFoundError:
        raise UsageError("a parquet file needs pyarrow", out, "pip install 'ecva-bench[data]'") from None
    schema = pyarrow.schema([(name, pyarrow.string()) for name in rows.names])
    content, remaining = io.BytesIO(), iter(rows)
    with parquet.ParquetWriter(content, schema) as writer:
        while some := list(islice(remaining, _AT_ONCE)):
            writer.write_table(pyarrow.Table.from_pylist(some, schema))
    return [content.getvalue()]


def _lmms_eval(rows: _Rows, out: Path) -> Iterator[str]:
    """Yield JSON lines as lmms-eval's `--log_samples` writes them, with the document that tells the video."""
    for number, row in enumerate(rows):
        told_of = {"task": row["task"], "view": row["view"], "question": row["question"], "answer": row["reference"]}
        own = {"id": row["id"], "options": row["options"]} if "options" in row else {"id": row["id"]}
        document = {"video_name": row["video"], **told_of, **(own if _is_query(row) else {}), OWED: row[OWED]}
        columns = {"target": row["reference"], "filtered_resps": [row["prediction"]], "resps": [[row["prediction"]]]}
        more = {"error": row["error"]} if row["error"] else {"finish_reason": row["finish"]}
        line = {"doc_id": number, "doc": document, **columns, **more}
        yield f"{json.dumps(line, ensure_ascii=False)}\n"


def _vlmevalkit(rows: _Rows, out: Path) -> list[bytes]:
    """Return a workbook with the columns that VLMEvalKit's video sets have."""
    import openpyxl
    from openpyxl.cell import WriteOnlyCell

    names = ["video", "task", "view", "question", "reference", "prediction", "finish", "error", OWED]
    names += ["id"] if any(map(_is_query, rows)) else []
    names += ["options"] if "options" in rows.names else []
    for row in rows:
        if (longest := max(len(_cell(row, name)) for name in names)) > _CELL:
            what = f"a text of {row['id']} has {counted(longest, 'character')}, and a cell takes {_CELL:,}"
            raise ResultsError(what, out, "export it to csv, lmms-eval or parquet")
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Sheet1")
    sheet.append(["index", *("answer" if name == "reference" else name for name in names)])
    for number, row in enumerate(rows):
        cells = []
        for name in names:
            cell = WriteOnlyCell(sheet, _cell(row, name))
            cell.data_type = "s"  # a text that begins with "=" is no formula
            cells.append(cell)
        sheet.append([number, *cells])
    content = io.BytesIO()
    book.save(content)
    return [_settled(content)]


def _cell(row: Fields, name: str) -> str:
    return cell_texts.as_cell(str(row[name] or ""))


def _settled(workbook: io.BytesIO) -> bytes:
    """Return a workbook without the time at which it was saved, so that the same rows make the same file.

    Carriage returns, which openpyxl writes as they are, are written so that XML keeps them.
    """
    content = io.BytesIO()
    with ZipFile(workbook) as old, ZipFile(content, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            held = old.read(name)
            if name == "docProps/core.xml":
                held = _SAVED.sub(rb"\g<1>1980-01-01T00:00:00Z", held)
            elif name.startswith("xl/worksheets/"):
                held = held.replace(b"\r", b"&#13;")
            new.writestr(ZipInfo(name), held, ZIP_DEFLATED)  # an entry's own time is 1980, too
    return content.getvalue()


def _is_query(row: Fields) -> bool:
    """Return whether its id alone tells a row's question, or which time it was asked, from others of task and video."""
    parts = sample_parts(str(row["id"]))
    return bool(parts.name or parts.repeat)


# What writes a form that has a row for each answer.
WRITERS: dict[str, Callable[[_Rows, Path], Iterable[str | bytes]]] = {
    "csv": _csv,
    "lmms-eval": _lmms_eval,
    "parquet": _parquet,
    "vlmevalkit": _vlmevalkit,
}
