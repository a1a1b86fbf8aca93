"""The authors' workbook: the real one against the counts of its description, and small ones made here."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import openpyxl
import pytest

from ecva_bench.data import Dataset, load
from ecva_bench.data.rules import RULES
from ecva_bench.errors import DataError, UsageError

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
    return load("ecva", shared_data / "ecva/annotations.xlsx")


def write(path: Path, first: list[tuple[object, ...]], second: list[tuple[object, ...]] = ()) -> Path:  # type: ignore[assignment]
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, rows in (("一轮标注", first), ("二轮标注", second)):
        sheet = book.create_sheet(title)
        for row in [HEADINGS, *rows]:
            sheet.append(row)
    book.save(path)
    return path


def error_of(path: Path) -> DataError | None:
    try:
        load("ecva", path)
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
    assert {f.rule for f in ecva.findings} <= RULES.keys()
    by_rule = {
        rule: sorted({f.video for f in ecva.findings if f.rule == rule and not f.field.startswith("review")})
        for rule in RULES
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
    expected = load("ecva", write(tmp_path / "a.xlsx", rows, reviews))
    random.Random(1).shuffle(rows)
    random.Random(2).shuffle(reviews)
    shuffled = load("ecva", write(tmp_path / "b.xlsx", rows, reviews))
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
    dataset = load("ecva", write(tmp_path / "a.xlsx", first, [(9, *ROW), (1, *ROW), (1, *ROW)]))
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
        load("ecva", tmp_path / "other.xlsx")
    book.worksheets[0].title = "一轮标注"
    book.worksheets[0].append(("name", "class"))
    book.save(tmp_path / "columns.xlsx")
    with pytest.raises(DataError, match="video_id"):
        load("ecva", tmp_path / "columns.xlsx")
    with pytest.raises(DataError, match=r"No such file.*none\.xlsx"):
        load(tmp_path / "none.xlsx")
    (tmp_path / "empty.xlsx").write_bytes(b"")
    with pytest.raises(DataError, match="empty"):
        load(tmp_path / "empty.xlsx")
    with pytest.raises(UsageError, match="did you mean 'ecva'"):
        load("ecvaa")
    with pytest.raises(UsageError, match="annotation file"):
        load("ecva")


def test_a_source_may_be_name_and_path_in_one(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xlsx", [(1, *ROW)])
    named, found = load(f"cuva:{path}"), load(str(path))
    assert (named.name, found.name) == ("cuva", "ecva")
    assert named.annotations == found.annotations
    assert named.sha256 == found.sha256
