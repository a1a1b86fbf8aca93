"""The authors' workbook: three sheets, and of each the rows that are about a video.

What stands in the sheets counts, never what the file states of their size: some programs state it wrongly. A row is
about the video that its first column names, as a number or as a file name. Knows sheets, headings and ids; what the
other cells mean is known to `rows.py` and `cells.py`.
"""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ..errors import DataError
from ..names import Name, ids_of, media_of, of_number, relative
from ..records import Annotation
from .rows import AnnotationTable, RawRow, annotate

FIRST_ROUND, SECOND_ROUND, EXAMPLES = "一轮标注", "二轮标注", "示例"
ID, TEMPLATE = "video_id", "example"  # the heading of the ids, and what stands under it in the template row
HEADING_ROWS = 20  # among which the headings are looked for: a title may stand above them

# A column is known by the first word that stands in its heading.
HEADINGS = {
    "label": "X1",
    "cause": "reason",
    "effect": "result",
    "moments": "moment",
    "description": "description",
    "key_sentences": "key sentences",
}

_NUMBER = re.compile(r"([0-9]{1,15})(\.0*)?")
_DIMENSION = re.compile(rb"<(?:\w+:)?dimension\b[^>]*>")
_PART = re.compile(r"[0-9]+-[0-9]+")
_ERRORS = frozenset(("#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#GETTING_DATA"))

Cells = tuple[Any, ...]


@dataclass(frozen=True)
class Sheet:
    """A sheet's rows below its headings, by their numbers, without the empty cells behind the last.

    `places` are the columns by name, `id_place` is that of the ids.
    """

    title: str
    rows: dict[int, Cells]
    id_place: int
    places: dict[str, int]

    def cell(self, number: int, place: int) -> Any:
        """Return what stands in a cell, None where nothing does."""
        return self.rows[number][place] if place < len(self.rows[number]) else None

    def id_cell(self, number: int) -> Any:
        """Return what stands in the column of the ids."""
        return self.cell(number, self.id_place)

    def is_data(self, number: int) -> bool:
        """Return whether a row is more than the template, or the headings once more."""
        written = self.id_cell(number)
        return any(self.rows[number]) and written != TEMPLATE and not _is_id_heading(written)

    def names(self) -> dict[int, str]:
        """Return the name of the video, as it is written, of every row that is about a whole one."""
        found = {}
        for number in filter(self.is_data, self.rows):
            written = written_id(self.id_cell(number))
            if written and not _is_part(written) and not self._is_note(number, written):
                found[number] = written
        return found

    def _is_note(self, number: int, written: str) -> bool:
        """Return whether the first words of a row are its only ones, and name no file."""
        named = _NUMBER.fullmatch(written) or Name.of(written).suffix
        return not named and not any(self.cell(number, place) for place in self.places.values())


def read_workbook(content: bytes, path: Path, table: AnnotationTable) -> list[Annotation]:
    """Take the rows of a workbook into a table and return its examples; `DataError` where no row can be used."""
    found = _sheets(content, path)
    if len(found) == 1 and _heading_row(only := next(iter(found.values()))) is not None:
        found = {FIRST_ROUND: only}
    titles = (FIRST_ROUND, SECOND_ROUND, EXAMPLES)
    sheets = {title: _sheet(title, found[title], path) for title in titles if found.get(title)}
    if FIRST_ROUND not in sheets:
        raise _no_first_round(found, path)
    for title in found.keys() - set(titles):
        if _heading_row(found[title]) is not None:
            table.report(title, "sheet", "sheet-unused", "excluded", title)
    ids = ids_of((name for sheet in sheets.values() for name in sheet.names().values()), path, numbered=True)
    media = media_of(ids)
    rows = {title: _rows(sheet, ids, media, table) for title, sheet in sheets.items()}
    for row in rows[FIRST_ROUND]:
        table.add(row)
    if not table.annotations:
        raise DataError(f"no row can be used: {_why(sheets[FIRST_ROUND])}", path, "mend that column")
    for row in rows.get(SECOND_ROUND, ()):
        table.review(row)
    return [annotate(row, table.taxonomy)[0] for row in rows.get(EXAMPLES, ())]


