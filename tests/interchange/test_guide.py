"""The guide's table of shapes: each of its examples is a file that is read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ecva_bench.data import Dataset, load_dataset
from ecva_bench.interchange.imported import import_answers
from ecva_bench.interchange.sources import AnswerSource
from tests.imports import ROOT

from .shapes import as_json

GUIDE = (ROOT / "docs/guides/answers-elsewhere.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^\| ([^|`]+) \| `([^`|]+)` \| `((?:[^`|]|\\\|)+)` \|$", GUIDE, re.MULTILINE)


@pytest.fixture(scope="module")
def annotated(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    path = tmp_path_factory.mktemp("annotations") / "annotations.json"
    tasks = {"Cause": "why", "Result": "then", "Timestamp": "[0001,0003]"}
    rows = [
        {"video_name": f"0000{n}", "task": task, "answer": text * n} for n in (1, 2) for task, text in tasks.items()
    ]
    path.write_bytes(as_json(rows))
    return load_dataset(path)


def test_the_table_is_there() -> None:
    assert len(EXAMPLES) == 20


@pytest.mark.parametrize(("name", "content"), [example[1:] for example in EXAMPLES], ids=[e[0] for e in EXAMPLES])
def test_an_example_is_read(name: str, content: str, annotated: Dataset, tmp_path: Path) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(content.replace("\\n", "\n").replace("\\t", "\t").replace("\\|", "|"), encoding="utf-8")
    path = path.parent if "/" in name else path
    answers = {(each.id, each.view): each.answer for each in import_answers([AnswerSource(path)], annotated).answers}
    assert answers["00001/cause", "full"] == "A car brakes late."
    assert {sample for sample, _ in answers} <= {"00001/cause", "00001/effect", "00002/cause"}
    assert answers.get(("00001/cause", "anomaly"), "Nothing.") == "Nothing."
