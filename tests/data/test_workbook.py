"""The authors' workbook: the real one against the counts of its description, and small ones made here."""

from __future__ import annotations

import datetime
import json
import random
import re
import tracemalloc
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from ecva_bench.data import Dataset, load_dataset
from ecva_bench.data.rows import COLUMNS
from ecva_bench.data.rules import FINDING_RULES
from ecva_bench.errors import DataError, UsageError
from tests.cases import case

HEADINGS = (
    "video_id",
    "X1 (5-1)",
    "X2 - reason",
    "X2 -  result",
    "X3 - moment",
    "X3 - description",
    "X4 - key sentences",
)
ROW = ("[5-1,5]", "a cause", "an effect", "[0000,0010]", "[a description]", '["a","b","c","d"]')
NOTHING = ("没有视频", "/", "/", "[,]", "/", '["","","",""]')

# Rows without an anomaly, as found by reading the workbook by hand.
UNUSABLE = [167, 279, 619, 714, 740, 794, 906, 907, 912, 915, 919, 922, 927, 929, 934, 939, 945]


@pytest.fixture(scope="module")
def ecva(shared_data: Path) -> Dataset:
    return load_dataset("ecva", shared_data / "ecva/annotations.xlsx")


Rows = Sequence[tuple[object, ...]]


def write(path: Path, first: Rows, second: Rows = (), **others: Rows) -> Path:
    sheets = {"一轮标注": [HEADINGS, *first], "二轮标注": [HEADINGS, *second], **others}
    return write_sheets(path, sheets)