def row_numbers(content: bytes, path: Path) -> tuple[str, dict[str, int], dict[str, int]]:
    """Return the title of the first round's sheet, its rows' numbers by video, and its columns' places by name."""
    found = _sheets(content, path)
    title = FIRST_ROUND if FIRST_ROUND in found else next(iter(found))
    sheet = _sheet(title, found[title], path)
    names = sheet.names()
    ids = ids_of(names.values(), path, numbered=True)
    rows: dict[str, int] = {}
    for number, name in names.items():
        rows.setdefault(ids[name], number)
    return title, rows, sheet.places


def _no_first_round(found: Mapping[str, Mapping[int, Cells]], path: Path) -> DataError:
    """Return the error for a workbook without the first round, which says what its sheets begin with."""
    if FIRST_ROUND in found:
        return DataError(f"no sheet called {FIRST_ROUND} (first round) is filled: it is empty", path, "get it again")
    begun = {title: list(rows.values())[:1] for title, rows in found.items()}
    columns = {title: ", ".join(filter(None, map(_plain, *rows))) if rows else "none" for title, rows in begun.items()}
    there = "; ".join(f"{title} (columns: {shown})" for title, shown in columns.items())
    what = f"no sheet called {FIRST_ROUND} (first round) is there; found: {there or 'none'}"
    return DataError(what, path, f"a sheet of the first round has the columns {', '.join((ID, *HEADINGS.values()))}")


def written_id(cell: Any) -> str | None:
    """Return the name of a video in an id's cell, None where there is none.

    1, 1.0 and the texts "00001" and "1.0" are numbers of videos; any other text is the name of a file.
    """
    if not isinstance(cell, str):
        return of_number(cell)
    if cell.strip() in _ERRORS:
        return None
    number = _NUMBER.fullmatch(unicodedata.normalize("NFKC", cell).strip())
    return number[1] if number else relative(cell) or None


def _is_part(written: str) -> bool:
    name = Name.of(written)
    return not name.folders and _PART.fullmatch(name.stem) is not None


def _sheets(content: bytes, path: Path) -> dict[str, dict[int, Cells]]:
    """Return the rows that hold something, by sheet and number; of sheets that are not ours, the first few.

    The only sheet of a workbook may have any title: its headings tell whether it is the first round.
    """
    found: dict[str, dict[int, Cells]] = {}
    try:
        sheets = open_workbook(content).worksheets
        for sheet in sheets:
            sheet.reset_dimensions()  # which are stated, and may be wrong
            title = _plain(sheet.title)
            known = title in (FIRST_ROUND, SECOND_ROUND, EXAMPLES) and title not in found
            rows = enumerate(sheet.iter_rows(values_only=True), start=1)
            whole = known or len(sheets) == 1
            trimmed = ((number, _trimmed(row)) for number, row in islice(rows, None if whole else HEADING_ROWS))
            found[title if known else sheet.title] = {number: row for number, row in trimmed if row}
    except Exception as error:  # a damaged workbook shows itself as whatever the parser stumbles over
        raise DataError(f"the workbook is damaged ({error})", path, "get the file again") from error
    return found


def open_workbook(content: bytes) -> Any:
    """Return the opened workbook; where a sheet's size is stated so that it cannot be read, that is left out first."""
    import openpyxl

    try:
        return openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except (TypeError, ValueError):
        unsized = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(content)) as stated, zipfile.ZipFile(unsized, "w") as bare:
            for name in stated.namelist():
                part = stated.read(name)
                bare.writestr(name, _DIMENSION.sub(b"", part, count=1) if name.startswith("xl/worksheets/") else part)
        return openpyxl.load_workbook(unsized, read_only=True, data_only=True)


def _trimmed(row: Cells) -> Cells:
    end = len(row)
    while end and row[end - 1] in (None, ""):
        end -= 1
    return row[:end]


def _plain(heading: Any) -> str:
    """Return a heading in plain characters, in lower case, with single blanks in place of line breaks."""
    text = unicodedata.normalize("NFKC", str(heading or "")).replace("\ufeff", "").replace("\u200b", "")
    return " ".join(text.casefold().split())


