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


def test_ecva_names_only_what_a_text_names_and_maps_it_by_name() -> None:
    ecva, cuva = load_taxonomy("ecva"), load_taxonomy("cuva")
    assert ecva.size == (21, 100)
    assert 0 < len(ecva.classes) < 21
    for entry in ecva.classes:
        same = cuva.find(entry.cuva or 0)
        assert same is not None
        assert same.name == entry.name


def test_the_names_are_those_of_the_authors_prompt(shared_data: Path) -> None:
    rows = json.loads((shared_data / "ecva/answers/videollama2_classification.json").read_text())
    listed = re.findall(r"(\d+)\. \*\*(.+?)\*\*", rows[0]["prompt"])
    assert listed == [(str(entry.code), entry.name) for entry in load_taxonomy("ecva").classes]


def test_labels_in_words() -> None:
    cuva = load_taxonomy("cuva")
    assert cuva.describe(Label(major=5, sub=1)) == "Traffic Accidents: Motor"
    assert cuva.describe(Label(major=5)) == "Traffic Accidents"
    assert cuva.describe(Label(major=5, sub=4)) == "5-4"
    assert not cuva.knows(Label(major=12))
    with pytest.raises(UsageError, match="available: cuva, ecva"):
        load_taxonomy("ucf")
