"""Archives and tables as rows: Excel workbooks, inspect's `.eval` logs.

Archives are read in memory, a member at a time, and never unpacked to the disk; one that would become too large is
refused. Knows containers; what their fields mean is known to `mapping.py`.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ..data.workbook import FIRST_ROUND, SECOND_ROUND, open_workbook
from ..errors import DataError, UsageError
from ..files.archives import UNREADABLE
from ..untrusted import parse_json
from . import cell_texts
from .columns import is_known
from .kinds import refuse_annotations
from .nesting import Row, model_in, of_inspect
from .words import task_of

LARGEST = 4 << 30  # bytes that an archive may become
HEADING_ROWS = 20  # among which the headings are looked for: a title may stand above them
_INSPECT_HEADS = ("header.json", "_journal/start.json")  # what inspect says of a log; the first is of one that ended
_ZSTANDARD = 93  # how today's inspect packs its logs


def archive_rows(content: bytes, path: Path, *, headed: bool = True) -> tuple[str, list[Row]]:
    """Return the kind of an archive and its rows; `UsageError` where it is of another kind, `DataError` if damaged."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
    except zipfile.BadZipFile as error:
        raise DataError(f"the archive is damaged ({error})", path, "get the file again") from error
    if sum(member.file_size for member in members) > LARGEST:
        raise UsageError("the archive would become too large to read", path, "name a smaller file, such as one a task")
    names = {member.filename for member in members}
    if "xl/workbook.xml" in names:
        return "workbook", _workbook_rows(content, path, headed=headed)
    if any(name.startswith("samples/") and name.endswith(".json") for name in names):
        return "inspect log", _inspect_rows(content, members, path)
    if names.intersection(_INSPECT_HEADS):
        raise UsageError("this is an inspect log without a sample", path, "name the log of a run that has answers")
    some = ", ".join(sorted(names)[:3]) or "nothing"
    raise UsageError(f"this is an archive ({some})", path, "unpack it, and name the file of the answers")


def table_rows(lines: Iterable[tuple[int, Sequence[Any]]], where: str, *, headed: bool = True) -> list[Row]:
    """Return the rows of a table from its (number, cells), below the line of headings; `where` follows each number.

    The headings are the first line in which two known names stand, else the first of all. Without headings the
    columns are called 1, 2, 3. An empty cell is an empty text: tables do not tell the two apart.
    """
    texts = ((number, ["" if cell is None else cell for cell in cells]) for number, cells in lines)
    found = [(number, cells) for number, cells in texts if any(cell != "" for cell in cells)]
    if not found:
        return []
    if not headed:
        names = [str(place) for place in range(1, max(len(cells) for _, cells in found) + 1)]
        first = 0
    else:
        places = range(min(HEADING_ROWS, len(found)))
        first = next((place for place in places if sum(map(_is_heading, found[place][1])) > 1), 0)
        names = [str(cell).strip() for cell in found[first][1]]
        first += 1
    return [
        Row({name: cells[place] if place < len(cells) else "" for place, name in enumerate(names) if name},
            f"row {number}{where}")
        for number, cells in found[first:]
    ]  # fmt: skip


def _is_heading(cell: Any) -> bool:
    return is_known(cell) or (isinstance(cell, str) and task_of(cell) is not None)


def _workbook_rows(content: bytes, path: Path, *, headed: bool) -> list[Row]:
    try:
        book = open_workbook(cell_texts.with_all_texts(content))
        titles = [sheet.title for sheet in book.worksheets]
        if {FIRST_ROUND, SECOND_ROUND} & {title.strip() for title in titles}:
            refuse_annotations(path, str(path))
        rows: list[Row] = []
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # which are stated, and may be wrong
            where = f" of sheet {sheet.title}" if len(titles) > 1 else ""
            cells = ([cell_texts.from_cell(cell) for cell in row] for row in sheet.iter_rows(values_only=True))
            lines = enumerate(cells, start=1)
            found = table_rows(lines, where, headed=headed)
            rows += [Row({"sheet": sheet.title, **row.fields}, row.where) for row in found] if where else found
    except UsageError:
        raise
    except Exception as error:  # a damaged workbook shows itself as whatever the parser stumbles over
        raise DataError(f"the workbook is damaged ({error})", path, "get the file again") from error
    return rows


def _inspect_rows(content: bytes, members: Sequence[zipfile.ZipInfo], path: Path) -> list[Row]:
    opened: type[zipfile.ZipFile] = zipfile.ZipFile
    if any(member.compress_type == _ZSTANDARD for member in members):
        try:
            import zipfile_zstd

            opened = zipfile_zstd.ZipFile
        except ModuleNotFoundError:
            remedy = "pip install 'ecva-bench[data]', or write it anew with `inspect log convert --to json`"
            raise UsageError("the log is packed with zstandard", path, remedy) from None
    rows = []
    heads = [member.filename for member in members if member.filename in _INSPECT_HEADS]
    try:
        with opened(io.BytesIO(content)) as archive:
            model = model_in(parse_json(archive.read(heads[0]), lenient=True)) if heads else ""
            for member in members:
                if member.filename.startswith("samples/") and member.filename.endswith(".json"):
                    sample = parse_json(archive.read(member.filename), lenient=True)
                    rows.append(Row({**of_inspect(sample), "model": model}, member.filename))
    except UNREADABLE as error:
        raise DataError(f"the log is damaged ({error})", path, "write it anew with `inspect log convert`") from error
    return rows
