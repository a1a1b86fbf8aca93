"""The classes as data."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ecva_bench.errors import UsageError
from ecva_bench.records import Label
from ecva_bench.taxonomy import load_taxonomy


def test_cuva_is_complete() -> None:
    cuva = load_taxonomy("cuva")
    assert [entry.code for entry in cuva.classes] == list(range(1, 12))
    assert (len(cuva.classes), sum(len(entry.subclasses) for entry in cuva.classes)) == cuva.size == (11, 42)


def test_ecva_is_what_the_authors_picture_names(shared_paper: Path) -> None:
    theirs = json.loads((shared_paper / "taxonomy.json").read_text())["classes"]
    ecva = load_taxonomy("ecva")
    assert {entry.name: set(entry.subclasses) for entry in ecva.classes} == {n: set(sub) for n, sub in theirs.items()}
    assert sum(len(entry.subclasses) for entry in ecva.classes) == 97 == sum(map(len, theirs.values()))
    assert [entry.code for entry in ecva.classes] == list(range(1, 22))
    assert ecva.size == (21, 100)  # as the paper says


def test_codes_of_cuva_keep_their_meaning_in_ecva() -> None:
    ecva, cuva = load_taxonomy("ecva"), load_taxonomy("cuva")
    assert [entry.cuva for entry in ecva.classes] == [*range(1, 12), *[None] * 10]
    changed = {}
    for entry in cuva.classes:
        for number in range(1, len(entry.subclasses) + 1):
            label = Label(major=entry.code, sub=number, severity=3)
            there = ecva.from_cuva(label)
            assert there is not None
            assert there.severity == 3
            assert there.code == label.code or label.code in ("6-3", "9-5")
            if ecva.describe(there).casefold() != cuva.describe(label).casefold():
                changed[label.code] = (there.code, ecva.describe(there))
    renamed = {
        f"11-{n}": (f"11-{n}", f"Burning: {name}") for n, name in enumerate(cuva.classes[10].subclasses, start=1)
    }
    assert changed == {"6-3": ("6", "Robbery"), "9-5": ("9", "Fire"), **renamed}
    assert ecva.from_cuva(Label(major=12)) is None
    assert load_taxonomy("ecva").from_cuva(Label(major=5, sub=9)) == Label(major=5)


def test_the_names_are_those_of_the_authors_prompt(shared_data: Path) -> None:
    rows = json.loads((shared_data / "ecva/answers/videollama2_classification.json").read_text())
    listed = re.findall(r"(\d+)\. \*\*(.+?)\*\*", rows[0]["prompt"])
    assert listed == [(str(entry.code), entry.name) for entry in load_taxonomy("cuva").classes]


def test_labels_in_words() -> None:
    cuva = load_taxonomy("cuva")
    assert cuva.describe(Label(major=5, sub=1)) == "Traffic Accidents: Motor"
    assert cuva.describe(Label(major=5)) == "Traffic Accidents"
    assert cuva.describe(Label(major=5, sub=4)) == "5-4"
    assert not cuva.knows(Label(major=12))
    with pytest.raises(UsageError, match="available: cuva, ecva"):
        load_taxonomy("ucf")