def write_sheets(path: Path, sheets: Mapping[str, Rows]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def rewritten(path: Path, change: Callable[[str], str]) -> Path:
    """The workbook with the XML of its first sheet changed."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = "xl/worksheets/sheet1.xml"
    members[name] = change(members[name].decode()).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return path


def error_of(path: Path) -> DataError | None:
    try:
        load_dataset("ecva", path)
    except DataError as error:
        return error
    return None


def test_the_unusable_rows_of_the_real_file_come_out_by_rule(ecva: Dataset) -> None:
    assert [annotation.video for annotation in ecva.excluded] == [f"{number:05}" for number in UNUSABLE]
    assert [f.video for f in ecva.findings if f.rule == "no-anomaly"] == [f"{number:05}" for number in UNUSABLE]
    assert len(ecva.annotations) == 983
    assert len(ecva.examples) == 20
    assert all(annotation.cause == "/" for annotation in ecva.excluded)


def test_every_repair_of_the_real_file_is_reported(ecva: Dataset) -> None:
    assert {f.rule for f in ecva.findings} <= FINDING_RULES.keys()
    by_rule = {
        rule: sorted({f.video for f in ecva.findings if f.rule == rule and not f.field.startswith("review")})
        for rule in FINDING_RULES
    }
    assert by_rule["moment-digits"] == ["00229", "00323", "00343", "00441", "00824", "00923"]
    assert by_rule["moment-open"] == ["00704"]
    assert by_rule["class-irregular"] == ["00108"]
    assert by_rule["class-missing"] == ["00930"]
    assert len(by_rule["class-is-free-text"]) == 75
    assert by_rule["key-sentences-quotes"] == ["00302", "00496"]
    assert by_rule["key-sentences-few"] == ["00125", "00517"]
    assert by_rule["description-brackets"] == ["00758"]
    assert by_rule["moments-descriptions"] == ["00132", "00200", "00291", "00352", "00406", "00420"]
    assert len(by_rule["descriptions-joined"]) == 35
    assert by_rule["row-of-a-cut-video"] == ["19-1", "19-2", "19-3", "19-4", "65-1", "65-2"]
    assert [f.video for f in ecva.findings if f.rule == "duplicate-row"] == ["00401"]


def test_the_real_file_holds_what_its_description_counts(ecva: Dataset) -> None:
    labels = [annotation.label for annotation in ecva.annotations if annotation.label]
    assert len(labels) == 924
    assert len({label.major for label in labels}) == 11
    assert len({label.code for label in labels}) == 42
    assert Counter(label.severity for label in labels)[5] == 891
    assert Counter(len(annotation.moments) for annotation in ecva.annotations) == {0: 1, 1: 941, 2: 38, 3: 3}
    assert sum(annotation.review is not None for annotation in ecva.annotations) == 580 - 2
    assert all(ecva.taxonomy.knows(label) for label in labels)


def test_texts_are_those_of_the_cells(ecva: Dataset, shared_data: Path) -> None:
    sheet = openpyxl.load_workbook(shared_data / "ecva/annotations.xlsx", read_only=True).worksheets[0]
    cells = {f"{row[0]:05}": row for row in sheet.iter_rows(values_only=True) if isinstance(row[0], int)}
    for annotation in ecva.annotations:
        row = cells[annotation.video]
        assert (annotation.cause, annotation.effect) == (row[2], row[3])
        assert annotation.description == row[5].strip("[]")


def test_rows_are_joined_by_id_in_any_order(tmp_path: Path) -> None:
    rows = [(number, f"[5-1,{number % 5 + 1}]", *ROW[1:]) for number in range(1, 30)]
    reviews = [(number, "[6-1,5]", None, None, f"[0000,00{number:02}]", None, None) for number in range(2, 30, 3)]
    expected = load_dataset("ecva", write(tmp_path / "a.xlsx", rows, reviews))
    random.Random(1).shuffle(rows)
    random.Random(2).shuffle(reviews)
    shuffled = load_dataset("ecva", write(tmp_path / "b.xlsx", rows, reviews))
    assert shuffled.annotations == expected.annotations
    reviewed = {a.video: a.review.moments[0].end for a in shuffled.annotations if a.review}
    assert reviewed == {f"{number:05}": number for number in range(2, 30, 3)}


def test_what_is_not_used_is_reported(tmp_path: Path) -> None:
    first = [
        ("example", *ROW),
        (1, *ROW),
        (2, *NOTHING),
        (1, *ROW),
        ("7-1", *ROW),
        (None, *ROW),
        (None,) * 7,
        (3, "[5-1,5]", 12, None, *ROW[3:]),
        (4, "[12-1,5]", *ROW[1:]),
    ]
    dataset = load_dataset("ecva", write(tmp_path / "a.xlsx", first, [(9, *ROW), (1, *ROW), (1, *ROW)]))
    assert [annotation.video for annotation in dataset.annotations] == ["00001", "00003", "00004"]
    assert [annotation.video for annotation in dataset.excluded] == ["00002"]
    assert {(f.video, f.field, f.rule) for f in dataset.findings} == {
        ("00001", "row", "duplicate-row"),
        ("00001", "review", "review-text-unused"),
        ("00001", "review", "duplicate-row"),
        ("00002", "row", "no-anomaly"),
        ("00002", "label", "class-is-free-text"),
        ("00003", "cause", "text-not-text"),
        ("00003", "effect", "text-missing"),
        ("00004", "label", "class-impossible"),
        ("00009", "review", "review-without-row"),
        ("7-1", "row of 一轮标注", "row-of-a-cut-video"),
        ("row 7", "row of 一轮标注", "row-broken"),
    }
    told = {f.rule: (f.action, f.before, f.after) for f in dataset.findings}
    assert told["row-of-a-cut-video"] == ("excluded", " ".join(("7-1", *ROW)), "")
    assert told["row-broken"] == ("excluded", " ".join(ROW), "")
    assert told["text-not-text"] == ("repaired", "12", "12")
    assert told["review-text-unused"] == ("excluded", " | ".join((ROW[4], *ROW[1:3], ROW[5])), "")
    shown = zip(COLUMNS, (ROW[0], *ROW[3:5], *ROW[1:3], ROW[5]), strict=True)
    assert told["duplicate-row"] == ("excluded", ", ".join(f"{name}: {cell}" for name, cell in shown), "")
    assert [annotation.cause for annotation in dataset.annotations] == ["a cause", "12", "a cause"]
    assert dataset.annotations[2].label is None


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole.xlsx", [(1, *ROW)])
    content = whole.read_bytes()
    bad = tmp_path / "bad.xlsx"
    draw = random.Random(3)
    for trial in range(60):
        damaged = bytearray(content[: draw.randrange(4, len(content))] if trial % 2 else content)
        for _ in range(20):
            damaged[draw.randrange(2, len(damaged))] = draw.randrange(256)
        bad.write_bytes(damaged)
        assert error_of(bad) is None or str(bad) in str(error_of(bad))


def test_other_workbooks_and_paths_are_refused_with_a_remedy(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.save(tmp_path / "other.xlsx")
    with pytest.raises(DataError, match=r"一轮标注.*Sheet.*other\.xlsx"):
        load_dataset("ecva", tmp_path / "other.xlsx")
    book.worksheets[0].title = "一轮标注"
    book.worksheets[0].append(("name", "class"))
    book.save(tmp_path / "columns.xlsx")
    with pytest.raises(DataError, match="video_id"):
        load_dataset("ecva", tmp_path / "columns.xlsx")
    with pytest.raises(DataError, match=r"No such file.*none\.xlsx"):
        load_dataset(tmp_path / "none.xlsx")
    (tmp_path / "empty.xlsx").write_bytes(b"")
    with pytest.raises(DataError, match="empty"):
        load_dataset(tmp_path / "empty.xlsx")
    with pytest.raises(UsageError, match="did you mean 'ecva'"):
        load_dataset("ecvaa")
    with pytest.raises(UsageError, match="annotation file"):
        load_dataset("ecva")


def test_a_source_may_be_name_and_path_in_one(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xlsx", [(1, *ROW)])
    named, found = load_dataset(f"ecva:{path}"), load_dataset(str(path))
    assert (named.name, found.name) == ("ecva", "cuva")
    assert named.annotations == found.annotations
    assert named.sha256 == found.sha256


THREE = [("example", *ROW), (1, *ROW), (2, *ROW), (3, *ROW)]


def ids(path: Path) -> list[str]:
    return [annotation.video for annotation in load_dataset("ecva", path).annotations]


@pytest.mark.parametrize("name", ["workbook_dimension", "workbook_ids"])
def test_workbooks_of_other_programs(name: str) -> None:
    folder = case(name)
    for file, expected in json.loads((folder / "expected.json").read_text()).items():
        found = ids(folder / file)
        assert len(found) == expected["usable"], file
        assert found[0] == expected.get("first id", found[0]), file


SIZES = ("A1", "A1:C2", "A1:G3", "D4:D4", "A1:XFD1048576")


@pytest.mark.parametrize("stated", ["", "<dimension/>", *(f'<dimension ref="{ref}"/>' for ref in ("", "A", *SIZES))])
def test_what_is_there_counts_and_not_what_the_file_states(stated: str, tmp_path: Path) -> None:
    whole = write(tmp_path / "whole.xlsx", THREE)
    expected = load_dataset("ecva", whole)
    path = rewritten(whole, lambda xml: re.sub(r"<dimension[^>]*/>", stated, xml))
    tracemalloc.start()
    found = load_dataset("ecva", path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (found.annotations, found.findings) == (expected.annotations, expected.findings)
    assert peak < 50e6


@pytest.mark.slow
def test_formatted_cells_without_a_value_cost_no_memory(tmp_path: Path) -> None:
    wide = '<row r="{0}"><c r="XFD{0}" s="1"/></row>'
    many = "".join(wide.format(number) for number in range(10, 300)) + wide.format(1048576)
    path = rewritten(write(tmp_path / "a.xlsx", THREE), lambda xml: xml.replace("</sheetData>", f"{many}</sheetData>"))
    tracemalloc.start()
    assert ids(path) == ["00001", "00002", "00003"]
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("written", "video", "media"),
    [
        (7, "00007", "00007.mp4"),
        (7.0, "00007", "00007.mp4"),
        ("7", "00007", "7.mp4"),
        ("00007", "00007", "00007.mp4"),
        (" 000007\n", "00007", "000007.mp4"),
        ("7.0", "00007", "7.mp4"),
        ("７", "00007", "7.mp4"),
        ("000007.mp4", "00007", "000007.mp4"),
        ("7.AVI", "00007", "7.AVI"),
        ("cam.1", "cam.1", "cam.1.mp4"),
        ("cam.1.mp4", "cam.1", "cam.1.mp4"),
        ("street 7", "street 7", "street 7.mp4"),
    ],
)
def test_an_id_is_a_number_in_any_writing_or_the_name_of_a_file(
    written: object, video: str, media: str, tmp_path: Path
) -> None:
    second = (written if isinstance(written, str) and not written.strip().isdecimal() else 7, "[6-1,5]", *ROW[1:])
    dataset = load_dataset("ecva", write(tmp_path / "a.xlsx", [(written, *ROW)], [second]))
    assert [(each.video, each.media) for each in dataset.annotations] == [(video, media)]
    assert dataset.annotations[0].review is not None


def test_rounds_may_write_an_id_differently(tmp_path: Path) -> None:
    first = [("000001.mp4", *ROW), ("2.0", *ROW), (3, *ROW)]
    second = [(1, *ROW), ("00002", *ROW), ("3.mp4", *ROW)]
    dataset = load_dataset("ecva", write(tmp_path / "a.xlsx", first, second))
    found = [(each.video, each.media) for each in dataset.annotations]
    assert found == [("00001", "000001.mp4"), ("00002", "2.mp4"), ("00003", "3.mp4")]
    assert all(each.review for each in dataset.annotations)


def test_names_that_differ_in_folder_dot_or_suffix_are_videos_of_their_own(tmp_path: Path) -> None:
    names = ["day/1.mp4", "night/1.mp4", "cam.1.mp4", "cam.2.mp4", "cam.1", "a.mp4", "a.avi"]
    rows = [(name, ROW[0], f"cause of {name}", *ROW[2:]) for name in names if name != "cam.1"]
    dataset = load_dataset("ecva", write(tmp_path / "a.xlsx", rows, [("night/1.mp4", "[6-1,5]", *ROW[1:])]))
    assert {each.media: each.cause for each in dataset.annotations} == {row[0]: row[2] for row in rows}
    assert [each.video for each in dataset.annotations if each.review] == ["night/00001"]
    with pytest.raises(DataError, match=r"'1\.mp4' and '001\.mp4': .*b\.xlsx"):
        load_dataset("ecva", write(tmp_path / "b.xlsx", [("1.mp4", *ROW), ("001.mp4", *ROW)]))


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (1.5, r"1\.5"),
        (True, "True"),
        (-3, "-3"),
        (datetime.datetime(2024, 1, 2), r"datetime\.datetime\(2024, 1, 2, 0, 0\)"),
        ("#REF!", "'#REF!'"),
        ("19-1", "'19-1'"),
        (None, "nothing, or a formula without a value,"),
        ("=A1+1", "nothing, or a formula without a value,"),
    ],
)
def test_a_column_of_ids_that_cannot_be_read_is_named_with_a_value(cell: object, shown: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.xlsx", [("example", *ROW), (cell, *ROW), (cell, *ROW)])
    with pytest.raises(DataError, match=rf"column 'video_id' of sheet 一轮标注 holds {shown} in row 3, where the num"):
        load_dataset("ecva", path)


def test_the_only_sheet_may_have_any_title_and_another_layout_is_refused_with_its_columns(tmp_path: Path) -> None:
    rows = [HEADINGS, *((number, *ROW) for number in range(1, 31))]
    only = load_dataset("ecva", write_sheets(tmp_path / "a.xlsx", {"Sheet1": rows}))
    assert [each.video for each in only.annotations] == [f"{number:05}" for number in range(1, 31)]
    other = write_sheets(tmp_path / "b.xlsx", {"all": [("Video Name", "Anomaly Class"), ("1.mp4", "x")], "notes": []})
    with pytest.raises(DataError, match=r"found: all \(columns: video name, anomaly class\); notes \(columns: none\)"):
        load_dataset("ecva", other)
    table = tmp_path / "c.csv"
    table.write_text("Video Name,Description,Start Time\n14.mp4,a fight,4.0\n")
    with pytest.raises(DataError, match="a table with the columns Video Name,Description,Start Time"):
        load_dataset("ecva", table)
    table.write_text(json.dumps([{"Video Name": "14.mp4", "Description": "a fight"}]))
    with pytest.raises(
        DataError, match=r"no visual_input or video_name or ID.*its columns are Video Name, Description"
    ):
        load_dataset("ecva", table)


def test_a_workbook_without_a_text_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="column 'description' of sheet 一轮标注 holds '/' in row 2, where a text"):
        load_dataset("ecva", write(tmp_path / "a.xlsx", [(1, *NOTHING)]))
    with pytest.raises(DataError, match="sheet 一轮标注 has no row below its headings"):
        load_dataset("ecva", write(tmp_path / "b.xlsx", []))
    with pytest.raises(DataError, match=r"no sheet called 一轮标注.*is empty"):
        load_dataset("ecva", write_sheets(tmp_path / "c.xlsx", {"一轮标注": []}))


def test_headings_may_stand_lower_in_other_order_and_other_characters(tmp_path: Path) -> None:
    left = ("X4 -\nKEY  Sentences", "\ufeffＶｉｄｅｏ＿ｉｄ ", "X3 - Moment (mmss)", "X2 - Reason（why）")
    headings = (*left, "X２ - Result", "description", "Ｘ１ (class)")
    row = (ROW[5], "00001", ROW[3], ROW[1], ROW[2], ROW[4], ROW[0])
    rows = [("Annotations of 2024", None, None), (), headings, row, headings, (None, *row[1:])]
    expected = load_dataset("ecva", write(tmp_path / "a.xlsx", [(1, *ROW)])).annotations
    found = load_dataset("ecva", write_sheets(tmp_path / "b.xlsx", {" 一轮标注 ": rows})).annotations
    assert found == expected
    last = load_dataset(
        "ecva", write_sheets(tmp_path / "e.xlsx", {"一轮标注": [(*HEADINGS[1:], "video_id"), (*ROW, 1)]})
    )
    assert (last.annotations, last.findings) == (expected, ())
    with pytest.raises(DataError, match="no heading video_id in its first 20 rows; row 1 holds 'Title'"):
        load_dataset("ecva", write_sheets(tmp_path / "c.xlsx", {"一轮标注": [("Title",)] * 20 + [HEADINGS, (1, *ROW)]}))
    with pytest.raises(DataError, match="no column 'moment'; row 1 has: video_id, x1"):
        load_dataset(
            "ecva", write_sheets(tmp_path / "d.xlsx", {"一轮标注": [("video_id", "X1", "reason", "result"), (1,)]})
        )


def change(path: Path, how: Callable[[Worksheet], None]) -> Path:
    book = openpyxl.load_workbook(path)
    how(book.worksheets[0])
    book.save(path)
    return path


def test_hidden_sheets_and_rows_and_merged_cells_are_read_as_they_stand(tmp_path: Path) -> None:
    def hide(sheet: Worksheet) -> None:
        sheet.sheet_state = "hidden"
        sheet.row_dimensions[3].hidden = True
        sheet.merge_cells("A4:A5")

    dataset = load_dataset("ecva", change(write(tmp_path / "a.xlsx", [*THREE, (4, *ROW)]), hide))
    assert [each.video for each in dataset.annotations] == ["00001", "00002", "00004"]
    broken = [finding for finding in dataset.findings if finding.rule == "row-broken"]
    assert [(finding.video, finding.before[:7]) for finding in broken] == [("row 5", "[5-1,5]")]


def test_texts_of_other_makes_are_the_same_texts(tmp_path: Path) -> None:
    inline = write(tmp_path / "a.xlsx", THREE)
    expected = load_dataset("ecva", inline).annotations
    text = re.compile(r't="inlineStr"><is><t[^>]*>(.*?)</t></is>', re.DOTALL)
    formulas = write(tmp_path / "b.xlsx", THREE)
    rewritten(formulas, lambda xml: text.sub(r't="str"><f>T("x")</f><v>\1</v>', xml))
    assert load_dataset("ecva", formulas).annotations == expected
    shared = write(tmp_path / "c.xlsx", THREE)
    strings: list[str] = []

    def share(xml: str) -> str:
        strings.extend(text.findall(xml))
        numbers = iter(range(len(strings)))
        return text.sub(lambda _: f't="s"><v>{next(numbers)}</v>', xml)

    rewritten(shared, share)
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    with zipfile.ZipFile(shared) as archive:
        members = {name: archive.read(name).decode() for name in archive.namelist()}
    items = "".join(f"<si><t>{string}</t></si>" for string in strings)
    members["xl/sharedStrings.xml"] = f"<sst {space}>{items}</sst>"
    override = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/></Types>'
    members["[Content_Types].xml"] = members["[Content_Types].xml"].replace("</Types>", override)
    with zipfile.ZipFile(shared, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    assert strings
    assert load_dataset("ecva", shared).annotations == expected


def test_notes_behind_the_last_column_are_kept_but_for_the_examples(tmp_path: Path) -> None:
    first, second = [(1, *ROW, "look again", None, 7), (2, *ROW)], [(2, "[6-1,5]", *(None,) * 5, "agreed")]
    dataset = load_dataset("ecva", write(tmp_path / "a.xlsx", first, second, 示例=[HEADINGS, (3, *ROW, "good")]))
    told = [(f.video, f.field, f.action, f.before) for f in dataset.findings if f.rule == "annotator-note"]
    assert told == [
        ("00001", "row of 一轮标注", "kept", "look again"),
        ("00001", "row of 一轮标注", "kept", "7"),
        ("00002", "row of 二轮标注", "kept", "agreed"),
    ]
    assert [each.video for each in dataset.examples] == ["00003"]


def test_what_is_beside_the_rows_is_reported(tmp_path: Path) -> None:
    first = [(1, *ROW), ("a note on what follows",), (2, "[5-1,5]", "#N/A", *ROW[2:]), ("19-1.mp4", *ROW)]
    dataset = load_dataset(
        "ecva", write(tmp_path / "a.xlsx", first, **{"一轮标注 (2)": [HEADINGS, (9, *ROW)], "notes": [("x",)]})
    )
    assert [(f.video, f.rule) for f in dataset.findings if f.rule not in ("text-missing",)] == [
        ("00002", "cell-error"),
        ("19-1.mp4", "row-of-a-cut-video"),
        ("row 3", "row-broken"),
        ("一轮标注 (2)", "sheet-unused"),
    ]
    assert [(each.video, each.cause) for each in dataset.annotations] == [("00001", "a cause"), ("00002", None)]