def _heading_row(rows: dict[int, Cells]) -> int | None:
    """Return the number of the row that holds the headings: one of the first, with a heading for the ids."""
    first = (number for number in rows if number <= HEADING_ROWS)
    return next((number for number in first if any(_is_id_heading(cell) for cell in rows[number])), None)


def _is_id_heading(cell: Any) -> bool:
    return isinstance(cell, str) and _plain(cell).replace(" ", "_") == ID


def _sheet(title: str, rows: dict[int, Cells], path: Path) -> Sheet:
    row = _heading_row(rows)
    if row is None:
        number, cells = next(iter(rows.items()))
        seen = f"row {number} holds {_shown(next(cell for cell in cells if cell not in (None, '')))}"
        raise DataError(f"sheet {title} has no heading {ID} in its first {HEADING_ROWS} rows; {seen}", path, "add it")
    headings = [_plain(cell) for cell in rows[row]]
    heads = [heading.partition("(")[0] or heading for heading in headings]
    places = {}
    for name, word in HEADINGS.items():
        found = [place for place, head in enumerate(heads) if word.casefold() in head]
        if not found:
            there = ", ".join(filter(None, headings))
            raise DataError(f"sheet {title} has no column {word!r}; row {row} has: {there}", path, "check the file")
        places[name] = found[0]
    id_place = next(place for place, cell in enumerate(rows[row]) if _is_id_heading(cell))
    return Sheet(title, {number: cells for number, cells in rows.items() if number > row}, id_place, places)


def _rows(sheet: Sheet, ids: Mapping[str, str], media: Mapping[str, str], table: AnnotationTable) -> Iterator[RawRow]:
    """Yield the rows about a video; what else there is, is reported."""
    names = sheet.names()
    last = max(sheet.id_place, *sheet.places.values())
    for number in filter(sheet.is_data, sheet.rows):
        cells = sheet.rows[number]
        if number not in names:
            written = str(sheet.id_cell(number))
            rule, name = ("row-of-a-cut-video", written) if _is_part(written) else ("row-broken", f"row {number}")
            whole = " ".join(str(cell) for cell in cells if cell is not None)
            table.report(name, f"row of {sheet.title}", rule, "excluded", whole)
            continue
        video = ids[names[number]]
        texts: dict[str, str | None] = {
            name: _text(sheet.cell(number, place), video, name, table) for name, place in sheet.places.items()
        }
        for note in filter(None, cells[last + 1 :] if sheet.title != EXAMPLES else ()):
            table.report(video, f"row of {sheet.title}", "annotator-note", "kept", str(note))
        if sheet.title == SECOND_ROUND:
            texts = {name: text or None for name, text in texts.items()}
        yield RawRow(video=video, media=media[video], **texts)


def _text(cell: Any, video: str, name: str, table: AnnotationTable) -> str:
    if isinstance(cell, str) and cell in _ERRORS:
        table.report(video, name, "cell-error", "excluded", cell)
        return ""
    if cell is None or isinstance(cell, str):
        return cell or ""
    table.report(video, name, "text-not-text", "repaired", repr(cell), str(cell))
    return str(cell)


def _why(sheet: Sheet) -> str:
    """Return why no row of a sheet can be used: which column of which row, what stands there, what was expected."""
    names = sheet.names()
    data = list(filter(sheet.is_data, sheet.rows))
    if not data:
        return f"sheet {sheet.title} has no row below its headings"
    unread = [number for number in data if number not in names]
    number = (unread or data)[0]
    if unread:
        place, heading, expected = sheet.id_place, ID, "the number of a video (7, 00007) or the name of its file"
    else:
        place, heading, expected = sheet.places["description"], HEADINGS["description"], "a text"
    held = _shown(sheet.cell(number, place))
    return f"column {heading!r} of sheet {sheet.title} holds {held} in row {number}, where {expected} is expected"


def _shown(cell: Any) -> str:
    return "nothing, or a formula without a value," if cell is None else f"{cell!r:.60}"
