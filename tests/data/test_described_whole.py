"""Whole tables read by description: every value and every finding, in order, against what was read row by row before.

`BEFORE` has the hashes of what a reader of one row at a time made of the same files. Since then a question that a dirty
table repeats is asked once, rows of XD-Violence that their video's name contradicts are left out, and options that are
no list are shown. The second truth are a few lines below that read one row of one kind, and the third the checks of
pydantic.
"""

from __future__ import annotations

import csv
import hashlib
import math
import random
import re
from pathlib import Path

import pytest

from ecva_bench.data import Dataset, load_dataset
from ecva_bench.data.described import loading
from ecva_bench.errors import EcvaError

from .dirty_tables import CLASSES, DESCRIPTIONS, KEYS, OPTIONS, TABLES, TEXTS, TIMES, dirty_table
from .field_shapes import SHAPES

BEFORE = {
    "dirty 0": "a7686f4e3eec6bf1",
    "dirty 1": "c108e5611ceaa6cb",
    "dirty 2": "c07d7b220d58f028",
    "dirty 3": "4108cb0520252fb3",
    "dirty 4": "9710fe67afaccf98",
    "dirty 5": "205cfa10ba81b286",
    "dirty 6": "ef3ae44968af4ea0",
    "dirty 7": "7e69c293a6f332ff",
    "vau-bench": "dae3dee939d59453",
    "hivau-70k": "f975df444686d819",
    "hivau-70k raw": "9a5dcd41978f123c",
    "uca": "c8d429810646a636",
    "dota": "9500d179b662ee44",
    "smarthome-bench": "509f3fd1497274c5",
    "sutd-trafficqa": "1d5a004f778e4421",
    "tar": "b59d4c39df80912b",
    "ucf-crime": "5badb882aa2f37ce",
    "ucf-crime by VERA": "3e568a86df7f690f",
    "xd-violence": "845844149ba1c5a6",
    "xd-violence by VERA": "6617a5f367a83025",
    "vau-bench:vau-bench/test_ecva.csv": "a77565c816e60bf4",
    "vau-bench:vau-bench/test_msad.csv": "deac6bce57251cd9",
    "vau-bench:vau-bench/test_ucf_crime.csv": "a7c5034b1dc0c84c",
    "vau-bench:vau-bench/val.csv": "016337c4845fba6b",
    "hivau-70k:hivau/merge_instruction_test_final.jsonl": "081012a95da0c96f",
    "hivau-70k:hivau/ucf_database_test.json": "2f08a2397afff949",
    "uca:uca/UCFCrime_Test.json": "0f582014371ffdb9",
    "uca:uca/UCFCrime_Val.json": "196e6e8d598eb978",
    "uca:uca/UCFCrime_Train.json": "8a6a01847e7bf98f",
    "dota:dota/metadata_val.json": "379b63fe31cc7ef1",
    "dota:dota/metadata_train.json": "b5d5eb77f82474dc",
    "smarthome-bench:smarthome/Video_Annotation.csv": "f81389a2e4bb4c1d",
    "sutd-trafficqa:trafficqa/annotation_sample.jsonl": "608ee7b263ded5c2",
    "ucf-crime:vera/UCF_Eval.json": "aad12dc79377efdc",
    "xd-violence:vera/xd_annotations.json": "27ac475c4a0a0fe6",
    "vau-bench:vau_bench_test_ecva.csv": "307c71c1c402735c",
    "vau-bench:vau_bench_test_msad.csv": "c0c791b32707c542",
    "vau-bench:vau_bench_test_ucf_crime.csv": "3cc649c0a8ba7c3a",
    "hivau-70k:hivau70k_instruction_test.jsonl": "1698b187f6b3c60c",
    "hivau-70k:hivau70k_raw_ucf_test.json": "89caf5f0bbcf86d5",
    "uca:uca_test.json": "fc3fceaebc36a378",
    "dota:dota_metadata_val.json": "94fdbd49db1fd590",
}
FILES = [name for name in BEFORE if ":" in name]


def content(source: str | Path) -> str:
    """Return all that a data set says, or why it cannot be loaded, as text."""
    try:
        dataset = load_dataset(source)
    except EcvaError as error:
        return error.what
    parts = (dataset.annotations, dataset.excluded, dataset.findings)
    return "\n\n".join("\n".join(one.model_dump_json() for one in part) for part in parts)


def hashed(*texts: str) -> str:
    return hashlib.sha256("\n\n\n".join(texts).encode()).hexdigest()[:16]


@pytest.mark.parametrize("number", range(len(DESCRIPTIONS)))
def test_dirty_tables_say_what_they_said_row_by_row(number: int, tmp_path: Path) -> None:
    contents = [content(dirty_table(tmp_path, table)) for table in range(number, TABLES, len(DESCRIPTIONS))]
    assert hashed(*contents) == BEFORE[f"dirty {number}"]


@pytest.mark.parametrize("shape", SHAPES)
def test_tables_in_the_shapes_of_the_field_say_what_they_said(shape: str, tmp_path: Path) -> None:
    name, write = SHAPES[shape]
    assert hashed(content(f"{name}:{write(tmp_path)}")) == BEFORE[shape]


