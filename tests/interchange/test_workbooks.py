"""Answers with characters that a workbook writes in another way: there and back, and as other programs read them."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecva_bench.data import Dataset, load_dataset
from ecva_bench.errors import ResultsError
from ecva_bench.interchange import cell_texts
from ecva_bench.interchange.export import export_results
from ecva_bench.interchange.imported import import_answers
from ecva_bench.interchange.sources import AnswerSource
from ecva_bench.records.answers import Results

from .shapes import VIDEOS, as_json, as_workbook

# As of a table in ECMA-376, part 1, 22.4.2.4, and of XlsxWriter's own output (3.2): the text, and how a cell holds it.
WRITTEN = {
    "bell \x07 and \x00": "bell _x0007_ and _x0000_",
    "says _x000D_ itself": "says _x005F_x000D_ itself",
    "\ufffe\uffff": "_xFFFE__xFFFF_",
    "_x000D\x07": "_x005F_x000D_x0007_",
    "_x12_ _xyzzy_ x000D_": "_x12_ _xyzzy_ x000D_",
}
TEXTS = (*WRITTEN, "a\r\nb", "\r", "_x000D_x000D_", "_x005F_x0041_ x005F_", "  edges \n", "\n", "=1+1")


def run_of(texts: tuple[str, ...], folder: Path, dataset: Dataset) -> Results:
    rows = [
        {"video": one.video, "task": "cause", "answer": text}
        for one, text in zip(dataset.annotations, texts, strict=False)
    ]
    (folder / "m.json").write_bytes(as_json(rows))
    return import_answers([AnswerSource(folder / "m.json")], dataset).results()


def answers_in(path: Path, dataset: Dataset) -> list[str]:
    return [one.answer for one in import_answers([AnswerSource(path)], dataset).results().answers]


def sharing(workbook: bytes) -> bytes:
    """A workbook whose cells share their texts, as Excel and XlsxWriter write; openpyxl writes each in its cell."""
    texts: list[bytes] = []

    def shared(cell: re.Match[bytes]) -> bytes:
        texts.append(cell[1])
        return b't="s"><v>%d</v>' % (len(texts) - 1)

    content = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as old, zipfile.ZipFile(content, "w") as new:
        parts = {name: old.read(name) for name in old.namelist()}
        sheet = "xl/worksheets/sheet1.xml"
        parts[sheet] = re.sub(rb't="inlineStr"><is>(<t.*?</t>)</is>', shared, parts[sheet], flags=re.DOTALL)
        items = b"".join(b"<si>%s</si>" % text for text in texts)
        space = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        parts["xl/sharedStrings.xml"] = b'<sst xmlns="%s">%s</sst>' % (space, items)
        kind = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
        told = b'<Override PartName="/xl/sharedStrings.xml" ContentType="%s" /></Types>' % kind
        parts["[Content_Types].xml"] = parts["[Content_Types].xml"].replace(b"</Types>", told)
        for name, part in parts.items():
            new.writestr(name, part)
    return content.getvalue()


def test_every_answer_comes_back_as_it_was(tmp_path: Path) -> None:
    mini = load_dataset("mini")
    results = run_of(TEXTS, tmp_path, mini)
    export_results(results, "vlmevalkit", tmp_path / "m.xlsx")
    assert answers_in(tmp_path / "m.xlsx", mini) == list(TEXTS)
    (tmp_path / "saved.xlsx").write_bytes(sharing((tmp_path / "m.xlsx").read_bytes()))
    assert answers_in(tmp_path / "saved.xlsx", mini) == list(TEXTS)


def test_openpyxl_by_which_vlmevalkit_reads_has_line_ends_and_the_rest_as_excel_writes_it(tmp_path: Path) -> None:
    results = run_of(TEXTS, tmp_path, load_dataset("mini"))
    export_results(results, "vlmevalkit", tmp_path / "m.xlsx")
    head, *rows = openpyxl.load_workbook(tmp_path / "m.xlsx").active.values
    read = [row[head.index("prediction")] for row in rows]
    plain = [text for text in TEXTS if "_x" not in text and text not in WRITTEN]
    assert [text for text in read if text in plain] == plain
    assert set(WRITTEN.values()) <= set(read)


def test_a_workbook_of_vlmevalkit_is_read_as_excel_shows_it(dataset: Dataset, tmp_path: Path) -> None:
    """XlsxWriter, by which it writes, has `_x000D_` for a carriage return, in texts that cells share."""
    held = ("a_x000D_\nb", "says _x005F_x000D_ itself", "a surrogate _xD83D_ stays")
    rows = [{"video": v, "category": "cause", "prediction": text} for v, text in zip(VIDEOS, held, strict=True)]
    path = tmp_path / "Qwen_ECVA.xlsx"
    path.write_bytes(sharing(as_workbook({"Sheet1": rows})))
    assert answers_in(path, dataset) == ["a\r\nb", "says _x000D_ itself", "a surrogate _xD83D_ stays"]


def test_a_text_that_grows_beyond_a_cell_is_refused_and_not_cut(tmp_path: Path) -> None:
    results = run_of(("\x07" * 5_000,), tmp_path, load_dataset("mini"))
    with pytest.raises(ResultsError, match=r"35,000 characters, and a cell takes 32,767"):
        export_results(results, "vlmevalkit", tmp_path / "m.xlsx")


@settings(max_examples=50)
@given(st.text(alphabet="_x05FfD7\r\n\x07\ufffe "))
def test_any_text_comes_back(text: str) -> None:
    assert cell_texts.from_cell(cell_texts.as_cell(text)) == text


@pytest.mark.parametrize("text", WRITTEN)
def test_a_text_is_written_as_excel_writes_it(text: str) -> None:
    assert cell_texts.as_cell(text) == WRITTEN[text]


def test_openpyxl_drops_a_mark_of_texts_that_cells_share() -> None:
    """Else `whole` were of no use, and would have to go."""
    held = sharing(as_workbook({"Sheet1": [{"a": "x005F_x005F_ x00x005F_"}]}))
    assert openpyxl.load_workbook(io.BytesIO(held)).active["A2"].value == " x00"
    assert (
        openpyxl.load_workbook(io.BytesIO(cell_texts.with_all_texts(held))).active["A2"].value
        == "x005F_x005F_ x00x005F_"
    )
