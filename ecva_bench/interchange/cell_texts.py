"""Texts in the cells of workbooks, as Excel writes what XML cannot hold: `_x0007_` (ECMA-376, ST_Xstring).

Excel and XlsxWriter, by which VLMEvalKit writes, do so; openpyxl, by which it and we read, leaves `_x0007_` as it is.
"""

from __future__ import annotations

import io
import re
from zipfile import ZIP_STORED, ZipFile

_UNFIT = "\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff"  # what XML cannot hold; a carriage return it can, written as &#13;
_UNFIT_OR_LIKE_ONE = re.compile(f"[{_UNFIT}]|_(?=x[0-9A-Fa-f]{{4}}[_{_UNFIT}])")
_WRITTEN = re.compile("_x([0-9A-Fa-f]{4})_")
_SHARED = "sharedstrings.xml"


def as_cell(text: str) -> str:
    """Return a text as a cell holds it; one that looks as if it were written so, `_x0007_`, comes back as it was."""
    return _UNFIT_OR_LIKE_ONE.sub(lambda found: f"_x{ord(found[0]):04X}_", text)


def from_cell(cell: object) -> object:
    """Return what a cell holds, of a text what it was before it was written."""
    if not isinstance(cell, str):
        return cell
    return _WRITTEN.sub(lambda found: found[0] if "d8" <= found[1][:2].lower() < "e0" else chr(int(found[1], 16)), cell)


def with_all_texts(workbook: bytes) -> bytes:
    """Return a workbook from which openpyxl reads all of its texts.

    It drops `x005F_` from texts that cells share, the mark of a text that only looks as if it were written so. What is
    put around each here is what remains when the middle is dropped.
    """
    with ZipFile(io.BytesIO(workbook)) as book:
        names = [name for name in book.namelist() if name.lower().endswith(_SHARED)]
        marked = {name: part for name in names if b"x005F_" in (part := book.read(name))}
        if not marked:
            return workbook
        content = io.BytesIO()
        with ZipFile(content, "w", ZIP_STORED) as copy:
            for name in book.namelist():
                held = marked[name].replace(b"x005F_", b"x00x005F_5F_") if name in marked else book.read(name)
                copy.writestr(name, held)
    return content.getvalue()