@pytest.mark.parametrize("source", [source for source in FILES if "/" not in source])
def test_real_samples_say_what_they_said(source: str, shared_data: Path) -> None:
    name, _, file = source.partition(":")
    assert hashed(content(f"{name}:{shared_data / 'field' / file}")) == BEFORE[source]


@pytest.mark.parametrize("source", [source for source in FILES if "/" in source])
def test_whole_public_files_say_what_they_said(source: str, field_files: Path) -> None:
    name, _, file = source.partition(":")
    assert hashed(content(f"{name}:{field_files / file}")) == BEFORE[source]


@pytest.mark.parametrize("number", range(len(DESCRIPTIONS), 2 * len(DESCRIPTIONS)))  # JSON lines, some of them broken
def test_it_does_not_matter_how_many_rows_are_read_at_once(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = dirty_table(tmp_path, number)
    together = content(path)
    for at_once in (1, 7):
        monkeypatch.setattr(loading, "ROWS_AT_ONCE", at_once)
        assert content(path) == together


@pytest.mark.parametrize("number", range(len(DESCRIPTIONS)))
def test_every_record_is_the_one_that_pydantic_makes_with_its_checks(number: int, tmp_path: Path) -> None:
    dataset = load_dataset(dirty_table(tmp_path, number + 4 * len(DESCRIPTIONS)))
    for one in (*dataset.annotations, *dataset.excluded, *dataset.findings):
        checked = type(one).model_validate(one.model_dump())
        assert (checked, checked.model_dump_json()) == (one, one.model_dump_json())


# One row at a time, in a few lines: what a cell of a CSV file says.


def text_of(cell: str) -> str | None:
    bad = cell.strip() in {"", "#REF!", "#N/A"} or re.match(r"[=@]\s*[A-Za-z][A-Za-z0-9.]*\(", cell)
    return None if bad else cell


def seconds_of(cell: str) -> float | None:
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if math.isfinite(number) and 0 <= number <= 1e7 else None


def class_of(cell: str) -> int | None:
    names = {"fire": 1, "falls over": 2, "theft": 3}
    return names.get(re.sub(r"[\s_-]+", " ", cell).strip().lower().rstrip("."))


def choice_of(question: str, options: list[str], key: str) -> tuple[tuple[str, ...], int | None] | None:
    shown = {place: option for place, option in enumerate(options) if option.strip()}
    lettered = {p: re.fullmatch(r"\(?([A-Za-z])\)?\s*[.:)]\s*(\S.*)", option.strip()) for p, option in shown.items()}
    if all(found and found[1].upper() == "ABCD"[place] for place, found in lettered.items()):
        shown = {place: found[2] for place, found in lettered.items() if found}
    if text_of(question) is None or len(shown) < 2:
        return None
    if not key.strip():
        return tuple(shown.values()), None
    found = re.fullmatch(r"\(?([A-Za-z])\)?\s*[.:)]?(?:(?<=[.:)])\s*(\S.*))?", key.strip())
    place = "ABCD".find(found[1].upper()) if found else -1
    if found is None or place not in shown:
        return None
    same = (found[2] or shown[place]).strip().lower().rstrip(".") == shown[place].strip().lower().rstrip(".")
    return (tuple(shown.values()), list(shown).index(place)) if same else None


DESCRIPTION = """
name = "plain"
id = "clip"
description = "what"
times = { unit = "seconds", start = "from", end = "to" }
classification = { column = "class", classes = ["fire", "falls_over", "theft"] }
choice = { question = "asks", options = ["a", "b", "c", "d"], answer = "key", answer_is = "letter" }
splits = { test = ["rows.csv"] }
"""


def loaded(folder: Path, rows: list[list[str]]) -> Dataset:
    with (folder / "rows.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["clip", "what", "from", "to", "class", "asks", "a", "b", "c", "d", "key"], *rows])
    (folder / "plain.toml").write_text(DESCRIPTION, encoding="utf-8")
    return load_dataset(folder / "plain.toml")


def test_each_row_says_what_it_says_alone(tmp_path: Path) -> None:
    draw = random.Random(15)
    pools = [[cell for cell in cells if isinstance(cell, str)] for cells in (TEXTS, TIMES, TIMES, CLASSES, TEXTS)]
    pools += [[cell for cell in cells if isinstance(cell, str)] for cells in (*[OPTIONS] * 4, KEYS)]
    rows = [[f"{number:05}.mp4", *(draw.choice(pool) for pool in pools)] for number in range(2500)]
    dataset = loaded(tmp_path, rows)
    found = {each.video: each for each in (*dataset.annotations, *dataset.excluded)}
    assert len(found) == len(rows)
    for clip, what, start, end, kind, asks, a, b, c, d, key in rows:
        each = found[clip.removesuffix(".mp4")]
        span = (seconds_of(start), seconds_of(end))
        spans = [(min(span), max(span))] if None not in span else []  # type: ignore[type-var]
        asked = choice_of(asks, [a, b, c, d], key)
        assert (each.media, each.description) == (clip, text_of(what))
        assert [(moment.start, moment.end) for moment in each.moments] == spans
        assert (each.label.major if each.label else None) == class_of(kind)
        assert [(one.name, one.text, one.options, one.answer) for one in each.queries] == (
            [] if asked is None else [("1", asks, *asked)]
        ), (a, b, c, d, key)
